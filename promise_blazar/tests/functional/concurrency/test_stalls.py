# SPDX-License-Identifier: Apache-2.0
"""What one request asks for keeps nobody else waiting."""

import itertools
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar
from unittest import mock

from werkzeug.test import Client

from promise_blazar import exceptions
from promise_blazar.capacity.budget import Budget, OutOfTime
from promise_blazar.capacity.ledger import OPEN, LedgerAdjustment
from promise_blazar.manager.ledger import deciding, explaining
from promise_blazar.manager.ledger.access import LedgerAccess
from promise_blazar.manager.ledger.store import Refused
from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase
from promise_blazar.tests.functional.concurrency import audit
from promise_blazar.tests.functional.concurrency.test_ledger_store import LedgerStoreTestCase

#: Fits alone, and not twice on three hosts.
MANY = {**INSTANCE, "vcpus": 32, "memory_mb": 1, "disk_gb": 0}


class Pause:
    """A function that is entered, and goes on when it is let go on."""

    #: Longer than any of this takes, in seconds.
    LONGEST = 60

    def __init__(self, test, work):
        self._work = work
        self._entered, self._go_on = threading.Event(), threading.Event()
        test.addCleanup(self._go_on.set)

    def __call__(self, *arguments, **named):
        self._entered.set()
        self._go_on.wait(self.LONGEST)
        return self._work(*arguments, **named)

    def reached(self):
        return self._entered.wait(self.LONGEST)

    def go_on(self):
        self._go_on.set()


class StallCase(ServiceTestCase):
    def setUp(self):
        super().setUp()
        self.pool = self.enterContext(ThreadPoolExecutor(4))

    def paused(self, module, name):
        """From now on, each call of it by others waits."""
        pause = Pause(self, getattr(module, name))
        self.enterContext(mock.patch.object(module, name, pause))
        return pause

    def ask(self, *reservations, path="/v1/leases", **more):
        return self.call("POST", path, self.body(*reservations, start=self.minute(5), **more))


@databases.on_each_database
class TestQuestions(StallCase):
    def test_a2_a_refusal_that_is_being_explained_keeps_nobody_waiting(self):
        pause = self.paused(explaining, "explain")
        refused = self.pool.submit(self.ask, {**HOST, "min": 4, "max": 4})
        self.assertTrue(pause.reached())
        self.lease(HOST, start=self.minute(5))
        pause.go_on()
        answer = refused.result()
        self.refused(409, answer)
        # As of its own generation.
        self.assertEqual({"hosts": 3}, answer.json["fits"])

    def test_a1_a_dry_run_keeps_nobody_waiting(self):
        pause = self.paused(explaining, "explain")
        body = {**HOST, "min": 3, "max": 3}
        tried = self.pool.submit(self.ask, body, path="/v1/leases?dry_run=true")
        self.assertTrue(pause.reached())
        self.lease(HOST, start=self.minute(5))
        pause.go_on()
        self.assertEqual(200, tried.result().status_code)

    def test_a_question_to_the_ledger_keeps_nobody_waiting(self):
        pause = Pause(self, lambda ledger, now: len(ledger))
        asked = self.pool.submit(self.service.ledger.read, pause)
        self.assertTrue(pause.reached())
        self.lease(HOST, start=self.minute(5))
        pause.go_on()
        self.assertEqual(0, asked.result())

    def test_a2_who_finds_no_place_to_wait_in_the_api_is_refused_at_once(self):
        self.conf.set_override("waiters", 1, "api")
        self.api.application = self.application(self.service)
        self.enterContext(mock.patch.object(explaining, "_HINTS", 1_000))
        pause = self.paused(explaining, "explain")
        first = self.pool.submit(self.ask, {**HOST, "min": 4, "max": 4})
        self.assertTrue(pause.reached())
        lease = self.lease(HOST, start=self.minute(600), end=700)
        for ask in (
            lambda: self.ask({**HOST, "min": 4, "max": 4}),
            lambda: self.update(
                lease, reservations=[{"id": lease["reservations"][0]["id"], "min": 4, "max": 4}]
            ),
        ):
            answer = self.pool.submit(ask).result(timeout=50)
            self.assertIn("too much is being asked", self.refused(409, answer))
        pause.go_on()
        self.assertEqual({"hosts": 3}, first.result().json["fits"])

    def test_what_has_gone_before_it_is_explained_is_no_reason(self):
        taken = self.lease({**HOST, "min": 3, "max": 3}, start=self.minute(5))
        real = LedgerAccess.future

        def freed(access, budget, requests):
            LedgerAccess.future = real
            self.delete(taken)
            self.pass_time()
            return real(access, budget, requests)

        self.enterContext(mock.patch.object(LedgerAccess, "future", freed))
        self.assertEqual(201, self.ask(HOST).status_code)

    def test_b1_time_that_is_up_while_a_refusal_is_explained_is_a_refusal(self):
        with mock.patch.object(explaining, "explain", side_effect=OutOfTime):
            words = self.refused(409, self.ask({**HOST, "min": 4, "max": 4}))
        self.assertIn("was not worked out", words)

    def test_time_that_is_up_before_there_is_an_answer_is_no_refusal(self):
        with mock.patch.object(explaining, "explain", side_effect=OutOfTime):
            self.refused(503, self.ask(HOST, path="/v1/leases?dry_run=true"))


