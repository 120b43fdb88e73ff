# SPDX-License-Identifier: Apache-2.0
import unittest
from unittest import mock

from promise_blazar.capacity import instants
from promise_blazar.capacity.demand.request import Window
from promise_blazar.capacity.ledger import OPEN, Booking, Ledger, LedgerAdjustment, LedgerHost
from promise_blazar.capacity.pool_timeline import PoolTimeline
from promise_blazar.tests.unit.capacity import oracle, pool_oracle, pool_worlds, worlds


class PoolTimelineAgainstTheOracleTest(unittest.TestCase):
    def test_every_figure_of_every_instant_zone_class_and_view(self):
        for seed in range(80):
            with self.subTest(seed=seed):
                self._check(seed)

    def test_instants_are_the_same_where_most_are_numbered_and_few_are_odd(self):
        for step in (1, 2, 3):
            with (
                mock.patch.object(instants, "_MANY", 1),
                mock.patch.object(instants, "_STEP", step),
                mock.patch.object(instants, "_STEPS_OF_ONE", 100),
            ):
                for seed in range(20):
                    with self.subTest(seed=seed, step=step):
                        self._check(seed)

    def test_sums_are_exact_where_floating_point_is_not(self):
        with mock.patch.object(instants, "_EXACT", 0):
            for seed in range(20):
                with self.subTest(seed=seed):
                    self._check(seed)

    def _check(self, seed):
        world, (request,) = pool_worlds.adjusted(seed)
        ledger = pool_worlds.stirred(world, seed) if seed % 2 else world.ledger()
        ledger = ledger if seed % 3 else ledger.copy()
        window = Window(request.window.start, request.window.end + 4)
        rows = ledger.rows(window.start, window.end, world.now, at_once=False)
        for zone in (None, *pool_worlds.ZONES, "nowhere"):
            self.assertEqual(sorted(pool_oracle.tracked(world, zone)), ledger.tracked(zone))
            for project in (None, *pool_worlds.PROJECTS, pool_oracle.NOBODY):
                seen = PoolTimeline(ledger, rows, window, zone, pool_worlds.CLASSES, project)
                times = seen.times.tolist()
                self.assertEqual(window.start, times[0])
                self.assertEqual(sorted(set(times)), times)
                self.assertTrue(all(time < window.end for time in times))
                for name in pool_worlds.CLASSES:
                    self._check_class(world, window, zone, project, name, seen)

    def _check_class(self, world, window, zone, project, name, seen):
        total, reserved = seen.total(name).tolist(), seen.reserved(name).tolist()
        available = seen.available(name).tolist()
        times = seen.times.tolist()
        place = -1
        for instant in range(window.start, window.end):
            if place + 1 < len(times) and times[place + 1] == instant:
                place += 1
            charges = pool_oracle.booked(world, world.bookings, instant)
            expected = pool_oracle.figures(world, charges, zone, name, instant, project)
            self.assertEqual(
                expected,
                pool_oracle.Figures(total[place], reserved[place], available[place]),
                (zone, project, name, instant),
            )


def cloud(*adjustments: LedgerAdjustment) -> Ledger:
    ledger = Ledger()
    for number, zone in ((1, "east"), (2, "west")):
        ledger.put_host(LedgerHost(number, f"compute-{number}", zone, {"VCPU": 8}, {}, True))
    ledger.put_bundle(1, {"VCPU": 2})
    for adjustment in adjustments:
        ledger.put_adjustment(adjustment)
    return ledger


