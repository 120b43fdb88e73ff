# SPDX-License-Identifier: Apache-2.0
"""A small Nova to decide about: hosts in aggregates, and requests."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter

from nova_filter import decision

FLAVOR_RESERVATION = "aggregate_instance_extra_specs:reservation"

OWNER = "9f6e1c0d2b3a4958a7c6d5e4f3029181"
MEMBER = "0aa4b7c2d9e84f10b2c3d4e5f6071829"
STRANGER = "5d2c7e8f90a14b3cbd6e7f8091a2b3c4"


@dataclass(eq=False)
class Aggregate:
    """One object shared by all its hosts, as in Nova. Counts how often its name is read."""

    label: str
    metadata: Mapping[str, str] | None
    reads: int = 0

    @property
    def name(self) -> str:
        self.reads += 1
        return self.label


@dataclass(eq=False)
class Host:
    host: str
    aggregates: list[Aggregate] = field(default_factory=list)


def freepool(name: str = "freepool") -> Aggregate:
    return Aggregate(name, {})


def zone(name: str) -> Aggregate:
    """An ordinary availability zone of the operator."""
    return Aggregate(name, {"availability_zone": name})


def host_reservation(name: str, owner: str = OWNER, **shared: str) -> Aggregate:
    metadata = {"availability_zone": f"blazar_{name}", "blazar:owner": owner}
    return Aggregate(name, metadata | shared)


def instance_reservation(name: str, owner: str = OWNER, **shared: str) -> Aggregate:
    metadata = {"reservation": name, "filter_tenant_id": owner, "blazar:owner": owner}
    return Aggregate(name, metadata | shared)


def request(
    project: str = OWNER, *hints: object, flavor: str = "m1.small", of: str | None = None
) -> decision.Request:
    """``of``: the reservation whose flavor it is; then that is the flavor's id too."""
    return decision.Request(
        project_id=project,
        reservations=hints,
        flavor_id=flavor if of is None else of,
        extra_specs={"hw:cpu_policy": "shared"} if of is None else {FLAVOR_RESERVATION: of},
    )


DEFAULTS = decision.Settings()

#: Host -> its aggregates, as the filter reads them.
aggregates_of: Callable[[Host], Iterable[Aggregate]] = attrgetter("aggregates")


def names(
    asked: decision.Request,
    hosts: Iterable[Host],
    settings: decision.Settings = DEFAULTS,
) -> list[str]:
    """The names of the selected hosts."""
    return [host.host for host in decision.select(asked, hosts, aggregates_of, settings)]
