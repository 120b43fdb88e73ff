# SPDX-License-Identifier: Apache-2.0
"""One actor per lease: who may act, who takes over when, and who must stop.

Two managers on one database, each with its own way to one cloud. ``self.service`` is the one
that things happen to; what happens while it waits for OpenStack is ``self.meanwhile``.
"""

import threading
from unittest import mock

from promise_blazar import exceptions
from promise_blazar.cloud import fence
from promise_blazar.cloud.simulated import SimulatedCloud
from promise_blazar.db import work_queue
from promise_blazar.db.session import Database
from promise_blazar.manager import composition
from promise_blazar.model import strides
from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase
from promise_blazar.tests.functional.concurrency import audit


class Died(BaseException):
    """A manager that stops in the middle of a call to OpenStack, as by SIGKILL."""


class TwoManagers(ServiceTestCase):
    options = {"manager__minutes_before_end_lease": 0}  # noqa: RUF012 - never changed

    def setUp(self):
        super().setUp()
        # So that attempts count how often a lease was taken.
        self.enterContext(mock.patch.object(strides, "BITS", 0))
        self.meanwhile = lambda: None
        cloud = SimulatedCloud(self.cloud_file, self.hosts, self.clock, sleep=lambda seconds: None)
        self.addCleanup(cloud.close)
        self.rival = composition.manager(self.conf, Database(self.url), cloud, self.clock)
        self.rival.heartbeat.register()
        self.addCleanup(self.rival.stop)
        self.rivals_api = self.application(self.rival)

    def wait_for_the_cloud(self, seconds):
        self.meanwhile()

    def when_calling(self, call, meanwhile):
        """Something happens while ``self.service`` waits for this call (* is any)."""
        self.meanwhile = meanwhile
        body = {"call": call, "latency_ms": 1}
        answer = self.call("PUT", "/simulated/faults", body, "admin:admin")
        self.assertEqual(200, answer.status_code, answer.text)

    def rival_works(self, seconds=0, beside=()):
        """The rival (and managers beside it) lives through some seconds, and does what is due."""
        for _ in range(seconds):
            self.clock.advance(1)
            for manager in (self.rival, *beside):
                manager.heartbeat.beat()
        self.rival.engine.run_due()

    def dies(self, step):
        """``self.service`` dies in a step; nothing of it is heard any more."""

        def die():
            raise Died

        self.meanwhile, meanwhile = die, self.meanwhile
        try:
            self.assertRaises(Died, step)
        finally:
            self.meanwhile = meanwhile

    def status(self):
        return [row["status"] for row in audit.rows(self.url, "leases")]


@databases.on_each_database
class TestTakeover(TwoManagers):
    """What a dead manager left in the middle is carried on, and not before it is dead."""

    hosts = registered = 2

    def check(self, call, left, step, carried_on):
        self.rival.heartbeat.beat()
        self.when_calling(call, lambda: None)
        self.dies(step)
        self.assertEqual([left], self.status())
        # Alive, as far as anybody can tell: its heart beats.
        self.rival_works(30, beside=[self.service])
        self.assertEqual([left], self.status())
        # Silent, but not for long enough.
        self.rival_works(3)
        self.assertEqual([left], self.status())
        self.rival_works(3)
        self.assertEqual(carried_on, self.status())
        self.assertEqual([], audit.faults(self.url))

    def test_d19_of_creating(self):
        body = self.body(HOST, start=self.minute(5))
        self.check(
            "nova.aggregate.create",
            "CREATING",
            lambda: self.call("POST", "/v1/leases", body),
            ["PENDING"],
        )

    def test_d19_of_starting(self):
        lease = self.lease(HOST)
        self.check("nova.aggregate.add_host", "STARTING", self.pass_time, ["ACTIVE"])
        (host,) = self.aggregates()[lease["reservations"][0]["id"]]
        self.assertNotIn(host, self.aggregates()["freepool"])

    def test_d19_of_updating(self):
        lease = self.lease(INSTANCE, start=self.minute(5))
        resized = {"id": lease["reservations"][0]["id"], "vcpus": 3}
        self.check(
            "nova.flavor.create",
            "UPDATING",
            lambda: self.update(lease, reservations=[resized]),
            ["PENDING"],
        )
        flavors = self.call("GET", "/simulated/flavors", token="admin:admin").json["flavors"]
        self.assertEqual([3], [f["vcpus"] for f in flavors if f["id"] == resized["id"]])

    def test_d19_of_terminating(self):
        self.active(HOST, end=1)
        self.rival.heartbeat.beat()
        self.check(
            "nova.aggregate.remove_host",
            "TERMINATING",
            lambda: self.pass_time(60),
            ["TERMINATED"],
        )
        self.assertEqual({"freepool": ["compute-1", "compute-2"]}, self.aggregates())

    def test_d19_of_deleting(self):
        lease = self.active(HOST)
        self.assertEqual(204, self.delete(lease).status_code)
        self.check("nova.aggregate.remove_host", "DELETING", self.pass_time, [])
        self.assertEqual({"freepool": ["compute-1", "compute-2"]}, self.aggregates())

    def test_a_repair_that_was_cut_off_leaves_its_lease_to_everybody(self):
        """It stayed the dead one's until its next event: nobody could change or mend it."""
        lease = self.lease(INSTANCE, start=self.minute(5))
        (slots,) = lease["reservations"]
        self.cloud.flavors.delete(slots["id"])
        self.rival.heartbeat.beat()
        self.when_calling("nova.flavor.create", lambda: None)
        self.dies(self.service.reconcile.run)
        self.rival_works(9)
        self.rival.reconcile.run()
        self.assertEqual([], self.rival.reconcile.look().lines())
        self.api.application = self.rivals_api
        self.updated(lease, reservations=[{"id": slots["id"], "vcpus": 3}])
        self.assertEqual([], audit.faults(self.url))

    def test_a_manager_that_leaves_in_order_is_not_waited_for(self):
        self.lease(HOST)
        self.when_calling("nova.aggregate.add_host", lambda: None)
        self.dies(self.pass_time)
        self.service.heartbeat.stop()
        self.service.heartbeat.register()
        self.rival_works()
        self.assertEqual(["ACTIVE"], self.status())


