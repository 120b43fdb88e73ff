# SPDX-License-Identifier: Apache-2.0
"""Which of the hosts that have room? The order of preference, and nothing else.

Whole hosts: those held now, then those that fewest other asks of the decision could use, then
by id. Slots: likewise, but before the id come hosts that carry bookings in the window (free
hosts stay whole for those who need one), and of these the ones with the least room that is
enough. So the same books always give the same answer.
"""

from dataclasses import dataclass

import numpy as np

from promise_blazar.capacity.books import Share
from promise_blazar.capacity.columns import BoolArray, IntArray
from promise_blazar.capacity.demand import Ask, Slots, WholeHosts


@dataclass(frozen=True, slots=True)
class Field:
    """What a choice looks at, by slot: ``wanted`` is how many other asks could use the host."""

    ids: IntArray
    room: IntArray
    busy: BoolArray
    wanted: IntArray


def choose(ask: Ask, kept: Share, field: Field) -> Share | None:
    """Units by slot, the fewest that satisfy the ask; None if nothing does.

    ``kept``: what the ask keeps, by slot; if it is pinned, the answer contains all of it.
    """
    pinned = kept if ask.pinned else {}
    if any(field.room[slot] < units for slot, units in pinned.items()):
        return None
    demand = ask.demand
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
    order = _packed(np.flatnonzero(field.room > 0), kept, field).tolist()
    share = dict(pinned)
    left = demand.amount - sum(pinned.values())
    # First what is held stays, then the rest goes wherever there is room.
    for limit in (kept, None):
        for slot in order:
            if left == 0:
                return share
            if limit is not None and slot not in limit:
                break
            has = share.get(slot, 0)
            most = (
                int(field.room[slot]) if limit is None else min(int(field.room[slot]), limit[slot])
            )
            more = min(left, most - has)
            if more > 0:
                share[slot] = has + more
                left -= more
    return share if left == 0 else None


def _ranked(slots: IntArray, kept: Share, field: Field) -> IntArray:
    new = _strange(slots, kept)
    order = np.lexsort((field.ids[slots], field.wanted[slots], new))
    return slots[order]


def _packed(slots: IntArray, kept: Share, field: Field) -> IntArray:
    new = _strange(slots, kept)
    order = np.lexsort(
        (field.ids[slots], field.room[slots], ~field.busy[slots], field.wanted[slots], new)
    )
    return slots[order]


def _strange(slots: IntArray, kept: Share) -> BoolArray:
    """Not held now."""
    return ~np.isin(slots, np.fromiter(kept, dtype=np.int64, count=len(kept)))
