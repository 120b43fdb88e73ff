# SPDX-License-Identifier: Apache-2.0
"""A lock is waited for, and not for ever; not even for one whose holder sleeps or is gone."""

from promise_blazar import exceptions
from promise_blazar.db import providers
from promise_blazar.db.session import Database, LostRace
from promise_blazar.tests import base, databases
from promise_blazar.tests.fakes import ManualClock
from promise_blazar.tests.functional.base import sync


def advance(connection):
    return providers.advance(connection, 1, ManualClock().now())


@databases.on_each_database
class TestLocks(base.DatabaseTestCase):
    prepare = staticmethod(sync)

    def open(self, lock_seconds):
        database = Database(self.url, lock_seconds=lock_seconds)
        self.addCleanup(database.dispose)
        return database

    def test_a_lock_that_is_not_had_in_time_is_busy(self):
        holder, waiting = self.open(60), self.open(1)
        with holder.writer() as connection:
            advance(connection)
            self.assertRaises(exceptions.Busy, waiting.transact, advance)
        self.assertEqual(2, waiting.transact(advance))

    def test_a_transaction_whose_process_sleeps_is_ended_for_the_others(self):
        if self.database == "sqlite":
            return  # a lock on its file is gone with the process, and a sleeper is waited for
        sleeper, other = self.open(1), self.open(60)

        def sleep():
            with sleeper.writer() as connection:
                advance(connection)
                self.assertEqual(1, other.transact(advance))

        self.assertRaises(exceptions.Unavailable, sleep)
        self.assertEqual(2, sleeper.transact(advance))

    def test_a_lost_race_is_run_again(self):
        database = self.open(10)
        tries = []

        def work(connection):
            tries.append(advance(connection))
            if len(tries) < 3:
                raise LostRace
            return tries

        self.assertEqual([1, 1, 1], database.transact(work))
        with database.reader() as connection:
            self.assertEqual(1, providers.head(connection, 1).generation)
