# SPDX-License-Identifier: Apache-2.0
"""The example of a controller: what it finds, and that a job runs it."""

from promise_blazar.db.session import Database, ReadHandle
from promise_blazar.manager.workflow.jobs import recurring
from promise_blazar.tests import databases
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


@databases.on_each_database
class TestComposed(ServiceTestCase):
    def test_a_job_runs_it_again_and_again_whichever_manager_it_is(self):
        runs = []

        class Counted(EndingSoon):
            def run(self):
                runs.append(self)
                return ()

        managers = [self.service, self.manager()]
        for manager in managers:
            controller = Counted(None, None, 1)
            manager.jobs.offer([recurring("ending soon", 600, controller.run)])
            manager.jobs.schedule()
        for _ in range(3):
            self.clock.advance(600)
            for manager in managers:
                manager.heartbeat.beat()
                manager.engine.run_due()
        self.assertEqual(3, len(runs))
