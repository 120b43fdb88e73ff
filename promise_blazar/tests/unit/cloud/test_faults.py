# SPDX-License-Identifier: Apache-2.0
"""Injected latency and failures: which calls they hit, how often, and with what error."""

from promise_blazar import exceptions
from promise_blazar.cloud import fence
from promise_blazar.cloud.simulated import faults
from promise_blazar.tests.unit.cloud.simulated_case import SimulatedCase


class FaultsTest(SimulatedCase):
    def names(self) -> list[str]:
        return [aggregate.name for aggregate in self.cloud.aggregates.list()]

    def test_the_next_calls_fail_and_then_no_more(self) -> None:
        self.cloud.set_faults("nova.aggregate.create", fail_next=2)
        for _ in range(2):
            with self.assertRaises(exceptions.CloudUnavailable) as caught:
                self.cloud.aggregates.ensure("a", None, {})
            self.assertEqual("nova.aggregate.create", caught.exception.facts["call"])
            self.assertEqual(503, caught.exception.facts["status"])
            self.assertEqual([], self.names())
        self.cloud.aggregates.ensure("a", None, {})
        self.assertEqual(["a"], self.names())

    def test_a_status_makes_the_error(self) -> None:
        for status, kind in (
            (None, exceptions.CloudUnavailable),
            (429, exceptions.CloudUnavailable),
            (500, exceptions.CloudUnavailable),
            (400, exceptions.CloudError),
            (409, exceptions.CloudError),
        ):
            self.cloud.set_faults("nova.aggregate.list", fail_next=1, status=status)
            with self.subTest(status), self.assertRaises(exceptions.CloudError) as caught:
                self.cloud.aggregates.list()
            self.assertIs(kind, type(caught.exception))
            self.assertEqual(status, caught.exception.facts["status"])

    def test_a_call_may_work_and_its_answer_be_lost(self) -> None:
        self.cloud.set_faults("nova.aggregate.create", fail_next=1, status=None, after=True)
        with self.assertRaises(exceptions.CloudUnavailable):
            self.cloud.aggregates.ensure("a", None, {})
        self.assertEqual(["a"], self.names())

    def test_a_refusal_is_not_lost_in_a_fault_afterwards(self) -> None:
        self.cloud.set_faults("nova.aggregate.show", fail_next=1, after=True)
        with self.assertRaises(exceptions.NotFound):
            self.cloud.aggregates.get(99)

    def test_a_rule_for_all_calls_gives_way_to_a_calls_own(self) -> None:
        self.cloud.set_faults("*", fail_next=2, status=500)
        self.cloud.set_faults("nova.aggregate.list")
        self.assertEqual([], self.names())
        with self.assertRaises(exceptions.CloudUnavailable):
            self.cloud.hypervisors.list()
        self.assertEqual(
            [("*", 1), ("nova.aggregate.list", 0)],
            [(fault.call, fault.fail_next) for fault in self.cloud.list_faults()],
        )

    def test_latency_passes_before_a_call(self) -> None:
        self.cloud.set_faults("nova.hypervisor.show", latency_ms=250)
        self.cloud.hypervisors.get("compute-1")
        self.cloud.hypervisors.list()
        self.assertEqual([0.25], self.slept)
        self.cloud.set_faults("nova.hypervisor.show", latency_ms=100, fail_next=1)
        with self.assertRaises(exceptions.CloudUnavailable):
            self.cloud.hypervisors.get("compute-1")
        self.assertEqual([0.25, 0.1], self.slept)

    def test_others_meet_the_same_faults(self) -> None:
        self.cloud.set_faults(fail_next=1)
        with self.assertRaises(exceptions.CloudUnavailable):
            self.open().hypervisors.list()
        self.cloud.hypervisors.list()

    def test_faults_are_cleared(self) -> None:
        self.cloud.set_faults(fail_next=9, latency_ms=9)
        self.cloud.clear_faults()
        self.cloud.hypervisors.list()
        self.assertEqual(([], []), (self.slept, self.cloud.list_faults()))

    def test_a_fence_comes_before_a_fault(self) -> None:
        self.cloud.set_faults(fail_next=1)

        def closed(call: str) -> None:
            raise InterruptedError(call)

        with self.assertRaises(InterruptedError), fence.fenced(closed):
            self.cloud.hypervisors.list()
        self.assertEqual([1], [fault.fail_next for fault in self.cloud.list_faults()])

    def test_users_meet_no_faults(self) -> None:
        self.cloud.set_faults(fail_next=1)
        server = self.cloud.create_server("demo", "s", "m1.tiny")
        self.cloud.remove_server(server.id)
        self.assertEqual(1, self.cloud.list_faults()[0].fail_next)

    def test_a_call_that_is_never_made_is_refused(self) -> None:
        with self.assertRaisesRegex(exceptions.BadInput, "nova.aggregate.get"):
            self.cloud.set_faults("nova.aggregate.get", fail_next=1)
        self.assertEqual([], self.cloud.list_faults())

    def test_a_full_disk_is_an_unavailable_cloud(self) -> None:
        with self.cloud._world.reading() as db:  # noqa: SLF001 - no other way to fill a disk
            pages = db.execute("PRAGMA page_count").fetchone()[0]
        with self.cloud._world._connection() as db:  # noqa: SLF001
            db.execute(f"PRAGMA max_page_count = {pages}")
        with self.assertRaises(exceptions.CloudUnavailable) as caught:
            self.cloud.aggregates.ensure("a", None, {"key": "x" * 100_000})
        self.assertEqual("nova.aggregate.create", caught.exception.facts["call"])
        self.assertEqual([], self.names())

    def test_every_announced_call_can_be_hit(self) -> None:
        announced: set[str] = set()
        with fence.fenced(announced.add):
            for host in self.cloud.hypervisors.list():
                self.cloud.hypervisors.get(host.name)
            aggregate = self.lend("r", "compute-1")
            self.cloud.aggregates.ensure("r", None, {"a": "b"})
            self.cloud.aggregates.delete(aggregate.id)
        self.assertLess(5, len(announced))
        self.assertEqual(set(), announced - faults.CALLS)
