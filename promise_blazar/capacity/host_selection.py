# SPDX-License-Identifier: Apache-2.0
"""Candidates for a demand and the orders of preference among them.

An order depends on the ledger and the request alone, so the same ledger always gives the same
answer.
"""

from dataclasses import dataclass

import numpy as np

from promise_blazar.capacity.arrays import BoolArray, IntArray
from promise_blazar.capacity.demand.request import AllocationRequest
from promise_blazar.capacity.free_capacity import UnitsBySlot


@dataclass(frozen=True, slots=True)
class Candidates:
    """All hosts, as one choice sees them.

    ``ids``, ``room``, ``busy``: one entry per slot; the host's id (int64), the units it has room
    for (int64), and whether anything is booked there in the window (bool). ``kept``: what the
    reservation holds now, units by slot.
    """

    ids: IntArray
    room: IntArray
    busy: BoolArray
    kept: UnitsBySlot

    def others(self, chosen: UnitsBySlot) -> IntArray:
        """The hosts with room for a unit or more that are not chosen yet; int64, slots."""
        free = self.room > 0
        free[list(chosen)] = False
        return np.flatnonzero(free)

    def by_id(self, slots: IntArray) -> IntArray:
        """These slots, those of held hosts first, then by the host's id."""
        return slots[np.lexsort((self.ids[slots], self._new(slots)))]

    def packed(self, slots: IntArray) -> IntArray:
        """These slots: held hosts first, then busy ones, then by least room, then by id."""
        order = np.lexsort(
            (self.ids[slots], self.room[slots], ~self.busy[slots], self._new(slots))
        )
        return slots[order]

    def _new(self, slots: IntArray) -> BoolArray:
        """Which of these are not held now?"""
        held = np.fromiter(self.kept, dtype=np.int64, count=len(self.kept))
        return ~np.isin(slots, held)


def choose(request: AllocationRequest, candidates: Candidates) -> UnitsBySlot | None:
    """Units by slot, the fewest that satisfy the request; None if nothing does.

    If the request is pinned, the answer contains all that it keeps.
    """
    pinned = candidates.kept if request.pinned else {}
    if any(candidates.room[slot] < units for slot, units in pinned.items()):
        return None
    if sum(pinned.values()) > request.demand.maximum:
        return None
    return request.demand.choose(candidates, pinned)
