# SPDX-License-Identifier: Apache-2.0
"""What OpenStack has of ``virtual:instance`` reservations, compared with what it should have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from promise_blazar.cloud.contract.cloud import Cloud
from promise_blazar.cloud.contract.compute import Aggregate
from promise_blazar.model import openstack_names
from promise_blazar.model.openstack_names import Names
from promise_blazar.model.words import counted
from promise_blazar.plugins.contract import StepContext
from promise_blazar.plugins.occupancy import NOT_ITS_OWN, surplus

Context = StepContext[Any, Any]


@dataclass(frozen=True, slots=True)
class InstanceObservation:
    """``aggregates`` by name; ``inventories``: totals in units by resource class, by child
    provider; ``groups``: names of server groups by id."""

    aggregates: Mapping[str, Aggregate]
    flavors: frozenset[str]
    resource_classes: frozenset[str]
    inventories: Mapping[str, Mapping[str, int]]
    groups: Mapping[str, str]


class InstanceDrift:
    """The part of the plugin that *reconciles*."""

    empties_freepool = False

    def __init__(self, cloud: Cloud, names: Names) -> None:
        self._cloud = cloud
        self._names = names

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
                    f"{counted(held.units, 'slot')}"
                )
        held_children = {
            openstack_names.child_provider_of(held.hypervisor) for held in context.allocations
        }
        if running and aggregate is not None:
            found += map(NOT_ITS_OWN.format, surplus(context, aggregate))
        if running:
            found += [
                f"{child} offers slots that are not its own"
                for child, slots in observed.inventories.items()
                if child not in held_children and slots.get(resource_class)
            ]
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

    def late_servers(self, context: Context) -> tuple[str, ...]:
        """None: a slot is taken off only when nobody holds it, and nobody can take it then."""
        return ()
