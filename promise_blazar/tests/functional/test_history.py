# SPDX-License-Identifier: Apache-2.0
"""A long past costs nothing: what runs again and again, or for a request, is led by an index."""

from datetime import timedelta
from unittest import mock

import sqlalchemy as sa

from promise_blazar.context import RequestContext
from promise_blazar.db.session import Database
from promise_blazar.manager.contract.adjustments import AdjustmentRequest, AdjustmentSelection
from promise_blazar.manager.controllers import archive as archiving
from promise_blazar.manager.controllers import purge as purging
from promise_blazar.manager.controllers.purge import Purge
from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE
from promise_blazar.tests.functional.concurrency import audit
from promise_blazar.tests.functional.plans import ADMIN, LOST, PlansCase

CONTEXT = RequestContext("admin", "admin", "req-1", is_admin=True)


@databases.on_each_database
class TestPlans(PlansCase):
    def test_f3_the_engine(self):
        engine = self.service.engine
        self.led(engine._pause)  # noqa: SLF001 - a turn of the loop without its sleep
        self.led(self.service.heartbeat.beat)
        self.clock.advance(60)
        self.service.heartbeat.beat()
        self.led(engine.run_due)
        self.assertEqual("ACTIVE", self.show(self.waiting)["status"])

    def test_f1_a_start_that_waits_for_its_host(self):
        self.cloud.set_server_delete_seconds(10_000)
        whole = self.running["reservations"][0]
        self.boot(reservation=whole["id"])
        self.delete(self.running)
        self.pass_time()
        everything = {**HOST, "min": 3, "max": 3}
        waiting = self.lease(everything, start=self.minute(2), end=90)
        self.clock.advance(120)
        self.service.heartbeat.beat()
        self.led(self.service.engine.run_due, "bookings_held", "bookings_of_reservation")
        self.assertEqual("PENDING", self.show(waiting)["status"])

    def test_f2_reconcile(self):
        self.led(self.service.reconcile.look, "leases_over", "bookings_of_reservation")
        self.assertEqual([], self.service.reconcile.look().lines())

    def test_requests(self):
        (host, *_) = self.registered_hosts().values()
        paths = ("leases", f"leases/{self.running['id']}", "os-hosts", "os-hosts/allocations")
        for path in (*paths, f"os-hosts/{host['id']}/allocation"):
            token = "alice:demo" if path.startswith("leases") else ADMIN
            self.led(lambda path=path, token=token: self.call("GET", f"/v1/{path}", token=token))
        self.led(lambda: self.lease(HOST, start=self.minute(2_000), end=2_100))
        self.led(lambda: self.updated(self.later[0], end_date=self.minute(950)))
        self.led(lambda: self.delete(self.later[1]))

    def test_adjustments(self):
        def adjust(resources, force=False):
            request = AdjustmentRequest(resources, force=force)
            return self.service.create_adjustment(CONTEXT, request).id

        made = []
        self.led(lambda: made.append(adjust({"VCPU": -100}, force=True)))
        self.assertIs(True, self.show(self.running)["degraded"])
        self.led(self.service.relief.run)
        self.led(lambda: self.service.get_adjustment(CONTEXT, made[0]))
        self.led(lambda: self.service.list_adjustments(CONTEXT, AdjustmentSelection()))
        self.led(lambda: adjust({"VCPU": 100}))
        self.assertIs(False, self.show(self.running)["degraded"])
        self.led(lambda: self.service.delete_adjustment(CONTEXT, made[0]))

    def test_whose_reservations_are(self):
        source = self.service.create_adjustment(CONTEXT, AdjustmentRequest({"INSTANCE": 100})).id
        carved = AdjustmentRequest({"INSTANCE": 1}, source=source, project_ids=("demo",))
        self.led(lambda: self.service.create_adjustment(CONTEXT, carved))
        self.led(lambda: self.lease(INSTANCE, start=self.minute(2_000), end=2_100))

    def test_f5_a_capability(self):
        for number, lease in enumerate(range(3)):
            self.lease(INSTANCE, start=self.minute(3_000 + 10 * number), end=3_005 + 10 * lease)
        path = f"/v1/os-hosts/{self.registered_hosts()['compute-1']['id']}"
        body = {"gpu": "yes"}
        self.led(lambda: self.call("PUT", path, body, ADMIN), "bookings_of_host")

    def test_f4_f8_purge(self):
        database = Database(self.url)
        self.addCleanup(database.dispose)
        purge = Purge(database, self.clock, 1, timedelta(days=365))
        self.enterContext(mock.patch.object(purging, "AT_ONCE", 100))
        self.led(purge.run, "generations_by_age", "bookings_changed", "archived_by_age")
        for table in ("departed_reservations", "archived_leases"):
            self.assertEqual([], audit.rows(self.url, table), table)
        with self.engine.connect() as connection:
            count = sa.text("SELECT COUNT(*) FROM bookings WHERE deleted")
            self.assertEqual(0, connection.execute(count).scalar())
            first = connection.execute(sa.text("SELECT MIN(generation) FROM generations")).scalar()
        self.assertEqual(LOST, first)

    def test_f1_archive(self):
        self.service.jobs.schedule()
        self.enterContext(mock.patch.object(archiving, "BOOKINGS_AT_ONCE", 100))
        self.enterContext(mock.patch.object(purging, "AT_ONCE", 100))
        self.clock.advance(3_600)
        self.service.heartbeat.beat()
        self.led(self.service.engine.run_due, "leases_over", "bookings_of_reservation")
        left = {row["id"] for row in audit.rows(self.url, "leases")}
        # One ended each hour, the last a day ago: those of less than thirty days stay.
        self.assertEqual(29 * 24, sum(each.startswith("lease-") for each in left))

    def test_f6_a_manager_that_starts(self):
        manager = self.manager()
        self.led(lambda: manager.ledger.read(lambda ledger, now: None))
        self.assertEqual([], audit.strayed(manager.ledger, self.url, self.clock))
