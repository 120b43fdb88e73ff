# SPDX-License-Identifier: Apache-2.0
"""Is everything as it must be? By brute force over the rows, and by an own look at the cloud.

I1 nothing is sold twice, I2 what is booked is somebody's: ``concurrency.audit``. I3 statuses move
along the table, I4 events take effect once: the history that the database itself keeps. I5
nothing is left, I8 all that is ours is found: the cloud's own tables. I6 and I7 are asked by the
operations. What the service thinks of it itself, and of its ledger, is asked too.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from promise_blazar.model.openstack_names import resource_class_of
from promise_blazar.model.states import TRANSITIONS
from promise_blazar.tests.crash.operations import EVERYTHING, Facts
from promise_blazar.tests.crash.site import HOSTS, Site
from promise_blazar.tests.functional.concurrency import audit

#: What is the same again when no lease is left. Images stay, and so do child providers.
LEASED = (
    "aggregates",
    "aggregate_hosts",
    "flavors",
    "flavor_access",
    "servers",
    "allocations",
    "server_groups",
    "resource_classes",
    "inventories",
)

_EVENT_STEPS = (("UNDONE", "IN_PROGRESS"), ("IN_PROGRESS", "DONE"))


def faults(site: Site) -> Iterator[str]:
    """Everything that is wrong now, with every lease in a stable state."""
    yield from audit.faults(site.url)
    yield from audit.strayed(site.service.ledger, site.url, site.clock)
    yield from (f"reconcile: {line}" for line in site.service.reconcile.look().lines())
    yield from _statuses(site)
    yield from _cloud(site)


def _statuses(site: Site) -> Iterator[str]:
    steps = defaultdict(Counter)
    for kind, name, what, old, new in site.history():
        if kind == "lease" and new not in TRANSITIONS[old]:
            yield f"lease {name} went from {old} to {new}"
        if kind == "event":
            steps[name, what][old, new] += 1
    for (name, what), taken in steps.items():
        for step, times in taken.items():
            if step not in _EVENT_STEPS or times > 1:
                yield f"{what} of lease {name}: {step[0]} to {step[1]}, {times} times"


def _cloud(site: Site) -> Iterator[str]:
    """What each live reservation has, and that nobody else has anything."""
    aggregates = {found.name: found for found in site.cloud.aggregates.list()}
    flavors = {f.id: f for f in site.cloud.list_flavors("", admin=True)}
    granted = {flavor.id for flavor in site.cloud.list_flavors("demo")}
    slots = {
        f"compute-{n}": site.cloud.resource_providers.inventory(f"blazar_compute-{n}")
        for n in _HOSTS
    }
    live: dict[str, str] = {}
    taken: list[str] = []
    for lease in site.leases():
        for reservation in lease["reservations"]:
            name, kind = reservation["id"], reservation["resource_type"]
            if reservation["status"] not in ("pending", "active"):
                continue
            live[name] = kind
            held = _held(site, name) if reservation["status"] == "active" else {}
            found = aggregates.get(name)
            if found is None or found.metadata.get("blazar:owner") != lease["project_id"]:
                yield f"the aggregate of {kind} {name} is {found}"
            elif sorted(found.hosts) != sorted(held):
                yield f"the aggregate of {kind} {name} has {found.hosts}, and {held} is held"
            if kind == "physical:host":
                taken += held
                continue
            counted = {h: n for h, all_ in slots.items() if (n := all_.get(_class(name)))}
            if counted != held:
                yield f"Placement counts {counted} for {name}, and {held} is held"
            shape = flavors.get(name)
            if shape is None or shape.vcpus != int(reservation["vcpus"]):
                yield f"the flavor of {name} is {shape}"
            if lease["project_id"] == "demo" and (name in granted) != bool(held):
                yield f"the flavor of {name} is granted: {name in granted}, and {held} is held"
    yield from _nobody_elses(site, live, set(aggregates), set(flavors), slots)
    if len(taken) > len(set(taken)):
        yield f"lent twice: {taken}"
    free = sorted({f"compute-{n}" for n in _HOSTS} - set(taken))
    if sorted(aggregates["freepool"].hosts) != free:
        yield f"in the freepool are {aggregates['freepool'].hosts}, and free are {free}"


def _nobody_elses(
    site: Site,
    live: dict[str, str],
    aggregates: set[str],
    flavors: set[str],
    slots: dict[str, Any],
) -> Iterator[str]:
    shaped = {name for name, kind in live.items() if kind == "virtual:instance"}
    classes = {_class(name) for name in shaped}
    counted = {name for found in slots.values() for name in found}
    made = {row[0] for row in site.world("resource_classes")["resource_classes"]}
    grouped = site.world("server_groups")["server_groups"]
    groups = {row[2].removeprefix("reservation:") for row in grouped}
    for what, found, ours in (
        ("aggregates", aggregates, {"freepool", *live}),
        ("flavors", {name for name in flavors if len(name) == 36}, shaped),
        ("resource classes", made, classes),
        ("counted classes", counted, classes),
        ("server groups", groups, shaped),
    ):
        if found - ours:
            yield f"{what} of nobody: {found - ours}"


def _class(reservation: str) -> str:
    return resource_class_of(reservation)


def _held(site: Site, reservation: str) -> dict[str, int]:
    """By the rows: units by host."""
    return dict(site.booked(reservation))


_HOSTS = range(1, HOSTS + 1)


def afterwards(site: Site, facts: Facts, world: dict[str, Any]) -> Iterator[str]:
    """Runs the lease to its end, and removes it; then ``world`` is to be as it was at first.

    The next tenant gets every host, and uses it.
    """
    path = f"/v1/leases/{facts['id']}"
    lease = site.lease(facts["id"])
    if lease is not None:
        for minute in (6, 45, 65, 75):
            site.until(minute)
            site.live(5)
        lease = site.lease(facts["id"])
        statuses = {e["event_type"]: e["status"] for e in lease["events"]}
        if lease["status"] != "TERMINATED" or set(statuses.values()) != {"DONE"}:
            yield f"the lease ended {lease['status']}, {lease['status_reason']}, with {statuses}"
        site.must(204, "DELETE", path)
        site.live(2)
    yield from as_at_first(site, world)
    yield from next_tenant(site)
    yield from faults(site)


def as_at_first(site: Site, world: dict[str, Any]) -> Iterator[str]:
    """I5: after the end nothing of the lease is left."""
    if left := site.leases():
        yield f"leases are left: {left}"
    for table, rows in site.world(*world).items():
        if _plain(rows) != _plain(world[table]):
            yield f"{table} were {world[table]} and are {rows}"


def _plain(rows: list[tuple[Any, ...]]) -> str:
    return json.dumps(rows)


def next_tenant(site: Site) -> Iterator[str]:
    body = {
        "name": "next",
        "start_date": "now",
        "end_date": site.minute(site.clock.monotonic() // 60 + 100),
        "reservations": [EVERYTHING],
    }
    answer = site.call("POST", "/v1/leases", body, "bob:other")
    if answer.status_code != 201:
        yield f"the next tenant gets nothing: {answer.text}"
        return
    site.live(2)
    lease = site.lease(answer.json["lease"]["id"])
    (whole,) = lease["reservations"]
    servers = [site.boot("other", "m1.large", reservation=whole["id"]) for _ in range(HOSTS)]
    if lease["status"] != "ACTIVE" or None in servers:
        yield f"the next tenant has {servers} in {lease}"
