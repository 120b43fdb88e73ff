# SPDX-License-Identifier: Apache-2.0
"""Leases of whole hosts, on the real Nova, from the first command to the last."""

from promise_blazar.tests.cloud import audit, clients
from promise_blazar.tests.cloud.base import END_SECONDS, ONE_HOST, LeaseTest, host_of, soon


class HostLeaseTest(LeaseTest):
    def test_a_lease_lends_a_host_to_its_owner_until_its_end(self) -> None:
        created = clients.openstack(
            "demo",
            "reservation",
            "lease",
            "create",
            "--reservation",
            "resource_type=physical:host,min=1,max=1",
            "--end-date",
            soon(),
            "one-host",
        )
        self.addCleanup(self.end, created["id"])
        lease = self.reservations.wait_status(created["id"], "ACTIVE")
        reservation = lease["reservations"][0]["id"]
        world = audit.look()
        (host,) = world.hosts_of(reservation)
        zone, _, metadata = world.aggregates[reservation]
        self.assertEqual(f"blazar_{reservation}", zone)
        self.assertIn(("blazar:owner", self.demo.project_id), metadata)
        self.assertCountEqual(set(self.hosts) - {host}, world.hosts_of("freepool"))

        (mine,) = self.boot(self.demo, self.tiny, reservation=reservation)
        self.assertEqual(("ACTIVE", host), (mine["status"], host_of(mine)))
        self.refused(self.other, self.tiny, reservation=reservation)
        self.refused(self.demo, self.tiny)

        self.reservations.wait_status(lease["id"], "TERMINATED", END_SECONDS)
        self.admin.wait_gone(mine["id"])
        self.assert_as_before()

    def test_many_servers_at_once_stay_on_the_hosts_of_the_lease(self) -> None:
        lease = self.lease(30, {**ONE_HOST, "min": 2, "max": 2})
        reservation = lease["reservations"][0]["id"]
        hosts = audit.look().hosts_of(reservation)
        self.assertEqual(2, len(hosts))
        servers = self.boot(self.demo, self.tiny, 4, reservation=reservation)
        self.assertEqual(4, len(servers))
        self.assertEqual({"ACTIVE"}, {server["status"] for server in servers})
        self.assertEqual(set(hosts), {host_of(server) for server in servers})
        clients.run("demo", "reservation", "lease", "delete", lease["id"])
        self.reservations.wait_gone(lease["id"])
        self.assert_as_before()

    def test_what_cannot_be_lent_is_refused_and_nothing_is_made(self) -> None:
        with self.assertRaises(clients.CommandFailed) as caught:
            clients.openstack(
                "demo",
                "reservation",
                "lease",
                "create",
                "--reservation",
                f"resource_type=physical:host,min={len(self.hosts) + 1},max=99",
                "--end-date",
                soon(),
                "too-many",
            )
        self.assertIn("Not enough hosts", str(caught.exception))
        self.assert_as_before()

    def test_every_process_is_killed_while_the_lease_starts_and_while_it_lasts(self) -> None:
        created = self.reservations.create("restarted", soon(), ONE_HOST)
        clients.service("kill")
        clients.service("start")
        self.addCleanup(self.end, created["id"])
        lease = self.reservations.wait_status(created["id"], "ACTIVE")
        reservation = lease["reservations"][0]["id"]
        (host,) = audit.look().hosts_of(reservation)
        (server,) = self.boot(self.demo, self.tiny, reservation=reservation)
        self.assertEqual(("ACTIVE", host), (server["status"], host_of(server)))
        clients.service("stop")
        clients.service("start")
        self.end(lease["id"])
        self.admin.wait_gone(server["id"])
        self.assert_as_before()
