# SPDX-License-Identifier: Apache-2.0
"""Room for servers of one shape: ``virtual:instance``.

A reservation has a private flavor whose id is its own, which asks Placement for one unit of a
resource class made for it. The hosts that carry its slots hold that class on a child provider,
so Placement itself counts them: ``amount`` servers fit and not one more. An aggregate named by
the id (without a zone: the hosts stay in the freepool) tells the scheduler filter where.
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from promise_blazar import exceptions
from promise_blazar.capacity.demand.slots import Slots
from promise_blazar.cloud import parallel
from promise_blazar.cloud.contract.compute import Aggregate, Flavor
from promise_blazar.model import openstack_names, resource_classes
from promise_blazar.plugins import inputs
from promise_blazar.plugins.contract import (
    Done,
    HostAllocation,
    StepContext,
    StepResult,
    Waiting,
)
from promise_blazar.plugins.instance_drift import InstanceDrift
from promise_blazar.plugins.occupancy import (
    close_aggregate,
    deleting,
    find_aggregate,
    others,
    shunned,
    surplus,
)

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


Context = StepContext[InstanceSpec, InstanceState]


class VirtualInstance(InstanceDrift):
    """``InstanceDrift`` has what of it *reconciles*."""

    resource_type = "virtual:instance"
    spec_type = InstanceSpec
    state_type = InstanceState

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
        if (failed := shunned(context, aggregate)) is not None:
            return failed
        resource_class = openstack_names.resource_class_of(context.reservation_id)

        def offer(held: HostAllocation) -> None:
            if held.service_host not in aggregate.hosts:
                self._cloud.aggregates.add_host(aggregate.id, held.service_host)
            provider = openstack_names.child_provider_of(held.hypervisor)
            self._cloud.resource_providers.ensure_child(held.hypervisor_uuid, provider)
            self._cloud.resource_providers.ensure_inventory(provider, resource_class, held.units)

        parallel.each(offer, context.allocations)
        if context.running:
            self._give_back(aggregate, surplus(context, aggregate), resource_class)
        # Access comes last: what it gives access to is there then.
        self._cloud.flavors.grant(context.reservation_id, context.project_id)
        return Done()

    def _give_back(
        self, aggregate: Aggregate, hosts: Collection[str], resource_class: str
    ) -> None:
        """The slots that it has on these. Raises ``CloudError``: its servers are there."""
        for hypervisor in self._cloud.hypervisors.list() if hosts else ():
            if hypervisor.service_host in hosts:
                child = openstack_names.child_provider_of(hypervisor.name)
                self._cloud.resource_providers.close_inventory(child, resource_class)
                self._empty(child, resource_class)
                self._cloud.aggregates.remove_host(aggregate.id, hypervisor.service_host)

    def before_end(self, context: Context) -> StepResult:
        """Nothing: snapshots are for whole hosts, as in Blazar."""
        return Done()

    def close(self, context: Context) -> bool:
        resource_class = openstack_names.resource_class_of(context.reservation_id)
        # From here on Placement lets nobody take a slot, whatever the filter has passed before.
        closed = parallel.each(
            lambda child: self._cloud.resource_providers.close_inventory(child, resource_class),
            _children(context),
        )
        aggregate = self._found(context)
        if aggregate is not None:
            close_aggregate(self._cloud, aggregate, self._names.owner_key)
        try:
            for project in self._cloud.flavors.granted(context.reservation_id):
                self._cloud.flavors.revoke(context.reservation_id, project)
        except exceptions.CloudError as error:
            # No reason to leave anything in place: the access goes with the flavor.
            LOG.warning("Flavor %s is still open to tenants: %s", context.reservation_id, error)
        return any(closed)

    def clear(self, context: Context) -> StepResult:
        servers = list(self._cloud.servers.of_flavor(context.reservation_id))
        # Those of a flavor that was deleted or made anew, and SOFT_DELETED ones, hold slots.
        resource_class = openstack_names.resource_class_of(context.reservation_id)
        found = parallel.each(
            lambda child: self._cloud.resource_providers.holders(child, resource_class),
            _children(context),
        )
        holders = frozenset(each for some in found for each in some)
        servers += others(self._cloud, sorted(holders), servers)
        unknown = holders - {each.id for each in servers}
        if unknown:
            # Resized to a flavor of their own, and not confirmed: they still have their slots.
            moving = self._cloud.servers.moving(unknown)
            holders |= {each.id for each in moving}
            servers += moving
        context.record(each.id for each in servers)
        parallel.each(self._cloud.servers.delete, [each.id for each in servers])
        # What has neither a slot nor a host was refused both, and is not waited for: whom Nova
        # leaves the flavor can make more of them for ever.
        there = [each for each in servers if each.id in holders or each.host is not None]
        return Waiting(deleting(there)) if there else Done()

    def end(self, context: Context) -> StepResult:
        resource_class = openstack_names.resource_class_of(context.reservation_id)
        parallel.each(lambda child: self._empty(child, resource_class), _children(context))
        self._cloud.resource_classes.delete(resource_class)
        aggregate = self._found(context)
        if aggregate is not None:
            self._cloud.aggregates.delete(aggregate.id)
        for group in self._groups(context):
            self._cloud.server_groups.delete(group)
        # Last: by the flavor servers are found.
        self._cloud.flavors.delete(context.reservation_id)
        return Done()

    def _found(self, context: Context) -> Aggregate | None:
        return find_aggregate(self._cloud, context.reservation_id, context.state.aggregate_id)

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


def _children(context: Context) -> list[str]:
    """The child providers of its hosts, on which its slots are."""
    return [openstack_names.child_provider_of(held.hypervisor) for held in context.allocations]


def _keys(spec: InstanceSpec) -> dict[str, Any]:
    return {name: getattr(spec, name) for name in InstanceSpec.__slots__}