@databases.on_each_database
class TestQueueOfQuestions(StallCase):
    """A question is being worked out, and requests have longer than that takes."""

    options: ClassVar = {"manager__decision_timeout": 10 * Pause.LONGEST}

    def setUp(self):
        super().setUp()
        self.pause = self.paused(explaining, "explain")
        self.first = self.pool.submit(self.ask, {**HOST, "min": 4, "max": 4})
        self.assertTrue(self.pause.reached())

    def test_a2_a_refusal_that_waits_too_long_is_one_without_hints(self):
        with mock.patch.object(explaining, "_HINTS", 0.01):
            answer = self.ask({**HOST, "min": 4, "max": 4})
        words = self.refused(409, answer)
        self.assertIn("too much is being asked at this moment", words)
        self.assertEqual(["unexplained"], [each["check"] for each in answer.json["reasons"]])
        self.assertEqual(({}, []), (answer.json["fits"], answer.json["alternatives"]))
        self.pause.go_on()
        self.assertEqual({"hosts": 3}, self.first.result().json["fits"])

    def test_a2_who_comes_when_many_wait_does_not(self):
        turns = self.service.ledger.questions.turns
        with (
            mock.patch.object(turns, "most_waiting", 0),
            mock.patch.object(explaining, "_HINTS", 10 * Pause.LONGEST),
        ):
            words = self.refused(409, self.ask({**HOST, "min": 4, "max": 4}))
            again = self.ask(HOST, path="/v1/leases?dry_run=true")
        self.assertIn("was not worked out", words)
        self.refused(503, again)
        self.assertEqual("1", again.headers["Retry-After"])
        self.pause.go_on()
        self.refused(409, self.first.result())


@databases.on_each_database
class TestLongDecisions(StallCase):
    def quick(self, seconds):
        self.service.ledger.access.quick = seconds

    def test_a1_a_hundred_reservations_are_decided_beside_the_others(self):
        pause = self.paused(deciding, "admit")
        many = [{**MANY, "amount": 1}] * 100
        refused = self.pool.submit(self.ask, *many)
        self.assertTrue(pause.reached())
        self.lease(HOST, start=self.minute(5))
        pause.go_on()
        answer = refused.result()
        words = self.refused(409, answer)
        self.assertIn("not found to fit", words)
        self.assertIn("together", [each["check"] for each in answer.json["reasons"]])

    def test_8_pools_of_many_zones_are_looked_at_on_a_copy(self):
        for zones, copied in ((0, 0), (200, 1)):
            ledger = self.service.ledger.access.replica.ledger
            for number in range(zones):
                adjusted = LedgerAdjustment(-1 - number, f"zone-{number}", 0, OPEN, {"VCPU": 1})
                ledger.put_adjustment(adjusted)
            with mock.patch.object(deciding, "admit", side_effect=deciding.admit) as admitted:
                self.assertEqual(201, self.ask(HOST).status_code)
            self.assertEqual(copied, admitted.call_count)

    def test_what_is_planned_on_a_copy_is_committed_when_it_still_holds(self):
        self.quick(0)
        pause = self.paused(deciding, "admit")
        made = self.pool.submit(self.ask, {**HOST, "min": 2, "max": 2})
        self.assertTrue(pause.reached())
        self.quick(1)
        # Takes the last of three hosts; the plan has the first two.
        self.lease({**INSTANCE, "resource_properties": self.only(3)}, start=self.minute(5))
        pause.go_on()
        self.assertEqual(201, made.result().status_code)
        self.assertEqual([], audit.faults(self.url))

    def test_what_others_have_taken_meanwhile_is_planned_anew(self):
        self.quick(0)
        real = deciding.admit

        def late(*arguments):
            plan = real(*arguments)
            deciding.admit = real
            self.quick(1)
            self.lease({**HOST, "resource_properties": self.only(1)}, start=self.minute(5))
            self.quick(0)
            return plan

        self.enterContext(mock.patch.object(deciding, "admit", late))
        answer = self.ask(HOST)
        self.assertEqual(201, answer.status_code, answer.text)
        self.assertEqual(["compute-2"], self.held(answer.json["lease"]["reservations"][0]))
        self.assertEqual([], audit.faults(self.url))

    def test_time_that_is_up_is_503_and_nothing_is_made(self):
        self.quick(0)
        with (
            self.nothing_changes(),
            mock.patch.object(deciding, "admit", side_effect=OutOfTime),
        ):
            answer = self.ask(HOST)
            self.refused(503, answer)
        self.assertEqual("1", answer.headers["Retry-After"])

    def test_a1_a_search_under_the_row_is_short_or_goes_on_beside_it(self):
        """Who loses a race and needs long begins again with the row free."""
        pause = self.paused(deciding, "admit")
        seconds = itertools.chain([0, 0, 0.001], itertools.repeat(9))
        with (
            mock.patch.object(deciding, "estimate", side_effect=seconds),
            mock.patch.object(deciding.providers, "advance_from", return_value=False),
            mock.patch.object(deciding, "holds", return_value=False),
        ):
            made = self.pool.submit(self.ask, HOST)
            self.assertTrue(pause.reached())
        others = Client(self.application(self.manager()))
        body = self.body(HOST, start=self.minute(5))
        answer = others.post("/v1/leases", json=body, headers={"X-Auth-Token": "eve:other"})
        self.assertEqual(201, answer.status_code, answer.text)
        pause.go_on()
        self.assertEqual(201, made.result().status_code)
        self.assertEqual([], audit.faults(self.url))

    @staticmethod
    def only(number):
        return f'["=", "$hypervisor_hostname", "compute-{number}"]'


