# SPDX-License-Identifier: Apache-2.0
"""Events as a running manager has them: side by side, none behind another, each when it is due."""

import queue
import threading
from typing import ClassVar
from unittest import mock

from promise_blazar.manager.workflow.idle_gate import IdleGate
from promise_blazar.manager.workflow.steps import LeaseSteps
from promise_blazar.tests.functional.base import HOST, ServiceTestCase
from promise_blazar.tests.functional.concurrency.processes import DEADLINE, eventually


class EngineCase(ServiceTestCase):
    """The manager's threads run; the clock stands still until somebody moves it."""

    hosts = registered = 6
    workers = 2
    options = {  # noqa: RUF012 - never changed
        "manager__workers": workers,
        "manager__minutes_before_end_lease": 0,
    }

    def seconds_pass(self, seconds):
        for _ in range(seconds):
            self.clock.advance(1)
            self.service.heartbeat.beat()
        self.service.engine.wake()

    def until(self, lease, status):
        eventually(lambda: self.show(lease)["status"] == status)


class TestSideBySide(EngineCase):
    def setUp(self):
        super().setUp()
        self.taken = []
        self.arrivals = threading.Barrier(self.workers, action=self.look)

    def look(self):
        self.taken.append(len(self.service.engine._under_way))  # noqa: SLF001 - nothing else tells

    def wait_for_the_cloud(self, seconds):
        """Nobody goes on before as many as there are workers have come."""
        self.arrivals.wait(DEADLINE)

    def test_d11_leases_start_side_by_side_as_many_as_there_are_workers(self):
        leases = [self.lease(HOST) for _ in range(2 * self.workers)]
        self.cloud.set_faults("nova.aggregate.add_host", latency_ms=1)
        self.service.engine.start()
        for lease in leases:
            self.until(lease, "ACTIVE")
        self.assertEqual([self.workers] * 2, self.taken)


class TestUnhurried(EngineCase):
    """What has time is prepared when no request is being decided."""

    def lease_of_later(self):
        lease = self.lease(HOST, start=self.minute(60), end=90)
        self.assertEqual("PENDING", lease["status"])
        return lease

    def prepared(self, lease):
        return lease["reservations"][0]["id"] in self.aggregates()

    def begun(self):
        """Whether a worker is at it, or behind the gate."""
        return sum(lane.begun for lane in self.service.engine._lanes)  # noqa: SLF001

    def test_what_nobody_waits_for_leaves_the_processor_to_requests(self):
        self.service.engine.idle_gate = IdleGate(lull=0, most=DEADLINE)
        self.service.engine.start()
        with self.service.engine.holding("a lease that is being decided"):
            lease = self.lease_of_later()
            eventually(self.begun)
            self.assertFalse(self.prepared(lease))
        eventually(lambda: self.prepared(lease))

    def test_it_does_not_wait_for_ever(self):
        self.service.engine.idle_gate = IdleGate(lull=DEADLINE, most=0.01)
        self.service.engine.start()
        with self.service.engine.holding("a lease that is being decided"):
            lease = self.lease_of_later()
            eventually(lambda: self.prepared(lease))

    def test_who_asks_one_thing_after_another_is_not_come_between(self):
        idle_gate = IdleGate(lull=DEADLINE, most=DEADLINE)
        self.service.engine.idle_gate = idle_gate
        self.service.engine.start()
        lease = self.lease_of_later()
        eventually(self.begun)
        self.assertFalse(self.prepared(lease))
        idle_gate._lull = 0  # noqa: SLF001 - as if it had been calm for long
        with idle_gate.request():
            pass
        eventually(lambda: self.prepared(lease))

    def test_who_stops_does_not_wait_for_a_lull(self):
        self.service.engine.idle_gate = IdleGate(lull=10 * DEADLINE, most=10 * DEADLINE)
        self.service.engine.start()
        lease = self.lease_of_later()
        eventually(self.begun)
        self.service.engine.stop()
        self.assertFalse(self.prepared(lease))


class TestNoneBehindAnother(EngineCase):
    def setUp(self):
        super().setUp()
        self.met = threading.Event()
        self.answered = threading.Event()
        self.addCleanup(self.answered.set)

    def wait_for_the_cloud(self, seconds):
        """The first to come waits for its answer; the others have theirs at once."""
        if not self.met.is_set():
            self.met.set()
            self.answered.wait(DEADLINE)

    def test_d12_what_comes_later_does_not_wait_for_a_slow_one(self):
        """Neither what was due with it, nor what falls due while it lasts."""
        slow = self.lease(HOST)
        self.cloud.set_faults("nova.aggregate.add_host", latency_ms=1)
        self.service.engine.start()
        self.assertTrue(self.met.wait(DEADLINE))
        beside, later = self.lease(HOST), self.lease(HOST, start=self.minute(1))
        self.until(beside, "ACTIVE")
        self.seconds_pass(60)
        self.until(later, "ACTIVE")
        self.assertEqual("STARTING", self.show(slow)["status"])
        self.answered.set()
        self.until(slow, "ACTIVE")

    def test_d11_a_lease_whose_servers_disappear_slowly_occupies_no_worker(self):
        ending = [self.active(HOST) for _ in range(self.workers + 1)]
        for lease in ending:
            self.boot(reservation=lease["reservations"][0]["id"])
        self.cloud.set_server_delete_seconds(600)
        self.service.engine.start()
        for lease in ending:
            self.updated(lease, end_date="now")
            self.until(lease, "TERMINATING")
        self.until(self.lease(HOST), "ACTIVE")
        self.assertEqual({"TERMINATING"}, {self.show(lease)["status"] for lease in ending})


