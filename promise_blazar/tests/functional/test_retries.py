# SPDX-License-Identifier: Apache-2.0
"""OpenStack is slow, refuses or is away: who waits for it, and what is left as it is."""

import threading

from promise_blazar import exceptions
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase
from promise_blazar.tests.functional.concurrency.processes import DEADLINE, eventually


class TestSlow(ServiceTestCase):
    """OpenStack does not answer before it is told to, and no request waits for that."""

    options = {"manager__prepare_wait": 0}  # noqa: RUF012 - never changed

    def setUp(self):
        super().setUp()
        self.answered = threading.Event()
        self.addCleanup(self.answered.set)

    def wait_for_the_cloud(self, seconds):
        self.answered.wait(DEADLINE)

    def hang(self, call):
        self.answered.clear()
        self.cloud.set_faults(call, latency_ms=1)

    def until(self, lease, status):
        self.answered.set()
        eventually(lambda: self.show(lease)["status"] == status)

    def test_d18_a_create_and_an_update_are_answered_before_openstack_is(self):
        self.hang("nova.flavor.create")
        body = self.body(INSTANCE, start=self.minute(10))
        made = self.call("POST", "/v1/leases", body)
        lease = made.json["lease"]
        self.assertEqual((201, "CREATING"), (made.status_code, lease["status"]))
        self.assertEqual("CREATING", self.show(lease)["status"])
        self.until(lease, "PENDING")
        self.hang("nova.flavor.create")
        resized = {"id": lease["reservations"][0]["id"], "vcpus": 3}
        answer = self.update(lease, reservations=[resized])
        shown = answer.json["lease"]
        self.assertEqual((200, "UPDATING"), (answer.status_code, shown["status"]))
        self.assertEqual(3, shown["reservations"][0]["vcpus"])
        self.until(lease, "PENDING")

    def test_d18_a_create_that_is_sent_again_meanwhile_makes_one_lease(self):
        self.hang("nova.flavor.create")
        body = self.body(INSTANCE, start=self.minute(10))
        first, again = (
            self.call("POST", "/v1/leases", body, headers={"Idempotency-Key": "k"})
            for _ in range(2)
        )
        self.assertEqual((201, first.json), (again.status_code, again.json))
        self.until(first.json["lease"], "PENDING")
        self.assertEqual(1, len(self.call("GET", "/v1/leases").json["leases"]))

    def test_d18_a_delete_asks_nothing_of_openstack_and_may_be_sent_again(self):
        lease = self.lease(HOST)
        self.until(lease, "PENDING")
        self.pass_time()
        self.boot(reservation=lease["reservations"][0]["id"])
        self.cloud.set_server_delete_seconds(600)

        def delete():
            self.assertEqual(204, self.delete(lease).status_code)

        self.assertEqual(set(), self.calls_of(delete))
        for seconds in (0, 60, 60):
            self.pass_time(seconds)
            self.assertEqual("DELETING", self.show(lease)["status"])
            delete()
        self.pass_time(600)
        self.refused(404, self.delete(lease))


class TestBlocked(ServiceTestCase):
    hosts = registered = 2

    def setUp(self):
        super().setUp()
        before = self.active({**HOST, "min": 2, "max": 2}, end=10)
        self.boot(reservation=before["reservations"][0]["id"])
        self.cloud.set_server_delete_seconds(120)
        self.next = self.lease(HOST, start=self.minute(10), end=60)
        self.pass_time(600)

    def test_a_start_that_waits_for_the_lease_before_says_so(self):
        shown = self.show(self.next)
        self.assertEqual("PENDING", shown["status"])
        (host,) = self.held(shown["reservations"][0])
        self.assertEqual("hosts to be let go of by those before", shown["status_reason"])
        self.assertEqual(f"hosts to be let go of by those before: {host}", self.trouble(shown))
        self.pass_time(120)
        shown = self.show(self.next)
        self.assertEqual(("ACTIVE", None), (shown["status"], shown["status_reason"]))

    def test_one_that_is_put_off_waits_for_nobody(self):
        self.updated(self.next, start_date=self.minute(20))
        shown = self.show(self.next)
        self.assertEqual(("PENDING", None), (shown["status"], shown["status_reason"]))
        self.pass_time(600)
        self.assertEqual("ACTIVE", self.show(self.next)["status"])


class TestRefused(ServiceTestCase):
    def test_d23_an_end_that_cannot_take_back_one_thing_takes_back_the_others(self):
        lease = self.active(HOST, INSTANCE, HOST, end=10)
        self.cloud.set_faults("nova.flavor.delete", fail_next=1000, status=403)
        self.pass_time(600)
        shown = self.show(lease)
        self.assertEqual("TERMINATING", shown["status"])
        self.assertIn("nova.flavor.delete", shown["status_reason"])
        statuses = [reservation["status"] for reservation in shown["reservations"]]
        self.assertEqual(["deleted", "active", "deleted"], statuses)
        self.assertEqual(3, len(self.aggregates()["freepool"]))
        self.pass_time(1)
        self.active({**HOST, "min": 2, "max": 2}, end=60)
        self.cloud.clear_faults()
        self.pass_time(60)
        self.assertEqual("TERMINATED", self.show(lease)["status"])

    def test_d23_servers_go_although_the_flavor_cannot_be_closed_to_their_tenant(self):
        lease = self.active(INSTANCE, end=10)
        (reservation,) = lease["reservations"]
        self.boot(reservation["id"])
        self.cloud.set_faults("nova.flavor.revoke", fail_next=1000, status=403)
        for seconds in (600, 60):
            self.pass_time(seconds)
        self.assertEqual("TERMINATED", self.show(lease)["status"])
        self.assertEqual([], self.cloud_objects()["servers"])
        self.assertEqual([], self.cloud.flavors.with_prefix("reservation:"))


class TestAway(ServiceTestCase):
    def test_d26_what_openstack_does_not_say_is_not_taken_for_bad_news(self):
        """Each call of a comparison is not answered: no host is lost, and nothing is repaired."""
        self.active(HOST, INSTANCE)
        self.lease(HOST, INSTANCE, start=self.minute(30))
        reconcile = self.service.reconcile
        calls = self.calls_of(reconcile.run)
        self.assertIn("nova.aggregate.list", calls)
        for call in calls:
            for status in (503, None):
                reconcile.doubt()  # else Nova's scheduler is not told of the freepool once more
                self.cloud.set_faults(call, fail_next=1, status=status)
                with self.nothing_changes():
                    self.assertRaises(exceptions.CloudUnavailable, reconcile.run)
        self.assertEqual([], reconcile.look().lines())
