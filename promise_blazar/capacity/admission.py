# SPDX-License-Identifier: Apache-2.0
"""Admission of requests together: a plan of hosts for all of them, or a refusal.

The host rule: for every host, class and instant, what is promised is at most the capacity, and
a host that is lent whole carries nothing else. The pool formula: see ``pool``. A plan always keeps
both. For one request a refusal is a proof that nothing fits, but for whole hosts of unlike sizes
that a pool limits. Several kinds of requests together are NP-hard to place, so several requests
are tried in a bounded number of orders; a refusal says when a bound, not a proof, ended it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, permutations
from typing import Final

import numpy as np

from promise_blazar.capacity.arrays import BoolArray, IntArray
from promise_blazar.capacity.budget import Budget
from promise_blazar.capacity.demand.request import AllocationRequest, Placement
from promise_blazar.capacity.free_capacity import FreeCapacity, at_once
from promise_blazar.capacity.given import Assignment, Given, UnitsBySlot
from promise_blazar.capacity.host_selection import Candidates, choose, proves
from promise_blazar.capacity.ledger import Ledger
from promise_blazar.capacity.limits import Taking

#: Orders of requests that are tried before giving up: all of them for up to four requests.
MAX_ORDERS: Final = 24
#: No further order is begun after so many evaluations.
_MOST_EVALUATIONS: Final = 1000
#: Orders that are looked at; most are skipped where many requests are alike.
_MOST_LOOKED_AT: Final = 1000


@dataclass(frozen=True, slots=True)
class Plan:
    """What each request gets, by its key; placements in the order of host ids."""

    placements: Mapping[str, tuple[Placement, ...]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The request that failed first.

    ``gave_up``: it was not proven. Each request fits alone, and no order of placing them was found
    in which all fit; or, of one alone, no whole hosts were found that stay within the pools.
    ``beside``: what the others had when it failed.
    """

    key: str
    gave_up: bool = False
    beside: Mapping[str, tuple[Placement, ...]] = field(default_factory=dict)


def admit(
    ledger: Ledger,
    requests: Sequence[AllocationRequest],
    now: int,
    exclude: frozenset[int] = frozenset(),
    budget: Budget | None = None,
) -> Plan | Refusal:
    """A plan for all of the requests, or none.

    ``exclude``: numbers of reservations whose bookings do not count, being those that the
    requests replace. What has ended and is not released counts for pinned requests; for others
    its hosts are last choice, in a window that contains ``now``. A window counts
    whole: one that begins before ``now`` (microseconds) also needs room in the past. Raises
    ``ValueError`` for two requests of the same key, and ``OutOfTime``.
    """
    free = FreeCapacity(ledger, now, exclude, budget=budget, at_once=at_once(requests))
    return Admission(free, requests).decide()


def holds(
    ledger: Ledger,
    requests: Sequence[AllocationRequest],
    plan: Plan,
    now: int,
    exclude: frozenset[int] = frozenset(),
) -> bool:
    """Whether a plan for these requests still keeps both rules, on the ledger as it is now.

    ``exclude``, ``now``: as for ``admit``. Raises ``KeyError`` for a request that the plan lacks.
    """
    only = np.zeros(ledger.size, dtype=np.bool_)
    given = Given(ledger.size)
    for request in requests:
        units = _by_slot(ledger, plan.placements[request.key])
        if units is None:
            return False
        only[list(units)] = True
        given.add(Assignment(request, units))
    free = FreeCapacity(ledger, now, exclude, only, at_once=at_once(requests))
    for request in requests:
        units = given.remove(request.key)
        room = free.room(request, given)
        if any(room[slot] < count for slot, count in units.items()):
            return False
        if not Taking(free.pool.limits(request, given, every=True)).take_all(units):
            return False
        given.add(Assignment(request, units))
    return True


def fitting(
    ledger: Ledger,
    request: AllocationRequest,
    placements: Sequence[Placement],
    now: int,
    exclude: frozenset[int] = frozenset(),
) -> frozenset[int]:
    """The hosts of those placements that would hold, each by itself and at once; as for
    ``holds``."""
    only = np.zeros(ledger.size, dtype=np.bool_)
    places = {each: ledger.slot(each.host) for each in placements}
    only[[slot for slot in places.values() if slot is not None]] = True
    free = FreeCapacity(ledger, now, exclude, only, at_once=True)
    limits = free.pool.limits(request, Given(ledger.size), every=True)
    room = np.minimum(free.room(request), limits.units(ledger.size))
    return frozenset(
        each.host for each, slot in places.items() if slot is not None and room[slot] >= each.units
    )


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


