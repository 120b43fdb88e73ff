# SPDX-License-Identifier: Apache-2.0
"""The pool formula, as naively as it can be written: instant by instant, booking by booking.

It shares no code with what it judges but the words.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from promise_blazar.capacity.demand.request import AllocationRequest
from promise_blazar.capacity.ledger import Booking, LedgerAdjustment, LedgerHost
from promise_blazar.tests.unit.capacity.oracle import Assignment, World

INSTANCE = "INSTANCE"
#: Whose: one that no carve-out is for.
NOBODY = "nobody"


@dataclass(frozen=True)
class Charge:
    """What is charged at an instant: so many slots of these amounts (None: the whole host)."""

    host: int
    amounts: dict[str, int] | None
    units: int
    project: str | None


def on_hosts(world: World, name: str) -> bool:
    return any(name in host.capacity for host in world.hosts)


def tracked(world: World, zone: str | None) -> set[str]:
    names = {name for host in world.hosts if zone in (None, host.zone) for name in host.capacity}
    return names | {name for each in scope(world, zone) for name in each.amounts}


def scope(world: World, zone: str | None) -> list[LedgerAdjustment]:
    return [each for each in world.adjustments if zone is None or each.zone == zone]


def booked(world: World, bookings: Iterable[Booking], instant: int) -> list[Charge]:
    """What lingers is not reserved: it counts in its window alone."""
    return [
        Charge(
            each.host,
            None if each.bundle is None else world.bundles[each.bundle],
            each.units,
            world.owners.get(each.reservation),
        )
        for each in bookings
        if each.start <= instant < each.end
    ]


def level(world: World, charges: Iterable[Charge], zone: str | None, name: str) -> int:
    """What all of these take of a class in a scope."""
    hosts: dict[int, LedgerHost] = {host.id: host for host in world.hosts}
    by_host: dict[int, int] = {}
    for each in charges:
        host = hosts.get(each.host)
        if zone is not None and (host is None or host.zone != zone):
            continue
        by_host[each.host] = by_host.get(each.host, 0) + _amount(each, host, name)
    if not on_hosts(world, name):
        return sum(by_host.values())
    return sum(
        min(amount, hosts[id_].capacity.get(name, 0))
        for id_, amount in by_host.items()
        if id_ in hosts
    )


def _amount(charge: Charge, host: LedgerHost | None, name: str) -> int:
    if charge.amounts is None:
        return 0 if host is None or not charge.units else host.capacity.get(name, 0)
    amount = charge.amounts.get(name, 0)
    if name == INSTANCE and amount == 0:
        amount = 1
    return amount * charge.units


def offered(world: World, zone: str | None, name: str, instant: int) -> int:
    """All that there is."""
    total = sum(h.capacity.get(name, 0) for h in world.hosts if zone in (None, h.zone))
    for each in scope(world, zone):
        if each.source is None and each.start <= instant < each.end:
            total += each.amounts.get(name, 0)
    return total


def share_of(
    world: World, group: frozenset[str], zone: str | None, name: str, instant: int
) -> int:
    return sum(
        each.amounts.get(name, 0)
        for each in scope(world, zone)
        if each.source is not None and each.projects == group and each.start <= instant < each.end
    )


def groups(world: World) -> set[frozenset[str]]:
    return {each.projects for each in world.adjustments if each.source is not None}


@dataclass(frozen=True)
class Figures:
    total: int
    reserved: int
    available: int


def figures(
    world: World,
    charges: list[Charge],
    zone: str | None,
    name: str,
    instant: int,
    project: str | None,
) -> Figures:
    """As a project sees them; None: as the whole provider."""
    total = offered(world, zone, name, instant)
    demand = level(world, charges, zone, name)
    if project is None:
        return Figures(total, demand, total - demand)
    shares, covered = set_apart(world, charges, zone, name, instant)
    mine = [group for group in shares if project in group]
    general = total - sum(shares.values())
    charged = max(demand - sum(covered.values()), 0)
    own, own_covered = sum(shares[g] for g in mine), sum(covered[g] for g in mine)
    available = own - own_covered + max(general - charged, 0)
    return Figures(
        max(general + own, 0),
        charged + own_covered,
        min(available, max(total - demand, 0)),  # a share is no more than is left
    )


def set_apart(
    world: World, charges: list[Charge], zone: str | None, name: str, instant: int
) -> tuple[dict[frozenset[str], int], dict[frozenset[str], int]]:
    """The shares, and what of each its group has reserved."""
    shares = {group: share_of(world, group, zone, name, instant) for group in groups(world)}
    covered = {
        group: min(level(world, [c for c in charges if c.project in group], zone, name), share)
        for group, share in shares.items()
    }
    return shares, covered


@dataclass(frozen=True)
class Lacking:
    """Of the general pool; of all, for what shares cover; and for the shares themselves."""

    general: int
    covered: int
    apart: int


def lacking(
    world: World, charges: list[Charge], zone: str | None, name: str, instant: int
) -> Lacking:
    total, demand = offered(world, zone, name, instant), level(world, charges, zone, name)
    shares, covered = set_apart(world, charges, zone, name, instant)
    general = total - sum(shares.values())
    return Lacking(
        max(demand - sum(covered.values()) - max(general, 0), 0),
        max(min(demand, sum(covered.values())) - total, 0),
        max(-general, 0),
    )


class PoolRule:
    """The rule of one world for the decisions of a project; what it has worked out it keeps."""

    def __init__(self, world: World, project: str | None) -> None:
        self._world = world
        self._project = project or NOBODY
        self._most: dict[tuple[str | None, str, int], int] = {}
        self._tracked = {
            zone: tracked(world, zone) for zone in {None, *(host.zone for host in world.hosts)}
        }

    def kept(self, given: list[tuple[AllocationRequest, Assignment]]) -> bool:
        """Is each of these charged only what there is for it, at every instant of its window?"""
        zones = {host.id: host.zone for host in self._world.hosts}
        for request, assignment in given:
            used = [host for host, units in assignment.items() if units]
            scopes = {None, *(zones[host] for host in used)} if used else set()
            for instant in range(request.window.start, request.window.end):
                mine = charges_of([(request, assignment)], instant)
                together = charges_of(given, instant)
                for zone in scopes:
                    for name in self._tracked[zone]:
                        if not self._sum(mine, zone, name):
                            continue
                        if self._sum(together, zone, name) > self._limit(zone, name, instant):
                            return False
        return True

    def _sum(self, charges: list[Charge], zone: str | None, name: str) -> int:
        hosts = {host.id: host for host in self._world.hosts}
        return sum(
            _amount(each, hosts[each.host], name)
            for each in charges
            if zone in (None, hosts[each.host].zone)
        )

    def _limit(self, zone: str | None, name: str, instant: int) -> int:
        """What there is for the project, or what is replaced."""
        key = (zone, name, instant)
        if key not in self._most:
            world = self._world
            replaced = [b for b in world.bookings if b.reservation in world.exclude]
            others = [b for b in world.bookings if b.reservation not in world.exclude]
            there = figures(
                world, booked(world, others, instant), zone, name, instant, self._project
            )
            had = level(world, booked(world, replaced, instant), zone, name)
            self._most[key] = max(there.available, had)
        return self._most[key]


def charges_of(given: list[tuple[AllocationRequest, Assignment]], instant: int) -> list[Charge]:
    return [
        Charge(host, _bundle(request), units, request.project)
        for request, assignment in given
        if request.window.start <= instant < request.window.end
        for host, units in assignment.items()
        if units
    ]


def _bundle(request: AllocationRequest) -> dict[str, int] | None:
    amounts = request.demand.amounts
    return None if amounts is None else dict(amounts)


def comparable(world: World, names: Iterable[str]) -> bool:
    """Is of any two hosts one at least as large in all of these classes?"""
    sizes = [[host.capacity.get(name, 0) for name in names] for host in world.hosts]
    return all(
        all(a <= b for a, b in zip(one, other, strict=True))
        or all(a >= b for a, b in zip(one, other, strict=True))
        for one in sizes
        for other in sizes
    )
