# SPDX-License-Identifier: Apache-2.0
"""Turns go round between projects, and none of them fills the queue."""

import time
from concurrent.futures import ThreadPoolExecutor

from promise_blazar.capacity.budget import Budget, OutOfTime
from promise_blazar.manager.ledger.turns import OWN, Turns
from promise_blazar.tests import base

LONG = 60


class TestTurns(base.TestCase):
    def setUp(self):
        super().setUp()
        self.turns = Turns(most_waiting=4, most_each=2)
        self.served = []
        self.pool = self.enterContext(ThreadPoolExecutor(8))

    def come(self, whose):
        """Somebody who waits by now."""
        waiting = self.turns.waiting()

        def served():
            with self.turns.mine(Budget(seconds=LONG), whose):
                self.served.append(whose)

        self.pool.submit(served)
        while self.turns.waiting() == waiting:
            time.sleep(0.001)

    def test_they_go_round_between_projects(self):
        with self.turns.mine(Budget(), "greedy"):
            for whose in ("greedy", "greedy", "modest", OWN):
                self.come(whose)
        self.pool.shutdown()
        self.assertEqual(["modest", "greedy", OWN, "greedy"], self.served)

    def test_a_project_has_its_own_places_and_no_more(self):
        with self.turns.mine(Budget(), "greedy"):
            self.come("greedy")
            self.come("greedy")
            with self.assertRaises(OutOfTime), self.turns.mine(Budget(), "greedy"):
                pass
            self.come("modest")
            self.come("other")
            # There are four places for all projects, and one for the manager.
            with self.assertRaises(OutOfTime), self.turns.mine(Budget(), "late"):
                pass
            self.come(OWN)
            with self.assertRaises(OutOfTime), self.turns.mine(Budget(), OWN):
                pass

    def test_who_gives_up_waiting_leaves_no_trace(self):
        with self.turns.mine(Budget(), "greedy"):
            for whose in ("greedy", OWN):
                impatient = Budget(seconds=0.001)
                with self.assertRaises(OutOfTime), self.turns.mine(impatient, whose):
                    pass
            self.assertEqual(0, self.turns.waiting())
        with self.turns.mine(Budget(), "modest"):
            pass