class SupplyTest(unittest.TestCase):
    def test_a_copy_stays_as_it_is(self):
        ledger = cloud(LedgerAdjustment(1, None, 0, OPEN, {"VCPU": -4}))
        copies = (ledger.copy(), ledger.excerpt(0, 10, 0))
        ledger.put_adjustment(LedgerAdjustment(2, "west", 0, OPEN, {"GPU": 1}))
        ledger.drop_adjustment(1)
        ledger.drop_adjustment(77)
        for each in copies:
            self.assertEqual([1], list(each.adjustments))
            self.assertEqual(["VCPU"], each.tracked())
        self.assertEqual([2], list(ledger.adjustments))
        self.assertEqual(["GPU", "VCPU"], ledger.tracked("west"))
        self.assertEqual(["VCPU"], ledger.tracked("east"))

    def test_zones_are_those_of_hosts_and_adjustments(self):
        ledger = cloud(LedgerAdjustment(1, "north", 0, OPEN, {"VCPU": 4}))
        self.assertEqual(["east", "north", "west"], ledger.zones())
        ledger.drop_host(2)
        self.assertEqual(["east", "north"], ledger.zones())
        self.assertEqual([], ledger.tracked("west"))
        ledger.put_host(LedgerHost(1, "compute-1", "west", {"PCPU": 8}, {}, True))
        self.assertEqual(["north", "west"], ledger.zones())
        self.assertEqual(["PCPU"], ledger.tracked("west"))

    def test_whose_reservations_are_is_asked_where_there_are_carve_outs(self):
        ledger = cloud(LedgerAdjustment(1, None, 0, OPEN, {"VCPU": 4}))
        oracle.put(ledger, [Booking(n, n, 1, 1, 1, 0, 10, False) for n in (1, 2, 3)])
        self.assertEqual([], ledger.unowned())
        ledger.put_adjustment(LedgerAdjustment(2, None, 0, OPEN, {"VCPU": 1}, 1, frozenset("a")))
        self.assertEqual([1, 2, 3], ledger.unowned())
        ledger.put_owners({1: "a", 3: "b"})
        oracle.put(ledger, [Booking(4, 4, 1, 1, 1, 0, 10, False)])
        self.assertEqual([2, 4], ledger.unowned())
        ledger.drop_bookings([2])
        self.assertEqual([4], ledger.unowned())
        ledger.put_owners({4: "a"})
        self.assertEqual([], ledger.unowned())
        self.assertEqual([], ledger.copy().unowned())

    def test_projects_of_reservations_long_gone_are_forgotten(self):
        ledger = cloud()
        ledger.put_owners(dict.fromkeys(range(5000), "a"))
        oracle.put(ledger, [Booking(1, 7, 1, 1, 1, 0, 10, False)])
        ledger.put_owners({7: "b"})
        self.assertEqual(1, ledger.supply.owned)

    def test_many_bookings_are_numbered_and_summed(self):
        ledger = cloud()
        oracle.put(
            ledger,
            [
                Booking(n, n, 1, 1, 1, n * 60_000_000, (n + 3) * 60_000_000, False)
                for n in range(1, 5001)
            ],
        )
        window = Window(30_000_000, 100 * 60_000_000 + 1)
        rows = ledger.rows(window.start, 10**15, 0, at_once=False)
        seen = PoolTimeline(ledger, rows, Window(window.start, 10**15), None, ["VCPU"])
        self.assertEqual([0, 2, 4, 6, 6], seen.reserved("VCPU")[:5].tolist())
        self.assertEqual(30_000_000, seen.times[0])
        self.assertEqual(60_000_000, seen.times[1])


class HorizonTest(unittest.TestCase):
    def test_worlds_have_what_is_to_be_judged(self):
        found = set()
        for seed in range(100):
            world, _ = pool_worlds.adjusted(seed)
            groups = pool_oracle.groups(world)
            found.add(("carved", len(groups)))
            for instant in range(worlds.HORIZON):
                charges = pool_oracle.booked(world, world.bookings, instant)
                for name in pool_worlds.CLASSES:
                    left = pool_oracle.figures(world, charges, None, name, instant, None)
                    found.add("short" if left.available < 0 else "enough")
        self.assertLessEqual({"short", "enough", ("carved", 2)}, found)
