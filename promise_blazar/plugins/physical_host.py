# SPDX-License-Identifier: Apache-2.0
"""Whole hosts: ``physical:host``.

While nobody leases it, a registered host is in the aggregate ``freepool``. A reservation has an
aggregate of its own, named by its id, with the zone ``blazar_<id>`` and the owner's project in
its metadata; the scheduler filter lets the owner's hinted servers onto the hosts in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from promise_blazar import exceptions
from promise_blazar.capacity.demand.request import WholeHosts
from promise_blazar.cloud.contract.cloud import Aggregate, Cloud, Server
from promise_blazar.model.openstack_names import Names
from promise_blazar.plugins import inputs as read
from promise_blazar.plugins.contract import (
    ExternalState,
    Observation,
    Occupied,
    StepContext,
    arriving,
    find_aggregate,
    occupants,
)

_BEFORE_END = ("", "default", "snapshot")
_TRUE = ("true", "1", "yes", "on")


@dataclass(frozen=True, slots=True)
class HostSpec:
    count_min: int
    count_max: int
    hypervisor_properties: str
    resource_properties: str
    before_end: str


class PhysicalHost:
    resource_type = "physical:host"
    spec_type = HostSpec

    def __init__(self, cloud: Cloud, names: Names) -> None:
        self._cloud = cloud
        self._names = names

    # What is asked for

    def parse(self, values: Mapping[str, Any]) -> HostSpec:
        least = read.integer(values, "min", 1)
        most = read.integer(values, "max", 1)
        if most < least:
            raise exceptions.BadInput(f"max ({most}) must not be less than min ({least})")
        return HostSpec(
            least,
            most,
            read.properties(values, "hypervisor_properties"),
            read.properties(values, "resource_properties"),
            read.one_of(values, "before_end", _BEFORE_END, "default"),
        )

    def revise(self, spec: HostSpec, values: Mapping[str, Any], running: bool) -> HostSpec:
        return self.parse({**_keys(spec), **values})

    def demand(self, spec: HostSpec) -> WholeHosts:
        where = read.queries(spec.hypervisor_properties, spec.resource_properties)
        return WholeHosts(spec.count_min, spec.count_max, where)

    @staticmethod
    def show(reservation_id: str, spec: HostSpec, made: ExternalState) -> dict[str, Any]:
        return _keys(spec)

    @staticmethod
    def group_policy(spec: HostSpec) -> None:
        return None

    # How it becomes real

    def prepare(self, job: StepContext) -> ExternalState:
        return replace(job.made, aggregate_id=self._aggregate(job).id)

    def start(self, job: StepContext) -> None:
        aggregate = self._aggregate(job)
        freepool = self._cloud.ensure_aggregate(self._names.freepool, None, {})
        for hold in job.holds:
            host = hold.service_host
            if host not in aggregate.hosts:
                strangers = occupants(self._cloud, host, hold.hypervisor_uuid)
                if strangers:
                    raise Occupied(hold.hypervisor, tuple(server.id for server in strangers))
                # Into the new pool before out of the old: in between, a host in no pool
                # would take anybody's server.
                self._cloud.add_to_aggregate(aggregate.id, host)
            if host in freepool.hosts:
                self._cloud.remove_from_aggregate(freepool.id, host)

    def before_end(self, job: StepContext) -> None:
        action = (
            self._names.before_end if job.spec.before_end == "default" else job.spec.before_end
        )
        if action != "snapshot":
            return
        aggregate = self._aggregate(job)
        tenants = self._tenants(job, aggregate)
        for server in self._servers(aggregate):
            if server.project_id in tenants:
                name = self._names.image_prefix + server.name
                self._cloud.snapshot_server(server.id, name, job.occasion)

    def end(self, job: StepContext) -> str | None:
        aggregate = find_aggregate(self._cloud, job.reservation_id, job.made.aggregate_id)
        if aggregate is None:
            return None
        tenants = self._tenants(job, aggregate)
        servers = self._servers(aggregate)
        job.record(server.id for server in servers if server.project_id in tenants)
        keys = {
            key: None for key in aggregate.metadata if key in {self._names.owner_key, *tenants}
        }
        if keys:
            # From here on the filter lets nobody in; who came until now is seen by a second look.
            self._cloud.set_aggregate_metadata(aggregate.id, keys)
            servers = self._servers(aggregate)
        for hold in job.holds:
            if hold.service_host in aggregate.hosts:
                servers += arriving(self._cloud, hold.hypervisor_uuid, servers)
        job.record(server.id for server in servers if server.project_id in tenants)
        for server in servers:
            if server.id in job.servers or server.project_id in tenants:
                self._cloud.delete_server(server.id)
        if servers:
            return f"servers to disappear: {', '.join(server.id for server in servers)}"
        freepool = self._cloud.ensure_aggregate(self._names.freepool, None, {})
        for host in aggregate.hosts:
            if host not in freepool.hosts:
                self._cloud.add_to_aggregate(freepool.id, host)
            self._cloud.remove_from_aggregate(aggregate.id, host)
        self._cloud.delete_aggregate(aggregate.id)
        return None

    # What reconcile asks

    def drift(self, job: StepContext, observation: Observation, running: bool) -> list[str]:
        aggregate = observation.aggregates.get(job.reservation_id)
        if aggregate is None:
            return ["its aggregate is missing"]
        found = []
        if aggregate.metadata.get(self._names.owner_key) != job.project_id:
            found.append("its aggregate does not name its owner")
        if running:
            freepool = observation.aggregates.get(self._names.freepool)
            free = freepool.hosts if freepool is not None else ()
            for hold in job.holds:
                if hold.service_host not in aggregate.hosts:
                    found.append(f"{hold.hypervisor} is not in its aggregate")
                elif hold.service_host in free:
                    found.append(f"{hold.hypervisor} is still in the freepool")
        return found

    def left(self, observation: Observation) -> frozenset[str]:
        return frozenset(
            name
            for name, aggregate in observation.aggregates.items()
            if aggregate.zone == self._names.zone_prefix + name
        )

    def delete_leftovers(self, reservation_id: str, observation: Observation) -> None:
        # Hosts go back to the freepool by reconcile's own look at it, if nobody holds them.
        aggregate = observation.aggregates[reservation_id]
        for host in aggregate.hosts:
            self._cloud.remove_from_aggregate(aggregate.id, host)
        self._cloud.delete_aggregate(aggregate.id)

    def _aggregate(self, job: StepContext) -> Aggregate:
        return self._cloud.ensure_aggregate(
            job.reservation_id,
            self._names.zone_prefix + job.reservation_id,
            {self._names.owner_key: job.project_id},
            job.made.aggregate_id,
        )

    def _servers(self, aggregate: Aggregate) -> list[Server]:
        return [s for host in aggregate.hosts for s in self._cloud.servers_on_host(host)]

    def _tenants(self, job: StepContext, aggregate: Aggregate) -> frozenset[str]:
        """The owner's project, and the projects the operator let in beside it."""
        members = (key for key, value in aggregate.metadata.items() if value.lower() in _TRUE)
        return frozenset({job.project_id, *members})


def _keys(spec: HostSpec) -> dict[str, Any]:
    return {
        "min": spec.count_min,
        "max": spec.count_max,
        "hypervisor_properties": spec.hypervisor_properties,
        "resource_properties": spec.resource_properties,
        "before_end": spec.before_end,
    }
