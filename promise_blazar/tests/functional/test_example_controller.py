# SPDX-License-Identifier: Apache-2.0
"""The example of a controller: what it finds, and that a periodic task runs it."""

import threading

from promise_blazar.db.session import Database, ReadHandle
from promise_blazar.manager.controllers.periodic import Periodic
from promise_blazar.tests import base, databases
from promise_blazar.tests.examples.ending_soon import Ending, EndingSoon
from promise_blazar.tests.functional.base import HOST, ServiceTestCase


@databases.on_each_database
class TestEndingSoon(ServiceTestCase):
    def setUp(self):
        super().setUp()
        database = Database(self.url)
        self.addCleanup(database.dispose)
        self.controller = EndingSoon(
            ReadHandle(database), self.clock, self.service.ledger.provider_id
        )

    def found(self):
        return [each.lease_id for each in self.controller.run()]

    def test_only_running_leases_that_end_within_the_hour_are_named(self):
        soon = self.lease(HOST, end=59)
        sooner = self.lease(HOST, end=50)
        self.lease(HOST, end=61)
        self.lease(start=self.minute(5), end=30)  # not begun yet
        self.pass_time()
        self.assertEqual([sooner["id"], soon["id"]], self.found())
        self.pass_time(51 * 60)
        self.assertNotIn(sooner["id"], self.found())  # over

    def test_it_says_whose_they_are_and_when_they_end(self):
        lease = self.lease(HOST, end=30)
        self.pass_time()
        (ending,) = self.controller.run()
        self.assertEqual(Ending(lease["id"], "demo", ending.end), ending)
        self.assertEqual("2030-01-01T00:30:00+00:00", ending.end.isoformat())

    def test_nothing_changes(self):
        self.lease(HOST, end=30)
        self.pass_time()
        with self.nothing_changes():
            self.controller.run()


class TestComposed(base.TestCase):
    def test_a_periodic_task_runs_it_again_and_again(self):
        runs, enough = [], threading.Event()

        class Counted(EndingSoon):
            def run(self):
                runs.append(None)
                if len(runs) == 3:
                    enough.set()
                return ()

        task = Periodic("ending soon", 0.001, Counted(None, None, 1).run)
        task.start()
        self.addCleanup(task.stop)
        self.assertTrue(enough.wait(60))
