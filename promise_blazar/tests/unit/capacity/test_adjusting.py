# SPDX-License-Identifier: Apache-2.0
import collections
import dataclasses
import random
import unittest
from unittest import mock

from promise_blazar.capacity.adjusting import Affected, Shortage, affected, still_short
from promise_blazar.capacity.instants import Instants
from promise_blazar.capacity.ledger import OPEN, Booking, Ledger, LedgerAdjustment, LedgerHost
from promise_blazar.tests.unit.capacity import oracle, pool_oracle, pool_worlds, worlds

#: Nothing changes later.
_END = 3 * worlds.HORIZON


class AffectedAgainstTheOracleTest(unittest.TestCase):
    def test_who_books_what_begins_to_be_short_or_is_shorter(self):
        seen = collections.Counter()
        for seed in range(150):
            with self.subTest(seed=seed):
                seen[self._check(seed)] += 1
        self.assertGreater(seen[True], 20, seen)
        self.assertGreater(seen[False], 20, seen)

    def test_who_still_books_what_is_short(self):
        for seed in range(60):
            with self.subTest(seed=seed):
                world, _ = pool_worlds.adjusted(seed)
                some = frozenset(random.Random(seed).sample(range(1, 7), 3))
                expected = set()
                for zone in (None, *pool_worlds.ZONES):
                    named = {name for a in pool_oracle.scope(world, zone) for name in a.amounts}
                    for name in named:
                        for instant in range(world.now, _END):
                            lacks = lacking(world, zone, name, instant)
                            expected |= booking(
                                world, zone, name, instant, lacks.general > 0, lacks.covered > 0
                            )
                found = still_short(world.ledger(), some, world.now)
                self.assertEqual(expected & some, found)

    def _check(self, seed):
        world, _ = pool_worlds.adjusted(seed)
        dice = random.Random(seed)
        changed = dice.choice(world.adjustments)
        without = dataclasses.replace(
            world, adjustments=[each for each in world.adjustments if each is not changed]
        )
        before, after = (without, world) if dice.random() < 0.6 else (world, without)
        reservations, shortages, nothing = set(), set(), pool_oracle.Lacking(0, 0, 0)
        for zone in (None, *pool_worlds.ZONES):
            for name in pool_oracle.tracked(after, zone):
                by = []
                known = name in pool_oracle.tracked(before, zone)
                for instant in range(world.now, _END):
                    lacks = lacking(after, zone, name, instant)
                    had = lacking(before, zone, name, instant) if known else nothing
                    general, covered = lacks.general > had.general, lacks.covered > had.covered
                    reservations |= booking(after, zone, name, instant, general, covered)
                    if general or covered or lacks.apart > had.apart:
                        by.append((-lacks.general - lacks.apart, instant))
                if by:
                    lacks, instant = min(by)
                    shortages.add(Shortage(zone, name, instant, -lacks))
        found = affected(before.ledger(), after.ledger(), world.now)
        self.assertEqual(frozenset(reservations), found.reservations)
        self.assertEqual(shortages, set(found.shortages))
        return bool(shortages)


def lacking(world, zone, name, instant):
    charges = pool_oracle.booked(world, world.bookings, instant)
    return pool_oracle.lacking(world, charges, zone, name, instant)


def booking(world, zone, name, instant, general, covered):
    """Reservations that book the class in the scope then: those that no share covers where the
    general pool has too little, all where there is too little for what shares cover."""
    charges = pool_oracle.booked(world, world.bookings, instant)
    return {
        each.reservation
        for each in world.bookings
        if each.start <= instant < each.end
        and pool_oracle.level(world, pool_oracle.booked(world, [each], instant), zone, name) > 0
        and (
            covered
            or (
                general
                and not any(
                    world.owners.get(each.reservation) in group
                    and pool_oracle.level(
                        world, [c for c in charges if c.project in group], zone, name
                    )
                    <= pool_oracle.share_of(world, group, zone, name, instant)
                    for group in pool_oracle.groups(world)
                )
            )
        )
    }


