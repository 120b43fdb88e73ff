# SPDX-License-Identifier: Apache-2.0
"""Windows that are offered, beside what a create would be answered minute by minute."""

import collections
import random
from unittest import mock

from promise_blazar import times
from promise_blazar.capacity.admission import Plan, admit
from promise_blazar.capacity.budget import EVALUATIONS, Budget, OutOfTime
from promise_blazar.capacity.demand.slots import Slots
from promise_blazar.capacity.demand.whole_hosts import WholeHosts
from promise_blazar.capacity.explanation import explain
from promise_blazar.capacity.ledger import Ledger, LedgerAdjustment, LedgerHost
from promise_blazar.manager.ledger.access import Snapshot, ahead
from promise_blazar.manager.queries import availability
from promise_blazar.manager.queries.availability import _answer, _Wanted
from promise_blazar.tests import base

MINUTE = 60_000_000
#: In minutes: of what is booked, and of what is looked at.
HORIZON, LATEST = 20, 30


def hosts(count, vcpus):
    ledger = Ledger()
    for number in range(1, count + 1):
        ledger.put_host(LedgerHost(number, str(number), "nova", {"VCPU": vcpus}, {}, True))
    return ledger


def world(dice, now):
    """Three hosts, some slots and hosts that come and go, on minutes and between them."""
    ledger = hosts(3, 4)
    ledger.put_bundle(1, {"VCPU": 1})
    count = dice.randint(0, 14)
    starts = [dice.randrange(HORIZON) * MINUTE for _ in range(count)]
    starts = [max(now, start) if dice.random() < 0.3 else start for start in starts]
    ledger.put_bookings(
        range(count),
        range(count),
        [dice.choice((1, 2, 3)) for _ in range(count)],
        [dice.choice((1, 1, 1, -1)) for _ in range(count)],
        [dice.choice((1, 2)) for _ in range(count)],
        starts,
        [start + dice.randint(1, 9) * MINUTE + dice.choice((0, 0, 7)) for start in starts],
        [0] * count,
    )
    for number in range(dice.choice((0, 0, 1, 2))):
        start = dice.randrange(HORIZON) * MINUTE
        ledger.put_adjustment(
            LedgerAdjustment(
                number,
                None,
                start,
                start + dice.randint(1, 15) * MINUTE,
                {dice.choice(("VCPU", "INSTANCE")): dice.choice((-6, -3, 2, 4))},
            )
        )
    return ledger


def wish(dice):
    if dice.random() < 0.4:
        least = dice.choice((1, 1, 2, 3))
        return WholeHosts(least, least)
    return Slots(dice.choice((1, 3, 6)), {"VCPU": dice.choice((1, 2, 3))}, None)