@databases.on_each_database
class TestOneActor(TwoManagers):
    hosts = registered = 4

    def test_a_repair_whose_database_went_away_is_not_left_with_the_lease(self):
        lease = self.active(INSTANCE)
        (slots,) = lease["reservations"]
        self.cloud.flavors.delete(slots["id"])

        def away():
            raise exceptions.Unavailable(what="database", retry_after=2)

        self.when_calling("nova.flavor.create", away)
        self.assertRaises(exceptions.Unavailable, self.service.reconcile.run)
        self.meanwhile = lambda: None
        self.pass_time()
        self.service.reconcile.run()
        self.assertEqual([], self.service.reconcile.look().lines())
        self.assertEqual("ACTIVE", self.show(lease)["status"])

    def test_d17_each_event_takes_effect_once_however_many_look(self):
        leases = [self.lease(HOST) for _ in range(4)]
        starting = threading.Barrier(2)
        asked, announce = [], fence.announce

        def listen(call):
            asked.append(call)
            announce(call)

        def run(manager):
            starting.wait()
            manager.engine.run_due()

        before = [row["attempt"] for row in audit.rows(self.url, "leases")]
        threads = [threading.Thread(target=run, args=(m,)) for m in (self.service, self.rival)]
        with mock.patch.object(fence, "announce", listen):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(["ACTIVE"] * 4, self.status())
        after = [row["attempt"] for row in audit.rows(self.url, "leases")]
        self.assertEqual([attempt + 1 for attempt in before], after)
        hosts = [self.aggregates()[lease["reservations"][0]["id"]] for lease in leases]
        self.assertEqual(4, len({host for (host,) in hosts}))
        # A start looks at the aggregate of its reservation, and for the freepool.
        for call in ("nova.aggregate.show", "nova.aggregate.list"):
            self.assertEqual(4, asked.count(call))

    def test_d17_of_two_that_saw_the_same_lease_one_claims_it(self):
        self.lease(HOST)
        database = Database(self.url)
        self.addCleanup(database.dispose)
        now = self.clock.now()
        with database.writer() as connection:
            (due,) = work_queue.due(connection, now, [], ["physical:host"], now, 10)
            taken = [work_queue.take(connection, due, who, "STARTING") for who in ("a", "b")]
        self.assertEqual([False, True], [attempt is None for attempt in taken])

    def test_a_slow_owner_that_was_overtaken_makes_no_further_call(self):
        self.active({**HOST, "max": 2})
        self.lease(HOST, end=30)
        calls = []

        def slow():
            self.meanwhile = lambda: calls.append("late")
            self.rival_works(10)

        self.when_calling("*", slow)
        self.service.engine.run_due()
        self.assertEqual([], calls)
        self.assertEqual(["ACTIVE", "ACTIVE"], self.status())

    def test_a_manager_whose_heartbeat_is_late_makes_no_further_call(self):
        self.lease(HOST)
        calls = []

        def late():
            self.meanwhile = lambda: calls.append("late")
            self.clock.advance(3)  # 7 s of ownership less 5 s of a call

        self.when_calling("*", late)
        self.service.engine.run_due()
        self.assertEqual(([], ["STARTING"]), (calls, self.status()))
        self.when_calling("*", lambda: None)
        self.pass_time(1)
        self.assertEqual(["ACTIVE"], self.status())

    def test_a_lease_is_deleted_while_another_manager_works_on_it(self):
        lease = self.lease(HOST)
        calls = []

        def delete():
            self.meanwhile = lambda: calls.append("late")
            self.api.application, mine = self.rivals_api, self.api.application
            self.assertEqual(204, self.delete(lease).status_code)
            self.rival.engine.run_due()  # must leave it alone yet
            self.assertEqual("DELETING", self.show(lease)["status"])
            self.assertEqual(204, self.delete(lease).status_code)
            self.api.application = mine

        self.when_calling("nova.aggregate.add_host", delete)
        self.service.engine.run_due()
        self.assertEqual([], calls)
        self.rival_works(1)
        self.assertEqual([], self.status())
        self.assertEqual(404, self.delete(lease).status_code)
        pool = [f"compute-{number}" for number in range(1, 5)]
        self.assertEqual({"freepool": pool}, self.aggregates())

    def test_the_loop_leaves_a_lease_alone_that_a_request_is_about_to_submit(self):
        lease = self.lease(INSTANCE, start=self.minute(5))
        resized = {"id": lease["reservations"][0]["id"], "vcpus": 3}
        (before,) = audit.rows(self.url, "leases")
        submit = self.service.engine.submit

        def late(*arguments):
            self.service.engine.run_due()
            return submit(*arguments)

        self.service.engine.submit = late
        self.updated(lease, reservations=[resized])
        (after,) = audit.rows(self.url, "leases")
        self.assertEqual(before["attempt"] + 1, after["attempt"])
