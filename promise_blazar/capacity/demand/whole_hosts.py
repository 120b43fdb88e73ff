# SPDX-License-Identifier: Apache-2.0
"""Demand for whole hosts: so many at least, more if there are, each to oneself."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from promise_blazar.capacity.arrays import IntArray
from promise_blazar.capacity.demand import vector_sum
from promise_blazar.capacity.demand.contract import Bound, Verdict
from promise_blazar.capacity.demand.request import Window
from promise_blazar.capacity.free_capacity import FreeCapacity
from promise_blazar.capacity.given import Given, UnitsBySlot
from promise_blazar.capacity.host_selection import Candidates
from promise_blazar.capacity.limits import NO_LIMITS, Limits
from promise_blazar.capacity.resource_query import Query, without
from promise_blazar.capacity.timeline import Spans
from promise_blazar.model.words import agreeing


@dataclass(frozen=True, slots=True)
class WholeHosts:
    """At least ``minimum`` hosts, and as many as there are up to ``maximum``, to oneself.

    ``where``: every query must accept the host. Hosts that are held stay; others are taken by id.
    Raises ``ValueError`` for bounds that contradict each other.
    """

    minimum: int
    maximum: int
    where: tuple[Query, ...] = ()

    amounts: ClassVar[None] = None
    unit: ClassVar[str] = "hosts"
    least: ClassVar[int] = 1
    size: ClassVar[str] = "a whole host"

    def __post_init__(self) -> None:
        if not 0 <= self.minimum <= self.maximum:
            raise ValueError(f"{self.minimum} to {self.maximum} hosts cannot be asked for")

    def restricted(self, where: Iterable[Query]) -> Self:
        return replace(self, where=(*self.where, *where))

    def blind_to(self, names: frozenset[str]) -> Self:
        return replace(self, where=tuple(without(query, names) for query in self.where))

    def room(self, free: FreeCapacity, window: Window, beside: Given) -> IntArray:
        return free.unbooked(window, beside)

    def empty_room(self, free: FreeCapacity) -> IntArray:
        return np.ones(free.ledger.size, dtype=np.int64)

    def lacking(self, free: FreeCapacity, window: Window, units: int) -> Spans:
        return free.timeline(window).bookings()

    def choose(self, candidates: Candidates, pinned: UnitsBySlot) -> UnitsBySlot | None:
        if candidates.limits:
            return vector_sum.chosen(candidates, pinned, self.minimum, self.maximum)
        chosen = _filled(candidates, pinned, self.minimum)
        return chosen if len(chosen) >= self.minimum else None

    def proves(self, candidates: Candidates, pinned: UnitsBySlot) -> bool:
        return not candidates.limits or vector_sum.proves(candidates, pinned, self.minimum)

    def grow(self, candidates: Candidates, chosen: UnitsBySlot) -> UnitsBySlot:
        if candidates.limits:
            return vector_sum.grown(candidates, chosen, self.maximum)
        return _filled(candidates, chosen, self.maximum)

    def slack(self, room: IntArray) -> float:
        return float(np.count_nonzero(room)) / max(self.minimum, 1)

    @property
    def bound(self) -> Bound:
        return Bound(self.minimum, once=True)

    def fits(self, room: IntArray, limits: Limits = NO_LIMITS) -> int:
        return vector_sum.most(room, limits) if limits else int(room.sum())

    def verdict(self, hosts: int, room: IntArray) -> Verdict:
        return Verdict("fits", f"{hosts} {agreeing(hosts, 'fits', 'fit')}, {self.minimum} asked")


def _filled(candidates: Candidates, chosen: UnitsBySlot, count: int) -> UnitsBySlot:
    """The chosen hosts, and others while they are fewer than ``count``."""
    missing = max(count - len(chosen), 0)
    more = candidates.by_id(candidates.others(chosen), missing)
    return chosen | dict.fromkeys(more.tolist(), 1)
