# SPDX-License-Identifier: Apache-2.0
"""Candidates for a demand and the orders of preference among them.

An order depends on the ledger and the request alone, so the same ledger always gives the same
answer.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from promise_blazar.capacity.arrays import BoolArray, IntArray
from promise_blazar.capacity.demand.request import AllocationRequest
from promise_blazar.capacity.given import UnitsBySlot
from promise_blazar.capacity.limits import NO_LIMITS, Limits, Taking

#: Room is told apart up to this, and hosts up to 2**22, so that an order is that of one integer.
_ROOMIEST: Final = 2**36 - 1
_RANK_BITS: Final = 22


@dataclass(frozen=True, slots=True)
class Candidates:
    """All hosts, as one choice sees them.

    One entry per slot: ``rank``, the host's place in the order of ids (int64); ``room``, the units
    that it has room for (int64); ``busy``, whether anything is booked there in the window (bool);
    ``wanted``, whether another request of the same decision could do with it (bool); ``last``,
    whether the others go first (bool). ``kept``: what the reservation holds now, units by slot.
    ``limits``: on all that is chosen together.
    """

    rank: IntArray
    room: IntArray
    busy: BoolArray
    kept: UnitsBySlot
    wanted: BoolArray
    last: BoolArray
    limits: Limits = NO_LIMITS

    def others(self, chosen: UnitsBySlot) -> IntArray:
        """The hosts with room for a unit or more that are not chosen yet; int64, slots."""
        free = self.room > 0
        free[list(chosen)] = False
        return np.flatnonzero(free)

    def by_id(self, slots: IntArray, most: int | None = None) -> IntArray:
        """The first ``most`` of these slots (None: all): held hosts, last choices last, unwanted
        ones, then by id."""
        key = self._first(slots) << _RANK_BITS | self.rank[slots]
        return _smallest(slots, key, most)

    def packed(self, slots: IntArray, most: int | None = None) -> IntArray:
        """The first ``most`` of these slots (None: all): held hosts first, last choices
        last, then unwanted ones.

        Of these busy ones first, then by the least room; of wanted ones those with the most room,
        so that few are taken. Then by id.
        """
        room = np.minimum(self.room[slots], _ROOMIEST)
        room = np.where(self.wanted[slots], _ROOMIEST - room, room)
        key = self._first(slots) << 1 | ~self.busy[slots]
        key = (key << 36 | room) << _RANK_BITS | self.rank[slots]
        return _smallest(slots, key, most)

    def _first(self, slots: IntArray) -> IntArray:
        """0 to 7: what comes first whatever the order."""
        key = self.wanted[slots] + 2 * self.last[slots].astype(np.int64)
        if self.kept:
            held = np.zeros(len(self.room), dtype=np.bool_)
            held[list(self.kept)] = True
            key += 4 * ~held[slots]
        return key


def _smallest(slots: IntArray, key: IntArray, most: int | None) -> IntArray:
    """The slots with the ``most`` smallest keys, in their order; all keys are different."""
    if most and most < len(slots) // 4:
        first = np.argpartition(key, most)[:most]
        slots, key = slots[first], key[first]
    return slots[np.argsort(key)][:most]


def choose(request: AllocationRequest, candidates: Candidates) -> UnitsBySlot | None:
    """Units by slot, the fewest that satisfy the request; None if nothing does.

    If the request is pinned, the answer contains all that it keeps.
    """
    pinned = candidates.kept if request.pinned else {}
    if any(candidates.room[slot] < units for slot, units in pinned.items()):
        return None
    if sum(pinned.values()) > request.demand.maximum:
        return None
    if candidates.limits and not Taking(candidates.limits).take_all(pinned):
        return None
    return request.demand.choose(candidates, pinned)


def proves(request: AllocationRequest, candidates: Candidates) -> bool:
    """Whether nothing satisfies the request, of which ``choose`` has found nothing."""
    pinned = candidates.kept if request.pinned else {}
    if not candidates.limits or any(candidates.room[at] < units for at, units in pinned.items()):
        return True
    if not Taking(candidates.limits).take_all(pinned):
        return True
    return request.demand.proves(candidates, pinned)
