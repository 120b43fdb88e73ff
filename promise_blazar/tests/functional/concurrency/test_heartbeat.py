# SPDX-License-Identifier: Apache-2.0
"""Heartbeats: who is alive, who is dead and since when, and who must not act any more."""

import contextlib
import random

import sqlalchemy

from promise_blazar.db import leases
from promise_blazar.db.session import Database
from promise_blazar.db.tables import ManagerProcess
from promise_blazar.manager.ownership.call_times import MEMORY, CallLimits
from promise_blazar.manager.ownership.heartbeat import Heartbeat
from promise_blazar.manager.ownership.work import Superseded, WorkOwnership
from promise_blazar.model.manager import ManagerIdentity
from promise_blazar.tests import base
from promise_blazar.tests.fakes import ManualClock
from promise_blazar.tests.functional.base import sync
from promise_blazar.tests.functional.concurrency.test_ledger_store import Interposed

IDENTITY = ManagerIdentity("here", 0, "1.0", frozenset({"physical:host"}))


class HeartbeatTestCase(base.DatabaseTestCase):
    prepare = staticmethod(sync)
    #: How long ownership lasts with usual calls, and how long calls take.
    seconds, limits = 7, CallLimits(5, 5)

    def setUp(self):
        super().setUp()
        self.clock = ManualClock()
        self.database = Interposed(self.url)
        self.addCleanup(self.database.dispose)
        self.one = self.heartbeat(self.database)
        self.other = self.heartbeat(Database(self.url))

    def heartbeat(self, database):
        self.addCleanup(database.dispose)
        found = Heartbeat(database, self.clock, IDENTITY, 1, self.seconds, self.limits)
        found.register()
        return found

    def both_beat(self, seconds):
        for _ in range(seconds):
            self.clock.advance(1)
            self.one.beat()
            self.other.beat()

    def ownership(self, attempt):
        """On a lease whose attempt, as it happens, is 0."""
        now = self.clock.now()
        lease = {
            "id": "lease",
            "provider_id": 1,
            "name": "n",
            "user_id": "alice",
            "project_id": "demo",
            "start": now,
            "end": now,
            "status": "PENDING",
            "created_at": now,
        }
        with self.database.writer() as connection:
            leases.add(connection, {**lease, "attempt": 0, "failures": 0, "degraded": False})
        return WorkOwnership("lease", attempt, self.one.id)


class TestPresence(HeartbeatTestCase):
    def test_the_silent_are_dead_when_their_claims_have_run_out(self):
        self.both_beat(3)
        for _ in range(7):
            self.clock.advance(1)
            self.other.beat()
        self.assertEqual(frozenset(), self.other.dead())
        self.clock.advance(1)
        self.other.beat()
        self.assertEqual({self.one.id}, self.other.dead())
        self.assertFalse(self.one.able())

    def test_the_calls_that_count_are_those_of_the_living(self):
        self.both_beat(1)
        self.say(self.one, None)
        self.say(self.other, "1.7")
        # Of the first release, which says nothing; and then it is dead.
        self.assertEqual({"1.0", "1.7"}, self.other.rpc_versions())
        for _ in range(8):
            self.clock.advance(1)
            self.other.beat()
        self.assertEqual({"1.7"}, self.other.rpc_versions())

    def say(self, heartbeat, version):
        with self.database.writer() as connection:
            connection.execute(
                sqlalchemy.update(ManagerProcess)
                .where(ManagerProcess.id == heartbeat.id)
                .values(rpc_version=version)
            )

    def test_the_next_look_is_when_somebody_would_be_dead(self):
        self.both_beat(1)
        self.assertEqual(1, self.other.pause())
        self.clock.advance(6.5)
        self.other.beat()
        self.assertLess(self.other.pause(), 0.6)
        self.clock.advance(self.other.pause() + 0.001)
        self.other.beat()
        self.assertEqual({self.one.id}, self.other.dead())
        self.assertEqual(1, self.other.pause())

    def test_a_slow_database_makes_heartbeats_no_rarer(self):
        self.database.after_write = lambda: self.clock.advance(0.7)
        self.one.beat()
        self.assertAlmostEqual(0.3, self.one.pause())
        self.database.after_write = lambda: self.clock.advance(3)
        self.one.beat()
        self.assertLess(self.one.pause(), 0.1)

    def test_nobody_is_taken_for_dead_who_could_still_act(self):
        """However long a heartbeat is under way, and whenever a rival looks."""
        chance = random.Random(20300101)
        able, found = 0.0, 0

        def look():
            nonlocal found
            self.other.beat()
            dead = self.one.id in self.other.dead()
            found += dead
            if dead:
                self.assertFalse(self.one.able())
                # A call that left at the last moment takes 5 s.
                self.assertGreaterEqual(self.clock.monotonic(), able + 5)

        def pass_time():
            nonlocal able
            look()
            for _ in range(chance.choice((0, 1, 10, 40))):
                if self.one.able():
                    able = self.clock.monotonic()
                self.clock.advance(0.1)
                if chance.random() < 0.1 or self.other.pause() < 0.1:
                    look()

        for _ in range(100):
            pass_time()
            # Between the sending and the commit, and between that and the acknowledgement.
            self.database.before_write = self.database.after_write = pass_time
            self.one.beat()
        self.assertGreater(found, 10)

    def test_a_heartbeat_that_comes_too_late_revives_nothing(self):
        self.both_beat(1)
        self.clock.advance(7.5)
        ownership = WorkOwnership("lease", 1, self.one.id)
        self.one.beat()
        self.assertNotEqual(ownership.owner, self.one.id)
        self.assertTrue(self.one.able())
        self.assertRaises(Superseded, self.one.fence(ownership), "nova.server.delete")

    def test_a_heartbeat_that_was_acknowledged_too_late_revives_nothing(self):
        self.both_beat(1)
        before = self.one.id
        self.clock.advance(6)
        self.database.after_write = lambda: self.clock.advance(2)
        self.one.beat()
        self.assertNotEqual(before, self.one.id)

    def test_nobody_is_dead_because_the_observer_slept(self):
        self.both_beat(3)
        self.one.beat()
        self.database.after_write = lambda: self.clock.advance(60)
        self.clock.advance(1)
        self.one.beat()
        self.assertEqual(frozenset(), self.one.dead())

    def test_the_fence_asks_its_clock_after_the_database(self):
        ownership = self.ownership(attempt=0)
        self.one.fence(ownership)("nova.server.delete")
        self.database.before_read = lambda: self.clock.advance(3)
        self.assertRaises(Superseded, self.one.fence(ownership), "nova.server.delete")

    def test_the_fence_stops_who_was_overtaken(self):
        ownership = self.ownership(attempt=1)
        self.assertRaises(Superseded, self.one.fence(ownership), "nova.server.delete")


