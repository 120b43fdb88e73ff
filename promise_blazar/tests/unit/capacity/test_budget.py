# SPDX-License-Identifier: Apache-2.0
"""What one request may cost, whatever it asks for."""

import itertools
import unittest
from dataclasses import replace

import numpy as np

from promise_blazar.capacity.admission import Plan, Refusal, admit
from promise_blazar.capacity.budget import EVALUATIONS, Budget, OutOfTime
from promise_blazar.capacity.demand.request import AllocationRequest, Window
from promise_blazar.capacity.demand.slots import Slots
from promise_blazar.capacity.demand.whole_hosts import WholeHosts
from promise_blazar.capacity.explanation import explain
from promise_blazar.capacity.ledger import Booking, Ledger, LedgerHost
from promise_blazar.capacity.window_search import next_windows
from promise_blazar.tests.unit.capacity import oracle

HOUR = 3600 * 10**6
WINDOW = Window(HOUR, 2 * HOUR)


def cloud(count: int, vcpus: int = 8) -> Ledger:
    ledger = Ledger()
    for number in range(1, count + 1):
        ledger.put_host(LedgerHost(number, f"c{number}", "nova", {"VCPU": vcpus}, {}, True))
    ledger.put_bundle(1, {"VCPU": 1})
    return ledger


def busy_until(ledger: Ledger, hosts: int, ends: np.ndarray) -> None:
    """One booking of a whole host for each end, host by host in turn."""
    count = len(ends)
    same = np.ones(count, dtype=np.int64)
    numbers = np.arange(count)
    ledger.put_bookings(numbers + 1, same, numbers % hosts + 1, -same, same, same * 0, ends, same)


def demands(count: int, different: bool) -> list[AllocationRequest]:
    """Each fits alone, all together do not."""
    return [
        AllocationRequest(
            f"{number:03}", Slots(40 + (number if different else 0), {"VCPU": 1}, None), WINDOW
        )
        for number in range(count)
    ]


class Running:
    """A clock of which each look takes a second."""

    def __init__(self) -> None:
        self._seconds = itertools.count()

    def __call__(self) -> float:
        return float(next(self._seconds))


class EvaluationsTest(unittest.TestCase):
    def test_a1_what_is_alike_is_placed_in_one_order(self):
        budget = Budget()
        answer = admit(cloud(100), demands(100, different=False), 0, budget=budget)
        self.assertTrue(answer.gave_up)
        self.assertLessEqual(budget.spent, 3 * 100)

    def test_a1_a_hundred_that_differ_are_given_up_in_time(self):
        # Where each order fails soon, and where it fails with the last request.
        for hosts in (100, 1110):
            budget = Budget()
            answer = admit(cloud(hosts), demands(100, different=True), 0, budget=budget)
            self.assertTrue(answer.gave_up)
            self.assertLessEqual(budget.spent, 1300)

    def test_a1_the_windows_of_a_hundred_cost_no_more_than_the_budget(self):
        budget = Budget()
        ledger = cloud(100)
        busy_until(ledger, 50, np.arange(1, 201) * HOUR)
        requests = [
            replace(each, demand=replace(each.demand, amount=3 + number % 10))
            for number, each in enumerate(demands(100, different=True))
        ]
        answer = explain(ledger, requests, 0, budget=budget)
        self.assertIn("together", [reason.check for reason in answer.reasons])
        self.assertEqual((), answer.alternatives)
        self.assertEqual("search", answer.reasons[-1].check)
        # One try that was begun is ended.
        self.assertLessEqual(budget.spent, EVALUATIONS + 1000)

    def test_four_are_still_tried_in_all_orders(self):
        orders = []

        class Recorded(Slots):
            def choose(self, candidates, pinned):
                orders.append(self.amount)
                return super().choose(candidates, pinned)

        requests = [
            AllocationRequest(str(amount), Recorded(amount, {"VCPU": 1}, None), WINDOW)
            for amount in (5, 6, 7, 8)
        ]
        answer = admit(cloud(3), requests, 0)
        self.assertTrue(answer.gave_up)
        # Each alone, then 24 orders, each until one fails.
        self.assertEqual(4 + 24 * 4, len(orders))

    def test_a_part_is_spent_of_the_whole(self):
        whole = Budget(10)
        part = whole.part(4)
        for _ in range(4):
            part.spend()
        self.assertTrue(part.exhausted)
        self.assertFalse(whole.exhausted)
        self.assertEqual(4, whole.spent)
        self.assertEqual(6, whole.part(100).part().part(7).left)

    def test_a_part_that_pauses_pauses_in_all_its_parts_and_nowhere_else(self):
        pauses = []
        whole = Budget(10)
        patient = whole.part(pause=lambda: pauses.append(1))
        patient.spend()
        patient.part(2).spend()
        whole.spend()
        self.assertEqual(2, len(pauses))


class TimeTest(unittest.TestCase):
    def test_time_that_is_up_is_no_refusal(self):
        budget = Budget(seconds=2, monotonic=Running())
        with self.assertRaises(OutOfTime):
            admit(cloud(6), demands(3, different=True), 0, budget=budget)

    def test_a2_the_search_says_where_its_time_ended(self):
        ledger = cloud(1)
        busy_until(ledger, 1, np.arange(2, 2000) * HOUR)
        request = AllocationRequest("a", WholeHosts(1, 1), WINDOW)
        budget = Budget(seconds=12, monotonic=Running())
        found = next_windows(ledger, [request], 0, budget=budget)
        self.assertEqual(((), False), (found.windows, found.complete))
        self.assertLess(HOUR, found.looked_until)
        self.assertLess(found.looked_until, 1999 * HOUR)
        answer = explain(ledger, [request], 0, alternatives=0).with_windows(found)
        self.assertIn("where the search ended unfinished", answer.text)
        self.assertEqual("search", answer.reasons[-1].check)

    def test_a2_the_search_ends_with_no_number_of_bookings(self):
        ledger = cloud(3)
        count = 300_000
        ends = np.linspace(HOUR, 100 * HOUR, count).astype(np.int64)
        busy_until(ledger, 3, ends)
        request = AllocationRequest("a", WholeHosts(3, 3), WINDOW)
        found = next_windows(ledger, [request], 0)
        self.assertEqual([100 * HOUR], [window.start for window in found.windows])

    def test_what_never_ends_is_said_to_have_no_window(self):
        world = oracle.World(
            [LedgerHost(1, "c1", "nova", {"VCPU": 1}, {}, True)],
            {},
            [Booking(1, 1, 1, None, 1, 0, 2**62, False)],
            0,
        )
        request = AllocationRequest("a", WholeHosts(1, 1), WINDOW)
        answer = explain(world.ledger(), [request], 0)
        self.assertIn("no later window fits, as things are booked", answer.text)
        self.assertIsInstance(admit(world.ledger(), [request], 0), Refusal)
        self.assertIsInstance(admit(cloud(1), [request], 0), Plan)
