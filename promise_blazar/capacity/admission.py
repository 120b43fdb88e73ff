# SPDX-License-Identifier: Apache-2.0
"""Can these reservations be promised together, and on which hosts?

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
from promise_blazar.capacity.demand.request import AllocationRequest, Placement, WholeHosts
from promise_blazar.capacity.free_capacity import FreeCapacity, Given, Share
from promise_blazar.capacity.host_selection import Field, choose, grow
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

    ``gave_up``: each request fits alone, and no order of placing them was found in which all fit.
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
) -> Plan | Refusal:
    """All of the requests, or none.

    ``exclude``: numbers of reservations whose bookings do not count, being those that the requests
    replace; what they have ended and not released counts all the same. A window counts whole:
    one that begins before ``now`` also needs room in the past.
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
    """Does a plan for these requests still keep the host rule, on the ledger as it is now?"""
    only = np.zeros(ledger.size, dtype=np.bool_)
    given: list[Given] = []
    for request in requests:
        share = _share(ledger, plan.placements[request.key])
        if share is None:
            return False
        only[list(share)] = True
        given.append(Given(request, share))
    rooms = FreeCapacity(ledger, now, exclude, only)
    for mine in given:
        room = rooms.room(mine.request, [other for other in given if other is not mine])
        if any(room[slot] < units for slot, units in mine.share.items()):
            return False
    return True


def _share(ledger: Ledger, placements: Sequence[Placement]) -> Share | None:
    """Placements by slot; None if a host is not known."""
    share: Share = {}
    for placement in placements:
        slot = ledger.slot(placement.host)
        if slot is None:
            return None
        share[slot] = share.get(slot, 0) + placement.units
    return share


def _kept(ledger: Ledger, request: AllocationRequest) -> Share | None:
    """What the request keeps, by slot; None if it is pinned to a host that is not known."""
    known = tuple(p for p in request.keep if ledger.slot(p.host) is not None)
    if request.pinned and len(known) < len(request.keep):
        return None
    share = _share(ledger, known) or {}
    return dict.fromkeys(share, 1) if isinstance(request.demand, WholeHosts) else share


class _Search:
    """One decision."""

    def __init__(self, rooms: FreeCapacity, requests: Sequence[AllocationRequest]) -> None:
        self._rooms = rooms
        self._requests = {request.key: request for request in requests}
        self._kept: dict[str, Share] = {}
        self._alone: dict[str, IntArray] = {}
        self._suggested: list[tuple[str, ...]] = []

    def run(self) -> Plan | Refusal:
        for key, request in self._requests.items():
            kept = _kept(self._rooms.ledger, request)
            if kept is None:
                return Refusal(key)
            self._kept[key] = kept
            self._alone[key] = self._rooms.room(request)
            if choose(request, kept, self._field(request, {})) is None:
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
        """The most constrained request first, then what failures suggest, then any other order."""
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
        """How many times over the request would fit alone."""
        demand, room = self._requests[key].demand, self._alone[key]
        if isinstance(demand, WholeHosts):
            return float(np.count_nonzero(room)) / max(demand.minimum, 1)
        if demand.affinity:
            return float(np.count_nonzero(room >= demand.amount))
        total = np.count_nonzero(room) if demand.affinity is False else room.sum()
        return float(total) / max(demand.amount, 1)

    def _place(self, order: Sequence[str]) -> tuple[dict[str, Share], str | None]:
        """What each gets in this order, the least that satisfies it, until one fails."""
        # What pinned requests keep is theirs in any plan, so nobody may take it before their turn.
        given = {key: self._kept[key] for key in order if self._requests[key].pinned}
        for key in order:
            given.pop(key, None)
            request = self._requests[key]
            share = choose(request, self._kept[key], self._field(request, given))
            if share is None:
                return given, key
            given[key] = share
        return given, None

    def _grown(self, given: dict[str, Share]) -> dict[str, Share]:
        """With the hosts that are left given to those who take more than their minimum."""
        for key, request in self._requests.items():
            if isinstance(request.demand, WholeHosts):
                share = given.pop(key)
                given[key] = grow(
                    request.demand, share, self._kept[key], self._field(request, given)
                )
        return given

    def _room(self, request: AllocationRequest, given: Mapping[str, Share]) -> IntArray:
        others = [Given(self._requests[key], share) for key, share in given.items()]
        if not others:
            return self._alone[request.key]
        return self._rooms.room(request, others)

    def _field(self, request: AllocationRequest, given: Mapping[str, Share]) -> Field:
        busy = self._rooms.timeline(request.window).busy()
        for share in given.values():
            busy[list(share)] = True
        return Field(self._rooms.ledger.ids, self._room(request, given), busy)

    def _plan(self, given: Mapping[str, Share]) -> Plan:
        ids = self._rooms.ledger.ids
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
