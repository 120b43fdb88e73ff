# SPDX-License-Identifier: Apache-2.0
"""Scheduling of a server: Placement's candidates, then the filter, then the emptiest host.

Each resource class of the request is taken from one provider of the host's tree: the host
itself or a child. The filter is the decision that Nova's scheduler takes with ``nova_filter``.
Of equals the first host is taken, so that the same story always ends the same way.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from nova_filter.decision import Request, hinted, select
from promise_blazar.cloud.contract.compute import Aggregate, Flavor
from promise_blazar.cloud.simulated.compute import aggregates
from promise_blazar.model.words import counted

NO_VALID_HOST = "No valid host was found."
_RESOURCES = "resources:"


@dataclass(frozen=True, slots=True)
class Allocation:
    """An amount of a resource class, on a resource provider, by uuid."""

    provider: str
    resource_class: str
    amount: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A host on which the request fits, and what it would take there."""

    host: int
    name: str
    free_memory: int
    taken: tuple[Allocation, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """``candidate`` None: ``reason`` says at which step the last host was lost."""

    candidate: Candidate | None
    reason: str | None


@dataclass(slots=True)
class _Stock:
    """One inventory, with what is left of it."""

    provider: str
    free: int
    max_unit: int


@dataclass(frozen=True, slots=True, eq=False)
class _Membership:
    """An aggregate as the filter reads it: its zone is one of its metadata."""

    name: str
    metadata: Mapping[str, str]


@dataclass(slots=True)
class _Host:
    number: int
    name: str
    stocks: dict[str, list[_Stock]] = field(default_factory=dict)


def schedule(
    db: sqlite3.Connection, project_id: str, flavor: Flavor, hints: Mapping[str, object]
) -> Verdict:
    """Choose a host, or say why there is none."""
    wanted = amounts(flavor)
    fitting = [found for host in _hosts(db) if (found := _candidate(host, wanted))]
    if not fitting:
        return Verdict(None, f"{NO_VALID_HOST} No host has room for the flavor.")
    memberships = _memberships(aggregates.every(db))
    request = Request(
        project_id=project_id,
        reservations=hinted(hints),
        flavor_id=flavor.id,
        extra_specs=flavor.extra_specs,
    )
    allowed = select(request, fitting, lambda found: memberships.get(found.name, ()))
    if not allowed:
        return Verdict(
            None,
            f"{NO_VALID_HOST} The reservation filter passed none of "
            f"{counted(len(fitting), 'host')} with room.",
        )
    return Verdict(max(allowed, key=lambda found: found.free_memory), None)


def still_fits(db: sqlite3.Connection, candidate: Candidate) -> bool:
    """Whether what a candidate would take is still free: what Placement sees of a claim."""
    for each in candidate.taken:
        row = db.execute(
            "SELECT CAST((i.total - i.reserved) * i.allocation_ratio AS INTEGER) - COALESCE("
            "  (SELECT sum(a.amount) FROM allocations a WHERE a.provider = i.provider"
            "   AND a.resource_class = i.resource_class), 0) AS free FROM inventories i"
            " WHERE i.provider = ? AND i.resource_class = ?",
            (each.provider, each.resource_class),
        ).fetchone()
        if row is None or row["free"] < each.amount:
            return False
    return True


def amounts(flavor: Flavor) -> dict[str, int]:
    """What a server takes, by class: its figures, and ``resources:<class>`` where given."""
    wanted = {"VCPU": flavor.vcpus, "MEMORY_MB": flavor.memory_mb, "DISK_GB": flavor.disk_gb}
    for key, value in flavor.extra_specs.items():
        if key.startswith(_RESOURCES):
            wanted[key.removeprefix(_RESOURCES)] = int(value)
    return {resource_class: amount for resource_class, amount in wanted.items() if amount}


def _hosts(db: sqlite3.Connection) -> Iterable[_Host]:
    """The hosts that are up, with what is free in their provider trees."""
    hosts: dict[int, _Host] = {}
    for row in db.execute(
        "SELECT h.number, h.name, i.provider, i.resource_class, i.max_unit,"
        " CAST((i.total - i.reserved) * i.allocation_ratio AS INTEGER) - COALESCE("
        "  (SELECT sum(a.amount) FROM allocations a WHERE a.provider = i.provider"
        "   AND a.resource_class = i.resource_class), 0) AS free"
        " FROM hosts h JOIN providers p ON p.root = h.uuid"
        " JOIN inventories i ON i.provider = p.uuid WHERE h.up"
        " ORDER BY h.number, p.name"
    ):
        host = hosts.setdefault(row["number"], _Host(row["number"], row["name"]))
        host.stocks.setdefault(row["resource_class"], []).append(
            _Stock(row["provider"], row["free"], row["max_unit"])
        )
    return hosts.values()


def _candidate(host: _Host, wanted: Mapping[str, int]) -> Candidate | None:
    taken = []
    for resource_class, amount in wanted.items():
        for stock in host.stocks.get(resource_class, ()):
            if amount <= min(stock.free, stock.max_unit):
                taken.append(Allocation(stock.provider, resource_class, amount))
                break
        else:
            return None
    free_memory = sum(stock.free for stock in host.stocks.get("MEMORY_MB", ()))
    return Candidate(host.number, host.name, free_memory, tuple(taken))


def _memberships(every: Iterable[Aggregate]) -> dict[str, list[_Membership]]:
    found: dict[str, list[_Membership]] = {}
    for aggregate in every:
        zone = {aggregates.ZONE_KEY: aggregate.zone} if aggregate.zone else {}
        membership = _Membership(aggregate.name, {**aggregate.metadata, **zone})
        for host in aggregate.hosts:
            found.setdefault(host, []).append(membership)
    return found
