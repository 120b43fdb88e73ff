# SPDX-License-Identifier: Apache-2.0
"""Copies of a ledger: they have what a decision needs, and stay as they are."""

import unittest
from dataclasses import replace

from promise_blazar.capacity.admission import admit
from promise_blazar.capacity.demand.request import AllocationRequest, Window
from promise_blazar.capacity.demand.slots import Slots
from promise_blazar.capacity.explanation import explain
from promise_blazar.capacity.ledger import OPEN, Booking, LedgerHost
from promise_blazar.capacity.resource_query import parse
from promise_blazar.tests.unit.capacity import oracle, worlds


class CopiesTest(unittest.TestCase):
    def test_a_decision_on_an_excerpt_is_that_on_the_ledger(self):
        for seed in range(400):
            with self.subTest(seed=seed):
                world, requests = worlds.crowded(seed, 1 + seed % 3)
                ledger = world.ledger()
                start = min(request.window.start for request in requests)
                end = max(request.window.end for request in requests)
                excerpt = ledger.excerpt(start, end, world.now)
                self.assertLessEqual(len(excerpt), len(ledger))
                self.assertEqual(
                    admit(ledger, requests, world.now, world.exclude),
                    admit(excerpt, requests, world.now, world.exclude),
                )

    def test_so_is_an_explanation_on_all_that_is_to_come(self):
        for seed in range(300):
            with self.subTest(seed=seed):
                world, requests = worlds.crowded(seed, 1 + seed % 2)
                ledger = world.ledger()
                start = min(request.window.start for request in requests)
                excerpt = ledger.excerpt(start, OPEN, world.now)
                self.assertEqual(
                    explain(ledger, requests, world.now, world.exclude, granularity=1),
                    explain(excerpt, requests, world.now, world.exclude, granularity=1),
                )

    def test_the_count_is_what_a_decision_looks_at_or_more(self):
        for seed in range(200):
            world, (request,) = worlds.crowded(seed)
            ledger, window = world.ledger(), request.window
            rows = ledger.rows(window.start, window.end, -1)
            self.assertGreaterEqual(ledger.count(window.start, window.end), len(rows.slot))

    def test_a_copy_stays_as_it_is_when_the_ledger_changes(self):
        query = parse('["=", "$gpu", "1"]')
        request = AllocationRequest("a", Slots(2, {"VCPU": 1}, None, (query,)), Window(10, 20))
        host = LedgerHost(1, "c1", "nova", {"VCPU": 4}, {"gpu": "1"}, True)
        world = oracle.World([host], {1: {"VCPU": 1}}, [Booking(1, 1, 1, 1, 1, 0, 15, False)], 0)
        changes = {
            "a host is smaller": lambda ledger: ledger.put_host(replace(host, capacity={})),
            "a host is another": lambda ledger: ledger.put_host(replace(host, properties={})),
            "a host goes": lambda ledger: ledger.drop_host(1),
            "hosts come": lambda ledger: [
                ledger.put_host(replace(host, id=number)) for number in range(2, 200)
            ],
            "a booking comes on an unknown host": lambda ledger: oracle.put(
                ledger, [Booking(7, 1, 99, None, 1, 0, 50, False)]
            ),
            "a booking grows": lambda ledger: oracle.put(
                ledger, [Booking(1, 1, 1, 1, 4, 0, 50, False)]
            ),
            "a booking goes": lambda ledger: ledger.drop_bookings([1]),
            "a bundle comes": lambda ledger: ledger.put_bundle(2, {"PCPU": 3}),
        }
        for name, change in changes.items():
            for copied in (lambda ledger: ledger.copy(), lambda ledger: ledger.excerpt(10, 20, 0)):
                with self.subTest(name):
                    ledger = world.ledger()
                    copy = copied(ledger)
                    before = (admit(copy, [request], 0), copy.bookings_of(1), dict(copy.hosts))
                    change(ledger)
                    after = (admit(copy, [request], 0), copy.bookings_of(1), dict(copy.hosts))
                    self.assertEqual(before, after)

    def test_nor_does_the_ledger_when_a_copy_does(self):
        world, _ = worlds.crowded(3)
        ledger = world.ledger()
        before = dict(ledger.hosts)
        copy = ledger.copy()
        copy.drop_host(world.hosts[0].id)
        self.assertEqual(before, dict(ledger.hosts))
