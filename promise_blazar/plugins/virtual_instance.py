# SPDX-License-Identifier: Apache-2.0
"""Room for servers of one shape: ``virtual:instance``.

A reservation has a private flavor whose id is its own, which asks Placement for one unit of a
resource class made for it. The hosts that carry its slots hold that class on a child provider,
so Placement itself counts them: ``amount`` servers fit and not one more. An aggregate named by
the id (without a zone: the hosts stay in the freepool) tells the scheduler filter where.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from promise_blazar import exceptions
from promise_blazar.capacity.demand.slots import Slots
from promise_blazar.cloud import parallel
from promise_blazar.cloud.contract.cloud import Cloud
from promise_blazar.cloud.contract.compute import Aggregate, Flavor
from promise_blazar.model import openstack_names, resource_classes
from promise_blazar.model.openstack_names import Names
from promise_blazar.plugins import inputs
from promise_blazar.plugins.contract import (
    Done,
    HostAllocation,
    StepContext,
    StepResult,
    Waiting,
)
from promise_blazar.plugins.occupancy import deleting, find_aggregate

LOG = logging.getLogger(__name__)

#: Of the server group that holds a reservation's servers, by its affinity.
_POLICIES = {True: "affinity", False: "anti-affinity", None: None}


@dataclass(frozen=True, slots=True)
class InstanceSpec:
    vcpus: int
    memory_mb: int
    disk_gb: int
    amount: int
    affinity: bool | None
    resource_properties: str


@dataclass(frozen=True, slots=True)
class InstanceState:
    """``stale_group_id``: a server group that an update made useless and that is still there."""

    aggregate_id: int | None = None
    server_group_id: str | None = None
    stale_group_id: str | None = None


@dataclass(frozen=True, slots=True)
class InstanceObservation:
    """``aggregates`` by name; ``inventories``: totals in units by resource class, by child
    provider; ``groups``: names of server groups by id."""

    aggregates: Mapping[str, Aggregate]
    flavors: frozenset[str]
    resource_classes: frozenset[str]
    inventories: Mapping[str, Mapping[str, int]]
    groups: Mapping[str, str]


Context = StepContext[InstanceSpec, InstanceState]


class VirtualInstance:
    resource_type = "virtual:instance"
    spec_type = InstanceSpec
    state_type = InstanceState
    empties_freepool = False

    def __init__(self, cloud: Cloud, names: Names) -> None:
        self._cloud = cloud
        self._names = names

    # What is asked for

    @staticmethod
    def parse(values: Mapping[str, Any]) -> InstanceSpec:
        if "affinity" not in values:
            raise exceptions.MissingParameter(param="affinity")
        return InstanceSpec(
            inputs.integer(values, "vcpus", 1),
            inputs.integer(values, "memory_mb", 1),
            inputs.integer(values, "disk_gb", 0),
            inputs.integer(values, "amount", 1),
            inputs.affinity(values),
            inputs.properties(values, "resource_properties"),
        )

    @staticmethod
    def revise(spec: InstanceSpec, values: Mapping[str, Any], running: bool) -> InstanceSpec:
        new = VirtualInstance.parse({**_keys(spec), **values})
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

    @staticmethod
    def demand(spec: InstanceSpec) -> Slots:
        amounts = {
            resource_class: getattr(spec, word)
            for word, resource_class in resource_classes.BLAZAR.items()
        }
        return Slots(spec.amount, amounts, spec.affinity, inputs.queries(spec.resource_properties))

    @staticmethod
    def show(reservation_id: str, spec: InstanceSpec, state: InstanceState) -> dict[str, Any]:
        return {
            **_keys(spec),
            "flavor_id": reservation_id,
            "aggregate_id": state.aggregate_id,
            "server_group_id": state.server_group_id,
        }

    @staticmethod
    def revised_state(old: InstanceSpec, new: InstanceSpec, state: InstanceState) -> InstanceState:
        if _POLICIES[new.affinity] == _POLICIES[old.affinity]:
            return state
        # The old group is of no use any more; the API makes another if one is wanted.
        stale = state.server_group_id or state.stale_group_id
        return replace(state, stale_group_id=stale, server_group_id=None)

    @staticmethod
    def missing_group(spec: InstanceSpec, state: InstanceState) -> str | None:
        return _POLICIES[spec.affinity] if state.server_group_id is None else None

    @staticmethod
    def with_group(state: InstanceState, group_id: str) -> InstanceState:
        return replace(state, server_group_id=group_id)

    # How it becomes real

    def prepare(self, context: Context) -> StepResult:
        aggregate = self._aggregate(context)
        resource_class = openstack_names.resource_class_of(context.reservation_id)
        self._cloud.resource_classes.ensure(resource_class)
        self._cloud.flavors.ensure(
            Flavor(
                id=context.reservation_id,
                name=f"{openstack_names.FLAVOR}{context.reservation_id}",
                vcpus=context.spec.vcpus,
                memory_mb=context.spec.memory_mb,
                disk_gb=context.spec.disk_gb,
                extra_specs={
                    "aggregate_instance_extra_specs:reservation": context.reservation_id,
                    f"resources:{resource_class}": "1",
                },
            )
        )
        if context.state.stale_group_id is not None:
            self._cloud.server_groups.delete(context.state.stale_group_id)
        return Done(replace(context.state, aggregate_id=aggregate.id, stale_group_id=None))

    def start(self, context: Context) -> StepResult:
        aggregate = self._aggregate(context)
        resource_class = openstack_names.resource_class_of(context.reservation_id)

        def offer(held: HostAllocation) -> None:
            if held.service_host not in aggregate.hosts:
                self._cloud.aggregates.add_host(aggregate.id, held.service_host)
            provider = openstack_names.child_provider_of(held.hypervisor)
            self._cloud.resource_providers.ensure_child(held.hypervisor_uuid, provider)
            self._cloud.resource_providers.ensure_inventory(provider, resource_class, held.units)

        parallel.each(offer, context.allocations)
        # Access comes last: what it gives access to is there then.
        self._cloud.flavors.grant(context.reservation_id, context.project_id)
        return Done()

    def before_end(self, context: Context) -> StepResult:
        """Nothing: snapshots are for whole hosts, as in Blazar."""
        return Done()

    def end(self, context: Context) -> StepResult:
        try:
            self._cloud.flavors.revoke(context.reservation_id, context.project_id)
        except exceptions.CloudError as error:
            # No reason to leave anything in place: the access goes with the flavor.
            LOG.warning("Flavor %s is still open to its tenant: %s", context.reservation_id, error)
        servers = self._cloud.servers.of_flavor(context.reservation_id)
        context.record(server.id for server in servers)
        parallel.each(self._cloud.servers.delete, [server.id for server in servers])
        if servers:
            return Waiting(deleting(servers))
        resource_class = openstack_names.resource_class_of(context.reservation_id)
        providers = [openstack_names.child_provider_of(e.hypervisor) for e in context.allocations]
        parallel.each(lambda provider: self._empty(provider, resource_class), providers)
        self._cloud.resource_classes.delete(resource_class)
        aggregate = find_aggregate(self._cloud, context.reservation_id, context.state.aggregate_id)
        if aggregate is not None:
            self._cloud.aggregates.delete(aggregate.id)
        for group in self._groups(context):
            self._cloud.server_groups.delete(group)
        # Last: by the flavor the servers were found.
        self._cloud.flavors.delete(context.reservation_id)
        return Done()

    # What reconcile asks

    def observe(
        self, aggregates: Mapping[str, Aggregate], hypervisors: Sequence[str]
    ) -> InstanceObservation:
        providers = [openstack_names.child_provider_of(name) for name in hypervisors]
        return InstanceObservation(
            aggregates=aggregates,
            flavors=frozenset(self._cloud.flavors.with_prefix(openstack_names.FLAVOR)),
            resource_classes=frozenset(
                self._cloud.resource_classes.with_prefix(openstack_names.RESERVATION_CLASS)
            ),
            inventories={
                name: self._cloud.resource_providers.inventory(name) for name in providers
            },
            groups=self._cloud.server_groups.with_prefix(openstack_names.SERVER_GROUP),
        )

    def diff(self, context: Context, observed: InstanceObservation, running: bool) -> list[str]:
        resource_class = openstack_names.resource_class_of(context.reservation_id)
        aggregate = observed.aggregates.get(context.reservation_id)
        found = []
        if aggregate is None:
            found.append("its aggregate is missing")
        elif aggregate.metadata.get(self._names.owner_key) != context.project_id:
            found.append("its aggregate does not name its owner")
        if context.reservation_id not in observed.flavors:
            found.append("its flavor is missing")
        if resource_class not in observed.resource_classes:
            found.append("its resource class is missing")
        for held in context.allocations if running else ():
            if aggregate is not None and held.service_host not in aggregate.hosts:
                found.append(f"{held.hypervisor} is not in its aggregate")
            slots = observed.inventories.get(
                openstack_names.child_provider_of(held.hypervisor), {}
            )
            if slots.get(resource_class, 0) != held.units:
                found.append(
                    f"{held.hypervisor} offers {slots.get(resource_class, 0)} of its "
                    f"{held.units} slots"
                )
        return found

    def owned_reservations(self, observed: InstanceObservation) -> frozenset[str]:
        aggregates = {
            name
            for name, aggregate in observed.aggregates.items()
            if aggregate.metadata.get(openstack_names.RESERVATION_KEY) == name
        }
        counted = {name for slots in observed.inventories.values() for name in slots}
        classes = {
            openstack_names.reservation_of(name)
            for name in counted | observed.resource_classes
            if name.startswith(openstack_names.RESERVATION_CLASS)
        }
        groups = {
            name.removeprefix(openstack_names.SERVER_GROUP) for name in observed.groups.values()
        }
        return frozenset(aggregates | observed.flavors | classes | groups)

    def delete_leftovers(self, reservation_id: str, observed: InstanceObservation) -> None:
        resource_class = openstack_names.resource_class_of(reservation_id)
        if reservation_id in observed.flavors:
            self._cloud.flavors.delete(reservation_id)
        for provider, slots in observed.inventories.items():
            if resource_class in slots:
                self._cloud.resource_providers.ensure_inventory(provider, resource_class, 0)
        if resource_class in observed.resource_classes:
            self._cloud.resource_classes.delete(resource_class)
        if reservation_id in observed.aggregates:
            self._cloud.aggregates.delete(observed.aggregates[reservation_id].id)
        for group, name in observed.groups.items():
            # Made for the tenant when its lease was gone already: no ownership fences that call.
            if name == openstack_names.SERVER_GROUP + reservation_id:
                self._cloud.server_groups.delete(group)

    def _groups(self, context: Context) -> set[str]:
        known = (context.state.server_group_id, context.state.stale_group_id)
        groups = {group for group in known if group is not None}
        if self.missing_group(context.spec, context.state) is not None:
            # One may have been made, and the answer with its id was lost.
            groups.update(
                self._cloud.server_groups.named(
                    openstack_names.SERVER_GROUP + context.reservation_id
                )
            )
        return groups

    def _empty(self, provider: str, resource_class: str) -> None:
        # Emptied, never deleted: under a running nova-compute a deleted child provider makes
        # every build on the host fail until the compute has refreshed its tree.
        if resource_class in self._cloud.resource_providers.inventory(provider):
            self._cloud.resource_providers.ensure_inventory(provider, resource_class, 0)

    def _aggregate(self, context: Context) -> Aggregate:
        return self._cloud.aggregates.ensure(
            context.reservation_id,
            None,
            {
                openstack_names.RESERVATION_KEY: context.reservation_id,
                self._names.owner_key: context.project_id,
            },
            context.state.aggregate_id,
        )


def _keys(spec: InstanceSpec) -> dict[str, Any]:
    return {name: getattr(spec, name) for name in InstanceSpec.__slots__}
