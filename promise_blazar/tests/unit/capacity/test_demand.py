# SPDX-License-Identifier: Apache-2.0
import itertools
import unittest
from dataclasses import dataclass, replace
from typing import ClassVar

from promise_blazar.capacity.admission import Plan, Refusal, admit, holds
from promise_blazar.capacity.demand.contract import Bound, Demand, Verdict
from promise_blazar.capacity.demand.request import AllocationRequest, Window
from promise_blazar.capacity.demand.slots import Slots
from promise_blazar.capacity.demand.whole_hosts import WholeHosts
from promise_blazar.capacity.explanation import explain
from promise_blazar.capacity.ledger import Booking, LedgerHost
from promise_blazar.capacity.limits import NO_LIMITS, Taking
from promise_blazar.capacity.resource_query import without
from promise_blazar.capacity.window_search import next_windows
from promise_blazar.tests import tree
from promise_blazar.tests.unit.capacity import oracle, worlds

HOUR = 3600 * 10**6


@dataclass(frozen=True)
class Pairs:
    """Slots that come two on a host; a kind that no module of the product knows."""

    pairs: int
    amounts: dict
    where: tuple = ()

    unit: ClassVar[str] = "slots"
    least: ClassVar[int] = 2
    size: ClassVar[str] = "a pair"

    @property
    def minimum(self):
        return 2 * self.pairs

    @property
    def maximum(self):
        return 2 * self.pairs

    @property
    def taken(self):
        return {name: amount for name, amount in self.amounts.items() if amount}

    def restricted(self, where):
        return replace(self, where=(*self.where, *where))

    def blind_to(self, names):
        return replace(self, where=tuple(without(query, names) for query in self.where))

    def room(self, free, window, beside):
        return free.units_of(self.taken, window, beside) // 2 * 2

    def empty_room(self, free):
        return free.empty_units_of(self.taken) // 2 * 2

    def lacking(self, free, window, units):
        return free.lacking_units_of(self.taken, window, units)

    def choose(self, candidates, pinned):
        chosen = {slot: units + units % 2 for slot, units in pinned.items()}
        left = self.maximum - sum(chosen.values())
        if left < 0 or any(candidates.room[slot] < units for slot, units in chosen.items()):
            return None
        pool = Taking(candidates.limits)
        pool.take_all(chosen)
        for slot in candidates.packed(candidates.room.nonzero()[0]).tolist():
            more = min(left, int(candidates.room[slot]) - chosen.get(slot, 0))
            more = pool.take(slot, pool.most(slot, more) // 2 * 2)
            if more > 0:
                chosen[slot] = chosen.get(slot, 0) + more
                left -= more
        return None if left else chosen

    def proves(self, candidates, pinned):
        return True

    def grow(self, candidates, chosen):
        return chosen

    def slack(self, room):
        return float(room.sum()) / max(self.maximum, 1)

    @property
    def bound(self):
        return Bound(self.pairs, 2)

    def fits(self, room, limits=NO_LIMITS):
        left = Taking(limits)
        return sum(left.take(slot, int(units)) // 2 * 2 for slot, units in enumerate(room))

    def verdict(self, hosts, room):
        return Verdict("fits", f"{hosts} fit for {self.fits(room) // 2} pairs")


def paired(world, request):
    """Every assignment that satisfies a request for pairs, as naively as it can be written."""
    ids = [host.id for host in world.hosts]
    for units in itertools.product(range(0, request.demand.maximum + 1, 2), repeat=len(ids)):
        assignment = dict(zip(ids, units, strict=True))
        if sum(units) != request.demand.maximum:
            continue
        if request.pinned and any(assignment.get(p.host, 0) < p.units for p in request.keep):
            continue
        if oracle.rule_kept(world, [(request, assignment)]):
            yield assignment


def crowded(seed, count=1):
    """A crowded case in which the first request is for pairs."""
    world, (first, *others) = worlds.crowded(seed, count)
    amounts = [{"VCPU": 1}, {"VCPU": 1, "MEMORY_MB": 1}, {"MEMORY_MB": 2, "VCPU": 0}, {}]
    demand = Pairs(1 + seed % 2, amounts[seed % 4], first.demand.where)
    return world, [replace(first, demand=demand), *others]


class ANewKindTest(unittest.TestCase):
    def test_it_is_admitted_exactly_if_something_fits(self):
        for seed in range(300):
            with self.subTest(seed=seed):
                world, (request,) = crowded(seed)
                ledger = world.ledger()
                answer = admit(ledger, [request], world.now, world.exclude)
                possible = list(paired(world, request))
                if not possible:
                    self.assertEqual(Refusal(request.key), answer)
                    continue
                self.assertIsInstance(answer, Plan)
                chosen = oracle.assignment_of(answer.placements[request.key])
                self.assertIn(chosen, [{h: n for h, n in a.items() if n} for a in possible])
                self.assertTrue(holds(ledger, [request], answer, world.now, world.exclude))

    def test_beside_other_kinds_the_rule_is_kept(self):
        for seed in range(300):
            with self.subTest(seed=seed):
                world, requests = crowded(seed, 3)
                ledger = world.ledger()
                answer = admit(ledger, requests, world.now, world.exclude)
                if isinstance(answer, Refusal):
                    continue
                given = [
                    (request, oracle.assignment_of(answer.placements[request.key]))
                    for request in requests
                ]
                self.assertTrue(oracle.rule_kept(world, given))
                self.assertTrue(all(units % 2 == 0 for units in given[0][1].values()))
                self.assertTrue(holds(ledger, requests, answer, world.now, world.exclude))

    def test_the_next_window_is_the_first_that_fits(self):
        for seed in range(200):
            with self.subTest(seed=seed):
                world, (request,) = crowded(seed)
                request = replace(request, keep=(), pinned=False)
                start = request.window.start
                fitting = []
                for candidate in {start, *oracle.freed_after(world, start)}:
                    shift = max(candidate, world.now) - start if candidate > start else 0
                    moved = oracle.shifted(request.window, shift)
                    if any(paired(world, replace(request, window=moved))):
                        fitting.append(moved)
                fitting = sorted(set(fitting), key=lambda window: window.start)
                found = next_windows(
                    world.ledger(), [request], world.now, world.exclude, 2, granularity=1
                )
                self.assertEqual(fitting[:2], list(found.windows))

    def test_it_says_itself_why_it_is_refused(self):
        hosts = [
            LedgerHost(n, f"compute-{n}", "nova", {"VCPU": vcpus}, {}, True)
            for n, vcpus in enumerate((1, 3, 5, 2), 1)
        ]
        busy = Booking(1, 1, 4, 1, 1, 0, 2 * HOUR, False)
        world = oracle.World(hosts, {1: {"VCPU": 1}}, [busy], 0)
        request = AllocationRequest("a", Pairs(4, {"VCPU": 1}), Window(HOUR, 3 * HOUR))
        answer = explain(world.ledger(), [request], 0)
        self.assertEqual(
            "4 hosts: 1 too small for a pair, 1 busy 1970-01-01 01:00 to 1970-01-01 02:00,"
            " 2 fit for 3 pairs",
            answer.text,
        )
        self.assertEqual({"slots": 6}, answer.fits)
        self.assertEqual((Window(2 * HOUR, 4 * HOUR),), answer.alternatives)


class KindsTest(unittest.TestCase):
    KINDS = ("promise_blazar.capacity.demand.slots", "promise_blazar.capacity.demand.whole_hosts")

    def test_only_resource_types_name_a_kind(self):
        naming = {
            module.name
            for module in tree.product()
            if any(tree.inside(name, *self.KINDS) for _, name in module.imports)
        }
        self.assertTrue(naming)
        self.assertEqual(
            set(), {name for name in naming if not tree.inside(name, "promise_blazar.plugins")}
        )

    def test_each_has_all_that_the_contract_names(self):
        wanted = {name for name in vars(Demand) if not name.startswith("_")}
        for kind in (Pairs, Slots, WholeHosts):
            fields = {*kind.__dataclass_fields__, *dir(kind)}
            self.assertEqual(set(), wanted - fields, kind)

    def test_a_restricted_demand_is_of_the_same_kind(self):
        query = object()
        for demand in (WholeHosts(1, 2), Slots(1, {}, None), Pairs(1, {})):
            self.assertEqual(
                replace(demand, where=(query, query)),
                demand.restricted([query]).restricted([query]),
            )