class TestTakeover(HeartbeatTestCase):
    """Usual calls take up to 2 s and others 5; one kind may take 9."""

    seconds, limits = 4, CallLimits(2, 5, {"nova.server.snapshot": 9})

    def silent_for(self, seconds):
        """One is not heard of for so long; whether it is dead then."""
        self.both_beat(1)
        self.clock.advance(seconds)
        self.other.beat()
        return self.one.id in self.other.dead()

    def call(self, name, seconds=0.0):
        """A call of the one's that takes so long."""
        with self.one.watch(name):
            self.one.fence(WorkOwnership("lease", None, self.one.id))(name)
            self.clock.advance(seconds)

    def test_a_manager_whose_calls_are_quick_is_dead_soon(self):
        self.call("nova.server.delete", 1.9)
        self.assertTrue(self.silent_for(4.1))

    def test_one_whose_calls_take_longer_is_dead_when_they_are_over(self):
        self.call("nova.server.delete", 4)
        self.assertFalse(self.silent_for(6.9))
        self.clock.advance(0.2)
        self.other.beat()
        self.assertEqual({self.one.id}, self.other.dead())

    def test_of_reads_nobody_is_afraid(self):
        self.call("nova.server.list", 4)
        self.assertTrue(self.silent_for(4.1))

    def test_a_call_that_may_take_longer_leaves_when_rivals_know(self):
        self.call("nova.server.delete", 3)
        self.both_beat(1)
        self.other.beat()
        named = []
        self.database.before_write = lambda: named.append(1)
        # Known since the heartbeat; this one is not.
        self.call("nova.server.delete")
        self.assertEqual([], named)
        self.call("nova.server.snapshot")
        self.assertEqual(1, len(named))

    def test_a_call_that_cannot_be_named_in_time_does_not_leave(self):
        self.both_beat(1)
        self.database.after_write = lambda: self.clock.advance(4.5)
        self.assertRaises(Superseded, self.call, "nova.server.snapshot")

    def test_what_was_slow_long_ago_is_forgotten(self):
        self.call("nova.server.delete", 4)
        self.both_beat(1)
        self.clock.advance(MEMORY)
        self.other.beat()
        self.one.beat()
        self.assertTrue(self.silent_for(4.1))

    def test_managers_of_the_release_before_are_given_the_time_of_any_call(self):
        self.both_beat(1)
        with self.database.writer() as connection:
            connection.execute(sqlalchemy.update(ManagerProcess).values(longest_call=None))
        self.clock.advance(6.9)
        self.other.beat()
        self.assertEqual(frozenset(), self.other.dead())

    def test_nobody_is_taken_for_dead_whose_calls_may_still_take_effect(self):
        """However heartbeats and calls fall, and whenever a rival looks."""
        chance = random.Random(20300102)
        over, found, left = 0.0, 0, 0

        def look():
            nonlocal found
            self.other.beat()
            if self.one.id in self.other.dead():
                found += 1
                self.assertGreaterEqual(self.clock.monotonic(), over)

        def call():
            nonlocal over, left
            name = chance.choice(("quick.set", "slow.set", "nova.server.snapshot"))
            with contextlib.suppress(Superseded), self.one.watch(name):
                self.one.fence(WorkOwnership("lease", None, self.one.id))(name)
                left += 1
                reckoned = self.one.reckoned(name)
                over = max(over, self.clock.monotonic() + reckoned)
                if name == "slow.set" and chance.random() < 0.2:
                    self.clock.advance(reckoned + 0.1)

        def pass_time():
            look()
            for _ in range(chance.choice((0, 1, 10, 40, 120))):
                self.clock.advance(0.1)
                if chance.random() < 0.2:
                    call()
                if chance.random() < 0.1 or self.other.pause() < 0.1:
                    look()

        for _ in range(60):
            pass_time()
            # Between the sending and the commit, and between that and the acknowledgement.
            self.database.after_write = lambda: self.clock.advance(chance.choice((0, 0, 0.5, 3)))
            self.one.beat()
        self.assertGreater(found, 10)
        self.assertGreater(left, 50)
