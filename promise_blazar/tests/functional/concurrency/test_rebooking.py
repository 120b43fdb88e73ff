# SPDX-License-Identifier: Apache-2.0
"""A start whose hosts cannot be had: it waits, then takes others, then says why it could not."""

from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase
from promise_blazar.tests.functional.concurrency import audit

START_WAIT = 600


class ReplacementTestCase(ServiceTestCase):
    hosts = registered = 2
    options = {  # noqa: RUF012 - never changed
        "manager__start_wait": START_WAIT,
        "manager__minutes_before_end_lease": 0,
    }

    def tearDown(self):
        self.assertEqual([], audit.faults(self.url))
        super().tearDown()

    def lease(self, *reservations, **more):
        made = super().lease(*reservations, **more)
        self.clock.advance(1)  # so that leases are listed in the order of their making
        return made

    def pass_seconds(self, seconds):
        """In a stride, and the last ones in steps: whatever is tried again, is."""
        self.pass_time(max(0, seconds - 20))
        for _ in range(4):
            self.pass_time(5)

    def ends_slowly(self, reservation, seconds):
        """A lease for ten minutes, whose server then takes long to disappear."""
        lease = self.active(reservation, end=10)
        number = lease["reservations"][0]["id"]
        hint = {"reservation": number} if reservation is HOST else {"flavor": number}
        server = self.boot(**hint)
        self.assertEqual("ACTIVE", server["status"])
        self.cloud.set_server_delete_seconds(seconds)
        return lease

    def assert_statuses(self, *expected):
        """Of the leases, in the order in which they were made."""
        shown = self.call("GET", "/v1/leases", token="admin:admin").json["leases"]
        self.assertEqual(list(expected), [lease["status"] for lease in shown])

    def hosts_of(self, lease):
        """By the ledger; and OpenStack agrees, if it has started."""
        shown = self.show(lease)
        held = self.held(shown["reservations"][0])
        if shown["status"] == "ACTIVE":
            self.assertEqual(held, self.aggregates()[shown["reservations"][0]["id"]])
        return held


@databases.on_each_database
class TestWaiting(ReplacementTestCase):
    """One lease ends where the next begins, and its host is not let go of."""

    def test_a_start_waits_for_the_release_and_is_carried_out_then(self):
        self.ends_slowly(HOST, 60)
        second = self.lease(HOST, start=self.minute(10))
        self.pass_time(600)
        self.pass_seconds(50)
        self.assert_statuses("TERMINATING", "PENDING")
        self.pass_seconds(20)
        self.assert_statuses("TERMINATED", "ACTIVE")
        self.assertEqual(["compute-1"], self.hosts_of(second))

    def test_one_that_waited_too_long_is_given_another_host(self):
        self.ends_slowly(HOST, 100_000)
        second = self.lease(HOST, start=self.minute(10))
        self.assertEqual(["compute-1"], self.hosts_of(second))
        self.pass_time(600)
        self.pass_seconds(START_WAIT - 10)
        self.assert_statuses("TERMINATING", "PENDING")
        self.pass_seconds(20)
        self.assert_statuses("TERMINATING", "ACTIVE")
        self.assertEqual(["compute-2"], self.hosts_of(second))

    def test_what_else_it_holds_stays(self):
        self.ends_slowly(HOST, 100_000)
        second = self.lease({**HOST, "max": 2}, start=self.minute(10))
        self.assertEqual(["compute-1", "compute-2"], self.hosts_of(second))
        self.pass_time(600)
        self.pass_seconds(START_WAIT + 10)
        self.assert_statuses("TERMINATING", "ACTIVE")
        self.assertEqual(["compute-2"], self.hosts_of(second))

    def test_with_no_other_host_it_is_in_error_and_says_why(self):
        self.ends_slowly(HOST, 100_000)
        second = self.lease(HOST, start=self.minute(10))
        self.lease(HOST, start=self.minute(10))
        self.pass_time(600)
        self.pass_seconds(START_WAIT + 30)
        self.assert_statuses("TERMINATING", "ERROR", "ACTIVE")
        shown = self.show(second)
        self.assertTrue(shown["degraded"])
        self.assertEqual("error", shown["reservations"][0]["status"])
        self.assertIn("did not let go of compute-1", self.trouble(second))
        self.assertIn("0 fit, 1 asked", self.trouble(second))

    def test_one_that_is_over_before_it_could_begin_ends(self):
        self.ends_slowly(HOST, 100_000)
        self.lease(HOST, start=self.minute(10), end=12)
        self.pass_time(600)
        self.pass_seconds(130)
        self.assert_statuses("TERMINATING", "TERMINATED")


