# SPDX-License-Identifier: Apache-2.0
"""Where servers go: room first, as Placement counts it; then the filter; then the emptiest."""

import uuid

from promise_blazar import exceptions
from promise_blazar.cloud.contract.compute import Flavor
from promise_blazar.cloud.contract.tenants import Caller
from promise_blazar.cloud.simulated.tenants import ServerView
from promise_blazar.tests.unit.cloud.simulated_case import SimulatedCase


class SchedulingTest(SimulatedCase):
    def boot(self, flavor: str = "m1.tiny", **hints: object) -> ServerView:
        return self.cloud.create_server("demo", "s", flavor, hints)

    def booted(self, number: int, flavor: str) -> int:
        """How many of so many servers found a host."""
        return sum(self.boot(flavor).status == "ACTIVE" for _ in range(number))

    def test_servers_spread(self) -> None:
        hosts = [self.boot().host for _ in range(4)]
        self.assertEqual(["compute-1", "compute-2", "compute-3", "compute-1"], hosts)

    def test_vcpus_are_overcommitted_four_times(self) -> None:
        # 32 x 4 of each of three hosts; a server of 16 fits eight times.
        self.assertEqual(24, self.booted(25, self.make_flavor(vcpus=16)))

    def test_no_server_is_larger_than_a_host(self) -> None:
        refused = self.boot(self.make_flavor(vcpus=33))
        self.assertEqual(("ERROR", None), (refused.status, refused.host))
        self.assertIn("No valid host was found. ", str(refused.fault))

    def test_memory_and_disk_are_not_overcommitted(self) -> None:
        self.assertEqual(3, self.booted(4, self.make_flavor(memory_mb=131072 // 2 + 1)))
        self.assertEqual(6, self.booted(7, self.make_flavor(disk_gb=700)))

    def test_a_deleted_server_leaves_its_room(self) -> None:
        whole = self.make_flavor(memory_mb=131072)
        servers = [self.boot(whole) for _ in range(3)]
        self.assertEqual("ERROR", self.boot(whole).status)
        self.cloud.servers.delete(servers[1].id)
        self.assertEqual("compute-2", self.boot(whole).host)

    def test_a_host_that_is_down_gets_none(self) -> None:
        self.cloud.set_host_state("compute-1", "down")
        self.assertFalse(self.cloud.hypervisors.get("compute-1").up)
        self.assertEqual("compute-2", self.boot().host)
        self.cloud.set_host_state("compute-1", "up")
        self.assertEqual("compute-1", self.boot().host)

    def test_a_size_in_the_extra_specs_goes_before_the_flavors(self) -> None:
        flavor = self.make_flavor(
            vcpus=33, resources__VCPU="32", resources__MEMORY_MB="0", memory_mb=999999
        )
        self.assertEqual("ACTIVE", self.boot(flavor).status)

    def test_slots_are_those_of_the_hosts_own_children(self) -> None:
        self.cloud.resource_classes.ensure("CUSTOM_SLOT")
        for host, total in (("compute-2", 1), ("compute-3", 2)):
            child = f"blazar_{host}"
            self.cloud.resource_providers.ensure_child(
                self.cloud.hypervisors.get(host).uuid, child
            )
            self.cloud.resource_providers.ensure_inventory(child, "CUSTOM_SLOT", total)
        flavor = self.make_flavor(resources__CUSTOM_SLOT="1")
        hosts = [self.boot(flavor).host for _ in range(4)]
        self.assertCountEqual(["compute-2", "compute-3", "compute-3", None], hosts)

    def test_the_pool_is_closed_to_ordinary_servers(self) -> None:
        freepool = self.cloud.aggregates.ensure("freepool", None, {})
        for host in ("compute-1", "compute-3"):
            self.cloud.aggregates.add_host(freepool.id, host)
        self.assertEqual("compute-2", self.boot().host)
        self.cloud.set_host_state("compute-2", "down")
        refused = self.boot()
        self.assertEqual("ERROR", refused.status)
        self.assertIn("filter passed none of 2 hosts", str(refused.fault))

    def test_a_lent_host_is_its_owners(self) -> None:
        self.lend("r", "compute-3", project="demo")
        self.lend("theirs", "compute-2", project="other")
        self.assertEqual("compute-3", self.boot(reservation="r").host)
        self.assertEqual("compute-3", self.boot(reservation=["r"]).host)
        for hint in ("theirs", "unknown", "", None, 3, {"r": "r"}, ["r", 3]):
            with self.subTest(hint):
                self.assertEqual("ERROR", self.boot(reservation=hint).status)

    def test_what_cannot_even_be_tried(self) -> None:
        self.cloud.flavors.ensure(Flavor("p", "private", 1, 1, 1))
        for flavor, image, hints in (
            ("private", None, {}),
            ("p", None, {}),
            ("unknown", None, {}),
            ("m1.tiny", "unknown", {}),
            ("m1.tiny", None, {"group": str(uuid.uuid4())}),
        ):
            with self.subTest((flavor, image, hints)), self.assertRaises(exceptions.BadInput):
                self.cloud.create_server("demo", "s", flavor, hints, image)
        self.assertEqual([], self.cloud.list_servers())
        self.assertEqual("ACTIVE", self.cloud.create_server("demo", "s", "p", admin=True).status)

    def test_a_group_of_another_project_does_not_exist(self) -> None:
        group = self.cloud.server_groups.ensure(Caller("t", "alice", "demo"), "g", "affinity")
        self.assertEqual("ACTIVE", self.boot(group=group).status)
        with self.assertRaises(exceptions.BadInput):
            self.cloud.create_server("other", "s", "m1.tiny", {"group": group})

    def test_servers_of_other_projects_do_not_exist(self) -> None:
        server = self.boot()
        self.assertEqual(server, self.cloud.get_server(server.id, "demo"))
        self.assertEqual(server, self.cloud.get_server(server.id))
        self.assertEqual([], self.cloud.list_servers("other"))
        for call in (self.cloud.get_server, self.cloud.remove_server):
            with self.assertRaises(exceptions.NotFound):
                call(server.id, "other")
        self.assertEqual([server], self.cloud.list_servers("demo"))
        self.cloud.remove_server(server.id, "demo")
        self.assertEqual([], self.cloud.list_servers())

    def test_a_server_in_error_makes_no_image(self) -> None:
        server = self.boot(reservation="unknown")
        with self.assertRaises(exceptions.CloudError) as caught:
            self.cloud.servers.snapshot(server.id, "i", "now")
        self.assertEqual(409, caught.exception.facts["status"])
        self.assertFalse(self.cloud.image_exists("i"))
