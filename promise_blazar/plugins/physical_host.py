# SPDX-License-Identifier: Apache-2.0
"""Whole hosts: ``physical:host``.

While nobody leases it, a registered host is in the aggregate ``freepool``. A reservation has an
aggregate of its own, named by its id, with the zone ``blazar_<id>`` and the owner's project in
its metadata; the scheduler filter lets the owner's hinted servers onto the hosts in it, and those
of the projects that the operator names there. The end takes away what the filter would accept, by
the filter's own rule.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nova_filter.decision import admits, admitting_keys
from promise_blazar import exceptions
from promise_blazar.capacity.demand.whole_hosts import WholeHosts
from promise_blazar.cloud import parallel
from promise_blazar.cloud.contract.cloud import Cloud
from promise_blazar.cloud.contract.compute import Aggregate, Server
from promise_blazar.model.openstack_names import Names
from promise_blazar.model.reason import Reason
from promise_blazar.plugins import inputs
from promise_blazar.plugins.contract import (
    Done,
    Failed,
    HostAllocation,
    NoServerGroup,
    StepContext,
    StepResult,
    Waiting,
)
from promise_blazar.plugins.occupancy import (
    NOT_ITS_OWN,
    close_aggregate,
    deleting,
    find_aggregate,
    occupants,
    shunned,
    surplus,
)

_BEFORE_END = ("", "default", "snapshot")


@dataclass(frozen=True, slots=True)
class HostSpec:
    count_min: int
    count_max: int
    hypervisor_properties: str
    resource_properties: str
    before_end: str


@dataclass(frozen=True, slots=True)
class HostState:
    """``aggregate_id``: Nova's number of the reservation's own aggregate. ``members``: the
    projects that the operator had let in beside the owner, when the door was closed; with commas
    between.
    """

    aggregate_id: int | None = None
    members: str | None = None


@dataclass(frozen=True, slots=True)
class HostObservation:
    """Aggregates by name."""

    aggregates: Mapping[str, Aggregate]


Context = StepContext[HostSpec, HostState]


class PhysicalHost(NoServerGroup):
    resource_type = "physical:host"
    spec_type = HostSpec
    state_type = HostState
    empties_freepool = True

    def __init__(self, cloud: Cloud, names: Names) -> None:
        self._cloud = cloud
        self._names = names

    # What is asked for

    @staticmethod
    def parse(values: Mapping[str, Any]) -> HostSpec:
        least = inputs.integer(values, "min", 1)
        most = inputs.integer(values, "max", 1)
        if most < least:
            raise exceptions.BadInput(f"max ({most}) must not be less than min ({least})")
        return HostSpec(
            least,
            most,
            inputs.properties(values, "hypervisor_properties"),
            inputs.properties(values, "resource_properties"),
            inputs.one_of(values, "before_end", _BEFORE_END, "default"),
        )

    @staticmethod
    def revise(spec: HostSpec, values: Mapping[str, Any], running: bool) -> HostSpec:
        return PhysicalHost.parse({**_keys(spec), **values})

    @staticmethod
    def demand(spec: HostSpec) -> WholeHosts:
        where = inputs.queries(spec.hypervisor_properties, spec.resource_properties)
        return WholeHosts(spec.count_min, spec.count_max, where)

    @staticmethod
    def show(reservation_id: str, spec: HostSpec, state: HostState) -> dict[str, Any]:
        return _keys(spec)

    # How it becomes real

    def prepare(self, context: Context) -> StepResult:
        return Done(replace(context.state, aggregate_id=self._aggregate(context).id))

    def start(self, context: Context) -> StepResult:
        aggregate = self._aggregate(context)
        if (failed := shunned(context, aggregate)) is not None:
            return failed
        freepool = self._cloud.aggregates.ensure(self._names.freepool, None, {})

        def hand_over(held: HostAllocation) -> Failed | None:
            """Why not: a host stays where it is for servers of others."""
            host = held.service_host
            if host not in aggregate.hosts:
                occupied = self._occupied(context, aggregate, held)
                if occupied is not None:
                    return occupied
                # Into the new pool before out of the old: in between, a host in no pool
                # would take anybody's server.
                self._cloud.aggregates.add_host(aggregate.id, host)
            if host in freepool.hosts:
                self._cloud.aggregates.remove_host(freepool.id, host)
            return None

        results = parallel.each(hand_over, context.allocations)
        failed = _together([failed for failed in results if failed is not None])
        if failed is None and context.running:
            # Raises where its servers are there.
            self._give_back(aggregate, surplus(context, aggregate))
        return failed or Done()

    def before_end(self, context: Context) -> StepResult:
        action = (
            self._names.before_end
            if context.spec.before_end == "default"
            else context.spec.before_end
        )
        if action != "snapshot":
            return Done()
        aggregate = self._aggregate(context)
        tenants = self._tenants(context, aggregate)

        def snapshot(server: Server) -> None:
            name = self._names.image_prefix + server.name
            self._cloud.servers.snapshot(server.id, name, context.occasion)

        found = parallel.each(self._cloud.servers.on_host, aggregate.hosts)
        servers = [server for there in found for server in there]
        parallel.each(snapshot, [each for each in servers if each.project_id in tenants])
        return Done()

    def close(self, context: Context) -> bool:
        aggregate = self._found(context)
        if aggregate is None:
            return False
        members = self._tenants(context, aggregate) - {context.project_id}
        if members != _members(context.state):
            # Whose servers are deleted must be known when the keys are gone.
            context.keep(replace(context.state, members=",".join(sorted(members))))
        return close_aggregate(self._cloud, aggregate, self._names.owner_key)

    def clear(self, context: Context) -> StepResult:
        aggregate = self._found(context)
        if aggregate is None:
            return Done()
        tenants = self._tenants(context, aggregate)
        # Any of these may have been let in before the door was closed, and come after the last
        # look. Those that come meanwhile are seen next.
        building = parallel.each(self._cloud.servers.building, sorted(tenants))
        uuids = {held.service_host: held.hypervisor_uuid for held in context.allocations}
        found = parallel.each(lambda host: self._servers(host, uuids.get(host)), aggregate.hosts)
        servers = [server for there in found for server in there]
        mine = [server.id for server in servers if server.project_id in tenants]
        context.record([*(server.id for some in building for server in some), *mine])
        known = context.servers.union(mine)
        parallel.each(self._cloud.servers.delete, [s.id for s in servers if s.id in known])
        return Waiting(_leaving(servers, known)) if servers else Done()

    def end(self, context: Context) -> StepResult:
        aggregate = self._found(context)
        if aggregate is None:
            return Done()
        self._give_back(aggregate, aggregate.hosts)
        self._cloud.aggregates.delete(aggregate.id)
        return Done()

    def _give_back(self, aggregate: Aggregate, hosts: Sequence[str]) -> None:
        """Into the freepool, and out of the aggregate."""
        if not hosts:
            return
        freepool = self._cloud.aggregates.ensure(self._names.freepool, None, {})

        def give_back(host: str) -> None:
            if host not in freepool.hosts:
                self._cloud.aggregates.add_host(freepool.id, host)
            self._cloud.aggregates.remove_host(aggregate.id, host)

        parallel.each(give_back, hosts)

    # What reconcile asks

    def observe(
        self, aggregates: Mapping[str, Aggregate], hypervisors: Sequence[str]
    ) -> HostObservation:
        return HostObservation(aggregates)

    def diff(self, context: Context, observed: HostObservation, running: bool) -> list[str]:
        aggregate = observed.aggregates.get(context.reservation_id)
        if aggregate is None:
            return ["its aggregate is missing"]
        found = []
        if aggregate.metadata.get(self._names.owner_key) != context.project_id:
            found.append("its aggregate does not name its owner")
        if running:
            found += map(NOT_ITS_OWN.format, surplus(context, aggregate))
            freepool = observed.aggregates.get(self._names.freepool)
            free = freepool.hosts if freepool is not None else ()
            for held in context.allocations:
                if held.service_host not in aggregate.hosts:
                    found.append(f"{held.hypervisor} is not in its aggregate")
                elif held.service_host in free:
                    found.append(f"{held.hypervisor} is still in the freepool")
        return found

    def owned_reservations(self, observed: HostObservation) -> frozenset[str]:
        return frozenset(
            name
            for name, aggregate in observed.aggregates.items()
            if aggregate.zone == self._names.zone_prefix + name
        )

    def delete_leftovers(self, reservation_id: str, observed: HostObservation) -> None:
        # Hosts go back to the freepool by reconcile's own look at it, if nobody holds them.
        aggregate = observed.aggregates[reservation_id]
        parallel.each(
            lambda host: self._cloud.aggregates.remove_host(aggregate.id, host), aggregate.hosts
        )
        self._cloud.aggregates.delete(aggregate.id)

    def late_servers(self, context: Context) -> list[str]:
        found = parallel.each(
            lambda held: occupants(self._cloud, held.service_host, held.hypervisor_uuid),
            context.allocations,
        )
        there = {
            server.id: (server, held.service_host)
            for held, servers in zip(context.allocations, found, strict=True)
            for server in servers
            if server.id in context.servers
        }
        # Asked for after the servers: whoever has the host by now may have let one in.
        aggregates = self._cloud.aggregates.list() if there else ()
        return [
            server.id
            for server, host in there.values()
            if not any(
                host in each.hosts
                and admits(each.metadata, server.project_id, self._names.owner_key)
                for each in aggregates
            )
        ]

    def _found(self, context: Context) -> Aggregate | None:
        return find_aggregate(self._cloud, context.reservation_id, context.state.aggregate_id)

    def _aggregate(self, context: Context) -> Aggregate:
        return self._cloud.aggregates.ensure(
            context.reservation_id,
            self._names.zone_prefix + context.reservation_id,
            {self._names.owner_key: context.project_id},
            context.state.aggregate_id,
        )

    def _servers(self, host: str, hypervisor_uuid: str | None) -> list[Server]:
        if hypervisor_uuid is None:
            return list(self._cloud.servers.on_host(host))
        return occupants(self._cloud, host, hypervisor_uuid)

    def _occupied(
        self, context: Context, aggregate: Aggregate, held: HostAllocation
    ) -> Failed | None:
        """Servers of others on a host that is not in the aggregate: yet, or any more."""
        found = occupants(self._cloud, held.service_host, held.hypervisor_uuid)
        # None of its own can be there before it was handed over.
        ours = self._tenants(context, aggregate) if context.running else frozenset[str]()
        strangers = [each for each in found if each.project_id not in ours]
        if not strangers:
            return None
        names = ", ".join(server.id for server in strangers)
        words = f"host {held.hypervisor} has servers of others: {names}"
        # Its own servers would be left behind there.
        mine = len(strangers) < len(found)
        avoid = frozenset[str]() if mine else frozenset({held.hypervisor})
        return Failed(Reason("a host has servers of others", words), avoid=avoid)

    def _tenants(self, context: Context, aggregate: Aggregate) -> frozenset[str]:
        """The owner's project, and the projects that the operator let in beside it."""
        keys = admitting_keys(aggregate.metadata, self._names.owner_key)
        members = _members(context.state) | keys - {self._names.owner_key}
        return frozenset({context.project_id, *members})


def _together(failures: Sequence[Failed]) -> Failed | None:
    """What is wrong on several hosts, as one."""
    if not failures:
        return None
    words = "; ".join(failed.reason.operator for failed in failures)
    avoid = frozenset[str]().union(*(failed.avoid for failed in failures))
    return Failed(Reason(failures[0].reason.tenant, words), avoid=avoid)


def _leaving(servers: Sequence[Server], ours: frozenset[str]) -> Reason:
    """Why an end waits; what others have there is for them to take away."""
    if mine := [each for each in servers if each.id in ours]:
        return deleting(mine)
    names = ", ".join(each.id for each in servers)
    return Reason("its hosts to be empty", f"servers of others to leave its hosts: {names}")


def _members(state: HostState) -> frozenset[str]:
    return frozenset((state.members or "").split(",")) - {""}


def _keys(spec: HostSpec) -> dict[str, Any]:
    return {
        "min": spec.count_min,
        "max": spec.count_max,
        "hypervisor_properties": spec.hypervisor_properties,
        "resource_properties": spec.resource_properties,
        "before_end": spec.before_end,
    }
