# SPDX-License-Identifier: Apache-2.0
"""What a resource type has to know: what to book, and how to make it real in OpenStack.

A plugin keeps nothing between calls and writes no database. Its steps (``prepare``, ``start``,
``before_end``, ``end``) may be interrupted anywhere and are simply run again, by this process or
another: each looks at what there is and does what is missing.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from promise_blazar import exceptions
from promise_blazar.capacity.demand.request import Slots, WholeHosts
from promise_blazar.cloud.contract.cloud import Aggregate, Cloud, Server
from promise_blazar.model.openstack_names import Names


@dataclass(frozen=True, slots=True)
class ExternalState:
    """What was made in OpenStack and cannot be found again by its name alone."""

    aggregate_id: int | None = None
    server_group_id: str | None = None
    stale_group_id: str | None = None


@dataclass(frozen=True, slots=True)
class HostAllocation:
    """Units that the reservation holds on a host (1 for a whole host)."""

    hypervisor: str
    service_host: str
    hypervisor_uuid: str
    units: int


@dataclass(frozen=True, slots=True)
class StepContext:
    """One reservation, as the steps see it.

    ``record`` keeps ids of servers that ``end`` will delete; ``servers`` are those recorded so
    far. Only recorded servers are ever deleted: a step that comes late, after its host went to
    somebody else, can then do no harm. ``occasion``: of ``before_end``, the same when that is run
    again for the same warning.
    """

    reservation_id: str
    project_id: str
    spec: Any
    made: ExternalState
    holds: tuple[HostAllocation, ...]
    servers: frozenset[str] = frozenset()
    occasion: str = ""
    record: Callable[[Iterable[str]], None] = lambda servers: None


@dataclass(frozen=True, slots=True)
class Observation:
    """What OpenStack has that may be ours, all of it read before our own records.

    ``aggregates`` by name; ``inventories``: totals by resource class, by child provider;
    ``groups``: names of server groups by id.
    """

    aggregates: Mapping[str, Aggregate]
    flavors: frozenset[str]
    resource_classes: frozenset[str]
    inventories: Mapping[str, Mapping[str, int]]
    groups: Mapping[str, str]


class Occupied(Exception):
    """A host cannot be handed over: servers are on it that nobody expected there."""

    def __init__(self, hypervisor: str, servers: tuple[str, ...]) -> None:
        super().__init__(f"host {hypervisor} has servers of others: {', '.join(servers)}")
        self.hypervisor = hypervisor


class ResourceType(Protocol):
    """What is known of a type without a cloud. A plugin's class is one already: API processes
    have no more of it."""

    resource_type: str
    #: A frozen dataclass; its fields are columns of the type's table.
    spec_type: type

    @staticmethod
    def show(reservation_id: str, spec: Any, made: ExternalState) -> dict[str, Any]:
        """The keys of this type in answers."""
        ...

    @staticmethod
    def group_policy(spec: Any) -> str | None:
        """The server group it wants made with the tenant's token, if any."""
        ...


class Plugin(ResourceType, Protocol):
    def __init__(self, cloud: Cloud, names: Names) -> None: ...

    def parse(self, values: Mapping[str, Any]) -> Any:
        """The specification that a client's keys mean. Raises ``BadInput``."""
        ...

    def revise(self, spec: Any, values: Mapping[str, Any], running: bool) -> Any:
        """The specification with these keys changed. Raises ``BadInput``, ``CannotUpdate``."""
        ...

    def demand(self, spec: Any) -> WholeHosts | Slots:
        """What to book."""
        ...

    def prepare(self, job: StepContext) -> ExternalState:
        """Make what can be made before the start."""
        ...

    def start(self, job: StepContext) -> None:
        """Hand the held hosts over. Raises ``Occupied``."""
        ...

    def before_end(self, job: StepContext) -> None:
        """What the tenant wants done while everything is still there."""
        ...

    def end(self, job: StepContext) -> str | None:
        """Take everything back. None: nothing is left; else what is being waited for."""
        ...

    def drift(self, job: StepContext, observation: Observation, running: bool) -> list[str]:
        """What of a prepared, or running, reservation is missing or wrong, in words.

        ``prepare`` and ``start`` put it right.
        """
        ...

    def left(self, observation: Observation) -> frozenset[str]:
        """Ids of the reservations of this type that have anything in OpenStack."""
        ...

    def delete_leftovers(self, reservation_id: str, observation: Observation) -> None:
        """Remove what is left of a reservation that is over. Never a server."""
        ...


def columns(spec: Any) -> dict[str, Any]:
    """A specification as the columns of its table."""
    return dataclasses.asdict(spec)


def spec_of(kind: ResourceType, details: Mapping[str, Any]) -> Any:
    """The specification that ``columns`` came from."""
    names = (field.name for field in dataclasses.fields(kind.spec_type))
    return kind.spec_type(**{name: details[name] for name in names})


def state_of(details: Mapping[str, Any]) -> ExternalState:
    """What a reservation's row says was made for it."""
    return ExternalState(
        aggregate_id=details.get("aggregate_id"),
        server_group_id=details.get("server_group_id"),
        stale_group_id=details.get("stale_group_id"),
    )


def bundle_of(plugin: Plugin, spec: Any) -> dict[str, int] | None:
    """What one unit of a reservation takes; None: a whole host."""
    demand = plugin.demand(spec)
    return None if isinstance(demand, WholeHosts) else dict(demand.amounts)


def find_aggregate(cloud: Cloud, name: str, number: int | None = None) -> Aggregate | None:
    """The aggregate of exactly this name, without making it.

    ``number``: which it is, as far as is known. A listing grows with every lease that there is.
    """
    if number is not None:
        with contextlib.suppress(exceptions.NotFound):
            found = cloud.aggregate(number)
            if found.name == name:
                return found
    return next((found for found in cloud.aggregates() if found.name == name), None)


def arriving(cloud: Cloud, hypervisor_uuid: str, there: Iterable[Server]) -> list[Server]:
    """Servers that were let in, and are not on their host yet. ``there``: those that are.

    Nova names a server's host when that compute begins to build it, which takes as long as the
    compute is busy with others. Its room is taken when it is let in.
    """
    known = {server.id for server in there}
    consumers = (each for each in cloud.consumers(hypervisor_uuid) if each not in known)
    return [server for each in consumers if (server := cloud.server(each)) is not None]


def occupants(cloud: Cloud, service_host: str, hypervisor_uuid: str) -> list[Server]:
    """The servers that are on a host, and those on their way there."""
    there = list(cloud.servers_on_host(service_host))
    return there + arriving(cloud, hypervisor_uuid, there)
