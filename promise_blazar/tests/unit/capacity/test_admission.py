# SPDX-License-Identifier: Apache-2.0
import dataclasses
import random
import unittest

from hypothesis import given
from hypothesis import strategies as st

from promise_blazar.capacity.admission import Plan, Refusal, admit, holds
from promise_blazar.capacity.demand.request import AllocationRequest, Placement, Window
from promise_blazar.capacity.demand.slots import Slots
from promise_blazar.capacity.demand.whole_hosts import WholeHosts
from promise_blazar.capacity.ledger import OPEN, Booking, Ledger, LedgerHost
from promise_blazar.tests.unit.capacity import oracle, worlds


class AdmissionAgainstTheOracleTest(unittest.TestCase):
    @worlds.exact(500)
    @given(worlds.cases())
    def test_one_request_is_admitted_exactly_if_something_fits(self, case):
        self._check_one(*case)

    def test_one_request_is_admitted_exactly_if_something_fits_in_a_crowd(self):
        for seed in range(800):
            with self.subTest(seed=seed):
                self._check_one(*worlds.crowded(seed))

    @worlds.exact(200)
    @given(st.integers(2, 3).flatmap(lambda count: worlds.cases(count)))
    def test_several_requests_never_break_the_rule_together(self, case):
        self._check_several(*case)

    def test_several_requests_never_break_the_rule_together_in_a_crowd(self):
        for seed in range(600):
            with self.subTest(seed=seed):
                self._check_several(*worlds.crowded(seed, 2 + seed % 2))

    @worlds.exact(100)
    @given(worlds.cases(count=2), worlds.worlds())
    def test_a_plan_holds_exactly_while_the_rule_is_kept(self, case, other):
        self._check_holds(*case, other)

    def test_a_plan_holds_exactly_while_the_rule_is_kept_in_a_crowd(self):
        for seed in range(600):
            with self.subTest(seed=seed):
                world, requests = worlds.crowded(seed, 2)
                # The same cloud, but for one thing that was booked or released meanwhile.
                changed = random.Random(seed).choice(world.bookings)
                later = dataclasses.replace(changed, id=99, start=0, end=worlds.HORIZON)
                bookings = [b for b in world.bookings if b is not changed]
                self._check_holds(
                    world, requests, dataclasses.replace(world, bookings=[*bookings, later])
                )

    def _check_one(self, world, requests):
        (request,) = requests
        ledger = world.ledger()
        answer = admit(ledger, requests, world.now, world.exclude)
        possible = list(oracle.assignments(world, request))
        if not possible:
            self.assertEqual(Refusal("request-0"), answer)
            return
        self.assertIsInstance(answer, Plan)
        chosen = oracle.assignment_of(answer.placements["request-0"])
        self.assertTrue(oracle.satisfies(request, chosen))
        self.assertTrue(oracle.rule_kept(world, [(request, chosen)]))
        self.assertTrue(holds(ledger, requests, answer, world.now, world.exclude))
        most = max(sum(assignment.values()) for assignment in possible)
        waited = oracle.lingering(world)
        if request.pinned or not waited:
            self.assertEqual(most, sum(chosen.values()), "as many as possible, up to the maximum")
        free = (each for each in possible if not any(each.get(host) for host in waited))
        least = max((sum(each.values()) for each in free), default=0)
        self.assertTrue(least <= sum(chosen.values()) <= most, "as many as nobody waits for")
        stays = max(oracle.kept_units(request, assignment) for assignment in possible)
        self.assertEqual(stays, oracle.kept_units(request, chosen), "what is held stays")

    def _check_several(self, world, requests):
        ledger = world.ledger()
        answer = admit(ledger, requests, world.now, world.exclude)
        if isinstance(answer, Refusal):
            at_once = any(request.pinned for request in requests)
            alone = [any(oracle.assignments(world, each, at_once)) for each in requests]
            self.assertEqual(answer.gave_up, all(alone))
            if not answer.gave_up:
                self.assertFalse(alone[[request.key for request in requests].index(answer.key)])
            return
        given_ = [
            (request, oracle.assignment_of(answer.placements[request.key])) for request in requests
        ]
        self.assertTrue(all(oracle.satisfies(request, share) for request, share in given_))
        self.assertTrue(oracle.rule_kept(world, given_))
        self.assertTrue(holds(ledger, requests, answer, world.now, world.exclude))

    def _check_holds(self, world, requests, later):
        answer = admit(world.ledger(), requests, world.now, world.exclude)
        if isinstance(answer, Refusal):
            return
        later = dataclasses.replace(later, now=world.now, exclude=world.exclude)
        given_ = [
            (request, oracle.assignment_of(answer.placements[request.key])) for request in requests
        ]
        self.assertEqual(
            oracle.rule_kept(later, given_),
            holds(later.ledger(), requests, answer, later.now, later.exclude),
        )


