# SPDX-License-Identifier: Apache-2.0
"""A lease that begins now on a host which the lease before is still letting go of."""

from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase
from promise_blazar.tests.functional.concurrency import audit

SLOW = 60


@databases.on_each_database
class TestHandingOver(ServiceTestCase):
    hosts = registered = 1

    def tearDown(self):
        self.assertEqual([], audit.faults(self.url))
        super().tearDown()

    def letting_go(self):
        """A running lease whose server will take its time to disappear."""
        lease = self.active(HOST)
        self.boot(reservation=lease["reservations"][0]["id"])
        self.cloud.set_server_delete_seconds(SLOW)
        return lease

    def starts_after_it(self, *reservations):
        after = self.lease(*reservations, end=90)
        self.assertEqual("PENDING", after["status"])
        self.pass_time(1)
        shown = self.show(after)
        self.assertIn(shown["status"], ("PENDING", "STARTING"))
        self.assertIsNotNone(shown["status_reason"])
        self.assertNotIn("compute-1", self.aggregates().get(after["reservations"][0]["id"]))
        for _ in range(10):
            self.pass_time(SLOW / 6)
        shown = self.show(after)
        self.assertEqual(("ACTIVE", None), (shown["status"], shown["status_reason"]))
        return after

    def test_c7_now_on_what_a_deleted_lease_is_letting_go_of(self):
        before = self.letting_go()
        self.assertEqual(204, self.delete(before).status_code)
        after = self.starts_after_it(HOST)
        self.refused(404, self.call("GET", f"/v1/leases/{before['id']}"))
        self.assertEqual(["compute-1"], self.aggregates()[after["reservations"][0]["id"]])
        self.assertEqual([], self.aggregates()["freepool"])

    def test_c7_now_on_what_a_lease_that_ended_now_is_letting_go_of(self):
        before = self.letting_go()
        self.updated(before, end_date="now")
        self.pass_time(1)
        self.starts_after_it(HOST)
        self.assertEqual("TERMINATED", self.show(before)["status"])

    def test_c7_slots_wait_for_a_whole_host_too(self):
        before = self.letting_go()
        self.delete(before)
        self.starts_after_it(INSTANCE)


class TestOthersFirst(ServiceTestCase):
    hosts = registered = 2

    def setUp(self):
        super().setUp()
        before = self.active(HOST)
        self.assertEqual(["compute-1"], self.held(before["reservations"][0]))
        self.boot(reservation=before["reservations"][0]["id"])
        self.cloud.set_server_delete_seconds(SLOW)
        self.delete(before)

    def test_c7_a_host_that_is_free_goes_first_and_nobody_waits_for_more_than_the_least(self):
        lease = self.active({**HOST, "max": 2})
        self.assertEqual(["compute-2"], self.held(lease["reservations"][0]))

    def test_c7_a_running_lease_does_not_grow_onto_what_is_being_let_go_of(self):
        lease = self.active(HOST)
        grown = {"id": lease["reservations"][0]["id"], "min": 2, "max": 2}
        self.refused(409, self.update(lease, reservations=[grown]))

    def test_c7_later_it_is_as_good_as_any(self):
        lease = self.lease(HOST, start=self.minute(5))
        self.assertEqual(["compute-1"], self.held(lease["reservations"][0]))
