# SPDX-License-Identifier: Apache-2.0
"""What is long over is forgotten, and nobody notices."""

from datetime import timedelta
from unittest import mock

import sqlalchemy

from promise_blazar.db import providers, purge
from promise_blazar.db.session import Database
from promise_blazar.db.tables import FormerReservation, Generation, Provider, SettledRequest
from promise_blazar.manager.controllers import purge as purging
from promise_blazar.manager.controllers.purge import Purge
from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, ServiceTestCase
from promise_blazar.tests.functional.concurrency import audit


@databases.on_each_database
class TestHousekeeping(ServiceTestCase):
    registered = 1
    hosts = 1

    def purge(self):
        database = Database(self.url)
        self.addCleanup(database.dispose)
        return Purge(database, self.clock, 1)

    def test_a_manager_that_missed_purged_tombstones_loads_anew(self):
        behind = self.manager()
        lease = self.lease(HOST, start=self.minute(5))
        body = {"name": "n", "start_date": self.minute(5), "end_date": self.minute(9)}
        body["reservations"] = [HOST]
        other = self.application(behind)
        self.assertEqual(409, self.call("POST", "/v1/leases?dry_run=true", body).status_code)
        self.call("DELETE", f"/v1/leases/{lease['id']}")
        self.pass_time()

        self.purge().run(keep=timedelta(0))

        self.api.application = other
        behind.heartbeat.beat()
        self.assertEqual(201, self.call("POST", "/v1/leases", body).status_code)
        self.assertEqual(409, self.call("POST", "/v1/leases", body).status_code)

    def test_a_manager_that_is_asked_nothing_for_hours_misses_nothing(self):
        """It read every booking anew at the next request, since what it had missed was purged."""
        idle = self.manager()
        body = self.body(HOST, start=self.minute(60 * 24), end=60 * 25)
        idle.ledger.rehearse([])
        before = idle.ledger.access.replica.ledger
        for _ in range(4):
            lease = self.call("POST", "/v1/leases", body).json["lease"]
            self.assertEqual(204, self.delete(lease).status_code)
            self.pass_time(3600)
            idle.heartbeat.beat()
            idle.engine.run_due()
            self.purge().run()
        idle.ledger.rehearse([])
        self.assertIs(before, idle.ledger.access.replica.ledger)

    def test_f8_tombstones_are_kept_for_a_time_however_many_generations_that_are(self):
        behind = self.manager()
        lease = self.lease(HOST, start=self.minute(60 * 24), end=60 * 25)
        behind.ledger.rehearse([])
        before = behind.ledger.access.replica.ledger
        self.delete(lease)
        self.generations_pass(20_000)
        self.pass_time(60)
        self.purge().run()
        behind.ledger.rehearse([])
        self.assertIs(before, behind.ledger.access.replica.ledger)
        self.assertEqual([], audit.strayed(behind.ledger, self.url, self.clock))
        self.pass_time(3600)
        self.purge().run()
        self.assertEqual([], audit.rows(self.url, "bookings"))

    def generations_pass(self, count):
        """Others are busy for a few seconds."""
        database = Database(self.url)
        self.addCleanup(database.dispose)
        with database.writer() as connection:
            first = providers.head(connection, 1).generation + 1
            stamped = [
                {"provider_id": 1, "generation": number, "stamp": number, "at": self.clock.now()}
                for number in range(first, first + count)
            ]
            connection.execute(sqlalchemy.insert(Generation), stamped)
            moved = {"generation": first + count - 1}
            connection.execute(sqlalchemy.update(Provider).values(moved))

    def test_f4_others_decide_while_tombstones_are_removed(self):
        for _ in range(4):
            self.delete(self.lease(HOST, start=self.minute(60 * 24), end=60 * 25))
        self.pass_time(2 * 3600)
        remove, batches = purge.tombstones, []

        def beside(connection, **named):
            come_to = remove(connection, **named)
            batches.append(come_to)
            # SQLite has one writer, whatever it writes: others wait for a batch, and no longer.
            if self.database != "sqlite":
                start = 60 * 24 * (1 + len(batches))
                self.lease(HOST, start=self.minute(start), end=start + 60)
            return come_to

        with (
            mock.patch.object(purge, "tombstones", beside),
            mock.patch.object(purging, "AT_ONCE", 2),
        ):
            self.purge().run()
        self.assertGreater(len(batches), 2)

    def test_requests_that_were_decided_are_forgotten_after_a_day(self):
        self.lease(HOST)
        self.refused(409, self.call("POST", "/v1/leases", self.body(HOST)))
        self.purge().run()
        self.assertEqual(2, self.count(SettledRequest))
        self.pass_time(25 * 3600)
        self.purge().run()
        self.assertEqual(0, self.count(SettledRequest))

    def test_what_no_comparison_looks_at_again_is_forgotten_after_a_day(self):
        lease = self.active(HOST)
        self.boot(reservation=lease["reservations"][0]["id"])
        self.delete(lease)
        self.pass_time()
        self.pass_time(1)
        self.purge().run()
        self.assertEqual(1, self.count(FormerReservation))
        self.pass_time(25 * 3600)
        self.purge().run()
        self.assertEqual(0, self.count(FormerReservation))

    def count(self, table):
        database = Database(self.url)
        self.addCleanup(database.dispose)
        with database.reader() as connection:
            query = sqlalchemy.select(sqlalchemy.func.count()).select_from(table)
            return connection.execute(query).scalar()

    def test_a_key_is_good_for_a_day(self):
        body = {"name": "n", "start_date": "now", "end_date": self.minute(60 * 72)}
        key = {"Idempotency-Key": "k"}
        first = self.call("POST", "/v1/leases", body, headers=key).json["lease"]["id"]
        self.purge().run()
        again = self.call("POST", "/v1/leases", body, headers=key).json["lease"]["id"]
        self.assertEqual(first, again)
        self.pass_time(25 * 3600)
        self.purge().run()
        later = self.call("POST", "/v1/leases", body, headers=key).json["lease"]["id"]
        self.assertNotEqual(first, later)