class AffectedTest(unittest.TestCase):
    def _ledger(self, *adjustments):
        ledger = Ledger()
        ledger.put_host(LedgerHost(1, "compute-1", "east", {"VCPU": 8}, {}, True))
        ledger.put_bundle(1, {"VCPU": 1})
        oracle.put(
            ledger,
            [
                Booking(1, 1, 1, 1, 4, 0, 10, False),
                Booking(2, 2, 1, 1, 4, 10, 20, False),
                Booking(3, 3, 1, 1, 3, 15, OPEN, False),
            ],
        )
        for adjustment in adjustments:
            ledger.put_adjustment(adjustment)
        return ledger

    def test_a_decrease_touches_those_who_book_while_there_is_too_little(self):
        less = LedgerAdjustment(1, "east", 5, 30, {"VCPU": -3})
        self.assertEqual(
            Affected(
                frozenset({2, 3}),
                (Shortage(None, "VCPU", 15, 2), Shortage("east", "VCPU", 15, 2)),
            ),
            affected(self._ledger(), self._ledger(less), 0),
        )
        self.assertEqual(
            Affected(frozenset(), ()), affected(self._ledger(), self._ledger(less), 20)
        )
        self.assertEqual(frozenset({2}), still_short(self._ledger(less), frozenset({1, 2}), 12))
        self.assertEqual(frozenset(), still_short(self._ledger(), frozenset({1, 2}), 12))

    def test_deleting_what_was_more_than_hosts_have_touches_nobody_where_hosts_are_enough(self):
        more = LedgerAdjustment(1, None, 0, OPEN, {"VCPU": 4})
        self.assertEqual(
            Affected(frozenset(), ()), affected(self._ledger(more), self._ledger(), 0)
        )

    def test_a_class_that_nothing_names_any_more_limits_nobody(self):
        servers = LedgerAdjustment(1, None, 0, OPEN, {"INSTANCE": 2})
        self.assertEqual(
            Affected(frozenset(), ()), affected(self._ledger(servers), self._ledger(), 0)
        )

    def test_who_names_a_class_first_limits_it_at_all_times(self):
        servers = LedgerAdjustment(1, None, 0, 10, {"INSTANCE": 5})
        self.assertEqual(
            Affected(frozenset({2, 3}), (Shortage(None, "INSTANCE", 15, 7),)),
            affected(self._ledger(), self._ledger(servers), 0),
        )
        enough = LedgerAdjustment(1, None, 0, OPEN, {"INSTANCE": 7})
        self.assertEqual(
            Affected(frozenset(), ()), affected(self._ledger(), self._ledger(enough), 0)
        )

    def test_a_carve_out_touches_others_than_those_it_is_for(self):
        whole = LedgerAdjustment(1, None, 0, OPEN, {"VCPU": 4})
        part = LedgerAdjustment(2, None, 0, OPEN, {"VCPU": 9}, 1, frozenset({"mine"}))
        before, after = self._ledger(whole), self._ledger(whole, part)
        for ledger in (before, after):
            ledger.put_owners({1: "theirs", 2: "theirs", 3: "mine"})
        self.assertEqual(frozenset({1, 2}), affected(before, after, 0).reservations)

    def test_1_what_is_set_apart_and_no_longer_there_touches_those_it_was_for(self):
        whole = LedgerAdjustment(1, None, 0, OPEN, {"GPU": 4})
        part = LedgerAdjustment(2, None, 0, OPEN, {"GPU": 4}, 1, frozenset({"mine"}))
        less = LedgerAdjustment(3, None, 8, 20, {"GPU": -3})
        before, after = self._ledger(whole, part), self._ledger(whole, part, less)
        self.assertEqual(
            Affected(frozenset(), (Shortage(None, "GPU", 8, 3),)), affected(before, after, 0)
        )
        for ledger in (before, after):
            ledger.put_bundle(2, {"GPU": 1})
            ledger.put_bookings([4], [4], [1], [2], [2], [0], [10], [0])
            ledger.put_owners({1: "theirs", 2: "theirs", 3: "mine", 4: "mine"})
        self.assertEqual(
            Affected(frozenset({4}), (Shortage(None, "GPU", 8, 3),)), affected(before, after, 0)
        )
        self.assertEqual(frozenset({4}), still_short(after, frozenset({1, 4}), 0))
        self.assertEqual(frozenset(), still_short(before, frozenset({1, 4}), 0))

    def test_4_what_a_group_has_is_summed_once_however_many_projects_it_has(self):
        found = []
        for count in (1, 50):
            projects = [f"p{number}" for number in range(count)]
            whole = LedgerAdjustment(1, None, 0, OPEN, {"INSTANCE": 11})
            part = LedgerAdjustment(2, None, 0, OPEN, {"INSTANCE": 4}, 1, frozenset(projects))
            less = LedgerAdjustment(3, None, 0, OPEN, {"INSTANCE": -6})
            before, after = self._ledger(whole, part), self._ledger(whole, part, less)
            for ledger in (before, after):
                ledger.put_owners({1: projects[0], 2: projects[-1], 3: "other"})
            level = Instants.level
            with mock.patch.object(Instants, "level", autospec=True, side_effect=level) as summed:
                self.assertEqual({3}, affected(before, after, 0).reservations)
                still_short(after, frozenset({2, 3}), 0)
            found.append(summed.call_count)
        self.assertEqual(found[0], found[1])