class Admission:
    """One decision, on the free capacity that there is."""

    def __init__(self, free: FreeCapacity, requests: Sequence[AllocationRequest]) -> None:
        """Raises ``ValueError`` for two requests of the same key."""
        if len({request.key for request in requests}) < len(requests):
            raise ValueError("two requests of the same key")
        self._free = free
        self._requests = {request.key: request for request in requests}
        self._kept: dict[str, UnitsBySlot] = {}
        self._alone: dict[str, IntArray] = {}
        self._eager: dict[str, BoolArray] = {}
        self._suggested: list[tuple[str, ...]] = []

    def decide(self) -> Plan | Refusal:
        """The plan, or the refusal. Raises ``OutOfTime``."""
        for key, request in self._requests.items():
            kept = _kept(self._free.ledger, request)
            if kept is None:
                return Refusal(key)
            self._kept[key] = kept
            self._alone[key] = self._free.room(request)
            candidates = self._candidates(request, Given(0))
            chosen = choose(request, candidates)
            if chosen is None:
                return Refusal(key, gave_up=not proves(request, candidates))
            if sum(chosen.values()) < request.demand.maximum:
                self._eager[key] = self._alone[key] > 0
        refusal = None
        budget, begun = self._free.budget, self._free.budget.spent
        for order in self._orders():
            if refusal and (budget.exhausted or budget.spent - begun > _MOST_EVALUATIONS):
                break
            given, failed = self._place(order)
            if failed is None:
                return self._plan(self._grown(given))
            self._promote(failed, order)
            refusal = refusal or Refusal(failed, True, self._plan(given).placements)
        return refusal or Plan({})

    def _orders(self) -> Iterator[tuple[str, ...]]:
        """The most constrained request first, then what failures suggest, then the others.

        Where requests are alike, exchanging them makes no other order.
        """
        tightest = tuple(sorted(self._requests, key=lambda key: (self._slack(key), key)))
        kinds = self._kinds()
        tried: set[tuple[int, ...]] = set()
        for order in islice(permutations(tightest), _MOST_LOOKED_AT):
            self._suggested.append(order)
            while self._suggested:
                suggestion = self._suggested.pop()
                kind = tuple(kinds[key] for key in suggestion)
                if kind in tried:
                    continue
                if len(tried) == MAX_ORDERS:
                    return
                tried.add(kind)
                yield suggestion

    def _kinds(self) -> Mapping[str, int]:
        """The same number for requests of which it does not matter which is placed first."""
        found: dict[str, int] = {}
        known: list[AllocationRequest] = []
        for key, request in self._requests.items():
            for number, other in enumerate(known):
                if not request.keep and not other.keep and request.like(other):
                    found[key] = number
                    break
            else:
                found[key] = len(known)
                known.append(request)
        return found

    def _promote(self, failed: str, order: tuple[str, ...]) -> None:
        """Next time, first what failed this time."""
        self._suggested.append((failed, *(key for key in order if key != failed)))

    def _slack(self, key: str) -> float:
        return self._requests[key].demand.slack(self._alone[key])

    def _place(self, order: Sequence[str]) -> tuple[Given, str | None]:
        """What each gets in this order, the least that satisfies it, until one fails."""
        # What pinned requests keep is theirs in any plan: nobody may take it before their turn.
        given = Given(self._free.ledger.size)
        for key in order:
            if self._requests[key].pinned:
                given.add(Assignment(self._requests[key], self._kept[key]))
        for key in order:
            given.remove(key)
            request = self._requests[key]
            chosen = choose(request, self._candidates(request, given, self._eager))
            if chosen is None:
                return given, key
            given.add(Assignment(request, chosen))
        return given, None

    def _grown(self, given: Given) -> Given:
        """With what is left given to those who may have more than the least."""
        eager = dict(self._eager)
        for key, request in self._requests.items():
            if sum(given.units()[key].values()) < request.demand.maximum:
                eager.pop(key, None)
                chosen = given.remove(key)
                candidates = self._candidates(request, given, eager)
                # Nobody's start waits for more than the least, and what was held before.
                waited = self._free.lingers(request.window).copy()
                waited[list(self._kept[key])] = False
                candidates = replace(candidates, room=np.where(waited, 0, candidates.room))
                given.add(Assignment(request, request.demand.grow(candidates, chosen)))
        return given

    def _candidates(
        self,
        request: AllocationRequest,
        given: Given,
        eager: Mapping[str, BoolArray] | None = None,
    ) -> Candidates:
        """The hosts for a request, beside what others are given.

        ``eager``: by the keys of requests that may grow, the hosts that they may grow onto.
        """
        room, busy = self._alone[request.key], self._free.busy(request.window)
        wanted = np.zeros(len(room), dtype=np.bool_)
        if given:
            room = self._free.room(request, given)
            touched = given.touched()
            busy = busy | touched
        for key, hosts in (eager or {}).items():
            if key != request.key:
                wanted |= hosts
        if given:
            wanted &= ~touched
        last, kept = self._free.last_choice(request.window), self._kept[request.key]
        limits = self._free.pool.limits(request, given)
        return Candidates(self._free.ledger.rank, room, busy, kept, wanted, last, limits)

    def _plan(self, given: Given) -> Plan:
        ids, units = self._free.ledger.ids, given.units()
        return Plan(
            {
                key: tuple(
                    Placement(host, count)
                    for host, count in sorted(
                        (int(ids[slot]), count) for slot, count in units[key].items()
                    )
                )
                for key in self._requests
                if key in units
            }
        )
