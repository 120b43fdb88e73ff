# SPDX-License-Identifier: Apache-2.0
"""Admission of requests together: a plan of hosts for all of them, or a refusal.

The host rule: for every host, class and instant, what is promised is at most the capacity, and
a host that is lent whole carries nothing else. A plan always keeps it. For one request a refusal
is a proof that nothing fits. Several kinds of requests together are NP-hard to place, so several
requests are tried in a bounded number of orders; a refusal says when that bound, not a proof,
ended it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Final

import numpy as np

from promise_blazar.capacity.arrays import IntArray
from promise_blazar.capacity.demand.request import AllocationRequest, Placement
from promise_blazar.capacity.free_capacity import Assignment, FreeCapacity, UnitsBySlot
from promise_blazar.capacity.host_selection import Candidates, choose
from promise_blazar.capacity.ledger import Ledger

#: Orders of requests that are tried before giving up: all of them for up to four requests.
MAX_ORDERS: Final = 24


@dataclass(frozen=True, slots=True)
class Plan:
    """What each request gets, by its key; placements in the order of host ids."""

    placements: Mapping[str, tuple[Placement, ...]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The request that failed first.

    ``gave_up``: each request fits alone, and no order of placing them was found in which all
    fit. ``beside``: what the others had when it failed.
    """

    key: str
    gave_up: bool = False
    beside: Mapping[str, tuple[Placement, ...]] = field(default_factory=dict)


def admit(
    ledger: Ledger,
    requests: Sequence[AllocationRequest],
    now: int,
    exclude: frozenset[int] = frozenset(),
) -> Plan | Refusal:
    """A plan for all of the requests, or none.

    ``exclude``: numbers of reservations whose bookings do not count, being those that the
    requests replace; what they have ended and not released counts all the same. A window counts
    whole: one that begins before ``now`` (microseconds) also needs room in the past. Raises
    ``ValueError`` for two requests of the same key.
    """
    if len({request.key for request in requests}) < len(requests):
        raise ValueError("two requests of the same key")
    return _Search(FreeCapacity(ledger, now, exclude), requests).run()


def holds(
    ledger: Ledger,
    requests: Sequence[AllocationRequest],
    plan: Plan,
    now: int,
    exclude: frozenset[int] = frozenset(),
) -> bool:
    """Whether a plan for these requests still keeps the host rule, on the ledger as it is now.

    ``exclude``, ``now``: as for ``admit``. Raises ``KeyError`` for a request that the plan lacks.
    """
    only = np.zeros(ledger.size, dtype=np.bool_)
    assignments: list[Assignment] = []
    for request in requests:
        units = _by_slot(ledger, plan.placements[request.key])
        if units is None:
            return False
        only[list(units)] = True
        assignments.append(Assignment(request, units))
    free = FreeCapacity(ledger, now, exclude, only)
    for mine in assignments:
        room = free.room(mine.request, [other for other in assignments if other is not mine])
        if any(room[slot] < units for slot, units in mine.units.items()):
            return False
    return True


def _by_slot(ledger: Ledger, placements: Sequence[Placement]) -> UnitsBySlot | None:
    """Placements by slot; None if a host is not known."""
    found: UnitsBySlot = {}
    for placement in placements:
        slot = ledger.slot(placement.host)
        if slot is None:
            return None
        found[slot] = found.get(slot, 0) + placement.units
    return found


def _kept(ledger: Ledger, request: AllocationRequest) -> UnitsBySlot | None:
    """What the request keeps; None if it is pinned to a host that is not known."""
    known = tuple(p for p in request.keep if ledger.slot(p.host) is not None)
    if request.pinned and len(known) < len(request.keep):
        return None
    kept = _by_slot(ledger, known) or {}
    return dict.fromkeys(kept, 1) if request.demand.amounts is None else kept


class _Search:
    """One decision."""

    def __init__(self, free: FreeCapacity, requests: Sequence[AllocationRequest]) -> None:
        self._free = free
        self._requests = {request.key: request for request in requests}
        self._kept: dict[str, UnitsBySlot] = {}
        self._alone: dict[str, IntArray] = {}
        self._suggested: list[tuple[str, ...]] = []

    def run(self) -> Plan | Refusal:
        for key, request in self._requests.items():
            kept = _kept(self._free.ledger, request)
            if kept is None:
                return Refusal(key)
            self._kept[key] = kept
            self._alone[key] = self._free.room(request)
            if choose(request, self._candidates(request, {})) is None:
                return Refusal(key)
        refusal = None
        for order in self._orders():
            given, failed = self._place(order)
            if failed is None:
                return self._plan(self._grown(given))
            self._promote(failed, order)
            refusal = refusal or Refusal(failed, True, self._plan(given).placements)
        return refusal or Plan({})

    def _orders(self) -> Iterator[tuple[str, ...]]:
        """The most constrained request first, then what failures suggest, then the others."""
        tightest = tuple(sorted(self._requests, key=lambda key: (self._slack(key), key)))
        tried: set[tuple[str, ...]] = set()
        for order in permutations(tightest):
            self._suggested.append(order)
            while self._suggested:
                suggestion = self._suggested.pop()
                if suggestion in tried:
                    continue
                if len(tried) == MAX_ORDERS:
                    return
                tried.add(suggestion)
                yield suggestion

    def _promote(self, failed: str, order: tuple[str, ...]) -> None:
        """Next time, first what failed this time."""
        self._suggested.append((failed, *(key for key in order if key != failed)))

    def _slack(self, key: str) -> float:
        return self._requests[key].demand.slack(self._alone[key])

    def _place(self, order: Sequence[str]) -> tuple[dict[str, UnitsBySlot], str | None]:
        """What each gets in this order, the least that satisfies it, until one fails."""
        # What pinned requests keep is theirs in any plan: nobody may take it before their turn.
        given = {key: self._kept[key] for key in order if self._requests[key].pinned}
        for key in order:
            given.pop(key, None)
            request = self._requests[key]
            chosen = choose(request, self._candidates(request, given))
            if chosen is None:
                return given, key
            given[key] = chosen
        return given, None

    def _grown(self, given: dict[str, UnitsBySlot]) -> dict[str, UnitsBySlot]:
        """With what is left given to those who may have more than the least."""
        for key, request in self._requests.items():
            if sum(given[key].values()) < request.demand.maximum:
                chosen = given.pop(key)
                given[key] = request.demand.grow(self._candidates(request, given), chosen)
        return given

    def _candidates(
        self, request: AllocationRequest, given: Mapping[str, UnitsBySlot]
    ) -> Candidates:
        """The hosts for a request, beside what others are given."""
        busy = self._free.timeline(request.window).busy()
        for units in given.values():
            busy[list(units)] = True
        room = self._alone[request.key]
        if given:
            others = [Assignment(self._requests[key], units) for key, units in given.items()]
            room = self._free.room(request, others)
        return Candidates(self._free.ledger.ids, room, busy, self._kept[request.key])

    def _plan(self, given: Mapping[str, UnitsBySlot]) -> Plan:
        ids = self._free.ledger.ids
        return Plan(
            {
                key: tuple(
                    Placement(host, units)
                    for host, units in sorted(
                        (int(ids[slot]), units) for slot, units in given[key].items()
                    )
                )
                for key in self._requests
                if key in given
            }
        )
