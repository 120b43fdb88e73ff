# SPDX-License-Identifier: Apache-2.0
"""Whole hosts: ``physical:host``.

While nobody leases it, a registered host is in the aggregate ``freepool``. A reservation has an
aggregate of its own, named by its id, with the zone ``blazar_<id>`` and the owner's project in
its metadata; the scheduler filter lets the owner's hinted servers onto the hosts in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from promise_blazar import exceptions
from promise_blazar.capacity.demand.whole_hosts import WholeHosts
from promise_blazar.cloud import parallel
from promise_blazar.cloud.contract.cloud import Cloud
from promise_blazar.cloud.contract.compute import Aggregate, Server
from promise_blazar.model.openstack_names import Names
from promise_blazar.plugins import inputs
from promise_blazar.plugins.contract import (
    Done,
    Failed,
    HostAllocation,
    NoServerGroup,
    Reason,
    StepContext,
    StepResult,
    Waiting,
)
from promise_blazar.plugins.occupancy import arriving, deleting, find_aggregate, occupants

_BEFORE_END = ("", "default", "snapshot")
_TRUE = ("true", "1", "yes", "on")


@dataclass(frozen=True, slots=True)
class HostSpec:
    count_min: int
    count_max: int
    hypervisor_properties: str
    resource_properties: str
    before_end: str


@dataclass(frozen=True, slots=True)
class HostState:
    """``aggregate_id``: Nova's number of the reservation's own aggregate."""

    aggregate_id: int | None = None


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
        freepool = self._cloud.aggregates.ensure(self._names.freepool, None, {})

        def hand_over(held: HostAllocation) -> Sequence[Server]:
            """The strangers on the host, which stays where it is for them."""
            host = held.service_host
            if host not in aggregate.hosts:
                strangers = occupants(self._cloud, host, held.hypervisor_uuid)
                if strangers:
                    return strangers
                # Into the new pool before out of the old: in between, a host in no pool
                # would take anybody's server.
                self._cloud.aggregates.add_host(aggregate.id, host)
            if host in freepool.hosts:
                self._cloud.aggregates.remove_host(freepool.id, host)
            return ()

        found = parallel.each(hand_over, context.allocations)
        strangers = {
            held.hypervisor: servers
            for held, servers in zip(context.allocations, found, strict=True)
            if servers
        }
        return _occupied(strangers) if strangers else Done()

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

        found = self._servers(aggregate)
        parallel.each(snapshot, [each for each in found if each.project_id in tenants])
        return Done()

    def end(self, context: Context) -> StepResult:
        aggregate = find_aggregate(self._cloud, context.reservation_id, context.state.aggregate_id)
        if aggregate is None:
            return Done()
        tenants = self._tenants(context, aggregate)
        servers = self._servers(aggregate)
        context.record(server.id for server in servers if server.project_id in tenants)
        keys = {
            key: None for key in aggregate.metadata if key in {self._names.owner_key, *tenants}
        }
        if keys:
            # From here on the filter lets nobody in; who came until now is seen by a second look.
            self._cloud.aggregates.set_metadata(aggregate.id, keys)
            servers = self._servers(aggregate)
        there = tuple(servers)
        held = [each for each in context.allocations if each.service_host in aggregate.hosts]
        for found in parallel.each(
            lambda each: arriving(self._cloud, each.hypervisor_uuid, there), held
        ):
            servers += found
        context.record(server.id for server in servers if server.project_id in tenants)
        parallel.each(
            self._cloud.servers.delete,
            [s.id for s in servers if s.id in context.servers or s.project_id in tenants],
        )
        if servers:
            return Waiting(deleting(servers))
        freepool = self._cloud.aggregates.ensure(self._names.freepool, None, {})

        def give_back(host: str) -> None:
            if host not in freepool.hosts:
                self._cloud.aggregates.add_host(freepool.id, host)
            self._cloud.aggregates.remove_host(aggregate.id, host)

        parallel.each(give_back, aggregate.hosts)
        self._cloud.aggregates.delete(aggregate.id)
        return Done()

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

    def _aggregate(self, context: Context) -> Aggregate:
        return self._cloud.aggregates.ensure(
            context.reservation_id,
            self._names.zone_prefix + context.reservation_id,
            {self._names.owner_key: context.project_id},
            context.state.aggregate_id,
        )

    def _servers(self, aggregate: Aggregate) -> list[Server]:
        found = parallel.each(self._cloud.servers.on_host, aggregate.hosts)
        return [server for servers in found for server in servers]

    def _tenants(self, context: Context, aggregate: Aggregate) -> frozenset[str]:
        """The owner's project, and the projects the operator let in beside it."""
        members = (key for key, value in aggregate.metadata.items() if value.lower() in _TRUE)
        return frozenset({context.project_id, *members})


def _occupied(servers: Mapping[str, Sequence[Server]]) -> Failed:
    """By hypervisor."""
    words = "; ".join(
        f"host {hypervisor} has servers of others: " + ", ".join(server.id for server in found)
        for hypervisor, found in servers.items()
    )
    return Failed(Reason("a host has servers of others", words), avoid=frozenset(servers))


def _keys(spec: HostSpec) -> dict[str, Any]:
    return {
        "min": spec.count_min,
        "max": spec.count_max,
        "hypervisor_properties": spec.hypervisor_properties,
        "resource_properties": spec.resource_properties,
        "before_end": spec.before_end,
    }