class TestWindows(base.TestCase):
    def expected(self, ledger, now, wanted):
        """Each minute is tried, from where the last window ended."""
        found, start = [], wanted.first
        while len(found) < wanted.limit and start + wanted.length <= wanted.latest:
            requests = ahead(wanted.at(start), now)
            if isinstance(admit(ledger, requests, now), Plan):
                found.append(start)
                start = -((start + wanted.length) // -MINUTE) * MINUTE
            else:
                start += MINUTE
        return found

    def test_they_are_the_earliest_that_are_admitted_and_no_earlier_one_is(self):
        seen = collections.Counter()
        for seed in range(250):
            dice = random.Random(seed)
            now = dice.choice((0, 3 * MINUTE, 3 * MINUTE + 20_000_000))
            wanted = _Wanted(
                [wish(dice) for _ in range(dice.choice((1, 1, 2)))],
                (now // MINUTE + dice.choice((0, 0, 1, 5))) * MINUTE,
                LATEST * MINUTE,
                dice.choice((MINUTE, 3 * MINUTE, 5 * MINUTE + 1_000_000)),
                dice.choice((1, 2, 5)),
                "demo",
            )
            ledger = world(dice, now)
            part = ledger.excerpt(wanted.first, wanted.latest, now)
            answer = _answer(Snapshot(part, 1, now), Budget(), wanted)
            expected = self.expected(ledger, now, wanted)
            self.assertEqual(
                expected, [times.to_micros(each.start) for each in answer.windows], seed
            )
            self.assertIsNone(answer.searched_until)
            self.assertEqual(not expected, bool(answer.reasons), seed)
            seen[len(expected)] += 1
        self.assertGreater(seen[0], 5, seen)
        self.assertGreater(seen[1] + seen[2], 50, seen)

    def test_many_reservations_are_tried_as_a_create_tries_them(self):
        """Those of which only some order of placing them succeeds."""
        sizes = "6 5 8 3 12 5 11 12 12 10 13 9 11 7 4 11 6 10 9 10 7 7 16 5 7 9 6 1 9 5 10"
        demands = [Slots(1, {"VCPU": int(each)}, None) for each in sizes.split()]
        wanted = _Wanted(demands, MINUTE, 99 * MINUTE, 9 * MINUTE, 1, "demo")
        ledger = hosts(8, 32)
        self.assertIsInstance(admit(ledger, wanted.at(MINUTE), 0), Plan)
        answer = _answer(Snapshot(ledger, 1, 0), Budget(EVALUATIONS), wanted)
        self.assertEqual([MINUTE], [times.to_micros(each.start) for each in answer.windows])

    def test_of_many_the_earliest_is_what_trying_each_minute_finds(self):
        seen = collections.Counter()
        for seed in range(40):
            dice = random.Random(seed)
            ledger = hosts(4, 16)
            ledger.put_bundle(1, {"VCPU": 1})
            ends = [dice.randint(1, 6) * MINUTE for _ in range(4)]
            units = [dice.randint(1, 8) for _ in range(4)]
            ledger.put_bookings(
                range(4), range(4), (1, 2, 3, 4), [1] * 4, units, [0] * 4, ends, [0] * 4
            )
            demands, left = [], dice.randint(52, 63)
            while left > 0:
                size = min(dice.randint(2, 9), left)
                demands.append(Slots(1, {"VCPU": size}, None))
                left -= size
            wanted = _Wanted(demands, MINUTE, 12 * MINUTE, 3 * MINUTE, 1, "demo")
            answer = _answer(Snapshot(ledger, 1, 0), Budget(20 * EVALUATIONS), wanted)
            expected = self.expected(ledger, 0, wanted)
            self.assertEqual(
                expected, [times.to_micros(each.start) for each in answer.windows], seed
            )
            self.assertIsNone(answer.searched_until)
            self.assertEqual(not expected, bool(answer.reasons), seed)
            seen[len(expected)] += 1
            # Of a smaller budget nothing is said that is not so.
            little = _answer(Snapshot(ledger, 1, 0), Budget(60), wanted)
            if list(little.windows) != list(answer.windows):
                self.assertEqual((), little.windows)
                self.assertIsNotNone(little.searched_until)
                seen["unknown"] += 1
        self.assertGreater(min(seen[1], seen["unknown"]), 3, seen)

    def test_what_was_given_up_everywhere_is_said_not_to_be_a_proof(self):
        # Two hosts have room for all, and for no more than one each.
        demands = [Slots(1, {"VCPU": size}, None) for size in (10, 11, 9)]
        wanted = _Wanted(demands, 0, LATEST * MINUTE, 3 * MINUTE, 1, "demo")
        ledger = hosts(2, 16)
        answer = _answer(Snapshot(ledger, 1, 0), Budget(), wanted)
        self.assertEqual((), answer.windows)
        self.assertIsNone(answer.searched_until)
        self.assertIn("not all ways", answer.reasons[-1].text)
        self.assertNotIn("as things are booked", explain(ledger, wanted.at(0), 0).text)

    def test_no_window_has_reasons_also_where_there_was_no_time_for_them(self):
        ledger = hosts(3, 4)
        wanted = _Wanted([WholeHosts(4, 4)], 0, LATEST * MINUTE, 3 * MINUTE, 1, "demo")
        with mock.patch.object(availability, "explain", side_effect=OutOfTime):
            answer = _answer(Snapshot(ledger, 1, 0), Budget(), wanted)
        self.assertEqual(["unexplained"], [each.check for each in answer.reasons])

    def test_where_the_budget_ends_it_is_said(self):
        dice = random.Random(1)
        ledger, now = world(dice, 0), 0
        wanted = _Wanted([WholeHosts(3, 3)], 0, LATEST * MINUTE, 3 * MINUTE, 5, "demo")
        answer = _answer(Snapshot(ledger, 1, now), Budget(3), wanted)
        self.assertLess(len(answer.windows), 5)
        self.assertIsNotNone(answer.searched_until)