def cloud(count: int, vcpus: int = 8, **properties: str) -> Ledger:
    ledger = Ledger()
    for number in range(1, count + 1):
        ledger.put_host(
            LedgerHost(number, f"compute-{number}", "nova", {"VCPU": vcpus}, properties, True)
        )
    ledger.put_bundle(1, {"VCPU": 1})
    return ledger


def book(ledger: Ledger, *bookings: Booking) -> None:
    oracle.put(ledger, list(bookings))


def slots(amount: int, vcpus: int = 1, affinity: bool | None = None) -> Slots:
    return Slots(amount, {"VCPU": vcpus}, affinity)


def one(ledger: Ledger, demand: Slots | WholeHosts, start: int = 10, end: int = 20, **request):
    """The placements of one request, as (host, units); None if refused."""
    exclude, now = request.pop("exclude", frozenset()), request.pop("now", 0)
    answer = admit(
        ledger, [AllocationRequest("a", demand, Window(start, end), **request)], now, exclude
    )
    if isinstance(answer, Refusal):
        return None
    return [(p.host, p.units) for p in answer.placements["a"]]


class AdmissionTest(unittest.TestCase):
    def test_d1_slots_of_one_reservation_all_count(self):
        ledger = cloud(1)
        book(ledger, Booking(1, 1, 1, 1, 8, 0, 100, False))
        self.assertIsNone(one(ledger, slots(1)))

    def test_d3_windows_that_touch_do_not_overlap(self):
        ledger = cloud(1)
        book(
            ledger,
            Booking(1, 1, 1, None, 1, 0, 10, False),
            Booking(2, 1, 1, None, 1, 20, 30, False),
        )
        self.assertEqual([(1, 1)], one(ledger, WholeHosts(1, 1)))
        self.assertIsNone(one(ledger, WholeHosts(1, 1), 9, 20))
        self.assertIsNone(one(ledger, WholeHosts(1, 1), 10, 21))

    def test_d3_what_ends_makes_room_before_what_starts_at_the_same_instant(self):
        ledger = cloud(1)
        book(
            ledger,
            Booking(1, 1, 1, 1, 8, 0, 15, False),
            Booking(2, 2, 1, 1, 7, 15, 30, False),
        )
        self.assertIsNone(one(ledger, slots(1)))
        self.assertEqual([(1, 1)], one(ledger, slots(1), 15, 30))

    def test_d3_a_peak_outside_the_window_does_not_count(self):
        ledger = cloud(1)
        book(ledger, Booking(1, 1, 1, 1, 8, 0, 10, False), Booking(2, 1, 1, 1, 8, 20, 30, False))
        self.assertEqual([(1, 8)], one(ledger, slots(8)))

    def test_an_open_end_is_later_than_every_other(self):
        ledger = cloud(1)
        book(ledger, Booking(1, 1, 1, 1, 8, 2**50, OPEN, False))
        self.assertEqual([(1, 8)], one(ledger, slots(8), 10, 2**50))
        self.assertIsNone(one(ledger, slots(1), 10, OPEN))

    def test_d7_as_many_hosts_as_there_are_up_to_the_maximum(self):
        ledger = cloud(5)
        book(ledger, Booking(1, 1, 1, None, 1, 90, 95, False))
        self.assertEqual(5, len(one(ledger, WholeHosts(2, 9))))
        self.assertEqual(4, len(one(ledger, WholeHosts(2, 4))))

    def test_slots_pack_hosts_that_carry_something_already(self):
        ledger = cloud(3)
        book(ledger, Booking(1, 1, 2, 1, 3, 0, 100, False), Booking(2, 1, 3, 1, 5, 0, 100, False))
        self.assertEqual([(3, 3)], one(ledger, slots(3)))
        self.assertEqual([(2, 4), (3, 3)], one(ledger, slots(7)))
        self.assertEqual([(1, 1), (2, 5), (3, 3)], one(ledger, slots(9)))
        self.assertEqual([(2, 1), (3, 1)], one(ledger, slots(2, affinity=False)))
        self.assertEqual([(2, 4)], one(ledger, slots(4, affinity=True)))

    def test_d4_a_full_cloud_lets_a_reservation_shrink_and_keep(self):
        ledger = cloud(2)
        book(ledger, Booking(1, 7, 1, 1, 8, 10, 20, False), Booking(2, 7, 2, 1, 8, 10, 20, False))
        keep = (Placement(1, 8), Placement(2, 8))
        self.assertIsNone(one(ledger, slots(1)))
        mine = frozenset({7})
        self.assertEqual([(1, 8), (2, 8)], one(ledger, slots(16), keep=keep, exclude=mine))
        self.assertEqual([(1, 8), (2, 1)], one(ledger, slots(9), keep=keep, exclude=mine))

    def test_a_running_reservation_may_only_grow(self):
        ledger = cloud(2)
        pinned = {"keep": (Placement(2, 2),), "pinned": True}
        self.assertIsNone(one(ledger, slots(1), **pinned))
        self.assertEqual([(2, 3)], one(ledger, slots(3), **pinned))
        book(ledger, Booking(1, 1, 2, None, 1, 15, 16, False))
        self.assertIsNone(one(ledger, slots(3), **pinned))

    def test_a_running_reservation_on_an_unknown_host_is_refused(self):
        pinned = {"keep": (Placement(9, 1),), "pinned": True}
        self.assertIsNone(one(cloud(2), WholeHosts(1, 2), **pinned))

    def test_c7_an_unreleased_booking_is_waited_for_where_there_is_nothing_else(self):
        ledger = cloud(2)
        book(ledger, Booking(1, 1, 1, None, 1, 0, 5, False))
        for least, most, hosts in ((1, 1, [2]), (1, 2, [2]), (2, 2, [1, 2])):
            placed = one(ledger, WholeHosts(least, most), 6, 20, now=6)
            self.assertEqual(hosts, [host for host, _ in placed])
        self.assertEqual([(1, 1)], one(ledger, WholeHosts(1, 1), 7, 20, now=6))
        self.assertEqual([(2, 1)], one(ledger, slots(1), 6, 20, now=6))

    def test_an_unreleased_booking_blocks_what_cannot_wait_and_no_later_window(self):
        ledger = cloud(1)
        book(ledger, Booking(1, 1, 1, None, 1, 0, 5, False))
        host = [AllocationRequest("a", WholeHosts(1, 1), Window(6, 20), pinned=True)]
        self.assertIsInstance(admit(ledger, host, 6), Refusal)
        self.assertIsInstance(admit(ledger, host, 6, frozenset({1})), Refusal)
        self.assertIsInstance(admit(ledger, host, 5), Plan)
        book(ledger, Booking(1, 1, 1, None, 1, 0, 5, True))
        self.assertIsInstance(admit(ledger, host, 6), Plan)

    def test_a_host_lacking_a_class_has_none_of_it(self):
        self.assertIsNone(one(cloud(1), Slots(1, {"CUSTOM_GPU": 1}, None)))
        self.assertEqual([(1, 1)], one(cloud(1), Slots(1, {"CUSTOM_GPU": 0}, None)))

    def test_amounts_beyond_every_integer_are_refused(self):
        self.assertIsNone(one(cloud(1), Slots(1, {"VCPU": 10**30}, None)))
        self.assertIsNone(one(cloud(1), slots(10**30)))

    def test_times_too_far_apart_to_be_packed_are_sorted_all_the_same(self):
        ledger = cloud(3, vcpus=2)
        far = 2**61
        book(
            ledger,
            Booking(1, 1, 2, 1, 1, 20, far, False),
            Booking(2, 2, 2, 1, 1, far, far + 9, False),
            Booking(3, 3, 1, 1, 1, 30, far, False),
            Booking(4, 4, 1, 1, 1, far - 1, far + 9, False),
            Booking(5, 5, 3, None, 1, far, far + 1, False),
        )
        self.assertEqual([(2, 1)], one(ledger, slots(1), 10, OPEN))
        self.assertIsNone(one(ledger, slots(2), 10, OPEN))

    def test_several_requests_leave_each_other_what_only_the_other_can_use(self):
        ledger = cloud(2)
        book(ledger, Booking(1, 1, 1, 1, 1, 0, 100, False))
        requests = [
            AllocationRequest("slots", slots(7), Window(10, 20)),
            AllocationRequest("host", WholeHosts(1, 5), Window(10, 20)),
        ]
        answer = admit(ledger, requests, 0)
        self.assertEqual((Placement(1, 7),), answer.placements["slots"])
        self.assertEqual((Placement(2, 1),), answer.placements["host"])

    def test_hosts_beyond_the_minimum_are_taken_last(self):
        window = Window(10, 20)
        requests = [
            AllocationRequest("many", WholeHosts(1, 9), window),
            AllocationRequest("one", WholeHosts(1, 1), window),
        ]
        answer = admit(cloud(4), requests, 0)
        self.assertEqual(3, len(answer.placements["many"]))
        self.assertEqual(1, len(answer.placements["one"]))

    def test_requests_in_windows_apart_use_the_same_host(self):
        requests = [
            AllocationRequest("early", WholeHosts(1, 1), Window(10, 20)),
            AllocationRequest("late", WholeHosts(1, 1), Window(20, 30)),
        ]
        self.assertIsInstance(admit(cloud(1), requests, 0), Plan)

    def test_what_one_pinned_request_keeps_no_other_takes(self):
        window = Window(10, 20)
        requests = [
            AllocationRequest("b", slots(9), window, keep=(Placement(1, 8),), pinned=True),
            AllocationRequest("a", slots(7), window, keep=(Placement(2, 7),), pinned=True),
        ]
        answer = admit(cloud(2), requests, 0)
        self.assertEqual((Placement(1, 8), Placement(2, 1)), answer.placements["b"])
        self.assertEqual((Placement(2, 7),), answer.placements["a"])

    def test_room_kept_by_pinned_requests_is_known_before_their_turn(self):
        window = Window(10, 20)
        requests = [
            AllocationRequest("a", slots(4), window, keep=(Placement(2, 1),), pinned=True),
            AllocationRequest("b", slots(4), window, keep=(Placement(2, 2),), pinned=True),
            AllocationRequest("c", WholeHosts(1, 2), window, keep=(Placement(1, 1),), pinned=True),
            AllocationRequest("d", slots(2), window),
        ]
        ledger = cloud(3, vcpus=4)
        ledger.put_host(LedgerHost(3, "compute-3", "nova", {"VCPU": 8}, {}, True))
        self.assertIsInstance(admit(ledger, requests, 0), Plan)

    def test_of_many_requests_the_one_that_fails_is_tried_earlier(self):
        window = Window(10, 20)
        pinned = {"keep": (Placement(2, 1),), "pinned": True}
        requests = [
            AllocationRequest("a", slots(2, affinity=False), window),
            AllocationRequest("b", slots(4), window),
            AllocationRequest("c", slots(2), window, **pinned),
            AllocationRequest("d", slots(2), window, **pinned),
            AllocationRequest("e", slots(2, affinity=True), window, **pinned),
        ]
        self.assertIsInstance(admit(cloud(3, vcpus=4), requests, 0), Plan)

    def test_slots_go_where_the_same_decision_put_others(self):
        window = Window(10, 20)
        requests = [
            AllocationRequest("a", slots(5), window),
            AllocationRequest("b", slots(1, affinity=False), window),
        ]
        answer = admit(cloud(2), requests, 0)
        self.assertEqual(
            {p.host for p in answer.placements["a"]}, {p.host for p in answer.placements["b"]}
        )

    def test_too_much_together_is_said_to_be_given_up(self):
        requests = [AllocationRequest(key, WholeHosts(1, 1), Window(10, 20)) for key in "abcdef"]
        answer = admit(cloud(5), requests, 0)
        self.assertTrue(answer.gave_up)
        self.assertEqual(5, len(answer.beside))

    def test_no_requests_are_always_admitted(self):
        self.assertEqual(Plan({}), admit(cloud(1), [], 0))

    def test_two_requests_of_one_key_are_a_mistake(self):
        request = AllocationRequest("a", slots(1), Window(10, 20))
        with self.assertRaises(ValueError):
            admit(cloud(1), [request, request], 0)
