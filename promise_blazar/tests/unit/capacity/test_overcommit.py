# SPDX-License-Identifier: Apache-2.0
import unittest

from hypothesis import given

from promise_blazar.capacity.ledger import OPEN, Booking, LedgerHost
from promise_blazar.capacity.overcommit import Commitments, Excess
from promise_blazar.tests.unit.capacity import oracle, worlds


def judged(world):
    """Instant by instant, from now to the end of what can be booked."""
    found = []
    for host in world.hosts:
        for name in ("MEMORY_MB", "VCPU"):
            there = host.capacity.get(name, 0)
            used = {
                instant: sum(
                    world.bundles[b.bundle].get(name, 0) * b.units
                    for b in world.bookings
                    if b.host == host.id and b.bundle and oracle.covers(world, b, instant)
                )
                for instant in range(world.now, 2 * worlds.HORIZON)
            }
            above = [instant for instant, units in used.items() if units > there]
            if above:
                most = max(used.values())
                found.append(Excess(host.name, name, most, there, above[0]))
    return sorted(found, key=lambda each: (each.host, each.resource_class))


class OverbookingTest(unittest.TestCase):
    @worlds.exact(400)
    @given(worlds.worlds())
    def test_what_is_promised_and_not_there(self, world):
        world.exclude = frozenset()
        self.assertEqual(judged(world), Commitments(world.ledger(), world.now).excesses())

    def test_what_is_promised_and_not_there_in_a_crowd(self):
        for seed in range(400):
            with self.subTest(seed=seed):
                world, _ = worlds.crowded(seed)
                world.exclude = frozenset()
                self.assertEqual(judged(world), Commitments(world.ledger(), world.now).excesses())

    def test_a_host_that_is_lent_whole_is_promised_as_it_is(self):
        host = LedgerHost(1, "compute-1", "nova", {"VCPU": 0}, {}, reservable=True)
        booking = Booking(1, 1, 1, None, 1, start=5, end=OPEN, released=False)
        world = oracle.World([host], worlds.BUNDLES, [booking], now=0)
        self.assertEqual([], Commitments(world.ledger(), 0).excesses())

    def test_a_promise_without_an_end(self):
        host = LedgerHost(1, "compute-1", "nova", {"VCPU": 3}, {}, reservable=True)
        booking = Booking(1, 1, 1, 2, 2, start=5, end=OPEN, released=False)
        world = oracle.World([host], worlds.BUNDLES, [booking], now=0)
        self.assertEqual(
            [Excess("compute-1", "VCPU", 4, 3, 5)], Commitments(world.ledger(), 0).excesses()
        )
