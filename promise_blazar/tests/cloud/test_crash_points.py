# SPDX-License-Identifier: Apache-2.0
"""Managers die, or fall asleep, at random points of what they do for a lease, on the real cloud.

A sample; more of it: ``tox -e cloud-crash``. The seed is printed. ``CLOUD_CRASH_SEED`` repeats a
run, ``CLOUD_CRASH_POINTS`` says how many deaths it has, ``CLOUD_CRASH_SLEEPS`` how many sleeps.
"""

import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from promise_blazar.tests.cloud import audit, lives, site, soundness
from promise_blazar.tests.cloud.base import LeaseTest
from promise_blazar.tests.cloud.lives import Life
from promise_blazar.tests.cloud.managers import QUICK, Manager, Managers

POINTS = int(os.environ.get("CLOUD_CRASH_POINTS", "4"))
SLEEPS = int(os.environ.get("CLOUD_CRASH_SLEEPS", "1"))
SEED = os.environ.get("CLOUD_CRASH_SEED") or str(time.time_ns())

_NEVER = 10**6
#: Steps that a manager is long enough at to fall asleep in; others want the lease gone after it.
_SLEEPY = ("start", "delete")


class CrashPointTest(LeaseTest):
    def setUp(self) -> None:
        super().setUp()
        soundness.say(f"CLOUD_CRASH_SEED={SEED}")
        self.rng = random.Random(SEED)
        self.managers = self.enterContext(Managers.instead(QUICK))

    def test_a_manager_that_dies_anywhere_is_survived(self) -> None:
        left = POINTS
        while left:
            life = Life(self.managers)
            self.addCleanup(life.remove)
            steps = life.steps(to_its_end=self.rng.random() < 0.5)
            deadly = set(self.rng.sample(steps, min(left, len(steps))))
            left -= len(deadly)
            for step in steps:
                if step in deadly:
                    self.survive(life, step)
                    self.assertEqual([], soundness.faults(), step)
                else:
                    self.managers.order(signal.SIGKILL, _NEVER)
                    life.act(step)()
                    life.settle(step)
                    soundness.say(f"{step}: {len(self.managers.calm())} points, all in peace")
            self.assert_as_before()
            with soundness.next_tenant(len(self.hosts), self.managers.now()):
                pass
            self.assert_as_before()

    def test_a_manager_that_slept_does_no_harm(self) -> None:
        """Neither to the lease that was taken over from it, nor to the next tenant's."""
        for _ in range(SLEEPS):
            life = Life(self.managers)
            self.addCleanup(life.remove)
            sleepy = self.rng.choice(_SLEEPY)
            for step in ("create", "start", "delete"):
                if step == sleepy:
                    sleeper = self.fall_asleep(life, step)
                else:
                    life.act(step)()
                life.settle(step)
            self.assertEqual(self.before, audit.look())
            with soundness.next_tenant(len(self.hosts), self.managers.now()):
                world = audit.look()
                self.managers.alive.remove(sleeper)
                sleeper.wake()
                sleeper.await_saying("may be taken for dead")
                sleeper.stop()
                self.assertEqual(world, audit.look())
                self.assertEqual([], soundness.faults())
            self.managers.complete()
            self.assert_as_before()

    def fall_asleep(self, life: Life, step: str) -> Manager:
        """Somewhere in this step; gives it as soon as it sleeps."""
        point = self.rng.randint(1, lives.LEAST[step])
        self.managers.order(signal.SIGSTOP, point)
        threading.Thread(target=life.act(step), daemon=True).start()
        sleeper: Manager = site.eventually("a manager sleeps", self.managers.hit)
        soundness.say(f"{step}, point {point}: {self.managers.calm()[-1]}; asleep")
        return sleeper

    def survive(self, life: Life, step: str) -> None:
        """A manager dies in this step, and what the step is for comes true all the same."""
        point, alone = self.rng.randint(1, lives.STEPS[step]), self.rng.random() < 0.5
        self.managers.order(signal.SIGKILL, point)
        over = threading.Event()
        with ThreadPoolExecutor() as pool:
            victim = pool.submit(self.forget_managers, alone, over)
            try:
                # Whoever asked is not answered by the dead.
                asked = pool.submit(life.act(step))
                site.eventually("it is asked", lambda: asked.done() or victim.done())
                life.settle(step)
            finally:
                over.set()
                passed = self.managers.calm()
            died = victim.result()
        if died is None:
            self.strike(self.managers.alive[0], alone)
        how = "the other took over" if alone else "both came again"
        where = passed[-1] if died is None else next(line for line in passed if " dies " in line)
        soundness.say(f"{step}, point {point}: {where}; {how}")

    def forget_managers(self, alone: bool, over: threading.Event) -> Manager | None:
        """Wait for the death, and see to it that there are managers afterwards."""
        while not over.wait(0.05):
            victim = self.managers.hit()
            if victim is not None:
                self.strike(victim, alone)
                return victim
        return None

    def strike(self, victim: Manager, alone: bool) -> None:
        """``alone``: the other lives on. New ones come for the dead."""
        for manager in [victim] if alone else list(self.managers.alive):
            manager.kill()
            self.managers.alive.remove(manager)
        self.managers.complete()
