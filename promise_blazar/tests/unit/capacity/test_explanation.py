# SPDX-License-Identifier: Apache-2.0
import unittest
from dataclasses import replace

from hypothesis import given

from promise_blazar.capacity.admission import Plan, Refusal, admit
from promise_blazar.capacity.demand.request import AllocationRequest, Placement, Window
from promise_blazar.capacity.demand.slots import Slots
from promise_blazar.capacity.demand.whole_hosts import WholeHosts
from promise_blazar.capacity.explanation import explain
from promise_blazar.capacity.ledger import OPEN, Booking, LedgerHost
from promise_blazar.capacity.resource_query import parse
from promise_blazar.capacity.window_search import next_windows
from promise_blazar.tests.unit.capacity import oracle, worlds

HOUR = 3600 * 10**6


def most(world: oracle.World, request: AllocationRequest) -> int:
    """The most that fits, found by asking the oracle for more and more."""
    demand = request.demand
    count = 0
    while True:
        if isinstance(demand, WholeHosts):
            more = replace(demand, minimum=count + 1, maximum=count + 1)
        else:
            more = replace(demand, amount=count + 1)
        if not any(oracle.assignments(world, replace(request, demand=more))):
            return count
        count += 1


class ExplanationAgainstTheOracleTest(unittest.TestCase):
    @worlds.exact(150)
    @given(worlds.cases(most_hosts=3))
    def test_what_would_fit_is_exact(self, case):
        self._check_fits(*case)

    def test_what_would_fit_is_exact_in_a_crowd(self):
        for seed in range(250):
            with self.subTest(seed=seed):
                self._check_fits(*worlds.crowded(seed))

    @worlds.exact(150)
    @given(worlds.cases(may_keep=False))
    def test_the_next_window_is_the_first_that_fits(self, case):
        self._check_next(*case)

    def test_the_next_window_is_the_first_that_fits_in_a_crowd(self):
        for seed in range(250):
            with self.subTest(seed=seed):
                world, (request,) = worlds.crowded(seed)
                self._check_next(world, [replace(request, keep=(), pinned=False)])

    def test_windows_for_several_requests_are_admitted(self):
        for seed in range(150):
            with self.subTest(seed=seed):
                world, requests = worlds.crowded(seed, 2)
                self._check_windows(
                    world, [replace(request, pinned=False) for request in requests]
                )

    def _check_fits(self, world, requests):
        (request,) = requests
        ledger = world.ledger()
        answer = explain(ledger, [request], world.now, world.exclude, granularity=1)
        if isinstance(admit(ledger, [request], world.now, world.exclude), Plan):
            self.assertEqual((), answer.reasons)
            return
        self.assertEqual(request.key, answer.key)
        self.assertTrue(answer.reasons)
        if request.pinned and sum(p.units for p in request.keep) > request.demand.maximum:
            self.assertEqual(["kept"], [reason.check for reason in answer.reasons])
            self.assertEqual({}, answer.fits)
            return
        sifted = [reason for reason in answer.reasons if reason.check != "kept"]
        self.assertEqual(len(world.hosts), sum(reason.hosts for reason in sifted))
        kind = "hosts" if isinstance(request.demand, WholeHosts) else "slots"
        # Of slots that take nothing there is no most.
        if kind == "hosts" or request.demand.taken:
            fits = most(world, replace(request, keep=()))
            self.assertEqual({kind: fits}, dict(answer.fits))

    def _check_next(self, world, requests):
        (request,) = requests
        found = next_windows(world.ledger(), [request], world.now, world.exclude, 2, granularity=1)
        start = request.window.start
        starts = [start, *(max(i, world.now) for i in oracle.freed_after(world, start))]
        fitting = []
        for candidate in sorted(set(starts)):
            moved = replace(request, window=oracle.shifted(request.window, candidate - start))
            if any(oracle.assignments(world, moved)):
                fitting.append(moved.window)
        self.assertEqual(fitting[:2], list(found.windows))

    def _check_windows(self, world, requests):
        ledger = world.ledger()
        found = next_windows(ledger, requests, world.now, world.exclude, 3, granularity=1)
        start = min(request.window.start for request in requests)
        for window in found.windows:
            shift = window.start - start
            moved = [replace(a, window=oracle.shifted(a.window, shift)) for a in requests]
            self.assertIsInstance(admit(ledger, moved, world.now, world.exclude), Plan)
            self.assertLessEqual(window.start, found.looked_until)


