# SPDX-License-Identifier: Apache-2.0
import collections
import dataclasses
import random
import unittest
from unittest import mock

from promise_blazar.capacity import pool
from promise_blazar.capacity.admission import Plan, Refusal, admit, fitting, holds
from promise_blazar.capacity.demand.request import AllocationRequest, Placement, Window
from promise_blazar.capacity.demand.slots import Slots
from promise_blazar.capacity.demand.whole_hosts import WholeHosts
from promise_blazar.capacity.explanation import explain
from promise_blazar.capacity.ledger import OPEN, Booking, Ledger, LedgerAdjustment, LedgerHost
from promise_blazar.capacity.pool_timeline import PoolTimeline
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


def cloud(*adjustments, vcpus=(8, 8, 8), zones=("east", "east", "west")):
    ledger = Ledger()
    for number, (has, zone) in enumerate(zip(vcpus, zones, strict=True), 1):
        capacity = {"VCPU": has, "MEMORY_MB": 64}
        ledger.put_host(LedgerHost(number, f"compute-{number}", zone, capacity, {}, True))
    ledger.put_bundle(1, {"VCPU": 1})
    for adjustment in adjustments:
        ledger.put_adjustment(adjustment)
    return ledger


def asked(demand, start=10, end=20, **request):
    return AllocationRequest("a", demand, Window(start, end), **request)


def placed(ledger, request, exclude=frozenset()):
    """The units by host; None if refused."""
    answer = admit(ledger, [request], 0, exclude)
    if isinstance(answer, Refusal):
        return None
    return oracle.assignment_of(answer.placements["a"])


def reasons(ledger, request):
    why = explain(ledger, [request], 0, alternatives=0)
    return [reason.text for reason in why.reasons if reason.check == "pool"]


def slots(amount, affinity=None, **amounts):
    return Slots(amount, amounts or {"VCPU": 1}, affinity)


LESS = LedgerAdjustment(1, None, 0, OPEN, {"VCPU": -14})


