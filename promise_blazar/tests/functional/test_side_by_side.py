# SPDX-License-Identifier: Apache-2.0
"""Leases of many hosts and of many reservations: their calls to OpenStack go side by side."""

import threading

from promise_blazar.cloud.simulated import SimulatedCloud
from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase

#: Calls that must be under way together; and longer than any of this takes, in seconds.
TOGETHER, LONG = 6, 60


class SlowCloud:
    """How a latency passes: until enough others have been under way as well."""

    def __init__(self):
        self.most = self._now = 0
        self._changed = threading.Condition()

    def pass_time(self, seconds):
        with self._changed:
            self._now += 1
            self.most = max(self.most, self._now)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.most >= TOGETHER, LONG)
            self._now -= 1


@databases.on_each_database
class TestSideBySide(ServiceTestCase):
    hosts = registered = 12

    def make_cloud(self, path):
        self.slow = SlowCloud()
        return SimulatedCloud(path, self.hosts, self.clock, sleep=self.slow.pass_time)

    def lives_side_by_side(self, *reservations):
        lease = self.lease(*reservations, start=self.minute(5), end=60)
        self.cloud.set_faults("nova.aggregate.add_host", latency_ms=1)
        self.pass_time(300)
        shown = self.show(lease)
        self.assertEqual("ACTIVE", shown["status"], shown["status_reason"])
        self.assertGreaterEqual(self.slow.most, TOGETHER)
        self.slow.most = 0
        self.pass_time(3600)
        self.pass_time(10)
        self.assertEqual("TERMINATED", self.show(lease)["status"])
        self.assertGreaterEqual(self.slow.most, TOGETHER)
        self.assertEqual({"freepool"}, set(self.aggregates()))
        self.assertEqual(self.hosts, len(self.aggregates()["freepool"]))

    def test_a6_the_hosts_of_a_reservation(self):
        self.lives_side_by_side({**HOST, "min": 12, "max": 12})

    def test_a6_the_reservations_of_a_lease(self):
        self.lives_side_by_side(*[HOST] * 12)

    def test_a6_what_the_reservations_of_a_lease_need_before_it_starts(self):
        self.cloud.set_faults("nova.aggregate.create", latency_ms=1)
        lease = self.lease(*[HOST] * 12, start=self.minute(5), end=60)
        self.assertEqual("PENDING", lease["status"], lease["status_reason"])
        self.assertGreaterEqual(self.slow.most, TOGETHER)

    def test_a6_the_slots_of_a_reservation(self):
        lease = self.lease({**INSTANCE, "vcpus": 32, "amount": 12}, start=self.minute(5))
        self.cloud.set_faults("placement.provider.create", latency_ms=1)
        self.pass_time(300)
        self.assertEqual("ACTIVE", self.show(lease)["status"])
        self.assertGreaterEqual(self.slow.most, TOGETHER)

    def test_a6_several_hosts_with_strangers_are_left_aside_at_once(self):
        lease = self.lease({**HOST, "min": 3, "max": 3}, start=self.minute(5))
        strangers = self.held(lease["reservations"][0])[:2]
        for host in strangers:
            self.cloud.aggregates.remove_host(self.freepool(), host)
        self.occupied(strangers)
        self.pass_time(300)
        self.assertEqual("ACTIVE", self.show(lease)["status"])
        held = self.held(lease["reservations"][0])
        self.assertEqual(3, len(held))
        self.assertFalse(set(held) & set(strangers))

    def freepool(self):
        return next(a.id for a in self.cloud.aggregates.list() if a.name == "freepool")

    def occupied(self, hosts):
        """A server of somebody else's on each, that came while it was in no pool."""
        found = set()
        while found != set(hosts):
            server = self.boot(token="eve:other")
            self.assertEqual("ACTIVE", server["status"])
            found.add(self.cloud.servers.find(server["id"]).host)
