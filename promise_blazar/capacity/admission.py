# SPDX-License-Identifier: Apache-2.0
"""Can these reservations be promised together, and on which hosts?

The host rule: for every host, class and instant, what is promised is at most the capacity, and
a host that is lent whole carries nothing else. A plan always keeps it. For one ask a refusal is
a proof that nothing fits. Several kinds of asks together are NP-hard to place, so several asks
are tried in a bounded number of orders; a refusal says when that bound, not a proof, ended it.
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

#: Orders of asks that are tried before giving up: all of them for up to four asks.
MAX_ORDERS: Final = 24


@dataclass(frozen=True, slots=True)
class Plan:
    """What each ask gets, by its key; placements in the order of host ids."""

    placements: Mapping[str, tuple[Placement, ...]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The ask that failed first.

    ``gave_up``: each ask fits alone, and no order of placing them was found in which all fit.
    ``beside``: what the others had when it failed.
    """

    key: str
    gave_up: bool = False
    beside: Mapping[str, tuple[Placement, ...]] = field(default_factory=dict)


def admit(
    ledger: Ledger,
    asks: Sequence[AllocationRequest],
    now: int,
    exclude: frozenset[int] = frozenset(),
) -> Plan | Refusal:
    """All of the asks, or none.

    ``exclude``: numbers of reservations whose bookings do not count, being those that the asks
    replace; what they have ended and not released counts all the same. A window counts whole:
    one that begins before ``now`` also needs room in the past.
    """
    if len({ask.key for ask in asks}) < len(asks):
        raise ValueError("two asks of the same key")
    return _Search(FreeCapacity(ledger, now, exclude), asks).run()


def holds(
    ledger: Ledger,
    asks: Sequence[AllocationRequest],
    plan: Plan,
    now: int,
    exclude: frozenset[int] = frozenset(),
) -> bool:
    """Does a plan for these asks still keep the host rule, on the ledger as it is now?"""
    only = np.zeros(ledger.size, dtype=np.bool_)
    given: list[Given] = []
    for ask in asks:
        share = _share(ledger, plan.placements[ask.key])
        if share is None:
            return False
        only[list(share)] = True
        given.append(Given(ask, share))
    rooms = FreeCapacity(ledger, now, exclude, only)
    for mine in given:
        room = rooms.room(mine.ask, [other for other in given if other is not mine])
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


def _kept(ledger: Ledger, ask: AllocationRequest) -> Share | None:
    """What the ask keeps, by slot; None if it is pinned to a host that is not known."""
    known = tuple(p for p in ask.keep if ledger.slot(p.host) is not None)
    if ask.pinned and len(known) < len(ask.keep):
        return None
    share = _share(ledger, known) or {}
    return dict.fromkeys(share, 1) if isinstance(ask.demand, WholeHosts) else share


class _Search:
    """One decision."""

    def __init__(self, rooms: FreeCapacity, asks: Sequence[AllocationRequest]) -> None:
        self._rooms = rooms
        self._asks = {ask.key: ask for ask in asks}
        self._kept: dict[str, Share] = {}
        self._alone: dict[str, IntArray] = {}
        self._suggested: list[tuple[str, ...]] = []

    def run(self) -> Plan | Refusal:
        for key, ask in self._asks.items():
            kept = _kept(self._rooms.ledger, ask)
            if kept is None:
                return Refusal(key)
            self._kept[key] = kept
            self._alone[key] = self._rooms.room(ask)
            if choose(ask, kept, self._field(ask, {})) is None:
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
        """The most constrained ask first, then what failures suggest, then any other order."""
        tightest = tuple(sorted(self._asks, key=lambda key: (self._slack(key), key)))
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
        """How many times over the ask would fit alone."""
        demand, room = self._asks[key].demand, self._alone[key]
        if isinstance(demand, WholeHosts):
            return float(np.count_nonzero(room)) / max(demand.minimum, 1)
        if demand.affinity:
            return float(np.count_nonzero(room >= demand.amount))
        total = np.count_nonzero(room) if demand.affinity is False else room.sum()
        return float(total) / max(demand.amount, 1)

    def _place(self, order: Sequence[str]) -> tuple[dict[str, Share], str | None]:
        """What each gets in this order, the least that satisfies it, until one fails."""
        # What pinned asks keep is theirs in any plan, so nobody may take it before their turn.
        given = {key: self._kept[key] for key in order if self._asks[key].pinned}
        for key in order:
            given.pop(key, None)
            ask = self._asks[key]
            share = choose(ask, self._kept[key], self._field(ask, given))
            if share is None:
                return given, key
            given[key] = share
        return given, None

    def _grown(self, given: dict[str, Share]) -> dict[str, Share]:
        """With the hosts that are left given to those who take more than their minimum."""
        for key, ask in self._asks.items():
            if isinstance(ask.demand, WholeHosts):
                share = given.pop(key)
                given[key] = grow(ask.demand, share, self._kept[key], self._field(ask, given))
        return given

    def _room(self, ask: AllocationRequest, given: Mapping[str, Share]) -> IntArray:
        others = [Given(self._asks[key], share) for key, share in given.items()]
        if not others:
            return self._alone[ask.key]
        return self._rooms.room(ask, others)

    def _field(self, ask: AllocationRequest, given: Mapping[str, Share]) -> Field:
        busy = self._rooms.timeline(ask.window).busy()
        for share in given.values():
            busy[list(share)] = True
        return Field(self._rooms.ledger.ids, self._room(ask, given), busy)

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
                for key in self._asks
                if key in given
            }
        )
