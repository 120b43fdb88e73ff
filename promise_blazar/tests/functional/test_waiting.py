# SPDX-License-Identifier: Apache-2.0
"""Requests that wait for OpenStack: how long, how many, and what the others do meanwhile."""

import threading
from typing import ClassVar

from promise_blazar.tests.functional.base import HOST, ServiceTestCase
from promise_blazar.tests.functional.concurrency.processes import DEADLINE, eventually


class WaitingCase(ServiceTestCase):
    options: ClassVar = {"manager__delete_wait": DEADLINE}

    def setUp(self):
        # The test base sets what suits a manager that acts only when it is told to.
        super().setUp()
        self.set_wait(DEADLINE)

    def set_wait(self, seconds):
        self.conf.set_override("delete_wait", seconds, "manager")
        self.service = self.manager()
        self.api.application = self.application(self.service)

    def later(self, ask):
        """An answer that another thread waits for."""
        answers = []
        thread = threading.Thread(target=lambda: answers.append(ask()), daemon=True)
        thread.start()
        eventually(lambda: self.service.engine.progress._waiting)  # noqa: SLF001
        self.assertEqual([], answers)
        return lambda: (thread.join(DEADLINE), answers[0])[1]


class TestDelete(WaitingCase):
    def test_g10_it_is_answered_when_all_is_free(self):
        lease = self.active(HOST)
        self.boot(reservation=lease["reservations"][0]["id"])
        answer = self.later(lambda: self.delete(lease))
        self.assertEqual("DELETING", self.show(lease)["status"])
        for _ in range(4):
            self.pass_time(5)
        self.assertEqual(204, answer().status_code)
        self.assertEqual([], self.call("GET", "/v1/leases").json["leases"])
        self.refused(404, self.delete(lease))

    def test_g10_also_where_another_manager_frees_it(self):
        lease = self.active(HOST)
        other = self.manager()
        answer = self.later(lambda: self.delete(lease))
        for _ in range(4):
            self.clock.advance(5)
            self.service.heartbeat.beat()
            other.heartbeat.beat()
            other.engine.run_due()
        self.assertEqual(204, answer().status_code)
        self.refused(404, self.delete(lease))

    def test_g10_in_any_case_after_a_while_and_again_meanwhile(self):
        self.set_wait(0.01)
        lease = self.active(HOST)
        for _ in range(2):
            self.assertEqual(204, self.delete(lease).status_code)
            self.assertEqual("DELETING", self.show(lease)["status"])
        for _ in range(4):
            self.pass_time(5)
        self.refused(404, self.delete(lease))

    def test_g10_what_was_never_prepared_is_gone_at_once(self):
        lease = self.lease(HOST, start=self.minute(60), end=90)
        self.assertEqual(204, self.delete(lease).status_code)
        self.refused(404, self.delete(lease))


class TestWaiters(WaitingCase):
    options: ClassVar = {"api__waiters": 1}

    def waiting(self):
        first, second = self.active(HOST), self.active(HOST)
        answer = self.later(lambda: self.delete(first))
        return answer, second

    def test_who_finds_no_place_is_answered_at_once(self):
        answer, second = self.waiting()
        self.assertEqual(204, self.delete(second).status_code)
        self.assertEqual("DELETING", self.show(second)["status"])
        made = self.lease(HOST, end=90)
        self.assertEqual(201, 201, made)
        for _ in range(4):
            self.pass_time(5)
        self.assertEqual(204, answer().status_code)

    def test_a_create_beside_them_does_not_wait_either(self):
        answer, _ = self.waiting()
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.wait = gate
        self.cloud.set_faults("nova.aggregate.create", latency_ms=1)
        made = self.lease(HOST, end=90)
        self.assertEqual("CREATING", made["status"])
        gate.set()
        eventually(lambda: self.show(made)["status"] == "PENDING")
        for _ in range(4):
            self.pass_time(5)
        self.assertEqual(204, answer().status_code)

    def wait_for_the_cloud(self, seconds):
        if getattr(self, "wait", None) is not None:
            self.wait.wait(DEADLINE)


class TestWaitersOfTheManager(WaitingCase):
    options: ClassVar = {"manager__waiters": 0}

    def test_where_it_has_none_nobody_waits(self):
        lease = self.lease(HOST, start=self.minute(0))
        eventually(lambda: self.show(lease)["status"] == "PENDING")
        self.pass_time()
        self.assertEqual("ACTIVE", self.show(lease)["status"])
        self.assertEqual(204, self.delete(lease).status_code)
        self.assertEqual("DELETING", self.show(lease)["status"])
