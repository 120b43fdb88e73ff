# SPDX-License-Identifier: Apache-2.0
"""The host rule, as naively as it can be written: instant by instant, assignment by assignment.

It shares no code with what it judges but the words (hosts, bookings, requests).
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from promise_blazar.capacity.demand.request import AllocationRequest, Placement, Window
from promise_blazar.capacity.demand.whole_hosts import WholeHosts
from promise_blazar.capacity.ledger import (
    Booking,
    Ledger,
    LedgerAdjustment,
    LedgerHost,
)

Assignment = dict[int, int]


@dataclass
class World:
    """A small cloud, with its bookings as a list."""

    hosts: list[LedgerHost]
    bundles: dict[int, dict[str, int]]
    bookings: list[Booking]
    now: int
    exclude: frozenset[int] = field(default_factory=frozenset)
    adjustments: list[LedgerAdjustment] = field(default_factory=list)
    owners: dict[int, str] = field(default_factory=dict)

    def ledger(self) -> Ledger:
        ledger = Ledger()
        for host in self.hosts:
            ledger.put_host(host)
        for bundle, amounts in self.bundles.items():
            ledger.put_bundle(bundle, amounts)
        put(ledger, self.bookings)
        for adjustment in self.adjustments:
            ledger.put_adjustment(adjustment)
        ledger.put_owners(self.owners)
        return ledger


def put(ledger: Ledger, bookings: list[Booking]) -> None:
    ledger.put_bookings(
        [b.id for b in bookings],
        [b.reservation for b in bookings],
        [b.host for b in bookings],
        [-1 if b.bundle is None else b.bundle for b in bookings],
        [b.units for b in bookings],
        [b.start for b in bookings],
        [b.end for b in bookings],
        [b.released for b in bookings],
    )


def covers(world: World, booking: Booking, instant: int, at_once: bool = True) -> bool:
    """``at_once``: for something that cannot wait until the host is let go of."""
    lingers = booking.end <= world.now and not booking.released
    if booking.reservation in world.exclude and not lingers:
        return False
    if lingers and at_once and instant == world.now:
        return True
    return booking.start <= instant < booking.end


def accepted(host: LedgerHost, request: AllocationRequest) -> bool:
    return host.reservable and all(q.matches(host.properties) for q in request.demand.where)


def rule_kept(
    world: World,
    given: list[tuple[AllocationRequest, Assignment]],
    at_once: bool | None = None,
) -> bool:
    """Does the whole of the ledger and these assignments keep the host rule?

    Only hosts, classes and instants that the assignments add to are judged: the ledger may hold
    more than fits elsewhere. ``at_once``: None, if any of the requests cannot wait.
    """
    if at_once is None:
        at_once = any(request.pinned for request, _ in given)
    hosts = {host.id: host for host in world.hosts}
    for mine, assignment in given:
        for host_id, units in assignment.items():
            if units == 0:
                continue
            if host_id not in hosts or not accepted(hosts[host_id], mine):
                return False
            for instant in range(mine.window.start, mine.window.end):
                if not _instant_kept(world, given, hosts[host_id], mine, instant, at_once):
                    return False
    return True


def _instant_kept(
    world: World,
    given: list[tuple[AllocationRequest, Assignment]],
    host: LedgerHost,
    mine: AllocationRequest,
    instant: int,
    at_once: bool,
) -> bool:
    booked = [
        b
        for b in world.bookings
        if b.host == host.id and covers(world, b, instant, at_once) and b.units
    ]
    here = [
        (request, assignment[host.id])
        for request, assignment in given
        if assignment.get(host.id) and request.window.start <= instant < request.window.end
    ]
    whole = sum(b.bundle is None for b in booked)
    whole += sum(isinstance(request.demand, WholeHosts) for request, _ in here)
    if whole and len(booked) + len(here) > 1:
        return False
    if isinstance(mine.demand, WholeHosts):
        return True
    for name, amount in mine.demand.amounts.items():
        if amount == 0 or pooled(world, name):
            continue
        used = sum(world.bundles[b.bundle].get(name, 0) * b.units for b in booked if b.bundle)
        used += sum(
            request.demand.amounts.get(name, 0) * units
            for request, units in here
            if not isinstance(request.demand, WholeHosts)
        )
        if used > host.capacity.get(name, 0):
            return False
    return True


def pooled(world: World, name: str) -> bool:
    """Is this a class that hosts need not have?"""
    if any(name in host.capacity for host in world.hosts):
        return False
    return name == "INSTANCE" or any(name in each.amounts for each in world.adjustments)


def satisfies(request: AllocationRequest, assignment: Mapping[int, int]) -> bool:
    """Is this what the request wants, the host rule apart?"""
    used = {host: units for host, units in assignment.items() if units}
    if request.pinned:
        for placement in request.keep:
            if used.get(placement.host, 0) < placement.units:
                return False
    demand = request.demand
    if isinstance(demand, WholeHosts):
        fits = demand.minimum <= len(used) <= demand.maximum
        return fits and all(units == 1 for units in used.values())
    if sum(used.values()) != demand.amount:
        return False
    if demand.affinity is True:
        return len(used) <= 1
    if demand.affinity is False:
        return all(units == 1 for units in used.values())
    return True


def assignments(
    world: World, request: AllocationRequest, at_once: bool | None = None
) -> Iterator[Assignment]:
    """Every assignment that satisfies the request alone, in this world."""
    most = 1 if isinstance(request.demand, WholeHosts) else request.demand.amount
    ids = [host.id for host in world.hosts]
    for units in itertools.product(range(most + 1), repeat=len(ids)):
        assignment = dict(zip(ids, units, strict=True))
        given = [(request, assignment)]
        if satisfies(request, assignment) and rule_kept(world, given, at_once):
            yield assignment


def lingering(world: World) -> set[int]:
    """Hosts that a start now would wait for."""
    return {b.host for b in world.bookings if b.end <= world.now and not b.released}


def kept_units(request: AllocationRequest, assignment: Mapping[int, int]) -> int:
    """How much of what is held now stays where it is."""
    return sum(min(p.units, assignment.get(p.host, 0)) for p in request.keep)


def assignment_of(placements: tuple[Placement, ...]) -> Assignment:
    assert len({p.host for p in placements}) == len(placements)
    assert all(p.units > 0 for p in placements)
    return {p.host: p.units for p in placements}


def freed_after(world: World, instant: int) -> list[int]:
    """The instants after this one at which something booked is freed."""
    instants = set()
    for booking in world.bookings:
        lingers = booking.end <= world.now and not booking.released
        counts = booking.reservation not in world.exclude or lingers
        if counts and booking.start < booking.end:
            instants.add(booking.end)
    return sorted(i for i in instants if i > instant)


def shifted(window: Window, by: int) -> Window:
    return Window(window.start + by, window.end + by)
