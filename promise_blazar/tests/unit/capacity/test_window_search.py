# SPDX-License-Identifier: Apache-2.0
import unittest
from dataclasses import replace
from unittest import mock

import numpy as np
from hypothesis import given

from promise_blazar.capacity import window_search
from promise_blazar.capacity.admission import Plan, admit
from promise_blazar.capacity.demand.request import AllocationRequest, Window
from promise_blazar.capacity.demand.slots import Slots
from promise_blazar.capacity.demand.whole_hosts import WholeHosts
from promise_blazar.capacity.ledger import OPEN, Ledger, LedgerHost
from promise_blazar.capacity.timeline import Spans, ends_of_stretches
from promise_blazar.capacity.window_search import MINUTE, next_windows
from promise_blazar.tests.unit.capacity import oracle, worlds

#: After all that is booked in the worlds.
LAST = 2 * worlds.HORIZON


class EachInstantTest(unittest.TestCase):
    """The first window found is the first that is admitted, of all instants there are."""

    @worlds.exact(300)
    @given(worlds.cases())
    def test_it_is_what_trying_each_instant_finds(self, case):
        self._check(*case)

    def test_it_is_what_trying_each_instant_finds_in_a_crowd(self):
        for seed in range(600):
            with self.subTest(seed=seed):
                self._check(*worlds.crowded(seed))

    def _check(self, world, requests):
        (request,) = requests
        request, ledger = replace(request, pinned=False), world.ledger()
        with mock.patch.object(
            window_search, "Admission", wraps=window_search.Admission
        ) as earnest:
            found = next_windows(ledger, [request], world.now, world.exclude, granularity=1)
        start = request.window.start
        # The window that was asked for is looked at even if it begins before now.
        for instant in (start, *range(max(start, world.now), LAST)):
            window = oracle.shifted(request.window, instant - start)
            moved = replace(request, window=window)
            if isinstance(admit(ledger, [moved], world.now, world.exclude), Plan):
                self.assertEqual((window,), found.windows)
                break
        else:
            self.assertEqual((), found.windows)
        # Of one request, what passes the count of room is what is admitted.
        self.assertEqual(len(found.windows), earnest.call_count)


class ManyMinutesTest(unittest.TestCase):
    def test_it_is_what_trying_each_minute_finds(self):
        for seed in range(6):
            ledger, dice = _busy(seed), np.random.default_rng(seed)
            length = int(dice.integers(20, 200)) * MINUTE
            amount = int(dice.integers(30, 50))
            for demand in (
                Slots(amount, {"VCPU": 2}, None),
                Slots(amount // 3, {"VCPU": 3}, False),
                Slots(5, {"VCPU": 3}, True),
                WholeHosts(5, 5),
            ):
                with self.subTest(seed=seed, demand=demand):
                    request = AllocationRequest("a", demand, Window(0, length))
                    found = next_windows(ledger, [request], 0)
                    (window,) = found.windows
                    self.assertEqual(_by_the_minute(ledger, request), window.start)

    def test_an_open_end_is_tried_at_each_minute_too(self):
        ledger = _busy(1)
        for demand in (Slots(100, {"VCPU": 2}, None), WholeHosts(20, 20)):
            request = AllocationRequest("a", demand, Window(0, OPEN))
            (window,) = next_windows(ledger, [request], 0).windows
            self.assertEqual(_by_the_minute(ledger, request), window.start)
            self.assertEqual(OPEN, window.end)


def _by_the_minute(ledger, request):
    for start in range(0, ledger.last_end() + MINUTE, MINUTE):
        window = Window(start, min(request.window.end + start, OPEN))
        if isinstance(admit(ledger, [replace(request, window=window)], 0), Plan):
            return start
    return None


def _busy(seed):
    """Twenty hosts, half of which are lent at any time of some hours."""
    dice = np.random.default_rng(seed)
    ledger = Ledger()
    for number in range(20):
        vcpus = int(dice.integers(8, 17))
        ledger.put_host(LedgerHost(number, f"compute-{number}", "nova", {"VCPU": vcpus}, {}, True))
    ledger.put_bundle(1, {"VCPU": 3})
    count = 500
    starts = dice.integers(0, 600, count) * MINUTE
    ledger.put_bookings(
        np.arange(count),
        np.arange(count),
        dice.integers(0, 20, count),
        np.where(dice.random(count) < 0.1, -1, 1),
        np.ones(count),
        starts,
        starts + dice.integers(1, 90, count) * MINUTE,
        np.zeros(count),
    )
    return ledger


class StretchesTest(unittest.TestCase):
    def test_overlapping_spans_of_a_host_are_one_stretch(self):
        for earliest in (0, -(2**62), 2**61):
            dice = np.random.default_rng(1)
            for _ in range(200):
                count = int(dice.integers(0, 12))
                slot, start = dice.integers(0, 3, count), dice.integers(0, 12, count)
                end = start + dice.integers(1, 5, count)
                spans = Spans(slot, start + earliest, end + earliest)
                first, last = ends_of_stretches(spans, 3)
                self.assertEqual(len(first), len(last))
                for instant in range(17):
                    covered = set(slot[(start <= instant) & (instant < end)].tolist())
                    begun = np.count_nonzero(first <= instant + earliest)
                    ended = np.count_nonzero(last <= instant + earliest)
                    self.assertEqual(len(covered), begun - ended)

    def test_an_end_that_never_comes_goes_into_no_key(self):
        spans = Spans(np.array([0, 1, 1]), np.array([5, -(2**62), 8]), np.array([OPEN, 9, OPEN]))
        first, last = ends_of_stretches(spans, 2)
        self.assertEqual([-(2**62), 5], first.tolist())
        self.assertEqual([OPEN, OPEN], last.tolist())
