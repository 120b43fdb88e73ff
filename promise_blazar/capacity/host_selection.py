# SPDX-License-Identifier: Apache-2.0
"""Which of the hosts that have room? The order of preference, and nothing else.

Whole hosts: those held now, then by id. Slots: hosts that hold some now, then hosts that carry
bookings in the window (so that free hosts stay free for those who need them whole), of these the
ones with the least room that is enough, then by id. So the same books always give the same
answer.
"""

from dataclasses import dataclass
from itertools import chain

import numpy as np

from promise_blazar.capacity.arrays import BoolArray, IntArray
from promise_blazar.capacity.demand.request import AllocationRequest, Slots, WholeHosts
from promise_blazar.capacity.free_capacity import UNLIMITED, Share


@dataclass(frozen=True, slots=True)
class Field:
    """What a choice looks at, by slot."""

    ids: IntArray
    room: IntArray
    busy: BoolArray


def choose(request: AllocationRequest, kept: Share, field: Field) -> Share | None:
    """Units by slot, the fewest that satisfy the request; None if nothing does.

    ``kept``: what the request keeps, by slot; if it is pinned, the answer contains all of it.
    """
    pinned = kept if request.pinned else {}
    if any(field.room[slot] < units for slot, units in pinned.items()):
        return None
    demand = request.demand
    if isinstance(demand, WholeHosts):
        if len(pinned) > demand.maximum:
            return None
        start = dict.fromkeys(pinned, 1)
        return _more_hosts(start, max(demand.minimum, len(pinned)), kept, field)
    if sum(pinned.values()) > demand.amount:
        return None
    if demand.affinity is None:
        return _any_mix(demand, pinned, kept, field)
    if demand.affinity:
        return _together(demand, pinned, kept, field)
    return _apart(demand, pinned, kept, field)


def grow(demand: WholeHosts, share: Share, kept: Share, field: Field) -> Share:
    """The share with as many hosts more as there are, up to the maximum."""
    free = int(np.count_nonzero(field.room)) - sum(1 for slot in share if field.room[slot])
    most = min(demand.maximum, len(share) + free)
    grown = _more_hosts(share, most, kept, field)
    return share if grown is None else grown


def _more_hosts(share: Share, count: int, kept: Share, field: Field) -> Share | None:
    free = field.room > 0
    free[list(share)] = False
    chosen = _ranked(np.flatnonzero(free), kept, field)[: count - len(share)]
    if len(share) + len(chosen) < count:
        return None
    return share | dict.fromkeys(chosen.tolist(), 1)


def _together(demand: Slots, pinned: Share, kept: Share, field: Field) -> Share | None:
    if demand.amount == 0:
        return {}
    if len(pinned) > 1:
        return None
    roomy = field.room >= demand.amount
    most = max((units for slot, units in kept.items() if roomy[slot]), default=0)
    if most:
        slots = [slot for slot, units in kept.items() if units == most and roomy[slot]]
    elif pinned:
        return None
    else:
        slots = np.flatnonzero(roomy).tolist()
    if not slots:
        return None
    best = _packed(np.array(slots, dtype=np.int64), kept, field)[0]
    return {int(best): demand.amount}


def _apart(demand: Slots, pinned: Share, kept: Share, field: Field) -> Share | None:
    if any(units > 1 for units in pinned.values()):
        return None
    free = field.room > 0
    free[list(pinned)] = False
    chosen = _packed(np.flatnonzero(free), kept, field)[: demand.amount - len(pinned)]
    if len(pinned) + len(chosen) < demand.amount:
        return None
    return dict.fromkeys([*pinned, *chosen.tolist()], 1)


def _any_mix(demand: Slots, pinned: Share, kept: Share, field: Field) -> Share | None:
    if int(field.room.sum()) < demand.amount:
        return None
    share = dict(pinned)
    left = demand.amount - sum(pinned.values())
    held = np.array([slot for slot in kept if field.room[slot] > 0], dtype=np.int64)
    # First what is held stays, then the rest goes wherever there is room.
    for slot, limit in chain(
        ((slot, kept[slot]) for slot in _packed(held, kept, field).tolist()),
        ((slot, UNLIMITED) for slot in _packed(np.flatnonzero(field.room), kept, field).tolist()),
    ):
        if left == 0:
            break
        more = min(left, min(limit, int(field.room[slot])) - share.get(slot, 0))
        if more > 0:
            share[slot] = share.get(slot, 0) + more
            left -= more
    return share


def _ranked(slots: IntArray, kept: Share, field: Field) -> IntArray:
    new = _strange(slots, kept)
    order = np.lexsort((field.ids[slots], new))
    return slots[order]


def _packed(slots: IntArray, kept: Share, field: Field) -> IntArray:
    new = _strange(slots, kept)
    order = np.lexsort((field.ids[slots], field.room[slots], ~field.busy[slots], new))
    return slots[order]


def _strange(slots: IntArray, kept: Share) -> BoolArray:
    """Not held now."""
    return ~np.isin(slots, np.fromiter(kept, dtype=np.int64, count=len(kept)))
