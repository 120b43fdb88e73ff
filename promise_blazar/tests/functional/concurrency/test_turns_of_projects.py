# SPDX-License-Identifier: Apache-2.0
"""What one project asks for leaves time and turns to the others."""

import time
from typing import ClassVar
from unittest import mock

from promise_blazar.manager.ledger import deciding, explaining
from promise_blazar.manager.queries import availability
from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST
from promise_blazar.tests.functional.concurrency import audit
from promise_blazar.tests.functional.concurrency.test_stalls import Pause, StallCase


def until(true):
    while not true():
        time.sleep(0.001)


@databases.on_each_database
class TestTurns(StallCase):
    """Requests have longer than what is worked out takes."""

    options: ClassVar = {"manager__decision_timeout": 10 * Pause.LONGEST}

    def test_a_project_that_asks_much_keeps_nobody_elses_questions_from_being_answered(self):
        dry_run = "/v1/leases?dry_run=true"
        pause = self.paused(explaining, "explain")
        first = self.pool.submit(self.ask, {**HOST, "min": 4, "max": 4})
        self.assertTrue(pause.reached())
        turns = self.service.ledger.questions.turns
        waiting = [self.pool.submit(self.ask, HOST, path=dry_run) for _ in range(2)]
        until(lambda: turns.waiting() == 2)
        # It has no third place, for dry runs, questions and reasons of refusals alike.
        self.refused(503, self.ask(HOST, path=dry_run))
        self.assertEqual(503, self.call("GET", "/v1/capacity").status_code)
        self.assertIn(
            "was not worked out", self.refused(409, self.ask({**HOST, "min": 4, "max": 4}))
        )
        other = self.pool.submit(self.call, "GET", "/v1/capacity", token="eve:other")
        until(lambda: turns.waiting() == 3)
        pause.go_on()
        self.assertEqual(200, other.result().status_code)
        self.refused(409, first.result())
        for each in waiting:
            self.assertEqual(200, each.result().status_code)

    def test_long_decisions_of_one_project_leave_turns_to_the_others(self):
        self.service.ledger.access.quick = 0
        long = self.service.ledger.decisions.long
        self.enterContext(mock.patch.object(long, "most_each", 1))
        pause = self.paused(deciding, "admit")
        first = self.pool.submit(self.ask, HOST)
        self.assertTrue(pause.reached())
        second = self.pool.submit(self.ask, HOST)
        until(lambda: long.waiting() == 1)
        self.refused(503, self.ask(HOST))
        body = self.body(HOST, start=self.minute(5))
        other = self.pool.submit(self.call, "POST", "/v1/leases", body, token="eve:other")
        until(lambda: long.waiting() == 2)
        pause.go_on()
        for each in (first, second, other):
            self.assertEqual(201, each.result().status_code)
        self.assertEqual([], audit.faults(self.url))


@databases.on_each_database
class TestTimeOfQuestions(StallCase):
    def test_a_search_that_takes_long_ends_and_says_until_when_it_came(self):
        real = availability.next_windows

        def slow(*arguments, **named):
            self.clock.advance(2)
            return real(*arguments, **named)

        self.lease({**HOST, "min": 3, "max": 3}, start=self.minute(5))
        body = {
            "reservations": [{**HOST, "min": 3, "max": 3}],
            "duration": 3600,
            "earliest": self.minute(6),
        }
        with mock.patch.object(availability, "next_windows", slow):
            answer = self.call("POST", "/v1/availability", body)
        self.assertEqual(200, answer.status_code, answer.text)
        self.assertEqual([], answer.json["windows"])
        self.assertEqual("2030-01-01T00:06:00Z", answer.json["searched_until"])
        self.assertTrue(answer.json["reasons"])
