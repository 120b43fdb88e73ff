# SPDX-License-Identifier: Apache-2.0
"""Every call goes through the one door: a fence that closes stops it before it leaves."""

import uuid
from collections.abc import Callable

from promise_blazar.cloud import fence
from promise_blazar.cloud.contract.compute import Flavor
from promise_blazar.tests.contract.base import ContractCase


class Fenced(Exception):
    """The owner may no longer act."""


class CallContract(ContractCase):
    def test_no_call_passes_a_closed_fence(self) -> None:
        name, server, child = self.unique, str(uuid.uuid4()), f"blazar_{self.unique}"
        host = self.host()
        aggregate = self.make_aggregate(f"{name}-there", None, {"a": "1"})
        flavor = Flavor(self.reservation, f"contract:{name}", 1, 256, 0)
        self.addCleanup(self.cloud.flavors.delete, flavor.id)
        cloud, groups = self.cloud, self.groups
        calls: list[Callable[[], object]] = [
            lambda: cloud.hypervisors.get(host.name),
            cloud.hypervisors.list,
            cloud.hypervisors.in_service,
            cloud.aggregates.list,
            lambda: cloud.aggregates.get(aggregate.id),
            lambda: cloud.aggregates.ensure(name, None, {}),
            lambda: cloud.aggregates.set_metadata(aggregate.id, {"a": "2"}),
            lambda: cloud.aggregates.add_host(aggregate.id, host.service_host),
            lambda: cloud.aggregates.remove_host(aggregate.id, host.service_host),
            lambda: cloud.aggregates.delete(aggregate.id),
            lambda: cloud.flavors.ensure(flavor),
            lambda: cloud.flavors.delete(flavor.id),
            lambda: cloud.flavors.with_prefix("reservation:"),
            lambda: cloud.resource_classes.with_prefix("CUSTOM_"),
            lambda: cloud.flavors.grant(flavor.id, self.tenant.project_id),
            lambda: cloud.flavors.revoke(flavor.id, self.tenant.project_id),
            lambda: cloud.flavors.granted(flavor.id),
            lambda: cloud.servers.find(server),
            lambda: cloud.servers.on_host(host.service_host),
            lambda: cloud.servers.of_flavor(flavor.id),
            lambda: cloud.servers.building(self.tenant.project_id),
            lambda: cloud.servers.moving([server]),
            lambda: cloud.servers.delete(server),
            lambda: cloud.servers.snapshot(server, name, "now"),
            lambda: cloud.server_groups.delete(server),
            lambda: cloud.server_groups.with_prefix(name),
            lambda: cloud.server_groups.named(name),
            lambda: cloud.resource_classes.ensure(self.resource_class),
            lambda: cloud.resource_classes.delete(self.resource_class),
            lambda: cloud.resource_providers.consumers(host.uuid),
            lambda: cloud.resource_providers.holders(child, self.resource_class),
            lambda: cloud.resource_providers.close_inventory(child, self.resource_class),
            lambda: cloud.resource_providers.ensure_child(host.uuid, child),
            lambda: cloud.resource_providers.inventory(child),
            lambda: cloud.resource_providers.ensure_inventory(child, self.resource_class, 1),
            lambda: groups.ensure(self.tenant, name, "affinity"),
        ]

        def closed(call: str) -> None:
            raise Fenced(call)

        for call in calls:
            with self.assertRaises(Fenced), fence.fenced(closed):
                call()
        self.assertNotIn(name, [found.name for found in cloud.aggregates.list()])
        self.assertEqual({"a": "1"}, dict(cloud.aggregates.get(aggregate.id).metadata))
        self.assertEqual({}, dict(cloud.resource_providers.inventory(child)))

    def test_each_step_of_a_call_is_announced(self) -> None:
        aggregate = self.make_aggregate(self.unique)
        for number in (0, 1):
            self.cloud.aggregates.add_host(aggregate.id, self.host(number).service_host)
        announced: list[str] = []
        with fence.fenced(announced.append):
            self.cloud.aggregates.delete(aggregate.id)
        self.assertEqual(2, announced.count("nova.aggregate.remove_host"))
        self.assertEqual("nova.aggregate.delete", announced[-1])