class Sleep(threading.Event):
    """Tells how long the loop means to sleep, and lets it sleep until it is woken."""

    def __init__(self):
        super().__init__()
        self.pauses = queue.Queue()

    def wait(self, timeout=None):
        self.pauses.put(timeout)
        return super().wait(DEADLINE)


class TestWhenItIsDue(ServiceTestCase):
    options = {  # noqa: RUF012 - never changed
        "manager__heartbeat_interval": 3600,
        "manager__ownership_seconds": 36000,
    }

    def test_d13_the_engine_sleeps_until_the_next_due_instant(self):
        self.clock.advance(3.5)
        lease = self.lease(HOST, start=self.minute(7))
        self.lease(HOST, start=self.minute(9))
        sleep = self.service.engine._wake = Sleep()  # noqa: SLF001 - in place of real seconds
        self.service.engine.start()
        pause = sleep.pauses.get(timeout=DEADLINE)
        self.assertEqual(7 * 60 - 3.5, pause)
        self.clock.advance(pause)
        sleep.set()
        eventually(lambda: self.show(lease)["status"] == "ACTIVE")


class TestUrgent(EngineCase):
    options: ClassVar = {**EngineCase.options, "manager__prepare_wait": 0}

    def setUp(self):
        super().setUp()
        self.stuck = threading.Event()
        self.answered = threading.Event()
        self.addCleanup(self.answered.set)

    def wait_for_the_cloud(self, seconds):
        """The first to come has no answer yet."""
        if not self.stuck.is_set():
            self.stuck.set()
            self.answered.wait(DEADLINE)

    def test_d3_what_falls_due_is_begun_whatever_waits_before_it(self):
        self.cloud.set_faults("nova.aggregate.create", latency_ms=1)
        self.service.engine.start()
        far = self.lease(HOST, start=self.minute(600), end=610)
        self.assertTrue(self.stuck.wait(DEADLINE))
        near = self.lease(HOST, start=self.minute(20), end=30)
        self.seconds_pass(11 * 60)
        eventually(lambda: self.made(near))
        self.assertFalse(self.made(far))
        self.seconds_pass(9 * 60)
        self.until(near, "ACTIVE")

    def made(self, lease):
        return lease["reservations"][0]["id"] in self.aggregates()

    def test_d3_what_can_wait_is_done_in_the_order_of_the_starts(self):
        leases = []
        for minute in (90, 30, 60):
            leases.append(self.lease(HOST, start=self.minute(minute), end=minute + 10))
            self.seconds_pass(1)
        done, carry_on = [], LeaseSteps.carry_on

        def noted(steps, ownership, lease=None):
            done.append(ownership.lease_id)
            carry_on(steps, ownership, lease)

        with mock.patch.object(LeaseSteps, "carry_on", noted):
            self.service.engine.run_due()
        first, second, third = (leases[n]["id"] for n in (1, 2, 0))
        self.assertEqual([first, second, third], done)


class TestRequestsBesideIt(EngineCase):
    """What requests have begun takes no thread from what is due."""

    options: ClassVar = {**EngineCase.options, "manager__prepare_wait": 0}

    def setUp(self):
        super().setUp()
        self.answered = threading.Event()
        self.addCleanup(self.answered.set)

    def wait_for_the_cloud(self, seconds):
        self.answered.wait(DEADLINE)

    def test_a_lease_starts_while_many_others_are_prepared(self):
        due = self.lease(HOST, start=self.minute(2))
        self.until(due, "PENDING")
        self.service.engine.start()
        self.cloud.set_faults("nova.aggregate.create", latency_ms=1)
        for number in range(self.workers + 1):
            others = self.lease(HOST, start=self.minute(3 + number), end=10)
            self.assertEqual("CREATING", others["status"])
        for number in range(self.workers + 1):
            self.lease(HOST, start=self.minute(60 + 30 * number), end=70 + 30 * number)
        self.seconds_pass(120)
        self.until(due, "ACTIVE")
        self.assertEqual("CREATING", self.show(others)["status"])
        self.answered.set()
        self.until(others, "PENDING")
