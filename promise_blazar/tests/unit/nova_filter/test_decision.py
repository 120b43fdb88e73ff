# SPDX-License-Identifier: Apache-2.0
"""The truth table of the decision, row by row, and what it costs."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from oslotest import base

from nova_filter import decision
from promise_blazar.tests.unit.nova_filter import world
from promise_blazar.tests.unit.nova_filter.world import MEMBER, OWNER, STRANGER, Host, names


class TruthTable(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        pool, north = world.freepool(), world.zone("north")
        lent = world.host_reservation("lent", **{MEMBER: "true"})
        second = world.host_reservation("second")
        theirs = world.host_reservation("theirs", owner=STRANGER)
        slots = world.instance_reservation("slots", **{MEMBER: "True"})
        their_slots = world.instance_reservation("their-slots", owner=STRANGER)
        self.hosts = [
            Host("bare"),
            Host("in-zone", [north]),
            Host("free", [pool]),
            Host("free-in-zone", [north, pool]),
            Host("lent-1", [lent]),
            Host("lent-2", [north, lent]),
            Host("second-1", [second]),
            Host("theirs-1", [theirs]),
            Host("slots-1", [pool, slots]),
            Host("slots-2", [slots, pool, their_slots]),
            Host("their-slots-1", [their_slots, pool]),
        ]

    def check(self, asked: decision.Request, *expected: str) -> None:
        self.assertEqual(list(expected), names(asked, self.hosts))

    def test_without_hint_hosts_outside_every_pool(self) -> None:
        self.check(world.request(), "bare", "in-zone")
        self.check(world.request(STRANGER), "bare", "in-zone")

    def test_hint_of_a_host_reservation_its_hosts(self) -> None:
        self.check(world.request(OWNER, "lent"), "lent-1", "lent-2")

    def test_shared_host_reservation_serves_its_members(self) -> None:
        self.check(world.request(MEMBER, "lent"), "lent-1", "lent-2")
        self.check(world.request(MEMBER, "second"))

    def test_foreign_hint_no_host(self) -> None:
        self.check(world.request(STRANGER, "lent"))
        self.check(world.request(OWNER, "theirs"))

    def test_unknown_hint_no_host(self) -> None:
        self.check(world.request(OWNER, "no-such-reservation"))

    def test_several_hints_any_that_the_project_may_use(self) -> None:
        self.check(world.request(OWNER, "second", "lent"), "lent-1", "lent-2", "second-1")
        self.check(world.request(OWNER, "theirs", "no-such-reservation", "second"), "second-1")
        self.check(world.request(STRANGER, "lent", "second"))

    def test_flavor_of_an_instance_reservation_its_hosts(self) -> None:
        self.check(world.request(OWNER, of="slots"), "slots-1", "slots-2")
        self.check(world.request(OWNER, "slots", of="slots"), "slots-1", "slots-2")

    def test_shared_instance_reservation_serves_its_members(self) -> None:
        self.check(world.request(MEMBER, of="slots"), "slots-1", "slots-2")

    def test_extra_spec_alone_is_not_enough(self) -> None:
        self.check(world.request(STRANGER, of="slots"))
        self.check(world.request(OWNER, of="their-slots"))
        copied = {world.FLAVOR_RESERVATION: "slots"}
        self.check(decision.Request(OWNER, (), "copied-flavor", copied))
        self.check(decision.Request(OWNER, ("slots",), "copied-flavor", copied))

    def test_flavor_of_an_instance_reservation_that_has_no_host(self) -> None:
        self.check(world.request(OWNER, of="not-started"))
        self.check(world.request(OWNER, of=""))

    def test_flavor_with_the_hint_of_another_reservation_no_host(self) -> None:
        self.check(world.request(OWNER, "lent", of="slots"))
        self.check(world.request(OWNER, "slots", "lent", of="slots"))
        self.check(world.request(OWNER, "no-such-reservation", of="slots"))

    def test_hint_of_an_instance_reservation_with_another_flavor_no_host(self) -> None:
        self.check(world.request(OWNER, "slots"))
        self.check(world.request(OWNER, "slots", "lent"), "lent-1", "lent-2")

    def test_flavor_that_names_a_host_reservation_no_host(self) -> None:
        self.check(world.request(OWNER, of="lent"))

    def test_names_of_the_operators_own_choice(self) -> None:
        settings = decision.Settings("waiting", "leased:", "lease:owner")
        lent = world.Aggregate("r", {"availability_zone": "leased:r", "lease:owner": OWNER})
        hosts = [
            Host("waiting", [world.freepool("waiting")]),
            Host("lent", [lent]),
            Host("other", [world.freepool()]),
            Host("blazar", [world.host_reservation("b")]),
        ]
        self.assertEqual(["lent"], names(world.request(OWNER, "r"), hosts, settings))
        self.assertEqual(["other", "blazar"], names(world.request(), hosts, settings))
        self.assertEqual([], names(world.request(OWNER, "b"), hosts, settings))

    def test_an_aggregate_without_metadata_is_ordinary(self) -> None:
        hosts = [Host("h", [world.Aggregate("lent", None)])]
        self.assertEqual(["h"], names(world.request(), hosts))
        self.assertEqual([], names(world.request(OWNER, "lent"), hosts))

    def test_no_hosts(self) -> None:
        self.assertEqual([], names(world.request(), []))


@dataclass(frozen=True)
class Unhashable:
    name: str
    metadata: dict[str, str] = field(default_factory=dict)


class Cost(base.BaseTestCase):
    def test_each_aggregate_is_judged_once_per_request(self) -> None:
        for asked in (world.request(), world.request(OWNER, "r3"), world.request(of="r3")):
            with self.subTest(asked=asked):
                self.assertEqual(self.reads(asked, hosts=10), self.reads(asked, hosts=500))

    def reads(self, asked: decision.Request, hosts: int) -> list[int]:
        """How often each of ten aggregates is looked at, all of them having hosts."""
        shared = [world.freepool(), *(world.host_reservation(f"r{i}") for i in range(9))]
        names(asked, [Host(f"h{i}", [shared[i % 10], shared[(i + 1) % 10]]) for i in range(hosts)])
        reads = [aggregate.reads for aggregate in shared]
        self.assertNotIn(0, reads)
        return reads

    def test_hosts_and_aggregates_may_come_only_once(self) -> None:
        lent, pool = world.host_reservation("r"), world.freepool()
        hosts = [Host("a", [lent]), Host("b", [pool]), Host("c", [pool, lent])]
        asked = world.request(OWNER, "r")
        selected = decision.select(asked, iter(hosts), lambda host: iter(host.aggregates))
        self.assertEqual([hosts[0], hosts[2]], selected)

    def test_aggregates_that_cannot_be_hashed(self) -> None:
        zone = {"availability_zone": "blazar_r", "blazar:owner": OWNER}
        of = {"a": [Unhashable("r", zone)], "b": [Unhashable("freepool")], "c": []}
        self.assertEqual(["a"], decision.select(world.request(OWNER, "r"), "abc", of.__getitem__))
        self.assertEqual(["c"], decision.select(world.request(), "abc", of.__getitem__))

    def test_aggregates_made_for_each_host_anew(self) -> None:
        # An object that is gone leaves its identity to the next one.
        def fresh(number: int) -> list[world.Aggregate]:
            return [world.host_reservation("r")] if number % 2 else [world.zone("north")]

        self.assertEqual(
            list(range(1, 1000, 2)),
            decision.select(world.request(OWNER, "r"), range(1000), fresh),
        )


class Threads(base.BaseTestCase):
    def test_threads_decide_for_themselves(self) -> None:
        lent = [world.host_reservation(f"r{i}", owner=f"project-{i}") for i in range(8)]
        hosts = [Host(f"h{i}", [lent[i % 8]]) for i in range(400)]
        asked = [world.request(f"project-{i % 8}", f"r{i % 8}") for i in range(64)]
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda one: names(one, hosts), asked))
        self.assertEqual([names(one, hosts) for one in asked], answers)
        self.assertEqual([f"h{i}" for i in range(3, 400, 8)], answers[3])
