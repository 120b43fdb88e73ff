# SPDX-License-Identifier: Apache-2.0
"""A database that went back, by a failover or a restore, while OpenStack did not."""

from unittest import mock

from werkzeug.test import Client

from promise_blazar.cloud import fence, parallel
from promise_blazar.tests import databases, replicas
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase
from promise_blazar.tests.functional.concurrency import audit


class WentBackCase(ServiceTestCase):
    def setUp(self):
        super().setUp()
        self.replica = replicas.of(self.url)
        self.enterContext(self.replica.following())

    def from_here_on_is_lost(self):
        """What is committed from now on; ``lose`` loses it."""
        self.replica.drop(self.replica.generation())
        self.replica.follow()
        return self.replica.generation()

    def lose(self, since):
        self.replica.fail_over(self.replica.generation() - since, first=True)


@databases.on_each_database
class TestForgotten(WentBackCase):
    def nothing_is_left(self):
        hosts = ["compute-1", "compute-2", "compute-3"]
        self.assertEqual({"freepool": hosts}, self.aggregates())
        self.assertEqual([], list(self.cloud.flavors.with_prefix("reservation:")))
        self.assertEqual([], list(self.cloud.resource_classes.with_prefix("CUSTOM_RESERVATION")))
        self.assertEqual([], self.service.reconcile.look().lines())

    def test_d1_what_openstack_has_of_a_forgotten_lease_is_removed(self):
        since = self.from_here_on_is_lost()
        self.active(HOST, {**INSTANCE, "affinity": True})
        self.lose(since)
        # The second cycle gives back the hosts that the first has freed.
        for _ in range(2):
            self.service.reconcile.run()
        self.nothing_is_left()
        self.active({**HOST, "min": 3, "max": 3})

    def test_d1_who_has_never_seen_it_leaves_it_alone_until_somebody_has_said_so(self):
        since = self.from_here_on_is_lost()
        whole, _ = self.active(HOST, INSTANCE)["reservations"]
        self.lose(since)
        stranger = self.manager()
        self.assertIn(whole["id"], stranger.reconcile.run().foreign)
        self.assertIn(whole["id"], self.aggregates())
        with mock.patch.object(self.service.reconcile, "_delete_leftovers"):
            self.service.reconcile.run()
        for _ in range(2):
            stranger.reconcile.run()
        self.nothing_is_left()

    def test_d1_a_forgotten_lease_s_servers_stay_and_keep_its_host_from_the_next(self):
        since = self.from_here_on_is_lost()
        (whole,) = self.active(HOST)["reservations"]
        server = self.boot(reservation=whole["id"])
        self.lose(since)
        self.service.reconcile.run()
        self.assertEqual("ACTIVE", self.cloud.servers.find(server["id"]).status)
        (other,) = self.active({**HOST, "min": 2, "max": 2})["reservations"]
        self.assertNotIn(server["host"], self.held(other))
        self.cloud.remove_server(server["id"])
        for _ in range(2):
            self.service.reconcile.run()
        self.assertNotIn(whole["id"], self.aggregates())

    def test_d1_a_forgotten_host_leaves_the_freepool(self):
        host = self.registered_hosts()["compute-3"]["id"]
        self.call("DELETE", f"/v1/os-hosts/{host}", token="admin:admin")
        since = self.from_here_on_is_lost()
        self.call("POST", "/v1/os-hosts", {"name": "compute-3"}, "admin:admin")
        self.lose(since)
        self.service.reconcile.run()
        self.assertEqual(["compute-1", "compute-2"], self.aggregates()["freepool"])


