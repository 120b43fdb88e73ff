# SPDX-License-Identifier: Apache-2.0
"""Up to the maximum: as many as there are beside the rest of the request."""

import itertools
import unittest
from dataclasses import replace

from promise_blazar.capacity.admission import Plan, admit
from promise_blazar.capacity.demand.request import AllocationRequest, Window
from promise_blazar.capacity.demand.slots import Slots
from promise_blazar.capacity.demand.whole_hosts import WholeHosts
from promise_blazar.capacity.ledger import LedgerHost
from promise_blazar.capacity.resource_query import parse
from promise_blazar.tests.unit.capacity import oracle, worlds

WINDOW = Window(0, 10)
GPU = parse('["=", "$gpu", "1"]')


def host(number, vcpus=4, gpu="0"):
    return LedgerHost(number, f"c{number}", "nova", {"VCPU": vcpus}, {"gpu": gpu}, True)


def given(world, requests):
    answer = admit(world.ledger(), requests, world.now, world.exclude)
    if not isinstance(answer, Plan):
        return None
    return {key: sum(p.units for p in found) for key, found in answer.placements.items()}


class UpToMaxTest(unittest.TestCase):
    def test_h7_slots_leave_the_hosts_that_others_could_have(self):
        world = oracle.World([host(1, gpu="1"), host(2, gpu="1"), host(3)], {}, [], 0)
        whole = AllocationRequest("0", WholeHosts(1, 2, (GPU,)), WINDOW)
        for affinity in (None, True, False):
            slots = AllocationRequest("1", Slots(1, {"VCPU": 1}, affinity), WINDOW)
            self.assertEqual({"0": 2, "1": 1}, given(world, [whole, slots]))

    def test_h7_so_do_whole_hosts(self):
        world = oracle.World([host(1, gpu="1"), host(2, gpu="1"), host(3)], {}, [], 0)
        whole = AllocationRequest("0", WholeHosts(1, 2, (GPU,)), WINDOW)
        other = AllocationRequest("1", WholeHosts(1, 1), WINDOW)
        more = AllocationRequest("1", WholeHosts(1, 3), WINDOW)
        for requests in ([whole, other], [other, whole], [whole, more]):
            self.assertEqual({"0": 2, "1": 1}, given(world, requests))

    def test_h7_what_must_be_taken_is_taken_of_few(self):
        hosts = [host(1, vcpus=1, gpu="1"), host(2, vcpus=1, gpu="1"), host(3, vcpus=8, gpu="1")]
        world = oracle.World(hosts, {}, [], 0)
        whole = AllocationRequest("0", WholeHosts(1, 3), WINDOW)
        slots = AllocationRequest("1", Slots(2, {"VCPU": 1}, None), WINDOW)
        self.assertEqual({"0": 2, "1": 2}, given(world, [whole, slots]))

    def test_h7_as_many_as_there_are_beside_one_other_reservation(self):
        admitted = 0
        for seed in range(500):
            with self.subTest(seed=seed):
                world, (first, second) = worlds.crowded(seed, 2)
                # Before all of it: hosts that are last choice now are avoided, at that price too.
                world = replace(world, now=-1)
                whole = replace(
                    first,
                    demand=WholeHosts(1, 3, first.demand.where),
                    window=second.window,
                    keep=(),
                    pinned=False,
                )
                second = replace(second, keep=(), pinned=False)
                if isinstance(second.demand, WholeHosts):
                    exact = WholeHosts(second.demand.minimum, second.demand.minimum)
                    second = replace(second, demand=exact)
                found = given(world, [whole, second])
                if found is not None:
                    self.assertEqual(self._most(world, whole, second), found[whole.key])
                    admitted += 1
        self.assertGreater(admitted, 50)

    def _most(self, world, whole, second):
        return max(
            sum(mine.values())
            for mine, its in itertools.product(
                oracle.assignments(world, whole), oracle.assignments(world, second)
            )
            if oracle.rule_kept(world, [(whole, mine), (second, its)])
        )
