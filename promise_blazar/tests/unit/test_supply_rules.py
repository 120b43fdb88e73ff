# SPDX-License-Identifier: Apache-2.0
"""What may be on offer, beside the same rules tried at each instant."""

import collections
import dataclasses
import itertools
import random
from datetime import UTC, datetime

from promise_blazar import exceptions
from promise_blazar.manager.ledger.changes import DroppedAdjustment, NewAdjustment
from promise_blazar.manager.ledger.supply_rules import judged
from promise_blazar.model.adjustment import Adjustment
from promise_blazar.tests import base
from promise_blazar.tests.unit.capacity import pool_oracle, pool_worlds, worlds

#: Before the first instant, and after the last, at which anything changes.
_INSTANTS = range(-8, 3 * worlds.HORIZON)
BAD, CONFLICT = exceptions.BadInput.code, exceptions.AdjustmentConflict.code


def record(each):
    """An adjustment of the ledger as it is on record."""
    return Adjustment(
        each.id,
        str(each.id),
        1,
        each.zone,
        each.start,
        each.end,
        each.source,
        False,
        1,
        datetime(2030, 1, 1, tzinfo=UTC),
        each.amounts,
        tuple(sorted(each.projects)),
    )


def covers(each, instant):
    return each.start <= instant < each.end


def made(world, new):
    """Why it is not made; None: it is, or breaks promises."""
    zones = {host.zone for host in world.hosts} | {each.zone for each in world.adjustments}
    less = [name for name, amount in new.amounts.items() if amount < 0]
    if new.zone is not None and new.zone not in zones and (less or new.source):
        return BAD
    if new.source is None:
        after = dataclasses.replace(world, adjustments=[*world.adjustments, new])
        return below_nothing(after, new, less)
    (source,) = (each for each in world.adjustments if each.id == new.source)
    if source.source is not None or source.zone != new.zone:
        return BAD
    if any(covers(new, instant) and not covers(source, instant) for instant in _INSTANTS):
        return BAD
    for instant in _INSTANTS:
        if not covers(new, instant):
            continue
        carved = [each for each in world.adjustments if each.source and covers(each, instant)]
        for name, amount in new.amounts.items():
            taken = [e.amounts.get(name, 0) for e in carved if e.source == new.source]
            if amount + sum(taken) > source.amounts.get(name, 0):
                return CONFLICT
        for each in carved:
            if each.projects != new.projects and each.projects & new.projects:
                return CONFLICT
    after = dataclasses.replace(world, adjustments=[*world.adjustments, new])
    for zone, name, instant in places(after, new, new.amounts):
        if covers(new, instant) and lacking(after, zone, name, instant).apart:
            return CONFLICT
    return None


def taken_back(world, gone):
    if any(each.source == gone.id for each in world.adjustments):
        return CONFLICT
    rest = [each for each in world.adjustments if each is not gone]
    after = dataclasses.replace(world, adjustments=rest)
    more = [name for name, amount in gone.amounts.items() if amount > 0]
    less = None if gone.source is not None else below_nothing(after, gone, more)
    return less or set_apart_alone(world, after, gone)


def places(after, changed, names):
    """Where to look at these classes, and when."""
    return itertools.product(
        {None, changed.zone}, names, (each for each in _INSTANTS if each >= after.now)
    )


def lacking(world, zone, name, instant):
    charges = pool_oracle.booked(world, world.bookings, instant)
    return pool_oracle.lacking(world, charges, zone, name, instant)


def set_apart_alone(before, after, changed):
    """Is less there than is set apart, less than it was, and nobody's promise broken?"""
    apart, nothing = False, pool_oracle.Lacking(0, 0, 0)
    for zone, name, instant in places(after, changed, changed.amounts):
        if name not in pool_oracle.tracked(after, zone):
            continue
        known = name in pool_oracle.tracked(before, zone)
        had = lacking(before, zone, name, instant) if known else nothing
        lacks = lacking(after, zone, name, instant)
        if lacks.general > had.general or lacks.covered > had.covered:
            return None
        apart |= lacks.apart > had.apart
    return CONFLICT if apart else None


def below_nothing(after, changed, names):
    for zone in (None, changed.zone):
        for name in names:
            for instant in _INSTANTS:
                if instant < after.now or not covers(changed, instant):
                    continue
                if pool_oracle.offered(after, zone, name, instant) < 0:
                    return CONFLICT
    return None


class TestRules(base.TestCase):
    def verdict(self, world, change):
        try:
            judged(world.ledger(), change, world.now, lambda numbers: dict.fromkeys(numbers, ""))
        except exceptions.PromiseBlazarError as error:
            return error.code
        return None

    def test_what_is_made_and_what_is_not(self):
        seen = collections.Counter()
        for seed in range(1200):
            world, _ = pool_worlds.adjusted(seed)
            dice = random.Random(seed)
            new = pool_worlds._adjustment(dice, 50)  # noqa: SLF001
            if dice.random() < 0.6:
                source = dice.choice(world.adjustments)
                new = pool_worlds._carve_out(dice, 50, source)  # noqa: SLF001
                if dice.random() < 0.1:
                    new = dataclasses.replace(new, zone=dice.choice(pool_worlds.ZONES))
            elif dice.random() < 0.1:
                new = dataclasses.replace(new, zone="south")
            elif carved := [each for each in world.adjustments if each.source is not None]:
                new = pool_worlds.withdrawal(dice, 50, dice.choice(carved))
            expected = made(world, new)
            seen[expected, new.source is None] += 1
            change = NewAdjustment(record(new), force=True)
            self.assertEqual(expected, self.verdict(world, change), seed)
            after = dataclasses.replace(world, adjustments=[*world.adjustments, new])
            if expected is None and set_apart_alone(world, after, new):
                seen["set apart alone"] += 1
                change = NewAdjustment(record(new))
                self.assertEqual(CONFLICT, self.verdict(world, change), seed)
        self.assertGreater(seen["set apart alone"], 4, seen)
        for kind in ((BAD, True), (BAD, False), (CONFLICT, True), (CONFLICT, False)):
            self.assertGreater(seen[kind], 5, seen)
        self.assertGreater(seen[None, True], 50, seen)
        self.assertGreater(seen[None, False], 5, seen)

    def test_what_is_taken_back_and_what_is_not(self):
        seen = collections.Counter()
        for seed in range(300):
            world, _ = pool_worlds.adjusted(seed)
            gone = random.Random(seed).choice(world.adjustments)
            expected = taken_back(world, gone)
            seen[expected] += 1
            self.assertEqual(
                expected,
                self.verdict(
                    world, DroppedAdjustment(record(gone), datetime(2030, 1, 1, tzinfo=UTC))
                ),
                seed,
            )
        self.assertGreater(seen[CONFLICT], 20, seen)
        self.assertGreater(seen[None], 20, seen)
