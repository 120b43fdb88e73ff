# SPDX-License-Identifier: Apache-2.0
"""Servers that nobody expected on a host, on the real Nova: none of them is touched.

An admin who names the host puts a server anywhere; Nova asks no filter then.
"""

from promise_blazar.tests.cloud import audit, clients, disturbances, site
from promise_blazar.tests.cloud.base import ONE_HOST, LeaseTest, after, host_of, on, reservation_of


class CrowdedHostTest(LeaseTest):
    def test_a_lease_starts_on_another_host(self) -> None:
        elsewhere = self.pending({**ONE_HOST, "hypervisor_properties": on("compute-2")})
        lease = self.pending({**ONE_HOST, "hypervisor_properties": on("compute-1", "compute-2")})
        # It holds the one host now, and may have the other.
        self.end(elsewhere["id"])
        stranger = self.intrude("compute-1")
        self.reservations.update(lease["id"], start_date="now", end_date=after(30))
        self.reservations.wait_status(lease["id"], "ACTIVE")
        world = audit.look()
        self.assertEqual(("compute-2",), world.hosts_of(reservation_of(lease)))
        self.assertIn("compute-1", world.hosts_of("freepool"))
        (server,) = self.boot(self.demo, self.tiny, reservation=reservation_of(lease))
        self.assertEqual("compute-2", host_of(server))
        self.end(lease["id"])
        self.assert_undisturbed(stranger)

    def test_a_lease_without_another_host_fails_and_is_deleted(self) -> None:
        there = {**ONE_HOST, "hypervisor_properties": on("compute-1")}
        lease = self.pending(there)
        stranger = self.intrude("compute-1")
        self.reservations.update(lease["id"], start_date="now", end_date=after(30))
        failed = self.reservations.wait_status(lease["id"], "ERROR")
        self.assertIn("a host has servers of others", failed["status_reason"])
        self.assertNotIn(stranger, failed["status_reason"])
        self.assertEqual(["error"], [each["status"] for each in failed["reservations"]])
        self.assertTrue(failed["degraded"])
        with self.assertRaisesRegex(clients.Refused, "only be renamed or deleted"):
            self.reservations.update(lease["id"], end_date=after(60))
        self.end(lease["id"])
        self.assert_undisturbed(stranger)
        # The failure cost the host nothing.
        again = self.lease(30, there)
        self.assertEqual(("compute-1",), audit.look().hosts_of(reservation_of(again)))
        self.end(again["id"])
        self.assert_as_before()

    def test_a_server_that_is_not_on_the_host_yet_is_in_the_way_too(self) -> None:
        there = {**ONE_HOST, "hypervisor_properties": on("compute-1")}
        lease = self.pending(there)
        with disturbances.standing_still("nova-compute-1"):
            (server,) = self.admin.boot(self.tiny, {}, zone="nova:compute-1")
            self.addCleanup(self.admin.delete, [server])
            site.eventually(
                "it has a place",
                lambda: self.admin.placement(f"/allocations/{server}")["allocations"],
            )
            self.reservations.update(lease["id"], start_date="now", end_date=after(30))
            failed = self.reservations.wait_status(lease["id"], "ERROR")
            self.assertIn("a host has servers of others", failed["status_reason"])
            self.assertNotIn(server, failed["status_reason"])
            self.end(lease["id"])
        self.admin.settled(server)
        self.assert_undisturbed(server)

    def test_a_lease_ends_when_the_stranger_has_left(self) -> None:
        lease = self.lease(30, {**ONE_HOST, "hypervisor_properties": on("compute-1")})
        (server,) = self.boot(self.demo, self.tiny, reservation=reservation_of(lease))
        stranger = self.intrude("compute-1")
        self.reservations.update(lease["id"], end_date="now")
        self.admin.wait_gone(server["id"])
        waiting = self.reservations.wait_reason(lease["id"], "servers to disappear")
        self.assertNotIn(stranger, waiting["status_reason"])
        self.assertEqual("TERMINATING", waiting["status"])
        self.assertEqual(("compute-1",), audit.look().hosts_of(reservation_of(lease)))
        self.assertIn(stranger, audit.look().servers)
        self.admin.delete([stranger])
        self.reservations.wait_status(lease["id"], "TERMINATED")
        self.assert_as_before()

    def assert_undisturbed(self, stranger: str) -> None:
        """It runs, and when its owner deletes it, nothing is left."""
        found = self.admin.nova("GET", f"/servers/{stranger}")["server"]
        self.assertEqual(("ACTIVE", "compute-1"), (found["status"], host_of(found)))
        self.admin.delete([stranger])
        self.assert_as_before()
