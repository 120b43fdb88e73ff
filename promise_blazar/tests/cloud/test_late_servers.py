# SPDX-License-Identifier: Apache-2.0
"""Servers on their way when their lease ends, on the real Nova: they arrive nowhere.

Nova says that a server is on a host when that compute begins to build it. Until then, seconds or
as long as the compute is busy with others, only Placement knows where it goes.
"""

from promise_blazar.tests.cloud import disturbances, site
from promise_blazar.tests.cloud.base import (
    ONE_HOST,
    ONE_SLOT,
    LeaseTest,
    host_of,
    on,
    reservation_of,
)


class LateServerTest(LeaseTest):
    def test_a_server_that_is_not_on_its_host_yet_goes_with_the_lease(self) -> None:
        whole = self.lease(30, {**ONE_HOST, "hypervisor_properties": on("compute-1")})
        slots = self.lease(30, {**ONE_SLOT, "resource_properties": on("compute-2")})
        with (
            disturbances.standing_still("nova-compute-1"),
            disturbances.standing_still("nova-compute-2"),
        ):
            hint = {"reservation": reservation_of(whole)}
            servers = [
                *self.demo.boot(self.tiny, hint),
                *self.demo.boot(reservation_of(slots), {}),
            ]
            self.addCleanup(self.admin.delete, servers)
            for server in servers:
                site.eventually(f"{server} has a place", lambda: self.placed(server))  # noqa: B023
                found = self.admin.nova("GET", f"/servers/{server}")["server"]
                self.assertEqual(("BUILD", None), (found["status"], host_of(found)))
            for lease in (whole, slots):
                self.reservations.update(lease["id"], end_date="now")
            for server in servers:
                self.admin.wait_gone(server)
        for lease in (whole, slots):
            self.reservations.wait_status(lease["id"], "TERMINATED")
        self.assert_as_before()

    def placed(self, server: str) -> bool:
        return bool(site.user("admin").placement(f"/allocations/{server}")["allocations"])
