# SPDX-License-Identifier: Apache-2.0
"""Demand for slots: equal parts of hosts, all on one, each on another, or in any mix.

Slots go to hosts that hold some now, then to hosts that carry bookings in the window, so that
free hosts stay free for those who need them whole; of these the ones with the least room that is
enough, then by id.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import ClassVar, Self

import numpy as np

from promise_blazar.capacity.arrays import IntArray
from promise_blazar.capacity.demand.contract import Bound, Verdict
from promise_blazar.capacity.demand.request import Window
from promise_blazar.capacity.free_capacity import FreeCapacity
from promise_blazar.capacity.given import Given, UnitsBySlot
from promise_blazar.capacity.host_selection import Candidates
from promise_blazar.capacity.limits import NO_LIMITS, UNLIMITED, Limits, Taking
from promise_blazar.capacity.resource_query import Query, without
from promise_blazar.capacity.timeline import Spans
from promise_blazar.model.words import agreeing, counted


@dataclass(frozen=True, slots=True)
class Slots:
    """``amount`` equal parts of hosts; ``amounts`` is what one slot takes, by class.

    ``affinity``: True, all on one host; False, each on another host; None, any mix. ``where``:
    every query must accept the host. Raises ``ValueError`` for negative figures.
    """

    amount: int
    amounts: Mapping[str, int]
    affinity: bool | None
    where: tuple[Query, ...] = ()

    unit: ClassVar[str] = "slots"

    def __post_init__(self) -> None:
        if self.amount < 0:
            raise ValueError(f"{self.amount} slots cannot be asked for")
        if any(amount < 0 for amount in self.amounts.values()):
            raise ValueError("a slot cannot take a negative amount")

    @property
    def taken(self) -> Mapping[str, int]:
        """The amounts that are more than nothing."""
        return {name: amount for name, amount in self.amounts.items() if amount > 0}

    @property
    def maximum(self) -> int:
        return self.amount

    @property
    def minimum(self) -> int:
        return self.amount

    @property
    def least(self) -> int:
        return self.amount if self.affinity else 1

    @property
    def size(self) -> str:
        slot = ", ".join(f"{amount} {name}" for name, amount in self.taken.items())
        return (
            f"{counted(self.least, 'slot')} of {slot}" if self.least > 1 else f"a slot of {slot}"
        )

    def restricted(self, where: Iterable[Query]) -> Self:
        return replace(self, where=(*self.where, *where))

    def blind_to(self, names: frozenset[str]) -> Self:
        return replace(self, where=tuple(without(query, names) for query in self.where))

    def room(self, free: FreeCapacity, window: Window, beside: Given) -> IntArray:
        return free.units_of(self.taken, window, beside)

    def empty_room(self, free: FreeCapacity) -> IntArray:
        return free.empty_units_of(self.taken)

    def lacking(self, free: FreeCapacity, window: Window, units: int) -> Spans:
        return free.lacking_units_of(self.taken, window, units)

    def choose(self, candidates: Candidates, pinned: UnitsBySlot) -> UnitsBySlot | None:
        if self.affinity is None:
            return self._in_any_mix(candidates, pinned)
        if self.affinity:
            return self._together(candidates, pinned)
        return self._apart(candidates, pinned)

    def proves(self, candidates: Candidates, pinned: UnitsBySlot) -> bool:
        return True

    def grow(self, candidates: Candidates, chosen: UnitsBySlot) -> UnitsBySlot:
        return chosen

    def slack(self, room: IntArray) -> float:
        if self.affinity:
            return float(np.count_nonzero(room >= self.amount))
        return float(self.fits(room)) / max(self.amount, 1)

    @property
    def bound(self) -> Bound:
        if self.affinity:
            return Bound(1, self.amount, once=True)
        return Bound(self.amount, once=self.affinity is False)

    def fits(self, room: IntArray, limits: Limits = NO_LIMITS) -> int:
        if limits:
            room = np.minimum(room, limits.units(len(room)))
        if self.affinity:
            return int(room.max(initial=0))
        if self.affinity is False:
            room = np.minimum(room, 1)
        if limits:
            left = Taking(limits)
            return sum(left.take(slot, int(room[slot])) for slot in np.flatnonzero(room).tolist())
        return int(room.sum())

    def verdict(self, hosts: int, room: IntArray) -> Verdict:
        asked = f"{counted(self.amount, 'slot')} asked"
        fit = f"{hosts} {agreeing(hosts, 'fits', 'fit')}"
        if self.amount == 1 or (not hosts and not self.affinity):
            return Verdict("fits", f"{fit}, {asked}")
        most = self.fits(room)
        if self.affinity is None:
            has = agreeing(hosts, "has", "have")
            return Verdict("fits", f"{hosts} {has} room for {counted(most, 'slot')}, {asked}")
        if self.affinity:
            roomiest = f"the roomiest has room for {most}" if most else "none for any"
            return Verdict("affinity", f"no host has room for all {self.amount} slots, {roomiest}")
        return Verdict("affinity", f"{fit}, {asked}, each on a host of its own")

    def _together(self, candidates: Candidates, pinned: UnitsBySlot) -> UnitsBySlot | None:
        if self.amount == 0:
            return {}
        if len(pinned) > 1:
            return None
        roomy = candidates.room >= self.amount
        if candidates.limits:
            roomy &= candidates.limits.units(len(roomy)) >= self.amount
        held = {slot: units for slot, units in candidates.kept.items() if roomy[slot]}
        most = max(held.values(), default=0)
        if most:
            slots = [slot for slot, units in held.items() if units == most]
        elif pinned:
            return None
        else:
            slots = np.flatnonzero(roomy).tolist()
        if not slots:
            return None
        best = candidates.packed(np.array(slots, dtype=np.int64), 1)[0]
        return {int(best): self.amount}

    def _apart(self, candidates: Candidates, pinned: UnitsBySlot) -> UnitsBySlot | None:
        if any(units > 1 for units in pinned.values()):
            return None
        missing = max(self.amount - len(pinned), 0)
        others = candidates.others(pinned)
        if candidates.limits:
            left = Taking(candidates.limits)
            left.take_all(pinned)
            more = left.first(candidates.packed(others), missing)
        else:
            more = candidates.packed(others, missing).tolist()
        if len(pinned) + len(more) < self.amount:
            return None
        return dict.fromkeys([*pinned, *more], 1)

    def _in_any_mix(self, candidates: Candidates, pinned: UnitsBySlot) -> UnitsBySlot | None:
        room, kept = candidates.room, candidates.kept
        if int(room.sum()) < self.amount:
            return None
        chosen = dict(pinned)
        left = self.amount - sum(pinned.values())
        held = np.array([slot for slot in kept if room[slot] > 0], dtype=np.int64)
        anywhere = np.flatnonzero(room)
        # Each host takes a slot more, but for those that are full of what was chosen before, and
        # those in a zone whose pool is.
        enough = min(left + len(chosen) + len(held), len(anywhere))
        pool = Taking(candidates.limits) if candidates.limits else None
        if pool is not None:
            pool.take_all(pinned)
            enough = len(anywhere)
        # First what is held stays, then the rest goes wherever there is room.
        for slot, limit in chain(
            ((slot, kept[slot]) for slot in (candidates.packed(held).tolist() if kept else ())),
            ((slot, UNLIMITED) for slot in candidates.packed(anywhere, enough).tolist()),
        ):
            if left == 0:
                break
            more = min(left, min(limit, int(room[slot])) - chosen.get(slot, 0))
            if pool is not None and more > 0:
                more = pool.take(slot, more)
            if more > 0:
                chosen[slot] = chosen.get(slot, 0) + more
                left -= more
        return None if left else chosen
