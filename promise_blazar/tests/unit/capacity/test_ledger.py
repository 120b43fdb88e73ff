# SPDX-License-Identifier: Apache-2.0
import unittest
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from promise_blazar import times
from promise_blazar.capacity.admission import admit
from promise_blazar.capacity.demand.request import AllocationRequest, Window
from promise_blazar.capacity.demand.slots import Slots
from promise_blazar.capacity.demand.whole_hosts import WholeHosts
from promise_blazar.capacity.ledger import OPEN, Booking, Ledger, LedgerHost
from promise_blazar.capacity.resource_query import parse
from promise_blazar.tests.unit.capacity import oracle, worlds


def booking(id_: int, **values) -> Booking:
    return replace(Booking(id_, 1, 1, 1, 1, 0, 10, False), **values)


def ledger_of(*bookings: Booking) -> Ledger:
    ledger = Ledger()
    ledger.put_bundle(1, {"VCPU": 1})
    oracle.put(ledger, list(bookings))
    return ledger


@st.composite
def histories(draw):
    """A world, and the same reached by a detour: (world, batches put, ids dropped, ...)."""
    world = draw(worlds.worlds())
    steps = []
    present = {}
    for _ in range(draw(st.integers(1, 6))):
        if present and draw(st.booleans()):
            ids = draw(st.sets(st.sampled_from(sorted(present)), min_size=1))
            steps.append(("drop", sorted(ids | {77})))
            present = {id_: b for id_, b in present.items() if id_ not in ids}
        else:
            ids = draw(st.lists(st.integers(1, 9), min_size=1, max_size=4))
            hosts = [host.id for host in world.hosts] + [99]
            batch = [draw(worlds.bookings(id_, hosts)) for id_ in ids]
            steps.append(("put", batch))
            present.update({b.id: b for b in batch})
    return replace(world, bookings=[present[id_] for id_ in sorted(present)]), steps


class LedgerTest(unittest.TestCase):
    def test_for_ever_fits_a_column_and_is_later_than_any_date(self):
        latest = times.to_micros(datetime.max.replace(tzinfo=UTC))
        self.assertTrue(latest < OPEN < 2**63 - latest)

    @worlds.exact(300)
    @given(histories(), st.data())
    def test_changed_bit_by_bit_it_is_as_if_loaded_fresh(self, history, data):
        world, steps = history
        ledger = replace(world, bookings=[]).ledger()
        for verb, what in steps:
            if verb == "put":
                oracle.put(ledger, what)
            else:
                ledger.drop_bookings(what)
        fresh = world.ledger()
        self.assertEqual(len(world.bookings), len(ledger))
        for reservation in range(1, 5):
            expected = [b for b in world.bookings if b.reservation == reservation]
            self.assertEqual(expected, ledger.bookings_of(reservation))
            self.assertEqual(expected, fresh.bookings_of(reservation))
        request = data.draw(worlds.requests("a", world))
        self.assertEqual(
            admit(fresh, [request], world.now, world.exclude),
            admit(ledger, [request], world.now, world.exclude),
        )

    def test_many_bookings_come_and_go(self):
        ledger = ledger_of()
        count = 5000
        ids = np.random.default_rng(7).permutation(count) + 1
        same = np.ones(count, dtype=np.int64)
        ledger.put_bookings(ids, ids % 10, same, same, same, ids, ids + 5, same * 0)
        self.assertEqual(count, len(ledger))
        ledger.drop_bookings([id_ for id_ in range(1, count + 1) if id_ % 10])
        self.assertEqual(count // 10, len(ledger))
        self.assertEqual(list(range(10, count + 1, 10)), [b.id for b in ledger.bookings_of(0)])
        self.assertEqual([], ledger.bookings_of(3))
        oracle.put(ledger, [booking(3, reservation=3), booking(9999, reservation=3)])
        self.assertEqual([3, 9999], [b.id for b in ledger.bookings_of(3)])

    def test_a_booking_that_comes_back_counts_again(self):
        ledger = ledger_of(booking(1), booking(2))
        ledger.drop_bookings([1])
        ledger.drop_bookings([1])
        self.assertEqual(1, len(ledger))
        oracle.put(ledger, [booking(1, units=5)])
        self.assertEqual(2, len(ledger))
        self.assertEqual([5, 1], [b.units for b in ledger.bookings_of(1)])

    def test_nothing_changes_if_a_bundle_is_not_known(self):
        ledger = ledger_of()
        self.assertTrue(ledger.has_bundle(1))
        self.assertFalse(ledger.has_bundle(2))
        with self.assertRaises(KeyError):
            oracle.put(ledger, [booking(1), booking(2, bundle=2)])
        self.assertEqual(0, len(ledger))

    def test_columns_of_different_lengths_are_a_mistake(self):
        with self.assertRaises(ValueError):
            ledger_of().put_bookings([1, 2], [1], [1], [-1], [1], [0], [1], [0])

    def test_no_bookings_are_fine(self):
        ledger = ledger_of()
        ledger.put_bookings([], [], [], [], [], [], [], [])
        ledger.drop_bookings([])
        self.assertEqual(0, len(ledger))
        self.assertEqual([], ledger.bookings_of(1))

    def test_bookings_may_come_before_their_host_and_outlive_it(self):
        ledger = ledger_of(booking(1, bundle=None))
        host = LedgerHost(1, "compute-1", "nova", {"VCPU": 4}, {}, True)
        request = AllocationRequest("a", WholeHosts(0, 9), Window(0, 5))
        self.assertEqual({}, dict(ledger.hosts))
        ledger.put_host(host)
        ledger.put_host(replace(host, id=2))
        self.assertEqual([2], [p.host for p in admit(ledger, [request], 0).placements["a"]])
        ledger.drop_host(2)
        ledger.drop_host(2)
        self.assertEqual({1: host}, dict(ledger.hosts))
        self.assertEqual((), admit(ledger, [request], 0).placements["a"])

    def test_a_changed_host_is_judged_anew(self):
        ledger = ledger_of()
        query = parse('["=", "$gpu", "1"]')
        host = LedgerHost(1, "compute-1", "nova", {"VCPU": 4, "PCPU": 2}, {"gpu": "1"}, True)
        request = AllocationRequest("a", Slots(2, {"PCPU": 1}, None, (query,)), Window(0, 5))

        def placed(**changes):
            ledger.put_host(replace(host, **changes))
            answer = admit(ledger, [request], 0)
            return hasattr(answer, "placements")

        self.assertTrue(placed())
        self.assertFalse(placed(properties={"gpu": "2"}))
        self.assertTrue(placed())
        self.assertFalse(placed(capacity={"VCPU": 4}))
        self.assertFalse(placed(reservable=False))
        self.assertTrue(placed())

    def test_answers_to_queries_are_not_kept_for_ever(self):
        ledger = ledger_of()
        ledger.put_host(LedgerHost(1, "compute-1", "nova", {}, {"rank": 500}, True))
        for rank in range(1000):
            query = parse(f'[">=", "$rank", {rank}]')
            self.assertEqual([rank <= 500], ledger.matching(query).tolist())
            self.assertLess(len(ledger._lent._answers), 300)  # noqa: SLF001 - that is the point
