# SPDX-License-Identifier: Apache-2.0
"""A sample of the kills and of the suspensions, and whether the harness sees what it should.

All of them: ``tox -e crash``.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

from promise_blazar.cloud import fence
from promise_blazar.plugins.contract import Done
from promise_blazar.plugins.physical_host import PhysicalHost
from promise_blazar.tests import base
from promise_blazar.tests.crash import invariants
from promise_blazar.tests.crash.catalogue import OPERATIONS
from promise_blazar.tests.crash.points import watched
from promise_blazar.tests.crash.site import SharedClock, Site


class TestSample(base.TestCase):
    def run_program(self, *arguments):
        # It forks, which a process with the threads of other tests must not.
        done = subprocess.run(
            [sys.executable, "-m", "promise_blazar.tests.crash", *arguments],
            cwd=Path(__file__).parents[3],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.assertEqual(0, done.returncode, done.stdout)
        self.assertRegex(done.stdout, r"\n[1-9]\d* of \d+ survived")

    def test_a_killed_manager_is_survived(self):
        self.run_program("--every", "60")

    def test_a_manager_that_slept_does_no_harm(self):
        self.run_program("--pause", "--every", "120")

    def test_a_database_that_went_back_is_survived(self):
        self.run_program("--fail-over", "--every", "120")


class TestHarness(base.TestCase):
    def setUp(self):
        super().setUp()
        directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.site = Site.founded(directory, SharedClock())
        self.addCleanup(self.site.close)
        self.operation = OPERATIONS["start"]

    def points(self, facts):
        points = []
        with watched(points.append):
            self.operation.act(self.site, facts)
        return points

    def test_what_is_planted_in_the_code_is_found(self):
        facts = self.operation.arrange(self.site)
        start = PhysicalHost.start

        def planted(plugin, context):
            fence.announce("planted.call")
            context.record(["a-server"])
            return start(plugin, context)

        with mock.patch.object(PhysicalHost, "start", planted):
            points = self.points(facts)
        found = [(point.name, point.moment) for point in points]
        self.assertIn(("planted.call", "before"), found)
        for moment in ("enter", "before", "after"):
            self.assertIn(("commit workflow.reservation_steps.record", moment), found)
        self.assertEqual(sorted({p.number for p in points}), list(range(1, points[-1].number + 1)))

    def test_it_finds_nothing_wrong_with_a_lease_that_runs(self):
        facts = self.operation.arrange(self.site)
        self.points(facts)
        self.assertEqual([], list(self.operation.check(self.site, facts)))
        self.assertEqual([], list(invariants.faults(self.site)))

    def test_what_is_wrong_in_the_cloud_is_seen(self):
        facts = self.operation.arrange(self.site)
        self.points(facts)
        whole, slots = (r["id"] for r in self.site.lease(facts["id"])["reservations"])
        by_name = {found.name: found for found in self.site.cloud.aggregates.list()}
        (host,) = by_name[whole].hosts
        self.site.cloud.aggregates.add_host(by_name["freepool"].id, host)
        self.site.cloud.flavors.revoke(slots, "demo")
        self.site.cloud.resource_classes.ensure("CUSTOM_RESERVATION_LEFT")
        found = "\n".join(invariants.faults(self.site))
        self.assertIn("in the freepool are", found)
        self.assertIn("resource classes of nobody: {'CUSTOM_RESERVATION_LEFT'}", found)
        self.assertIn(f"the flavor of {slots} is granted: False", found)

    def test_what_is_left_is_seen(self):
        world = self.site.world(*invariants.LEASED)
        facts = self.operation.arrange(self.site)
        with mock.patch.object(PhysicalHost, "end", return_value=Done()):
            found = "\n".join(invariants.afterwards(self.site, facts, world))
        self.assertIn("aggregates were", found)
