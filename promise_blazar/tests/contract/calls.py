# SPDX-License-Identifier: Apache-2.0
"""Every call goes through the one door: a fence that closes stops it before it leaves."""

import uuid
from collections.abc import Callable

from promise_blazar.cloud import fence
from promise_blazar.cloud.contract.cloud import Flavor
from promise_blazar.tests.contract.base import ContractCase


class Fenced(Exception):
    """The owner may no longer act."""


class CallContract(ContractCase):
    def test_no_call_passes_a_closed_fence(self) -> None:
        name, server, child = self.unique, str(uuid.uuid4()), f"blazar_{self.unique}"
        host = self.host()
        aggregate = self.make_aggregate(f"{name}-there", None, {"a": "1"})
        flavor = Flavor(self.reservation, f"contract:{name}", 1, 256, 0)
        self.addCleanup(self.cloud.delete_flavor, flavor.id)
        cloud, groups = self.cloud, self.groups
        calls: list[Callable[[], object]] = [
            lambda: cloud.hypervisor(host.name),
            cloud.hypervisors,
            cloud.aggregates,
            lambda: cloud.aggregate(aggregate.id),
            lambda: cloud.ensure_aggregate(name, None, {}),
            lambda: cloud.set_aggregate_metadata(aggregate.id, {"a": "2"}),
            lambda: cloud.add_to_aggregate(aggregate.id, host.service_host),
            lambda: cloud.remove_from_aggregate(aggregate.id, host.service_host),
            lambda: cloud.delete_aggregate(aggregate.id),
            lambda: cloud.ensure_flavor(flavor),
            lambda: cloud.delete_flavor(flavor.id),
            lambda: cloud.flavors_named("reservation:"),
            lambda: cloud.resource_classes("CUSTOM_"),
            lambda: cloud.grant_flavor(flavor.id, self.tenant.project_id),
            lambda: cloud.revoke_flavor(flavor.id, self.tenant.project_id),
            lambda: cloud.server(server),
            lambda: cloud.servers_on_host(host.service_host),
            lambda: cloud.servers_of_flavor(flavor.id),
            lambda: cloud.delete_server(server),
            lambda: cloud.snapshot_server(server, name, "now"),
            lambda: cloud.delete_server_group(server),
            lambda: cloud.server_groups(name),
            lambda: cloud.server_groups_named(name),
            lambda: cloud.ensure_resource_class(self.resource_class),
            lambda: cloud.delete_resource_class(self.resource_class),
            lambda: cloud.consumers(host.uuid),
            lambda: cloud.ensure_child_provider(host.uuid, child),
            lambda: cloud.child_inventory(child),
            lambda: cloud.ensure_child_inventory(child, self.resource_class, 1),
            lambda: groups.ensure_group(self.tenant, name, "affinity"),
        ]

        def closed(call: str) -> None:
            raise Fenced(call)

        for call in calls:
            with self.assertRaises(Fenced), fence.fenced(closed):
                call()
        self.assertNotIn(name, [found.name for found in cloud.aggregates()])
        self.assertEqual({"a": "1"}, dict(cloud.aggregate(aggregate.id).metadata))
        self.assertEqual({}, dict(cloud.child_inventory(child)))

    def test_each_step_of_a_call_is_announced(self) -> None:
        aggregate = self.make_aggregate(self.unique)
        for number in (0, 1):
            self.cloud.add_to_aggregate(aggregate.id, self.host(number).service_host)
        announced: list[str] = []
        with fence.fenced(announced.append):
            self.cloud.delete_aggregate(aggregate.id)
        self.assertEqual(2, announced.count("nova.aggregate.remove_host"))
        self.assertEqual("nova.aggregate.delete", announced[-1])
