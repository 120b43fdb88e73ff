# SPDX-License-Identifier: Apache-2.0
import collections
import dataclasses
import random
import unittest

from promise_blazar.capacity.admission import Plan, Refusal, admit, fitting, holds
from promise_blazar.capacity.demand.request import Placement
from promise_blazar.capacity.demand.whole_hosts import WholeHosts
from promise_blazar.capacity.explanation import explain
from promise_blazar.capacity.window_search import next_windows
from promise_blazar.tests.unit.capacity import oracle, pool_oracle, pool_worlds, worlds


def possible(world, request, rule):
    """Every assignment that both rules allow."""
    return [
        assignment
        for assignment in oracle.assignments(world, request)
        if rule.kept([(request, assignment)])
    ]


class BothRulesAgainstTheOracleTest(unittest.TestCase):
    def test_one_request_is_admitted_exactly_if_both_rules_allow_it(self):
        seen = collections.Counter()
        for seed in range(400):
            with self.subTest(seed=seed):
                seen[self._check_one(*pool_worlds.adjusted(seed))] += 1
        for verdict in ("plan", "refused", "refused by a pool alone"):
            self.assertGreater(seen[verdict], 30, seen)

    def test_several_requests_never_break_a_rule_together(self):
        seen = collections.Counter()
        for seed in range(200):
            with self.subTest(seed=seed):
                seen[self._check_several(*pool_worlds.adjusted(seed, 2 + seed % 2))] += 1
        self.assertGreater(seen["plan"], 10, seen)

    def test_a_plan_holds_exactly_while_both_rules_are_kept(self):
        seen = collections.Counter()
        for seed in range(300):
            with self.subTest(seed=seed):
                seen[self._check_holds(seed)] += 1
        self.assertGreater(seen[False], 10, seen)
        self.assertGreater(seen[True], 20, seen)

    def test_placements_fit_each_by_itself_exactly_if_both_rules_allow_it(self):
        for seed in range(80):
            with self.subTest(seed=seed):
                world, (request,) = pool_worlds.adjusted(seed)
                request = dataclasses.replace(request, pinned=False, keep=())
                rule = pool_oracle.PoolRule(world, request.project)
                most = 1 if isinstance(request.demand, WholeHosts) else 2
                for host in world.hosts:
                    for units in range(1, most + 1):
                        alone = [(request, {host.id: units})]
                        allowed = oracle.rule_kept(world, alone, True) and rule.kept(alone)
                        found = fitting(
                            world.ledger(),
                            request,
                            [Placement(host.id, units)],
                            world.now,
                            world.exclude,
                        )
                        self.assertEqual(allowed, host.id in found)

    def _check_one(self, world, requests):
        (request,) = requests
        rule = pool_oracle.PoolRule(world, request.project)
        answer = admit(world.ledger(), requests, world.now, world.exclude)
        allowed = possible(world, request, rule)
        if isinstance(answer, Refusal):
            if answer.gave_up:
                self.assertIsInstance(request.demand, WholeHosts)
                self.assertFalse(pool_oracle.comparable(world, pool_worlds.CLASSES))
                return "gave up"
            self.assertEqual([], allowed)
            why = explain(world.ledger(), requests, world.now, world.exclude, 0)
            checks = {reason.check for reason in why.reasons}
            if any(oracle.assignments(world, request)):
                self.assertIn("pool", checks)
                return "refused by a pool alone"
            return "refused"
        chosen = oracle.assignment_of(answer.placements["request-0"])
        self.assertTrue(oracle.satisfies(request, chosen))
        self.assertTrue(oracle.rule_kept(world, [(request, chosen)]))
        self.assertTrue(rule.kept([(request, chosen)]))
        self.assertTrue(holds(world.ledger(), requests, answer, world.now, world.exclude))
        if not isinstance(request.demand, WholeHosts):
            stays = max(oracle.kept_units(request, each) for each in allowed)
            self.assertEqual(stays, oracle.kept_units(request, chosen), "what is held stays")
        elif not request.keep and pool_oracle.comparable(world, pool_worlds.CLASSES):
            waited = oracle.lingering(world)
            free = [each for each in allowed if not any(each.get(host) for host in waited)]
            most = max((sum(each.values()) for each in free), default=0)
            self.assertGreaterEqual(sum(chosen.values()), most, "as many as there may be")
        return "plan"

    def _check_several(self, world, requests):
        answer = admit(world.ledger(), requests, world.now, world.exclude)
        rule = pool_oracle.PoolRule(world, requests[0].project)
        if isinstance(answer, Refusal):
            at_once = any(request.pinned for request in requests)
            if not answer.gave_up:
                by_key = {request.key: request for request in requests}
                alone = oracle.assignments(world, by_key[answer.key], at_once)
                failed = [(by_key[answer.key], each) for each in alone]
                self.assertFalse(any(rule.kept([each]) for each in failed))
            explain(world.ledger(), requests, world.now, world.exclude, 0)
            return "refused"
        given = [
            (request, oracle.assignment_of(answer.placements[request.key])) for request in requests
        ]
        self.assertTrue(all(oracle.satisfies(request, share) for request, share in given))
        self.assertTrue(oracle.rule_kept(world, given))
        self.assertTrue(rule.kept(given))
        self.assertTrue(holds(world.ledger(), requests, answer, world.now, world.exclude))
        return "plan"

    def _check_holds(self, seed):
        world, requests = pool_worlds.adjusted(seed, 1 + seed % 2)
        answer = admit(world.ledger(), requests, world.now, world.exclude)
        if isinstance(answer, Refusal):
            return None
        # The same cloud, but for what was booked and adjusted meanwhile.
        dice = random.Random(seed)
        other, _ = pool_worlds.adjusted(seed + 5000)
        later = dataclasses.replace(
            world, adjustments=dice.choice([other.adjustments, world.adjustments])
        )
        if dice.random() < 0.5:
            changed = dice.choice(world.bookings)
            more = dataclasses.replace(changed, id=99, start=0, end=worlds.HORIZON)
            later = dataclasses.replace(later, bookings=[*world.bookings, more])
        given = [
            (request, oracle.assignment_of(answer.placements[request.key])) for request in requests
        ]
        rule = pool_oracle.PoolRule(later, requests[0].project)
        kept = oracle.rule_kept(later, given) and rule.kept(given)
        self.assertEqual(kept, holds(later.ledger(), requests, answer, later.now, later.exclude))
        return kept


