# SPDX-License-Identifier: Apache-2.0
"""Hosts that Nova calls down or disabled: the last that are taken for what begins now."""

from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase

WORDS = "out of service: 1 of the hosts of this lease"


@databases.on_each_database
class TestHostStates(ServiceTestCase):
    hosts = registered = 3

    def set_state(self, state, *numbers):
        for number in numbers:
            path = f"/simulated/hosts/compute-{number}"
            self.call("PUT", path, {"state": state}, "admin:admin")

    def known(self):
        """Nova is asked, as every ten seconds."""
        self.service.host_states.run()

    def hosts_of(self, lease):
        return [self.held(each) for each in lease["reservations"]]

    def test_c8_what_starts_now_takes_hosts_that_are_up(self):
        self.set_state("down", 1)
        self.known()
        lease = self.lease(HOST, {**INSTANCE, "amount": 1})
        self.assertEqual([["compute-2"], ["compute-3"]], self.hosts_of(lease))
        self.pass_time()
        shown = self.show(lease)
        self.assertEqual(("ACTIVE", False), (shown["status"], shown["degraded"]))
        hint = {"reservation": lease["reservations"][0]["id"]}
        self.assertEqual("ACTIVE", self.boot(**hint)["status"])

    def test_c8_every_manager_knows(self):
        other = self.manager()
        self.set_state("down", 1)
        self.known()
        self.api = self.api.__class__(self.application(other))
        self.assertEqual([["compute-2"]], self.hosts_of(self.lease(HOST)))

    def test_c8_a_host_that_is_down_is_as_good_as_others_for_later(self):
        self.set_state("down", 1)
        self.known()
        later = self.lease(HOST, start=self.minute(10))
        self.assertEqual([["compute-1"]], self.hosts_of(later))

    def test_c8_a_host_that_is_down_at_the_start_is_replaced(self):
        lease = self.lease(HOST, {**INSTANCE, "amount": 1}, start=self.minute(10))
        before = self.hosts_of(lease)
        self.assertEqual([["compute-1"], ["compute-2"]], before)
        self.set_state("down", 1)
        self.pass_time(600)
        self.assertEqual([["compute-3"], ["compute-2"]], self.hosts_of(lease))
        shown = self.show(lease)
        self.assertEqual(("ACTIVE", False), (shown["status"], shown["degraded"]))
        self.assertEqual(["compute-1", "compute-2"], self.aggregates()["freepool"])

    def test_c8_slots_on_a_host_that_is_down_at_the_start_are_replaced(self):
        lease = self.lease({**INSTANCE, "amount": 1}, start=self.minute(10))
        self.set_state("down", 1)
        self.pass_time(600)
        self.assertEqual([["compute-2"]], self.hosts_of(lease))
        self.assertEqual("ACTIVE", self.boot(lease["reservations"][0]["id"])["status"])

    def test_c8_where_none_is_up_the_lease_says_so(self):
        self.set_state("down", 1, 2, 3)
        lease = self.active(HOST)
        self.assertEqual((True, WORDS), (lease["degraded"], lease["status_reason"]))
        self.assertNotIn("compute", lease["status_reason"])
        found = self.service.inventory_sync.look().lines()
        self.assertIn("host compute-1 is out of service", found)
        self.set_state("up", 1, 2, 3)
        self.known()
        shown = self.show(lease)
        self.assertEqual((False, None), (shown["degraded"], shown["status_reason"]))
        self.assertEqual([], self.service.inventory_sync.look().lines())

    def test_c8_a_host_that_goes_down_later_is_said_too_and_kept(self):
        lease = self.active(HOST, end=60, before_end_date=self.minute(30))
        self.set_state("down", 1)
        self.known()
        shown = self.show(lease)
        self.assertEqual((True, WORDS), (shown["degraded"], shown["status_reason"]))
        self.pass_time(1800)
        shown = self.show(lease)
        self.assertEqual("DONE", self.event(shown, "before_end_lease")[1])
        self.assertEqual((True, WORDS), (shown["degraded"], shown["status_reason"]))
        self.assertEqual([["compute-1"]], self.hosts_of(lease))
        self.assertEqual([], self.service.reconcile.look().lines())

    def test_c8_nova_is_asked_once_in_ten_seconds(self):
        asked = self.calls_of(lambda: self.active(HOST))
        self.assertIn("nova.service.list", asked)
        again = self.calls_of(lambda: self.active(HOST))
        self.assertNotIn("nova.service.list", again)

    def test_c8_what_has_not_changed_is_not_written(self):
        self.known()
        with self.nothing_changes():
            self.known()
