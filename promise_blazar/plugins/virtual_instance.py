# SPDX-License-Identifier: Apache-2.0
"""Room for servers of one shape: ``virtual:instance``.

A reservation has a private flavor whose id is its own, which asks Placement for one unit of a
resource class made for it. The hosts that carry its slots hold that class on a child provider,
so Placement itself counts them: ``amount`` servers fit and not one more. An aggregate named by
the id (without a zone: the hosts stay in the freepool) tells the scheduler filter where.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from promise_blazar import exceptions
from promise_blazar.capacity.demand.request import Slots
from promise_blazar.cloud.contract.cloud import Aggregate, Cloud, Flavor
from promise_blazar.model import openstack_names, resource_classes
from promise_blazar.model.openstack_names import Names
from promise_blazar.plugins import inputs as read
from promise_blazar.plugins.contract import (
    ExternalState,
    Observation,
    StepContext,
    find_aggregate,
)

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class InstanceSpec:
    vcpus: int
    memory_mb: int
    disk_gb: int
    amount: int
    affinity: bool | None
    resource_properties: str


class VirtualInstance:
    resource_type = "virtual:instance"
    spec_type = InstanceSpec

    def __init__(self, cloud: Cloud, names: Names) -> None:
        self._cloud = cloud
        self._names = names

    # What is asked for

    def parse(self, values: Mapping[str, Any]) -> InstanceSpec:
        if "affinity" not in values:
            raise exceptions.MissingParameter(param="affinity")
        return InstanceSpec(
            read.integer(values, "vcpus", 1),
            read.integer(values, "memory_mb", 1),
            read.integer(values, "disk_gb", 0),
            read.integer(values, "amount", 1),
            read.affinity(values),
            read.properties(values, "resource_properties"),
        )

    def revise(self, spec: InstanceSpec, values: Mapping[str, Any], running: bool) -> InstanceSpec:
        new = self.parse({**_keys(spec), **values})
        if running:
            # The flavor is in use: its shape cannot change under the servers.
            for name in ("vcpus", "memory_mb", "disk_gb", "affinity", "resource_properties"):
                if getattr(new, name) != getattr(spec, name):
                    raise exceptions.CannotUpdate(
                        f"{name} cannot be updated once the reservation has started", param=name
                    )
            if new.amount < spec.amount:
                raise exceptions.CannotUpdate(
                    f"amount cannot shrink from {spec.amount} to {new.amount} "
                    "once the reservation has started",
                    param="amount",
                )
        return new

    def demand(self, spec: InstanceSpec) -> Slots:
        amounts = {
            resource_class: getattr(spec, word)
            for word, resource_class in resource_classes.BLAZAR.items()
        }
        return Slots(spec.amount, amounts, spec.affinity, read.queries(spec.resource_properties))

    @staticmethod
    def show(reservation_id: str, spec: InstanceSpec, made: ExternalState) -> dict[str, Any]:
        return {
            **_keys(spec),
            "flavor_id": reservation_id,
            "aggregate_id": made.aggregate_id,
            "server_group_id": made.server_group_id,
        }

    @staticmethod
    def group_policy(spec: InstanceSpec) -> str | None:
        return {True: "affinity", False: "anti-affinity", None: None}[spec.affinity]

    # How it becomes real

    def prepare(self, job: StepContext) -> ExternalState:
        aggregate = self._aggregate(job)
        resource_class = openstack_names.resource_class_of(job.reservation_id)
        self._cloud.ensure_resource_class(resource_class)
        self._cloud.ensure_flavor(
            Flavor(
                id=job.reservation_id,
                name=f"{openstack_names.FLAVOR}{job.reservation_id}",
                vcpus=job.spec.vcpus,
                memory_mb=job.spec.memory_mb,
                disk_gb=job.spec.disk_gb,
                extra_specs={
                    "aggregate_instance_extra_specs:reservation": job.reservation_id,
                    f"resources:{resource_class}": "1",
                },
            )
        )
        if job.made.stale_group_id is not None:
            self._cloud.delete_server_group(job.made.stale_group_id)
        return replace(job.made, aggregate_id=aggregate.id, stale_group_id=None)

    def start(self, job: StepContext) -> None:
        aggregate = self._aggregate(job)
        resource_class = openstack_names.resource_class_of(job.reservation_id)
        for hold in job.holds:
            if hold.service_host not in aggregate.hosts:
                self._cloud.add_to_aggregate(aggregate.id, hold.service_host)
            provider = openstack_names.child_provider_of(hold.hypervisor)
            self._cloud.ensure_child_provider(hold.hypervisor_uuid, provider)
            self._cloud.ensure_child_inventory(provider, resource_class, hold.units)
        # The key to the door comes last.
        self._cloud.grant_flavor(job.reservation_id, job.project_id)

    def before_end(self, job: StepContext) -> None:
        """Nothing: snapshots are for whole hosts, as in Blazar."""

    def end(self, job: StepContext) -> str | None:
        try:
            self._cloud.revoke_flavor(job.reservation_id, job.project_id)
        except exceptions.CloudError as error:
            # No reason to leave anything in place: the access goes with the flavor.
            LOG.warning("Flavor %s is still open to its tenant: %s", job.reservation_id, error)
        servers = self._cloud.servers_of_flavor(job.reservation_id)
        job.record(server.id for server in servers)
        for server in servers:
            self._cloud.delete_server(server.id)
        if servers:
            return f"servers to disappear: {', '.join(server.id for server in servers)}"
        resource_class = openstack_names.resource_class_of(job.reservation_id)
        for hold in job.holds:
            self._empty(openstack_names.child_provider_of(hold.hypervisor), resource_class)
        self._cloud.delete_resource_class(resource_class)
        aggregate = find_aggregate(self._cloud, job.reservation_id, job.made.aggregate_id)
        if aggregate is not None:
            self._cloud.delete_aggregate(aggregate.id)
        for group in self._groups(job):
            self._cloud.delete_server_group(group)
        # Last: by the flavor the servers were found.
        self._cloud.delete_flavor(job.reservation_id)
        return None

    # What reconcile asks

    def drift(self, job: StepContext, observation: Observation, running: bool) -> list[str]:
        resource_class = openstack_names.resource_class_of(job.reservation_id)
        aggregate = observation.aggregates.get(job.reservation_id)
        found = []
        if aggregate is None:
            found.append("its aggregate is missing")
        elif aggregate.metadata.get(self._names.owner_key) != job.project_id:
            found.append("its aggregate does not name its owner")
        if job.reservation_id not in observation.flavors:
            found.append("its flavor is missing")
        if resource_class not in observation.resource_classes:
            found.append("its resource class is missing")
        for hold in job.holds if running else ():
            if aggregate is not None and hold.service_host not in aggregate.hosts:
                found.append(f"{hold.hypervisor} is not in its aggregate")
            slots = observation.inventories.get(
                openstack_names.child_provider_of(hold.hypervisor), {}
            )
            if slots.get(resource_class, 0) != hold.units:
                found.append(
                    f"{hold.hypervisor} offers {slots.get(resource_class, 0)} of its "
                    f"{hold.units} slots"
                )
        return found

    def left(self, observation: Observation) -> frozenset[str]:
        aggregates = {
            name
            for name, aggregate in observation.aggregates.items()
            if aggregate.metadata.get("reservation") == name
        }
        counted = {name for slots in observation.inventories.values() for name in slots}
        classes = {
            openstack_names.reservation_of(name)
            for name in counted | observation.resource_classes
            if name.startswith(openstack_names.RESERVATION_CLASS)
        }
        groups = {
            name.removeprefix(openstack_names.SERVER_GROUP) for name in observation.groups.values()
        }
        return frozenset(aggregates | observation.flavors | classes | groups)

    def delete_leftovers(self, reservation_id: str, observation: Observation) -> None:
        resource_class = openstack_names.resource_class_of(reservation_id)
        if reservation_id in observation.flavors:
            self._cloud.delete_flavor(reservation_id)
        for provider, slots in observation.inventories.items():
            if resource_class in slots:
                self._cloud.ensure_child_inventory(provider, resource_class, 0)
        if resource_class in observation.resource_classes:
            self._cloud.delete_resource_class(resource_class)
        if reservation_id in observation.aggregates:
            self._cloud.delete_aggregate(observation.aggregates[reservation_id].id)
        for group, name in observation.groups.items():
            # Made for the tenant when its lease was gone already: no claim fences that call.
            if name == openstack_names.SERVER_GROUP + reservation_id:
                self._cloud.delete_server_group(group)

    def _groups(self, job: StepContext) -> set[str]:
        known = (job.made.server_group_id, job.made.stale_group_id)
        groups = {group for group in known if group is not None}
        if job.made.server_group_id is None and self.group_policy(job.spec) is not None:
            # One may have been made, and the answer with its id was lost.
            groups.update(
                self._cloud.server_groups_named(openstack_names.SERVER_GROUP + job.reservation_id)
            )
        return groups

    def _empty(self, provider: str, resource_class: str) -> None:
        # Emptied, never deleted: under a running nova-compute a deleted child provider makes
        # every build on the host fail until the compute has refreshed its tree.
        if resource_class in self._cloud.child_inventory(provider):
            self._cloud.ensure_child_inventory(provider, resource_class, 0)

    def _aggregate(self, job: StepContext) -> Aggregate:
        return self._cloud.ensure_aggregate(
            job.reservation_id,
            None,
            {"reservation": job.reservation_id, self._names.owner_key: job.project_id},
            job.made.aggregate_id,
        )


def _keys(spec: InstanceSpec) -> dict[str, Any]:
    return {name: getattr(spec, name) for name in InstanceSpec.__slots__}