class WindowsAgainstTheOracleTest(unittest.TestCase):
    def test_every_window_offered_is_the_next_one_that_both_rules_allow(self):
        seen = collections.Counter()
        for seed in range(120):
            with self.subTest(seed=seed):
                seen[self._check(seed)] += 1
        self.assertGreater(seen["found"], 20, seen)

    def _check(self, seed):
        world, (request,) = pool_worlds.adjusted(seed)
        request = dataclasses.replace(request, pinned=False)
        found = next_windows(
            world.ledger(), [request], world.now, world.exclude, count=1, granularity=1
        )
        begin = max(request.window.start, world.now)
        if found.windows and found.windows[0].start == request.window.start:
            # Where it was asked for it is judged as it is, also in the past.
            begin = request.window.start
        rule = pool_oracle.PoolRule(world, request.project)
        for start in range(begin, 4 * worlds.HORIZON):
            moved = dataclasses.replace(
                request, window=oracle.shifted(request.window, start - request.window.start)
            )
            if found.windows and start == found.windows[0].start:
                answer = admit(world.ledger(), [moved], world.now, world.exclude)
                self.assertIsInstance(answer, Plan)
                return "found"
            if not found.complete and not found.windows:
                return "gave up"
            allowed = any(rule.kept([(moved, each)]) for each in oracle.assignments(world, moved))
            if allowed and isinstance(request.demand, WholeHosts):
                answer = admit(world.ledger(), [moved], world.now, world.exclude)
                allowed = isinstance(answer, Plan)  # where it gives up, it is not offered
            self.assertFalse(allowed, f"{start} is earlier than {found}")
        self.assertEqual((), found.windows)
        return "none"
