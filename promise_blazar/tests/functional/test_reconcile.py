# SPDX-License-Identifier: Apache-2.0
"""What OpenStack has is compared with what was promised, and put right."""

from promise_blazar.cloud.contract.tenants import Caller
from promise_blazar.db.session import Database
from promise_blazar.manager import composition
from promise_blazar.model.openstack_names import child_provider_of, resource_class_of
from promise_blazar.tests.fakes import ManualClock
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase


class TestReconcile(ServiceTestCase):
    def setUp(self):
        super().setUp()
        self.reconcile = self.service.reconcile

    def assert_repaired(self, *words):
        lines = self.reconcile.look().lines()
        for text in words:
            self.assertTrue([line for line in lines if text in line], lines)
        self.reconcile.run()
        self.assertEqual([], self.reconcile.look().lines())

    def test_there_is_nothing_to_do_for_leases_in_any_state(self):
        self.lease(HOST, INSTANCE, end=5)
        self.lease(INSTANCE, start=self.minute(10), end=20)
        self.assertEqual([], self.reconcile.look().lines())
        for seconds in (0, 5 * 60, 1, 5 * 60, 60, 10 * 60, 1):
            self.pass_time(seconds)
            self.assertEqual([], self.reconcile.look().lines())

    def test_a6_after_a_manager_died_the_scheduler_is_told_of_the_freepool_anew(self):
        def told():
            return "nova.aggregate.set_metadata" in self.calls_of(self.reconcile.run)

        self.assertEqual([True, False], [told(), told()])
        other = self.manager()
        self.service.heartbeat.beat()
        other.heartbeat.beat()
        for _ in range(2):
            self.clock.advance(self.conf.manager.ownership_seconds * 2)
            self.service.heartbeat.beat()
        self.assertIn(other.heartbeat.id, self.service.heartbeat.dead())
        self.assertEqual([True, False], [told(), told()])

    def test_d25_missing_pieces_of_a_running_host_lease_are_put_back(self):
        lease = self.lease(HOST)
        self.pass_time()
        reservation = lease["reservations"][0]["id"]
        (host,) = self.aggregates()[reservation]
        by_name = {found.name: found.id for found in self.cloud.aggregates.list()}
        self.cloud.aggregates.add_host(by_name["freepool"], host)
        self.assert_repaired("still in the freepool")
        self.cloud.aggregates.delete(by_name[reservation])
        self.assert_repaired("its aggregate is missing")
        self.assertEqual([host], self.aggregates()[reservation])
        self.assertEqual("ACTIVE", self.boot(reservation=reservation)["status"])
        self.assertEqual("ACTIVE", self.show(lease)["status"])

    def test_d25_missing_pieces_of_a_running_instance_lease_are_put_back(self):
        lease = self.lease(INSTANCE)
        self.pass_time()
        reservation = lease["reservations"][0]["id"]
        (host,) = self.aggregates()[reservation]
        self.cloud.flavors.delete(reservation)
        self.cloud.resource_providers.ensure_inventory(
            child_provider_of(host), resource_class_of(reservation), 1
        )
        self.assert_repaired("its flavor is missing", "offers 1 of its 2 slots")
        servers = [self.boot(reservation)["status"] for _ in range(3)]
        self.assertEqual(["ACTIVE", "ACTIVE", "ERROR"], servers)

    def test_d25_what_turns_up_after_the_end_is_removed(self):
        lease = self.lease(HOST, INSTANCE)
        whole, slots = (r["id"] for r in lease["reservations"])
        self.pass_time()
        self.call("DELETE", f"/v1/leases/{lease['id']}")
        self.pass_time(2)
        self.assertEqual(404, self.call("GET", f"/v1/leases/{lease['id']}").status_code)
        # A call that OpenStack carried out long after we had given it up.
        self.cloud.aggregates.ensure(whole, f"blazar_{whole}", {"blazar:owner": "demo"})
        self.cloud.resource_classes.ensure(resource_class_of(slots))
        self.cloud.resource_providers.ensure_inventory(
            child_provider_of("compute-2"), resource_class_of(slots), 2
        )
        self.assert_repaired(f"left over: physical:host {whole}", "left over: virtual:instance")
        self.assertEqual(["freepool"], list(self.aggregates()))

    def test_an_aggregate_that_was_made_too_late_is_removed(self):
        """Its metadata were to follow; it has its name alone."""
        lease = self.lease(INSTANCE, start=self.minute(5))
        (slots,) = (r["id"] for r in lease["reservations"])
        self.call("DELETE", f"/v1/leases/{lease['id']}")
        self.pass_time(2)
        self.cloud.aggregates.ensure(slots, None, {})
        self.cloud.aggregates.ensure("11111111-2222-3333-4444-555555555555", None, {})
        self.assert_repaired(f"left over: virtual:instance {slots}")
        self.assertNotIn(slots, self.aggregates())

    def test_a_server_group_that_was_made_too_late_is_removed(self):
        """The API's call for it is the tenant's own: no ownership fences it."""
        lease = self.lease({**INSTANCE, "affinity": True}, start=self.minute(5))
        (slots,) = (r["id"] for r in lease["reservations"])
        self.call("DELETE", f"/v1/leases/{lease['id']}")
        self.pass_time(2)
        caller = Caller("alice:demo", "alice", "demo")
        self.cloud.server_groups.ensure(caller, f"reservation:{slots}", "affinity")
        others = self.cloud.server_groups.ensure(caller, "reservations", "affinity")
        self.assert_repaired(f"left over: virtual:instance {slots}")
        self.assertEqual([others], list(self.cloud.server_groups.with_prefix("")))

    def test_what_others_made_is_left_alone(self):
        other = "11111111-2222-3333-4444-555555555555"
        made = self.cloud.aggregates.ensure(other, f"blazar_{other}", {"blazar:owner": "x"})
        self.reconcile.run()
        self.assertEqual([f"not ours, left alone: {other}"], self.reconcile.look().lines())
        self.cloud.aggregates.delete(made.id)

    def test_d25_a_lent_host_outside_the_freepool_is_brought_back(self):
        by_name = {found.name: found.id for found in self.cloud.aggregates.list()}
        self.cloud.aggregates.remove_host(by_name["freepool"], "compute-2")
        self.assert_repaired("host compute-2 is not in the freepool")

    def test_what_a_manager_has_started_whose_clock_is_ahead_is_where_it_belongs(self):
        behind = ManualClock(self.clock.now())
        late = composition.manager(self.conf, Database(self.url), self.cloud, behind)
        self.addCleanup(late.stop)
        lease = self.lease(HOST, start=self.minute(5))
        self.pass_time(5 * 60)
        self.assertEqual("ACTIVE", self.show(lease)["status"])
        self.assertEqual([], late.reconcile.look().lines())

    def test_a_lease_that_is_being_worked_on_is_left_alone(self):
        self.cloud.set_faults(call="nova.aggregate.add_host", fail_next=1)
        lease = self.lease(HOST)
        self.pass_time()
        self.assertEqual("STARTING", self.show(lease)["status"])
        self.assertEqual([], self.reconcile.look().lines())
        self.pass_time(5)
        self.assertEqual("ACTIVE", self.show(lease)["status"])


class TestLateReconcile(ServiceTestCase):
    registered = 1

    def wait_for_the_cloud(self, seconds):
        self.cloud.clear_faults()
        if self.asked is not None:
            lease, self.asked = self.asked, None
            self.started = self.lease(lease)
            self.pass_time()

    def test_a_host_is_not_brought_back_from_a_lease_that_starts_meanwhile(self):
        self.asked = HOST
        self.cloud.aggregates.remove_host(self.cloud.aggregates.list()[0].id, "compute-1")
        self.cloud.set_faults("nova.aggregate.add_host", latency_ms=1)
        self.service.reconcile.run()
        (reservation,) = self.started["reservations"]
        self.assertEqual({"freepool": [], reservation["id"]: ["compute-1"]}, self.aggregates())
