# SPDX-License-Identifier: Apache-2.0
"""Leases whose computes are away when they end, on the real Nova."""

from promise_blazar.tests.cloud import audit, disturbances, soundness
from promise_blazar.tests.cloud.base import (
    ONE_HOST,
    ONE_SLOT,
    LeaseTest,
    host_of,
    on,
    reservation_of,
)


class CrashedComputeTest(LeaseTest):
    def test_a_lease_ends_when_its_compute_is_back(self) -> None:
        whole = self.lease(30, {**ONE_HOST, "hypervisor_properties": on("compute-1")})
        slots = self.lease(30, {**ONE_SLOT, "resource_properties": on("compute-2")})
        servers = [
            *self.boot(self.demo, self.tiny, reservation=reservation_of(whole)),
            *self.boot(self.demo, reservation_of(slots)),
        ]
        self.assertEqual(["compute-1", "compute-2"], [host_of(server) for server in servers])
        with disturbances.crashed("compute-1", "compute-2"):
            for lease, server in zip((whole, slots), servers, strict=True):
                self.reservations.update(lease["id"], end_date="now")
                waiting = self.reservations.wait_reason(lease["id"], "servers to disappear")
                self.assertIn(server["id"], soundness.told_operators(lease["id"]))
                self.assertEqual("TERMINATING", waiting["status"])
            world = audit.look()
            self.assertLessEqual({server["id"] for server in servers}, world.servers)
            self.assertEqual(("compute-1",), world.hosts_of(reservation_of(whole)))
        for lease in (whole, slots):
            self.reservations.wait_status(lease["id"], "TERMINATED")
        self.assert_as_before()
        self.assert_in_use_again()

    def test_a_lease_ends_without_its_compute_when_nova_knows_that_it_is_down(self) -> None:
        whole = self.lease(30, {**ONE_HOST, "hypervisor_properties": on("compute-1")})
        slots = self.lease(30, {**ONE_SLOT, "resource_properties": on("compute-2")})
        self.boot(self.demo, self.tiny, reservation=reservation_of(whole))
        self.boot(self.demo, reservation_of(slots))
        with (
            disturbances.crashed("compute-1", "compute-2"),
            disturbances.taken_for_down("compute-1"),
            disturbances.taken_for_down("compute-2"),
        ):
            for lease in (whole, slots):
                self.reservations.update(lease["id"], end_date="now")
            for lease in (whole, slots):
                self.reservations.wait_status(lease["id"], "TERMINATED")
            self.assertEqual(self.before, audit.look())
            away = [f"audit: host {name} is out of service" for name in ("compute-1", "compute-2")]
            self.assertEqual(away, soundness.faults())
        self.assert_in_use_again()

    def assert_in_use_again(self) -> None:
        """A host that was away is as good as before."""
        lease = self.lease(30, {**ONE_HOST, "hypervisor_properties": on("compute-1")})
        (server,) = self.boot(self.demo, self.tiny, reservation=reservation_of(lease))
        self.assertEqual("compute-1", host_of(server))
        self.end(lease["id"])
        self.assert_as_before()
