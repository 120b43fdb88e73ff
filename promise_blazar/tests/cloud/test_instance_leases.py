# SPDX-License-Identifier: Apache-2.0
"""Leases of instance slots, on the real Nova and Placement."""

from typing import Any

from promise_blazar.tests.cloud import audit, clients
from promise_blazar.tests.cloud.base import ONE_HOST, ONE_SLOT, LeaseTest, host_of, soon

#: Two of them.
_SLOTS = {**ONE_SLOT, "amount": 2}


class InstanceLeaseTest(LeaseTest):
    def test_the_flavor_boots_as_many_servers_as_were_leased(self) -> None:
        created = clients.openstack(
            "demo",
            "reservation",
            "lease",
            "create",
            "--reservation",
            "resource_type=virtual:instance,vcpus=1,memory_mb=1024,disk_gb=1,amount=2,"
            "affinity=None",
            "--end-date",
            soon(),
            "two-slots",
        )
        self.addCleanup(self.end, created["id"])
        lease = self.reservations.wait_status(created["id"], "ACTIVE")
        reservation = lease["reservations"][0]["id"]
        world = audit.look()
        hosts = world.hosts_of(reservation)
        zone, _, metadata = world.aggregates[reservation]
        self.assertIsNone(zone)
        self.assertIn(("reservation", reservation), metadata)
        self.assertEqual(2, sum(map(self.slots_of(reservation, world).__getitem__, hosts)))
        self.assertEqual(self.before.hosts_of("freepool"), world.hosts_of("freepool"))

        servers = self.boot(self.demo, reservation, 2)
        self.assertEqual(["ACTIVE", "ACTIVE"], [server["status"] for server in servers])
        self.assertLessEqual({host_of(server) for server in servers}, set(hosts))
        self.refused(self.demo, reservation)
        self.refused(self.demo, self.tiny, reservation=reservation)
        self.assertIsNone(self.other.nova("GET", f"/flavors/{reservation}"))
        self.refused(self.other, self.tiny, reservation=reservation)

        # A slot that its server leaves is free again.
        self.demo.delete([servers[0]["id"]])
        (again,) = self.boot(self.demo, reservation, reservation=reservation)
        self.assertEqual("ACTIVE", again["status"])

        clients.run("demo", "reservation", "lease", "delete", lease["id"])
        self.reservations.wait_gone(lease["id"])
        self.assertNotIn(reservation, audit.look().flavors)
        self.assert_as_before()

    def test_servers_that_belong_together_share_a_host(self) -> None:
        lease = self.lease(30, {**_SLOTS, "affinity": True})
        self.assertEqual(1, len(set(self.boot_in_group(lease))))
        self.assertEqual(1, len(set(self.boot_by_flavor(lease))))
        self.end(lease["id"])
        self.assert_as_before()

    def test_servers_that_are_kept_apart_share_none(self) -> None:
        lease = self.lease(30, {**_SLOTS, "affinity": False})
        self.assertEqual(2, len(set(self.boot_in_group(lease))))
        self.assertEqual(2, len(set(self.boot_by_flavor(lease))))
        self.end(lease["id"])
        self.assert_as_before()

    def test_a_lease_of_both_kinds(self) -> None:
        lease = self.lease(30, ONE_HOST, {**_SLOTS, "affinity": None})
        world = audit.look()
        by_type = {each["resource_type"]: each["id"] for each in lease["reservations"]}
        (host,) = world.hosts_of(by_type["physical:host"])
        self.assertNotIn(host, world.hosts_of(by_type["virtual:instance"]))
        (mine,) = self.boot(self.demo, self.tiny, reservation=by_type["physical:host"])
        self.assertEqual(host, host_of(mine))
        self.end(lease["id"])
        self.assert_as_before()

    def test_an_active_lease_grows_and_is_prolonged(self) -> None:
        lease = self.lease(30, {**_SLOTS, "amount": 1, "affinity": None})
        (reservation,) = lease["reservations"]
        self.assertEqual("ACTIVE", self.boot(self.demo, reservation["id"])[0]["status"])
        self.refused(self.demo, reservation["id"])
        clients.run(
            "demo",
            "reservation",
            "lease",
            "set",
            "--reservation",
            f"id={reservation['id']},amount=3",
            "--prolong-for",
            "1h",
            lease["id"],
        )
        grown = self.reservations.wait_status(lease["id"], "ACTIVE")
        self.assertGreater(grown["end_date"], lease["end_date"])
        self.assertEqual(3, sum(self.slots_of(reservation["id"], audit.look()).values()))
        more = self.boot(self.demo, reservation["id"], 2)
        self.assertEqual(["ACTIVE", "ACTIVE"], [server["status"] for server in more])
        self.refused(self.demo, reservation["id"])
        self.end(lease["id"])
        self.assert_as_before()

    def boot_in_group(self, lease: dict[str, Any]) -> list[str | None]:
        """Two servers in the group that the lease was given; their hosts."""
        (reservation,) = lease["reservations"]
        group = reservation["server_group_id"]
        found = self.demo.nova("GET", f"/os-server-groups/{group}")
        self.assertIsNotNone(found, "the tenant's own group")
        return self.boot_two(reservation["id"], group=group)

    def boot_by_flavor(self, lease: dict[str, Any]) -> list[str | None]:
        """The same without a word of the group."""
        (reservation,) = lease["reservations"]
        return self.boot_two(reservation["id"])

    def boot_two(self, flavor: str, **hints: object) -> list[str | None]:
        """They are gone again; their hosts, while a third one had none."""
        servers = self.boot(self.demo, flavor, 2, **hints)
        self.assertEqual(["ACTIVE", "ACTIVE"], [server["status"] for server in servers])
        self.refused(self.demo, flavor, **hints)
        self.demo.delete([server["id"] for server in servers])
        return [host_of(server) for server in servers]

    def slots_of(self, reservation: str, world: audit.World) -> dict[str, int]:
        """By host."""
        name = f"CUSTOM_RESERVATION_{reservation.replace('-', '_').upper()}"
        self.assertIn(name, world.resource_classes)
        return {
            provider.removeprefix(audit.OUR_PROVIDERS): slots[name]
            for provider, slots in world.slots.items()
            if name in slots
        }
