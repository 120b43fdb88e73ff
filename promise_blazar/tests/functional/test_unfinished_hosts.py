# SPDX-License-Identifier: Apache-2.0
"""Hosts of which half was done when a manager died: somebody finishes it, and it is said."""

from unittest import mock

from promise_blazar.cloud import fence
from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import ServiceTestCase
from promise_blazar.tests.functional.concurrency import audit

ADMIN = "admin:admin"


class Killed(BaseException):
    """The manager's process ends here."""


@databases.on_each_database
class TestUnfinishedHosts(ServiceTestCase):
    registered = 2

    def setUp(self):
        super().setUp()
        self.other = self.manager()

    def killed_before(self, call, work):
        """The manager dies before a call to OpenStack, within this request."""

        def announce(name):
            if name == call:
                raise Killed

        with mock.patch.object(fence, "announce", announce):
            self.assertRaises(Killed, work)

    def others_go_on(self, seconds):
        self.clock.advance(seconds)
        self.other.heartbeat.beat()
        self.other.engine.run_due()

    def add(self, number):
        return self.call("POST", "/v1/os-hosts", {"name": f"compute-{number}"}, ADMIN)

    def remove(self, number):
        host = self.registered_hosts()[f"compute-{number}"]
        return self.call("DELETE", f"/v1/os-hosts/{host['id']}", token=ADMIN)

    def jobs(self):
        return audit.rows(self.url, "jobs")

    def test_c9_one_that_was_being_added_is_added(self):
        self.killed_before("nova.aggregate.add_host", lambda: self.add(3))
        self.assertIn("host compute-3 is half added", str(self.other.reconcile.look().lines()))
        self.others_go_on(30)
        self.assertFalse(self.registered_hosts()["compute-3"]["reservable"])
        self.others_go_on(40)
        self.assertTrue(self.registered_hosts()["compute-3"]["reservable"])
        self.assertIn("compute-3", self.aggregates()["freepool"])
        self.assertEqual([], self.jobs())
        self.assertEqual([], self.other.reconcile.look().lines())

    def test_c9_one_that_has_servers_by_then_is_taken_back(self):
        self.killed_before("nova.aggregate.add_host", lambda: self.add(3))
        self.assertEqual("compute-3", self.boot()["host"])
        self.others_go_on(70)
        self.assertNotIn("compute-3", self.registered_hosts())
        self.assertNotIn("compute-3", self.aggregates()["freepool"])
        self.assertEqual([], self.jobs())

    def test_c9_one_that_was_being_removed_is_removed(self):
        self.killed_before("nova.aggregate.remove_host", lambda: self.remove(2))
        self.others_go_on(70)
        self.assertNotIn("compute-2", self.registered_hosts())
        self.assertNotIn("compute-2", self.aggregates()["freepool"])
        self.assertEqual([], self.jobs())

    def test_c9_it_is_tried_again_while_openstack_is_away(self):
        self.killed_before("nova.aggregate.remove_host", lambda: self.remove(2))
        self.cloud.set_faults("nova.aggregate.remove_host", fail_next=2)
        self.others_go_on(70)
        (job,) = self.jobs()
        self.assertEqual(("host", "compute-2", 1), (job["kind"], job["subject"], job["failures"]))
        self.assertIn("and tried again", str(self.other.reconcile.look().lines()))
        for _ in range(3):
            self.others_go_on(10)
        self.assertNotIn("compute-2", self.registered_hosts())
        self.assertEqual([], self.jobs())

    def test_c9_nothing_unregistered_stays_in_the_freepool(self):
        self.assertEqual(204, self.remove(2).status_code)
        (freepool,) = (each for each in self.cloud.aggregates.list() if each.name == "freepool")
        # As by a manager that brought it back, and died before it saw that it is lent no more.
        self.cloud.aggregates.add_host(freepool.id, "compute-2")
        # And one that never was ours.
        self.cloud.aggregates.add_host(freepool.id, "compute-3")
        drift = self.other.reconcile.run()
        self.assertEqual(("compute-2",), drift.unlent)
        self.assertEqual(("host compute-3 in the freepool",), drift.foreign)
        self.assertEqual(["compute-1", "compute-3"], self.aggregates()["freepool"])

    def test_c9_what_is_done_in_order_leaves_no_job(self):
        self.assertEqual(201, self.add(3).status_code)
        self.assertEqual(204, self.remove(3).status_code)
        self.assertEqual([], self.jobs())