def world_of(*hosts: LedgerHost, bookings: tuple[Booking, ...] = (), now: int = 0) -> oracle.World:
    return oracle.World(list(hosts), {1: {"VCPU": 1}}, list(bookings), now)


def host(id_: int, vcpus: int = 8, reservable: bool = True, **properties: str) -> LedgerHost:
    return LedgerHost(id_, f"compute-{id_}", "nova", {"VCPU": vcpus}, properties, reservable)


def checks(answer) -> dict[str, int]:
    return {reason.check: reason.hosts for reason in answer.reasons}


class ExplanationTest(unittest.TestCase):
    def test_each_host_is_counted_under_what_it_fails_first(self):
        gpu = parse('["=", "$gpu", "1"]')
        world = world_of(
            host(1, reservable=False),
            host(2),
            host(3, gpu="1", vcpus=1),
            host(4, gpu="1"),
            host(5, gpu="1"),
            bookings=(Booking(1, 1, 4, 1, 7, 2 * HOUR, 3 * HOUR, False),),
        )
        request = AllocationRequest(
            "a", Slots(5, {"VCPU": 2}, None, (gpu,)), Window(HOUR, 4 * HOUR)
        )
        answer = explain(world.ledger(), [request], 0)
        self.assertEqual(
            {"hosts": 1, "property": 1, "capacity": 1, "busy": 1, "fits": 1}, checks(answer)
        )
        self.assertEqual(
            '5 hosts: 1 not in service, 1 lacks ["=", "$gpu", "1"], 1 too small for a slot of'
            " 2 VCPU, 1 busy 1970-01-01 02:00 to 1970-01-01 03:00, 1 has room for 4 slots,"
            " 5 slots asked",
            answer.text,
        )
        (busy,) = (reason for reason in answer.reasons if reason.check == "busy")
        self.assertEqual(Window(2 * HOUR, 3 * HOUR), busy.window)
        self.assertEqual({"slots": 4}, answer.fits)
        self.assertEqual((Window(3 * HOUR, 6 * HOUR),), answer.alternatives)

    def test_whole_hosts(self):
        world = world_of(
            *(host(n) for n in range(1, 5)),
            bookings=(
                Booking(1, 1, 1, 1, 1, 0, 5 * HOUR, False),
                Booking(2, 1, 2, None, 1, 0, 2 * HOUR, False),
            ),
        )
        request = AllocationRequest("a", WholeHosts(3, 4), Window(HOUR, 4 * HOUR))
        answer = explain(world.ledger(), [request], 0, alternatives=2)
        self.assertEqual({"busy": 2, "fits": 2}, checks(answer))
        self.assertEqual({"hosts": 2}, answer.fits)
        self.assertIn("2 fit, 3 asked", answer.text)
        self.assertEqual(
            (Window(2 * HOUR, 5 * HOUR), Window(5 * HOUR, 8 * HOUR)), answer.alternatives
        )

    def test_no_host_at_all(self):
        answer = explain(
            world_of().ledger(), [AllocationRequest("a", WholeHosts(1, 1), Window(0, 1))], 0
        )
        self.assertEqual("0 hosts: none is registered", answer.text)
        self.assertEqual((), answer.alternatives)

    def test_affinity_is_named(self):
        world = world_of(host(1), host(2))
        window = Window(0, HOUR)
        together = explain(
            world.ledger(), [AllocationRequest("a", Slots(9, {"VCPU": 1}, True), window)], 0
        )
        self.assertEqual({"capacity": 2, "affinity": 0, "never": 0}, checks(together))
        self.assertIn("the roomiest has room for 8", together.text)
        apart = explain(
            world.ledger(), [AllocationRequest("a", Slots(3, {"VCPU": 1}, False), window)], 0
        )
        self.assertEqual({"affinity": 2, "never": 0}, checks(apart))
        self.assertEqual({"slots": 2}, apart.fits)

    def test_a_running_reservation_is_told_what_keeps_it_from_growing(self):
        world = world_of(
            host(1), host(2), bookings=(Booking(1, 1, 1, None, 1, HOUR, 2 * HOUR, False),)
        )
        request = AllocationRequest(
            "a", WholeHosts(1, 2), Window(0, 3 * HOUR), keep=(Placement(1, 1),), pinned=True
        )
        answer = explain(world.ledger(), [request], 0)
        self.assertEqual({"busy": 1, "fits": 1, "kept": 1}, checks(answer))
        self.assertIn("cannot stay on 1 of its 1", answer.text)
        self.assertEqual((), answer.alternatives)
        shrink = replace(request, demand=Slots(1, {"VCPU": 1}, None), keep=(Placement(2, 3),))
        answer = explain(world.ledger(), [shrink], 0)
        self.assertIn("cannot be made smaller: it has 3 slots, and 1 is asked for", answer.text)

    def test_what_fails_only_together_is_said_to_be_not_found(self):
        requests = [
            AllocationRequest(key, WholeHosts(2, 2), Window(0, HOUR)) for key in ("a", "b")
        ]
        world = world_of(host(1), host(2), host(3))
        answer = explain(world.ledger(), requests, 0)
        self.assertEqual({"together": 2, "fits": 1, "search": 0}, checks(answer))
        self.assertIn("not found to fit", answer.text)

    def test_alternatives_start_at_whole_minutes_and_not_in_the_past(self):
        end = 2 * HOUR + 1
        world = world_of(host(1), bookings=(Booking(1, 1, 1, None, 1, 0, end, False),))
        request = AllocationRequest("a", WholeHosts(1, 1), Window(HOUR, 4 * HOUR))
        (window,) = explain(world.ledger(), [request], 0).alternatives
        self.assertEqual(2 * HOUR + 60 * 10**6, window.start)
        late = 3 * HOUR
        world = world_of(host(1), bookings=(Booking(1, 1, 1, None, 1, 0, end, True),), now=late)
        (window,) = explain(world.ledger(), [request], late).alternatives
        self.assertEqual(Window(late, late + 3 * HOUR), window)

    def test_a_window_is_found_where_hosts_take_very_many_slots(self):
        for amount in (40, 61, 99, 100):
            with self.subTest(amount=amount):
                world = world_of(
                    host(1, vcpus=50),
                    host(2, vcpus=50),
                    bookings=(
                        Booking(1, 1, 1, 1, 40, 0, 5 * HOUR, False),
                        Booking(2, 1, 2, 1, 49, 0, 7 * HOUR, False),
                    ),
                )
                request = AllocationRequest(
                    "a", Slots(amount, {"VCPU": 1}, None), Window(HOUR, 2 * HOUR)
                )
                answer = explain(world.ledger(), [request], 0)
                start = 5 * HOUR if amount <= 51 else 7 * HOUR
                self.assertEqual((Window(start, start + HOUR),), answer.alternatives)
                self.assertEqual({"slots": 11}, answer.fits)

    def test_an_open_window_moves_only_its_start(self):
        world = world_of(host(1), bookings=(Booking(1, 1, 1, None, 1, 0, 5 * HOUR, False),))
        request = AllocationRequest("a", WholeHosts(1, 1), Window(HOUR, OPEN))
        answer = explain(world.ledger(), [request], 0)
        self.assertEqual((Window(5 * HOUR, OPEN),), answer.alternatives)
        forever = world_of(host(1), bookings=(Booking(1, 1, 1, None, 1, 0, OPEN, False),))
        answer = explain(forever.ledger(), [request], 0)
        self.assertEqual((), answer.alternatives)
        self.assertIn("busy from 1970-01-01 01:00", answer.text)

    def test_nothing_to_explain(self):
        request = AllocationRequest("a", WholeHosts(1, 1), Window(0, 1))
        world = world_of(host(1))
        self.assertNotIsInstance(admit(world.ledger(), [request], 0), Refusal)
        self.assertEqual("It fits", explain(world.ledger(), [request], 0).text)