@databases.on_each_database
class TestQueries(StallCase):
    def test_a3_the_comparisons_of_a_request_are_counted(self):
        query = json.dumps(["or", *[["=", "$vcpus", 1]] * 400])
        wanted = {**HOST, "resource_properties": query}
        self.refused(409, self.ask({**wanted, "min": 4, "max": 4}))
        with self.nothing_changes():
            for path in ("/v1/leases", "/v1/leases?dry_run=true"):
                words = self.refused(400, self.ask(wanted, wanted, wanted, path=path))
                self.assertIn("1200 times", words)
                self.assertIn("1000 times is the most", words)

    def test_a3_what_compares_much_is_decided_beside_the_others(self):
        query = json.dumps(["or", *[["=", "$vcpus", number] for number in range(300)]])
        self.service.ledger.access.quick = 0.002
        pause = self.paused(deciding, "admit")
        made = self.pool.submit(self.ask, {**HOST, "resource_properties": query})
        self.assertTrue(pause.reached())
        self.lease(HOST, start=self.minute(5))
        pause.go_on()
        self.assertEqual(201, made.result().status_code)


@databases.on_each_database
class TestWords(StallCase):
    def test_h4_a_refusal_says_which_reservation_is_short(self):
        answer = self.ask(HOST, {**HOST, "min": 4, "max": 4}, {**INSTANCE, "amount": 1})
        words = self.refused(409, answer)
        self.assertTrue(words.startswith("Not enough hosts available: reservations[1]: "), words)
        self.assertEqual({1}, {each["reservation"] for each in answer.json["reasons"]})

    def test_h4_so_does_that_of_a_change(self):
        lease = self.lease(HOST, {**INSTANCE, "amount": 1}, start=self.minute(5))
        change = {"id": lease["reservations"][1]["id"], "amount": 1000}
        answer = self.update(lease, reservations=[change])
        words = self.refused(409, answer)
        self.assertIn("reservations[1]: ", words)
        self.assertEqual({1}, {each["reservation"] for each in answer.json["reasons"]})

    def test_h3_a_running_reservation_is_told_that_it_cannot_shrink(self):
        lease = self.active({**HOST, "min": 2, "max": 2})
        change = {"id": lease["reservations"][0]["id"], "min": 1, "max": 1}
        answer = self.update(lease, reservations=[change])
        words = self.refused(409, answer)
        self.assertIn("is running and cannot be made smaller: it has 2 hosts, and 1 is", words)
        self.assertNotIn("fit", words)
        self.assertEqual({}, answer.json["fits"])

    def test_h9_what_can_never_be_is_said_to_be_never(self):
        self.lease({**HOST, "min": 3, "max": 3}, start=self.minute(5))
        for wanted, never in (({**HOST, "min": 4, "max": 4}, True), (HOST, False)):
            answer = self.ask(wanted)
            self.assertIs(never, "never" in self.refused(409, answer))
            checks = [each["check"] for each in answer.json["reasons"]]
            self.assertIs(never, "never" in checks)


@databases.on_each_database
class TestGenerations(LedgerStoreTestCase):
    def test_an_explanation_is_of_the_generation_of_its_refusal(self):
        self.take(self.theirs, minimum=2)
        before = self.head().generation
        refused = self.assertRaises(Refused, self.take, self.mine)
        self.assertEqual(before, refused.explanation.generation)

    def test_it_is_not_repeated_when_others_go_on(self):
        self.take(self.theirs, minimum=2)
        explained = []
        real = explaining.explain

        def counting(*arguments, **named):
            explained.append(1)
            self.theirs.change(lambda connection, generation: None)
            return real(*arguments, **named)

        with mock.patch.object(explaining, "explain", counting):
            self.assertRaises(Refused, self.take, self.mine)
        self.assertEqual([1], explained)

    def test_a_turn_at_a_long_decision_that_does_not_come_is_answered_busy(self):
        self.mine.access.quick = 0
        self.mine.decisions.long.most_waiting = 0
        with self.mine.decisions.long.mine(Budget()):
            self.assertRaises(exceptions.Busy, self.take, self.mine)
        self.assertEqual([], audit.rows(self.url, "bookings"))
