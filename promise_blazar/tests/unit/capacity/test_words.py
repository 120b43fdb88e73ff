# SPDX-License-Identifier: Apache-2.0
"""The words of refusals: they agree with their counts, and say what they mean."""

import re
import unittest
from dataclasses import replace

from promise_blazar.capacity.admission import Refusal, admit
from promise_blazar.capacity.demand.request import AllocationRequest, Placement, Window
from promise_blazar.capacity.demand.slots import Slots
from promise_blazar.capacity.demand.whole_hosts import WholeHosts
from promise_blazar.capacity.explanation import explain
from promise_blazar.capacity.ledger import Booking
from promise_blazar.capacity.resource_query import parse
from promise_blazar.model.words import counted
from promise_blazar.tests.unit.capacity import worlds
from promise_blazar.tests.unit.capacity.test_explanation import host, world_of

HOUR = 3600 * 10**6
WINDOW = Window(HOUR, 2 * HOUR)


def said(world, demand, **request):
    asked = AllocationRequest("a", demand, WINDOW, **request)
    return explain(world.ledger(), [asked], world.now)


class WordsTest(unittest.TestCase):
    def test_counts_agree_with_their_nouns(self):
        self.assertEqual(
            ["0 hosts", "1 host", "2 hosts"], [counted(count, "host") for count in range(3)]
        )

    def test_h9_one_is_one(self):
        query = parse('["=", "$gpu", "1"]')
        self.assertEqual(
            '1 host: 1 lacks ["=", "$gpu", "1"], 0 fit, 1 asked; it will never fit on these hosts:'
            " 0 hosts at most, even with nothing booked",
            said(world_of(host(1)), WholeHosts(1, 1, (query,))).text,
        )
        self.assertEqual(
            "1 host: 1 fits, 2 asked; it will never fit on these hosts: 1 host at most, even with"
            " nothing booked",
            said(world_of(host(1)), WholeHosts(2, 2)).text,
        )
        taken = Booking(1, 1, 1, 1, 7, 0, 5 * HOUR, False)
        self.assertEqual(
            "1 host: 1 has room for 1 slot, 3 slots asked",
            said(world_of(host(1), bookings=(taken,)), Slots(3, {"VCPU": 1}, None)).text,
        )

    def test_h9_nothing_fits_no_slots(self):
        taken = Booking(1, 1, 1, None, 1, 0, 5 * HOUR, False)
        self.assertEqual(
            "1 host: 1 busy 1970-01-01 01:00 to 1970-01-01 02:00, 0 fit, 3 slots asked",
            said(world_of(host(1), bookings=(taken,)), Slots(3, {"VCPU": 1}, None)).text,
        )

    def test_h9_no_refusal_counts_wrongly(self):
        one = r"\b1 (?:hosts|slots|fit|lack|have|are)\b"
        wrong = re.compile(one + r"|\b(?:[02-9]|\d\d+) (?:host|slot|fits|lacks|has)\b")
        for seed in range(400):
            world, requests = worlds.crowded(seed, 1 + seed % 2)
            text = explain(world.ledger(), requests, world.now, world.exclude).text
            self.assertNotRegex(text, wrong)

    def test_h10_one_slot_needs_no_other_host(self):
        query = parse('["=", "$gpu", "1"]')
        answer = said(world_of(host(1)), Slots(1, {"VCPU": 1}, False, (query,)))
        self.assertIn("0 fit, 1 slot asked", answer.text)
        self.assertNotIn("own", answer.text)

    def test_slots_apart(self):
        world = world_of(host(1), host(2))
        answer = said(world, Slots(3, {"VCPU": 1}, False))
        self.assertIn("2 fit, 3 slots asked, each on a host of its own", answer.text)

    def test_what_can_never_be_is_said_to_be_never(self):
        world = world_of(host(1), host(2))
        answer = said(world, Slots(1, {"VCPU": 9}, None))
        self.assertIn("it will never fit on these hosts", answer.text)
        self.assertEqual(("never", 0), (answer.reasons[-1].check, answer.reasons[-1].hosts))

    def test_what_takes_more_together_than_there_is_never_fits(self):
        world = world_of(host(1), host(2))
        asks = [AllocationRequest(str(n), Slots(6, {"VCPU": 1}, None), WINDOW) for n in range(3)]
        answer = explain(world.ledger(), asks, 0)
        self.assertIn("never fit on these hosts: all of it takes 18 VCPU of their 16", answer.text)
        self.assertNotIn("never", explain(world.ledger(), asks[:2], 0).text)

    def test_never_is_true_of_the_same_hosts_with_nothing_booked(self):
        said_so = 0
        for seed in range(600):
            world, requests = worlds.crowded(seed, 1 + seed % 3)
            requests = [replace(each, pinned=False, window=WINDOW) for each in requests]
            if explain(world.ledger(), requests, 0).never:
                said_so += 1
                empty = replace(world, bookings=[]).ledger()
                self.assertIsInstance(admit(empty, requests, 0), Refusal, seed)
        self.assertGreater(said_so, 50)

    def test_what_could_be_is_not(self):
        taken = Booking(1, 1, 1, None, 1, 0, 2**62, False)
        answer = said(world_of(host(1), bookings=(taken,)), WholeHosts(1, 1))
        self.assertNotIn("never", answer.text)

    def test_h3_what_runs_is_not_said_to_lack_room(self):
        world = world_of(host(1), host(2), host(3))
        keep = (Placement(1, 1), Placement(2, 1))
        answer = said(world, WholeHosts(1, 1), keep=keep, pinned=True)
        self.assertEqual(
            "the reservation is running and cannot be made smaller: it has 2 hosts, and 1 is"
            " asked for",
            answer.text,
        )
        self.assertEqual({}, answer.fits)
