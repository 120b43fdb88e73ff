# SPDX-License-Identifier: Apache-2.0
"""What Nova's scheduler knows of an aggregate that several managers change at the same time."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from promise_blazar import exceptions
from promise_blazar.cloud import openstack
from promise_blazar.tests.unit.cloud.openstack.case import COMPUTE, AdapterTest
from promise_blazar.tests.unit.cloud.openstack.services import Answer, Request, Services

PATH = f"{COMPUTE}/os-aggregates"


class Nova:
    """An aggregate of Nova and its scheduler's memory of it.

    As ``nova.compute.api.AggregateAPI`` has it: a change reads the aggregate, writes its own part,
    and then tells the scheduler what was read, with that part. ``meanwhile``: called between
    reading and writing, with what is asked for; ``broken``: whether a change is answered 500.
    """

    def __init__(self, services: Services) -> None:
        self.hosts: set[str] = set()
        self.scheduler: set[str] = set()
        self.meanwhile: Callable[[str], object] = lambda verb: None
        self.broken = False
        self.asked: list[str] = []
        self._lock = threading.Lock()
        services.lay("POST", PATH, Answer(200, {"aggregate": self._shown(set())}))
        services.lay("GET", f"{PATH}/1", self.show)
        services.lay("POST", f"{PATH}/1/action", self.change)

    def show(self, request: Request) -> Answer:
        self.asked.append("show")
        with self._lock:
            return Answer(200, {"aggregate": self._shown(self.hosts)})

    def change(self, request: Request) -> Answer:
        ((verb, words),) = request.body.items()
        self.asked.append(verb)
        with self._lock:
            told = set(self.hosts)
        self.meanwhile(verb)
        with self._lock:
            for hosts in (self.hosts, told):
                if verb == "add_host":
                    hosts.add(words["host"])
                elif verb == "remove_host":
                    hosts.discard(words["host"])
            self.scheduler = told
            if self.broken:
                return Answer(500, {"computeFault": {"code": 500, "message": "late"}})
            return Answer(200, {"aggregate": self._shown(told)})

    def _shown(self, hosts: set[str]) -> dict[str, Any]:
        shown = {"id": 1, "name": "freepool", "availability_zone": None, "metadata": {}}
        return {**shown, "hosts": sorted(hosts)}


class SharedAggregateTest(AdapterTest):
    def setUp(self) -> None:
        super().setUp()
        self.nova = Nova(self.services)
        others = [openstack.connect(self.services.conf()) for _ in range(2)]
        self.managers = [self.cloud, *others]
        for manager in self.managers:
            manager.aggregates.ensure("freepool", None, {})
        self.nova.asked.clear()

    def add(self, *numbers: int) -> None:
        """Each manager adds a host, and they meet: all have read before one writes."""
        barrier = threading.Barrier(len(numbers))

        def meanwhile(verb: str) -> None:
            if verb == "add_host":
                barrier.wait(30)

        self.nova.meanwhile = meanwhile
        with ThreadPoolExecutor(len(numbers)) as pool:
            for manager, number in zip(self.managers, numbers, strict=False):
                pool.submit(manager.aggregates.add_host, 1, f"compute-{number}")

    def test_a6_changes_of_two_managers_that_meet(self) -> None:
        self.add(1, 2)
        self.assertEqual({"compute-1", "compute-2"}, self.nova.hosts)
        self.assertEqual(self.nova.hosts, self.nova.scheduler)

    def test_a6_a_change_that_meets_another_s_telling_anew(self) -> None:
        left = [2, 3]

        def meanwhile(verb: str) -> None:
            if left:
                number = left.pop()
                self.managers[number - 1].aggregates.add_host(1, f"compute-{number}")

        self.nova.meanwhile = meanwhile
        self.cloud.aggregates.add_host(1, "compute-1")
        self.assertEqual({f"compute-{n}" for n in (1, 2, 3)}, self.nova.hosts)
        self.assertEqual(self.nova.hosts, self.nova.scheduler)

    def test_a6_a_host_that_leaves_as_another_comes(self) -> None:
        self.nova.hosts = {"compute-1"}
        self.nova.meanwhile = lambda verb: (
            verb == "remove_host" and self.managers[1].aggregates.add_host(1, "compute-2")
        )
        self.cloud.aggregates.remove_host(1, "compute-1")
        self.assertEqual({"compute-2"}, self.nova.hosts)
        self.assertEqual(self.nova.hosts, self.nova.scheduler)

    def test_a6_after_a_change_without_an_answer_it_is_told_anew(self) -> None:
        def meanwhile(verb: str) -> None:
            if verb == "add_host" and not self.nova.hosts:
                self.nova.hosts.add("compute-2")  # another's, which has told of it already
            self.nova.broken = verb == "add_host"

        self.nova.meanwhile = meanwhile
        # Nova says 500 and the host is there.
        self.cloud.aggregates.add_host(1, "compute-1")
        self.assertEqual({"compute-1", "compute-2"}, self.nova.hosts)
        self.assertEqual(self.nova.hosts, self.nova.scheduler)

    def test_a6_what_is_refused_costs_nothing(self) -> None:
        words = {"conflictingRequest": {"code": 409, "message": "it has servers"}}
        self.services.lay("POST", f"{PATH}/1/action", Answer(409, words))
        with self.assertRaises(exceptions.CloudError):
            self.cloud.aggregates.remove_host(1, "compute-1")
        self.assertEqual([], self.nova.asked)

    def test_a6_of_changes_that_come_together_only_the_last_looks(self) -> None:
        waiting = self.cloud.aggregates._aggregate_locks._waiting  # noqa: SLF001
        gate = threading.Event()
        self.nova.meanwhile = lambda verb: gate.wait(30)
        with ThreadPoolExecutor(6) as pool:
            for number in range(6):
                pool.submit(self.cloud.aggregates.add_host, 1, f"compute-{number}")
            give_up = time.monotonic() + 30
            while waiting["1"] < 5 and time.monotonic() < give_up:
                time.sleep(0.001)
                waiting = self.cloud.aggregates._aggregate_locks._waiting  # noqa: SLF001
            gate.set()
        self.assertEqual(["add_host"] * 6 + ["show"], self.nova.asked)
        self.assertEqual(self.nova.hosts, self.nova.scheduler)

    def test_a6_an_aggregate_of_one_manager_alone_is_not_looked_at(self) -> None:
        whole = {"id": 2, "name": "a", "availability_zone": None, "metadata": {}, "hosts": []}
        self.services.lay("POST", f"{PATH}/2/action", Answer(200, {"aggregate": whole}))
        self.cloud.aggregates.add_host(2, "compute-1")
        self.assertEqual([], self.nova.asked)
