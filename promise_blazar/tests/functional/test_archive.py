# SPDX-License-Identifier: Apache-2.0
"""Leases that ended long ago: archived, shown to administrators alone, and at last removed."""

from unittest import mock

from promise_blazar.db import archive
from promise_blazar.manager.controllers import archive as archiving
from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase
from promise_blazar.tests.functional.concurrency import audit

DAY = 24 * 3600
ADMIN = "admin:admin"


@databases.on_each_database
class TestArchive(ServiceTestCase):
    options = {"manager__keep_ended": 2, "manager__keep_archived": 3}  # noqa: RUF012 - never changed

    def setUp(self):
        super().setUp()
        self.service.jobs.schedule()

    def ended(self, *reservations, **more):
        lease = self.active(*reservations, **more)
        self.pass_time(3600)
        self.pass_time(60)
        shown = self.show(lease)
        self.assertEqual("TERMINATED", shown["status"], shown["status_reason"])
        return shown

    def days_pass(self, days):
        for _ in range(round(days * 5)):
            self.pass_time(DAY / 5)

    def get(self, lease, token):
        return self.call("GET", f"/v1/leases/{lease['id']}", token=token)

    def test_f1_what_ended_long_ago_is_one_row_for_administrators(self):
        old = self.ended(HOST, INSTANCE)
        self.days_pass(1)
        self.assertEqual(200, self.get(old, "alice:demo").status_code)
        self.days_pass(1.2)
        self.assertEqual([], self.call("GET", "/v1/leases", token=ADMIN).json["leases"])
        answer = self.get(old, ADMIN)
        self.assertEqual((200, {"lease": old}), (answer.status_code, answer.json))
        for token in ("alice:demo", "eve:other"):
            self.assertEqual(404, self.get(old, token).status_code, token)
        for verb, body in (("PUT", {"name": "other"}), ("DELETE", None)):
            answer = self.call(verb, f"/v1/leases/{old['id']}", body, ADMIN)
            self.assertEqual(404, answer.status_code, answer.text)
        for table in ("leases", "reservations", "events", "bookings", "host_reservations"):
            self.assertEqual([], audit.rows(self.url, table), table)
        self.days_pass(3)
        self.assertEqual(404, self.get(old, ADMIN).status_code)
        self.assertEqual([], audit.rows(self.url, "archived_leases"))

    def test_f1_what_runs_or_is_to_come_stays_and_the_ledger_is_true(self):
        self.ended(HOST)
        running = self.active(HOST, end=60 * 24 * 30)
        waiting = self.lease(INSTANCE, start=self.minute(60 * 24 * 20), end=60 * 24 * 21)
        self.days_pass(2.5)
        listed = self.call("GET", "/v1/leases", token=ADMIN).json["leases"]
        self.assertEqual({running["id"], waiting["id"]}, {lease["id"] for lease in listed})
        self.assertEqual([], audit.faults(self.url))
        self.assertEqual([], audit.strayed(self.service.ledger, self.url, self.clock))
        self.assertEqual([], self.service.reconcile.look().lines())

    def test_f1_one_that_is_cut_off_is_made_up_for(self):
        old = self.ended(HOST)
        with mock.patch.object(archive, "store", side_effect=RuntimeError):
            self.days_pass(2.2)
        self.assertEqual(200, self.get(old, "alice:demo").status_code)
        self.days_pass(0.2)
        self.assertEqual(404, self.get(old, "alice:demo").status_code)
        self.assertEqual(200, self.get(old, ADMIN).status_code)

    def test_f1_it_goes_on_in_batches(self):
        leases = [self.ended(HOST, end=60 * (n + 1) + 1) for n in range(3)]
        with (
            mock.patch.object(archiving, "AT_ONCE", 2),
            mock.patch.object(archiving, "BOOKINGS_AT_ONCE", 1),
        ):
            self.days_pass(2.4)
        for lease in leases:
            self.assertEqual(200, self.get(lease, ADMIN).status_code)
        self.assertEqual([], audit.rows(self.url, "bookings"))


class TestNever(ServiceTestCase):
    options = {"manager__keep_ended": 0}  # noqa: RUF012 - never changed

    def test_nothing_is_archived_where_that_is_said(self):
        self.service.jobs.schedule()
        lease = self.active(HOST)
        for _ in range(3):
            self.pass_time(200 * DAY)
        self.assertEqual("TERMINATED", self.show(lease)["status"])
