# SPDX-License-Identifier: Apache-2.0
"""What Nova's quotas refuse: of all that a lease is made of, they count server groups alone."""

from typing import Any

from promise_blazar.tests.cloud import clients, site
from promise_blazar.tests.cloud.base import ONE_SLOT, LeaseTest, after

_IN_GROUP = {**ONE_SLOT, "affinity": True}
_BAD_GATEWAY = 502


class QuotaTest(LeaseTest):
    def test_a_lease_without_its_server_group_is_not_made(self) -> None:
        self.allow_groups(0)
        self.assert_refused(self.create, "now", after(30), _IN_GROUP)
        site.eventually("what there was is gone", lambda: not self.reservations.leases())
        self.assert_as_before()

    def test_a_change_that_needs_a_server_group_is_done_by_the_next_try(self) -> None:
        lease = self.pending(ONE_SLOT)
        (reservation,) = lease["reservations"]
        change = {"reservations": [{"id": reservation["id"], "affinity": True}]}
        self.allow_groups(0)
        self.assert_refused(self.reservations.update, lease["id"], **change)
        self.allow_groups(1)
        (changed,) = self.reservations.update(lease["id"], **change)["reservations"]
        self.assertIsNotNone(
            self.demo.nova("GET", f"/os-server-groups/{changed['server_group_id']}")
        )
        self.end(lease["id"])
        self.assert_as_before()

    def assert_refused(self, ask: Any, *args: Any, **kwargs: Any) -> None:
        with self.assertRaisesRegex(clients.Refused, "beyond a quota") as caught:
            ask(*args, **kwargs)
        self.assertEqual(_BAD_GATEWAY, caught.exception.kwargs["code"])

    def allow_groups(self, count: int) -> None:
        """This many to demo's project, until the test is over."""
        path = f"/os-quota-sets/{self.demo.project_id}"
        self.addCleanup(self.admin.nova, "DELETE", path)
        self.admin.nova("PUT", path, {"quota_set": {"server_groups": count}})