@databases.on_each_database
class TestSlots(ReplacementTestCase):
    hosts = registered = 1

    def test_slots_that_fit_beside_slots_that_linger_do_not_wait_for_them(self):
        self.ends_slowly(INSTANCE, 100_000)
        self.lease(INSTANCE, start=self.minute(10))
        self.pass_time(600)
        self.assert_statuses("TERMINATING", "ACTIVE")

    def test_slots_that_do_not_fit_wait(self):
        full = {**INSTANCE, "amount": 16}
        self.ends_slowly(full, 60)
        second = self.lease(full, start=self.minute(10))
        self.pass_time(600)
        self.assert_statuses("TERMINATING", "STARTING")
        self.assertIn("compute-1", self.trouble(second))
        self.pass_seconds(70)
        self.assert_statuses("TERMINATED", "ACTIVE")


class TestOccupied(ReplacementTestCase):
    """Somebody's server is on the host at the start, and nobody knows why."""

    def stranger_on(self, host):
        """As by an operator who forced it there."""
        pool = self.aggregates()["freepool"]
        (freepool,) = (a for a in self.cloud.aggregates.list() if a.name == "freepool")
        self.cloud.aggregates.remove_host(freepool.id, host)
        server = self.boot(token="eve:other")
        self.assertEqual(("ACTIVE", host), (server["status"], server["host"]))
        self.cloud.aggregates.add_host(freepool.id, host)
        self.assertEqual(pool, self.aggregates()["freepool"])
        return server["id"]

    def test_d32_the_start_takes_another_host_and_touches_nobody(self):
        server = self.stranger_on("compute-1")
        lease = self.lease(HOST)
        self.assertEqual(["compute-1"], self.hosts_of(lease))
        self.pass_time()
        self.assert_statuses("ACTIVE")
        self.assertEqual(["compute-2"], self.hosts_of(lease))
        self.assertIsNotNone(self.cloud.servers.find(server))

    def test_one_that_is_not_on_the_host_yet_is_in_the_way_too(self):
        server = self.stranger_on("compute-1")
        self.before_it_arrives(server)
        lease = self.lease(HOST)
        self.pass_time()
        self.assertEqual(["compute-2"], self.hosts_of(lease))
        self.assertIsNotNone(self.cloud.servers.find(server))

    def test_d32_with_strangers_everywhere_it_is_in_error_and_touches_nobody(self):
        servers = [self.stranger_on("compute-1"), self.stranger_on("compute-2")]
        lease = self.lease(HOST)
        self.pass_seconds(60)
        self.assert_statuses("ERROR")
        shown = self.show(lease)
        self.assertTrue(shown["degraded"])
        self.assertIn("compute-2 has servers of others", self.trouble(lease))
        self.assertEqual([True, True], [self.cloud.servers.find(s) is not None for s in servers])
        self.assertEqual({"freepool": ["compute-1", "compute-2"]}, self.aggregates())
        self.assertEqual(204, self.delete(lease).status_code)
        self.pass_time(1)
        self.assert_statuses()

    def test_a_running_lease_that_grows_keeps_what_it_has(self):
        lease = self.active(HOST)
        mine = self.boot(reservation=lease["reservations"][0]["id"])
        server = self.stranger_on("compute-2")
        grown = {"id": lease["reservations"][0]["id"], "max": 2, "min": 2}
        self.update(lease, reservations=[grown])
        self.pass_seconds(60)
        self.assertIsNotNone(self.cloud.servers.find(mine["id"]))
        self.assertIn("compute-1", self.aggregates()[lease["reservations"][0]["id"]])
        self.assertIsNotNone(self.cloud.servers.find(server))