class PoolTest(unittest.TestCase):
    def test_what_is_taken_away_is_taken_from_all_hosts_together(self):
        self.assertEqual(10, sum(placed(cloud(LESS), asked(slots(10))).values()))
        self.assertIsNone(placed(cloud(LESS), asked(slots(11))))
        self.assertEqual(
            ["the pool has 10 VCPU left 1970-01-01 00:00 to 1970-01-01 00:00, 11 asked"],
            reasons(cloud(LESS), asked(slots(11))),
        )

    def test_what_adjustments_take_at_another_time_is_no_matter(self):
        later = dataclasses.replace(LESS, start=20, end=30)
        self.assertEqual(24, sum(placed(cloud(later), asked(slots(24))).values()))
        self.assertIsNone(placed(cloud(later), asked(slots(24), 10, 21)))

    def test_each_zone_has_a_pool_of_its_own(self):
        less = LedgerAdjustment(1, "east", 0, OPEN, {"VCPU": -13})
        self.assertEqual({1: 3, 3: 8}, placed(cloud(less), asked(slots(11))))
        self.assertIsNone(placed(cloud(less), asked(slots(12))))
        self.assertIsNone(placed(cloud(less), asked(slots(9, affinity=True))))
        self.assertEqual({3: 8}, placed(cloud(less), asked(slots(8, affinity=True))))
        self.assertEqual(
            {1: 1, 3: 1}, placed(cloud(less), asked(slots(2, affinity=False, VCPU=3)))
        )
        self.assertIsNone(placed(cloud(less), asked(slots(3, affinity=False, VCPU=3))))

    def test_each_slot_is_an_instance(self):
        servers = LedgerAdjustment(1, None, 0, OPEN, {"INSTANCE": 4})
        ledger = cloud(servers)
        ledger.put_bundle(2, {"VCPU": 1, "INSTANCE": 2})
        oracle.put(
            ledger,
            [Booking(1, 1, 1, 2, 1, 0, 15, False), Booking(2, 1, 2, None, 1, 0, 15, False)],
        )
        self.assertIsNotNone(placed(ledger, asked(slots(2))))
        self.assertIsNone(placed(ledger, asked(slots(3))))
        self.assertIsNotNone(placed(ledger, asked(slots(4), 15, 20)))
        self.assertIsNone(placed(ledger, asked(slots(2, VCPU=1, INSTANCE=2))))
        self.assertIsNotNone(placed(ledger, asked(WholeHosts(1, 1))), "a host is no instance")

    def test_a_class_that_nothing_names_limits_no_slot(self):
        self.assertIsNotNone(placed(cloud(), asked(slots(24, VCPU=1, INSTANCE=9))))
        self.assertIsNone(placed(cloud(), asked(slots(1, GPU=1))), "no host has one")

    def test_a_carve_out_is_for_its_projects_alone(self):
        whole = LedgerAdjustment(1, None, 0, OPEN, {"VCPU": 6})
        mine = LedgerAdjustment(2, None, 0, OPEN, {"VCPU": 6}, 1, frozenset({"mine"}))
        less = LedgerAdjustment(3, None, 0, OPEN, {"VCPU": -10})
        ledger = cloud(whole, mine, less)
        self.assertEqual(20, sum(placed(ledger, asked(slots(20), project="mine")).values()))
        self.assertIsNone(placed(ledger, asked(slots(21), project="mine")))
        for project in ("theirs", None):
            self.assertIsNotNone(placed(ledger, asked(slots(14), project=project)))
            self.assertIsNone(placed(ledger, asked(slots(15), project=project)))
            (text,) = reasons(ledger, asked(slots(15), project=project))
            self.assertIn("the pool has 14 VCPU left", text)
            self.assertNotIn("mine", text)
        oracle.put(ledger, [Booking(1, 1, 1, 1, 8, 0, 99, False)])
        ledger.put_owners({1: "mine"})
        self.assertIsNotNone(placed(ledger, asked(slots(12), project="theirs")))
        self.assertIsNone(placed(ledger, asked(slots(13), project="theirs")))

    def test_1_where_the_pool_is_short_a_share_is_its_groups_own_as_far_as_it_is_there(self):
        whole = LedgerAdjustment(1, None, 0, OPEN, {"VCPU": 6})
        mine = LedgerAdjustment(2, None, 0, OPEN, {"VCPU": 6}, 1, frozenset({"mine"}))
        less = LedgerAdjustment(3, None, 0, OPEN, {"VCPU": -20})
        ledger = cloud(whole, mine, less)
        oracle.put(ledger, [Booking(1, 1, 1, 1, 8, 0, 99, False)])
        ledger.put_owners({1: "theirs"})
        self.assertIsNotNone(placed(ledger, asked(slots(2), project="mine")))
        self.assertIsNone(placed(ledger, asked(slots(3), project="mine")), "10 in all, 8 taken")
        self.assertIsNone(placed(ledger, asked(slots(1), project="theirs")))

    def test_1_a_share_that_is_not_there_any_more_admits_nothing(self):
        whole = LedgerAdjustment(1, None, 0, OPEN, {"INSTANCE": 10})
        mine = LedgerAdjustment(2, None, 0, OPEN, {"INSTANCE": 10}, 1, frozenset({"mine"}))
        less = LedgerAdjustment(3, None, 5, 30, {"INSTANCE": -7})
        ledger = cloud(whole, mine, less)
        self.assertIsNotNone(placed(ledger, asked(slots(3), project="mine")))
        self.assertIsNone(placed(ledger, asked(slots(4), project="mine")))
        ledger.put_adjustment(dataclasses.replace(less, amounts={"INSTANCE": -10}))
        self.assertIsNone(placed(ledger, asked(slots(1), project="mine")))

    def test_8_only_zones_that_adjustments_name_are_looked_at(self):
        ledger = Ledger()
        for number in range(1, 31):
            ledger.put_host(LedgerHost(number, f"c{number}", f"z{number}", {"VCPU": 8}, {}, True))
        ledger.put_adjustment(LedgerAdjustment(1, None, 0, OPEN, {"VCPU": -4}))
        ledger.put_adjustment(LedgerAdjustment(2, "z3", 0, OPEN, {"VCPU": -4}))
        ledger.put_adjustment(LedgerAdjustment(3, "z4", 0, OPEN, {"VCPU": 4}))
        ledger.put_adjustment(LedgerAdjustment(4, "z5", 0, 5, {"VCPU": -4}))
        self.assertEqual(["z3", "z4", "z5"], ledger.limited_zones())
        seen = []

        def looked_at(ledger, rows, window, zone, *others):
            seen.append(zone)
            return PoolTimeline(ledger, rows, window, zone, *others)

        with mock.patch.object(pool, "PoolTimeline", looked_at):
            self.assertIsNotNone(placed(ledger, asked(slots(29 * 8 - 4), 10, 20)))
            self.assertEqual([None, "z3"], seen)

    def test_8_what_counts_in_each_zone_is_found_at_once(self):
        ledger = Ledger()
        for number in range(1, 31):
            ledger.put_host(LedgerHost(number, f"c{number}", f"z{number}", {"VCPU": 8}, {}, True))
            ledger.put_adjustment(LedgerAdjustment(number, f"z{number}", 0, OPEN, {"VCPU": -4}))
        ledger.put_bundle(1, {"VCPU": 1})
        oracle.put(ledger, [Booking(n, n, n, 1, n % 4, 0, 99, False) for n in range(1, 31)])
        left = sum(4 - number % 4 for number in range(1, 31))
        found = placed(ledger, asked(slots(left), 10, 20))
        self.assertEqual({number: 4 - number % 4 for number in range(1, 31)}, found)
        self.assertIsNone(placed(ledger, asked(slots(left + 1), 10, 20)))

    def test_a_change_that_makes_nothing_worse_is_admitted(self):
        ledger = cloud(dataclasses.replace(LESS, amounts={"VCPU": -20}))
        oracle.put(ledger, [Booking(1, 1, 1, 1, 7, 10, 20, False)])
        keep = (Placement(1, 7),)
        for amount, end, admitted in (
            (7, 20, True),
            (6, 20, True),
            (8, 20, False),
            (7, 21, False),
        ):
            found = placed(ledger, asked(slots(amount), 10, end, keep=keep), frozenset({1}))
            self.assertEqual(admitted, found is not None, (amount, end))

    def test_the_smallest_whole_hosts_are_taken_where_a_pool_limits_them(self):
        ledger = cloud(LedgerAdjustment(1, None, 0, OPEN, {"VCPU": -28}), vcpus=(16, 8, 16))
        self.assertEqual({2: 1}, placed(ledger, asked(WholeHosts(1, 3))))
        self.assertIsNone(placed(ledger, asked(WholeHosts(2, 2))))
        (text,) = reasons(ledger, asked(WholeHosts(2, 2)))
        self.assertIn("the pool has 12 VCPU left", text)
        self.assertIn("24 asked", text)

    def test_where_a_choice_of_hosts_is_not_found_that_is_said(self):
        # Two have little enough VCPU, and two little enough memory; no two both.
        ledger = Ledger()
        sizes = ((9, 2), (2, 9), (6, 6), (7, 7))
        for number, (vcpus, memory) in enumerate(sizes, 1):
            capacity = {"VCPU": vcpus, "MEMORY_MB": memory}
            ledger.put_host(LedgerHost(number, f"compute-{number}", "east", capacity, {}, True))
        ledger.put_adjustment(
            LedgerAdjustment(1, None, 0, OPEN, {"VCPU": -(24 - 10), "MEMORY_MB": -(24 - 10)})
        )
        request = asked(WholeHosts(2, 2))
        answer = admit(ledger, [request], 0)
        self.assertEqual(Refusal("a", gave_up=True), answer)
        self.assertIn(
            "no hosts were found that are within all of this; not all choices were tried",
            reasons(ledger, request),
        )
        found = next_windows(ledger, [request], 0)
        self.assertFalse(found.complete)

    def test_amounts_that_no_machine_counts_to_are_sums_like_others(self):
        most = 2**53 - 1
        ledger = cloud(
            *(LedgerAdjustment(n, None, 0, OPEN, {"VCPU": most}) for n in range(1, 100)),
            LedgerAdjustment(100, None, 0, OPEN, {"INSTANCE": most, "GPU": most}),
        )
        self.assertIsNotNone(placed(ledger, asked(slots(3, VCPU=8, GPU=2**50))))
        self.assertIsNone(placed(ledger, asked(slots(3, VCPU=8, GPU=2**52))))
        self.assertIsNone(placed(ledger, asked(slots(3, VCPU=8, GPU=2**70))))

    def test_the_next_window_begins_where_adjustments_leave_more(self):
        minute = 60_000_000
        less = LedgerAdjustment(1, None, 0, 7 * minute, {"VCPU": -14})
        more = LedgerAdjustment(2, None, 30 * minute, OPEN, {"INSTANCE": 30})
        few = LedgerAdjustment(3, None, 0, 30 * minute, {"INSTANCE": 15})
        request = asked(slots(12), minute, 3 * minute)
        (found,) = next_windows(cloud(less), [request], 0).windows
        self.assertEqual(7 * minute, found.start)
        request = asked(slots(20), minute, 3 * minute)
        (found,) = next_windows(cloud(less, more, few), [request], 0).windows
        self.assertEqual(30 * minute, found.start)