@databases.on_each_database
class TestLostUpdates(WentBackCase):
    def test_d1_hosts_of_a_lost_update_are_given_back(self):
        lease = self.active(HOST)
        since = self.from_here_on_is_lost()
        (whole,) = lease["reservations"]
        self.updated(lease, reservations=[{"id": whole["id"], "min": 2, "max": 2}])
        self.pass_time()
        self.assertEqual(2, len(self.aggregates()[whole["id"]]))
        self.lose(since)
        self.service.reconcile.run()
        self.assertEqual(self.held(whole), self.aggregates()[whole["id"]])
        self.assertEqual(2, len(self.aggregates()["freepool"]))
        self.active({**HOST, "min": 2, "max": 2})

    def test_d1_slots_of_a_lost_update_are_given_back(self):
        slots = {**INSTANCE, "amount": 1, "affinity": False}
        lease = self.active(slots)
        since = self.from_here_on_is_lost()
        (mine,) = lease["reservations"]
        self.updated(lease, reservations=[{"id": mine["id"], "amount": 3}])
        self.pass_time()
        self.lose(since)
        self.service.reconcile.run()
        self.assertEqual(self.held(mine), self.aggregates()[mine["id"]])
        group = self.show(lease)["reservations"][0]["server_group_id"]
        booted = [self.boot(mine["id"], group=group)["status"] for _ in range(2)]
        self.assertEqual(["ACTIVE", "ERROR"], booted)
        self.assertEqual([], self.service.reconcile.look().lines())

    def test_d1_a_flavor_has_its_shape_again_after_a_lost_update(self):
        lease = self.lease(INSTANCE, start=self.minute(5))
        since = self.from_here_on_is_lost()
        (mine,) = lease["reservations"]
        self.updated(lease, reservations=[{"id": mine["id"], "vcpus": 8}])
        self.pass_time(10)
        self.lose(since)
        self.service.reconcile.run()
        self.pass_time(300)
        (flavor,) = (each for each in self.cloud.list_flavors("demo") if each.id == mine["id"])
        self.assertEqual(INSTANCE["vcpus"], flavor.vcpus)

    def test_d1_a_door_that_was_closed_in_the_lost_history_is_open_again(self):
        lease = self.active(HOST, INSTANCE)
        whole, slots = lease["reservations"]
        since = self.from_here_on_is_lost()
        self.delete(lease)
        self.pass_time(10)
        self.lose(since)
        self.service.reconcile.run()
        self.assertEqual("ACTIVE", self.show(lease)["status"])
        self.assertEqual("ACTIVE", self.boot(reservation=whole["id"])["status"])
        self.assertEqual("ACTIVE", self.boot(slots["id"])["status"])


@databases.on_each_database
class TestNumbers(WentBackCase):
    def test_d1_an_attempt_of_the_lost_history_lets_nothing_out(self):
        rival = self.manager()
        lease = self.lease(HOST, start=self.minute(5))
        self.clock.advance(300)
        for manager in (self.service, rival):
            manager.heartbeat.beat()
        since = self.from_here_on_is_lost()
        announce, begun, left = fence.announce, [], []

        def listen(call):
            if not begun:
                begun.append(call)
                self.lose(since)
                rival.engine.run_due()
                announce(call)
                left.append(call)
            announce(call)

        with mock.patch.object(fence, "announce", listen):
            self.service.engine.run_due()
        self.assertEqual(([], "ACTIVE"), (left, self.show(lease)["status"]))
        (row,) = audit.rows(self.url, "leases")
        self.assertIsNone(row["owner"])

    def test_d1_a_release_that_is_lost_is_done_again(self):
        self.enterContext(mock.patch.object(parallel, "HELPERS", 0))
        lease = self.active(HOST, INSTANCE, end=60)
        announce, lost = fence.announce, []

        def listen(call):
            # The host is released, and the slots are about to be.
            if call == "nova.flavor.delete" and not lost:
                lost.append(self.replica.fail_over(1))
            announce(call)

        self.clock.advance(3600)
        self.service.heartbeat.beat()
        with mock.patch.object(fence, "announce", listen):
            self.service.engine.run_due()
        self.pass_time(10)
        self.assertEqual(([1], "TERMINATED"), (lost, self.show(lease)["status"]))
        self.assertTrue(all(row["released"] for row in audit.rows(self.url, "bookings")))
        self.active({**HOST, "min": 3, "max": 3}, end=120)

    def test_d1_what_was_shown_of_the_lost_history_is_not_shown_again(self):
        lease = self.lease(HOST, start=self.minute(5))
        since = self.from_here_on_is_lost()
        self.updated(lease, name="lost")
        path = f"/v1/leases/{lease['id']}"
        names = [self.call("GET", path).json["lease"]["name"]]
        self.lose(since)
        here, self.api = self.api, Client(self.application(self.service))
        self.updated(lease, name="kept")
        self.api = here
        names.append(self.call("GET", path).json["lease"]["name"])
        names += [each["name"] for each in self.call("GET", "/v1/leases").json["leases"]]
        self.assertEqual(["lost", "kept", "kept"], names)
