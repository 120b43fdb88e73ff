# SPDX-License-Identifier: Apache-2.0
"""Servers that come late: to what a lease had, or to a host that is being registered."""

from unittest import mock

from promise_blazar.cloud import fence, parallel
from promise_blazar.cloud.simulated.compute.servers import BUILD
from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase
from promise_blazar.tests.functional.cases import MEMBER, EndCase


class TestLateServers(EndCase):
    """On one database: what is of interest is when OpenStack does what."""

    def setUp(self):
        super().setUp()
        # One call after the other, so that each has its number.
        self.enterContext(mock.patch.object(parallel, "HELPERS", 0))

    def claimed_at(self, number, lease, boot):
        """The lease ends, and a boot takes its room at the call of this number. False: there are
        fewer."""
        announce, calls = fence.announce, 0

        def listen(call):
            nonlocal calls
            calls += 1
            if calls == number:
                self.cloud.claim_server(boot)
            announce(call)

        with mock.patch.object(fence, "announce", listen):
            self.ended(lease)
        return calls >= number

    def each_call_of_an_end(self, arrange):
        number = 0
        while True:
            number += 1
            self.clock = self.cloud_clock()
            lease, boot = arrange()
            self.until_its_end(lease)
            reached = self.claimed_at(number, lease, boot)
            if not reached:
                break
            self.pass_time(10)
            self.service.reconcile.run()
            with self.subTest(number):
                self.nobody_is_left()
                self.assertEqual([], self.service.reconcile.look().lines())
            self.delete(lease)
            self.pass_time(1)
        self.assertLess(8, number)

    def cloud_clock(self):
        return self.clock

    def until_its_end(self, lease):
        end = self.show(lease)["end_date"]
        while self.clock.now().replace(tzinfo=None).isoformat(timespec="microseconds") < end:
            self.clock.advance(1)
        self.service.heartbeat.beat()

    def minutes_ahead(self, minutes):
        return self.clock.monotonic() // 60 + minutes

    def test_c4_a_boot_that_is_claimed_at_any_call_of_an_end_is_not_left(self):
        def arrange():
            lease = self.active(HOST, end=self.minutes_ahead(5))
            return lease, self.scheduled(lease)

        self.each_call_of_an_end(arrange)

    def test_c4_nor_is_a_members_that_names_its_host_late(self):
        self.cloud.set_server_build_seconds(4)

        def arrange():
            lease = self.active(HOST, end=self.minutes_ahead(5))
            self.share(lease, "y")
            return lease, self.scheduled(lease, "other")

        self.each_call_of_an_end(arrange)

    def test_c4_nor_is_one_in_a_slot(self):
        def arrange():
            lease = self.active(INSTANCE, end=self.minutes_ahead(5))
            flavor = lease["reservations"][0]["id"]
            return lease, self.cloud.schedule_server("demo", "late", flavor)

        self.each_call_of_an_end(arrange)

    def late(self):
        """A server that comes when its lease is over, and where."""
        lease = self.active(HOST, end=5)
        boot = self.scheduled(lease)
        self.until_its_end(lease)
        self.ended(lease)
        return lease, boot

    def test_c4_a_server_that_comes_after_the_release_is_removed(self):
        lease, boot = self.late()
        self.delete(lease)
        self.pass_time(60)
        self.assertEqual("ACTIVE", self.cloud.claim_server(boot).status)
        (line,) = self.service.reconcile.look().lines()
        self.assertIn(f"server {boot.server_id} came to reservation", line)
        self.service.reconcile.run()
        self.nobody_is_left()
        self.assertEqual([], self.service.reconcile.look().lines())

    def test_c4_what_was_released_long_ago_is_not_looked_at(self):
        self.late()
        self.service.reconcile.run()
        listing = {"placement.allocation.list"}
        self.assertLessEqual(listing, self.calls_of(self.service.reconcile.run))
        self.pass_time(301)
        self.assertLessEqual(listing, self.calls_of(self.service.reconcile.run))
        self.assertFalse(listing & self.calls_of(self.service.reconcile.run))

    def test_c4_others_servers_on_a_released_host_are_left_alone(self):
        _, boot = self.late()
        following = self.active(HOST, end=30, token=MEMBER)
        self.assertEqual(["compute-1"], self.held(following["reservations"][0]))
        theirs = self.boot(token=MEMBER, reservation=following["reservations"][0]["id"])
        self.cloud.claim_server(boot)
        self.service.reconcile.run()
        left = [each.id for each in self.cloud.list_servers() if each.host]
        self.assertEqual([theirs["id"]], left)

    def test_c4_a_server_that_went_elsewhere_is_left_alone(self):
        lease = self.active(HOST, end=5)
        self.cloud.set_server_build_seconds(60)
        self.cloud.aggregates.remove_host(self.cloud.aggregates.list()[0].id, "compute-2")
        elsewhere = self.boot()
        self.assertEqual(BUILD, elsewhere["status"])
        self.until_its_end(lease)
        self.ended(lease)
        self.pass_time(60)
        self.service.reconcile.run()
        self.assertEqual("compute-2", self.cloud.get_server(elsewhere["id"]).host)


@databases.on_each_database
class TestRegistration(ServiceTestCase):
    hosts = 1
    registered = 0

    def register(self):
        return self.call("POST", "/v1/os-hosts", {"name": "compute-1"}, "admin:admin")

    def test_c5_a_server_that_lands_while_a_host_is_registered_is_seen(self):
        announce = fence.announce
        landed = []

        def listen(call):
            if call == "nova.aggregate.add_host":
                landed.append(self.cloud.create_server("demo", "late", "m1.tiny"))
            announce(call)

        with mock.patch.object(fence, "announce", listen):
            words = self.refused(409, self.register())
        (server,) = landed
        self.assertEqual("compute-1", server.host)
        self.assertIn(server.id, words)
        self.assertEqual({}, self.registered_hosts())
        self.assertEqual({"freepool": []}, self.aggregates())
        self.cloud.remove_server(server.id)
        self.assertEqual(201, self.register().status_code)
        self.assertEqual({"freepool": ["compute-1"]}, self.aggregates())

    def test_c5_so_is_one_that_names_its_host_late(self):
        self.cloud.set_server_build_seconds(60)
        announce = fence.announce

        def listen(call):
            if call == "nova.aggregate.add_host":
                self.cloud.create_server("demo", "late", "m1.tiny")
            announce(call)

        with mock.patch.object(fence, "announce", listen):
            self.refused(409, self.register())
        self.assertEqual({"freepool": []}, self.aggregates())
