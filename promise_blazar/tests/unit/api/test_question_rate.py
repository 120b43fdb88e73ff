# SPDX-License-Identifier: Apache-2.0
"""Rate of questions: a project's own, counted, and told when to come back."""

import fixtures
from oslo_config import cfg

from promise_blazar import exceptions
from promise_blazar.api.http.question_rate import IN_PROCESS, QuestionRate
from promise_blazar.conf import api as options
from promise_blazar.tests import base
from promise_blazar.tests.fakes import ManualClock
from promise_blazar.tests.unit.api import base as api

#: So many that whatever the last minute had, they are too many.
MOST = 5


class TestQuestionRate(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock = ManualClock()

    def refused(self, rate: QuestionRate, project: str = "demo") -> int:
        """How many of twice as many as are allowed."""
        found = 0
        for _ in range(2 * MOST):
            try:
                rate.spend(project)
            except exceptions.TooManyRequests as error:
                self.assertTrue(1 <= error.facts["retry_after"] <= 60)
                found += 1
        return found

    def test_no_more_than_it_may(self) -> None:
        rate = QuestionRate(MOST, IN_PROCESS, self.clock)
        self.assertGreaterEqual(self.refused(rate), MOST - 1)

    def test_each_project_has_its_own(self) -> None:
        rate = QuestionRate(MOST, IN_PROCESS, self.clock)
        self.refused(rate)
        rate.spend("other")

    def test_none_is_no_limit(self) -> None:
        self.assertEqual(0, self.refused(QuestionRate(0, IN_PROCESS, self.clock)))

    def test_memcached_away_is_no_reason_to_refuse_or_to_let_all_pass(self) -> None:
        log = self.useFixture(fixtures.FakeLogger())
        rate = QuestionRate(MOST, "memcached://127.0.0.1:1", self.clock)
        self.assertGreaterEqual(self.refused(rate), MOST - 1)
        self.assertEqual(1, log.output.count("counted in this process alone"))
        self.clock.advance(31)
        self.assertGreater(self.refused(rate), 0)
        self.assertEqual(2, log.output.count("counted in this process alone"))

    def test_a_place_that_there_is_not(self) -> None:
        conf = cfg.ConfigOpts()
        options.register_opts(conf)
        for storage in ("nowhere://", "memcached", "redis://127.0.0.1", "memcached://a b"):
            with self.assertRaises(ValueError):
                conf.set_override("question_rate_storage", storage, "api")
        conf.set_override("question_rate_storage", "memcached://mc1:11211,[::1]:11211", "api")


class TestRateOfQuestions(api.ApiTestCase):
    def test_a_question_too_many_is_answered_429(self) -> None:
        self.conf.set_override("question_rate", MOST, "api")
        self.make_application()
        answers = [
            self.call(verb, path, body)
            for verb, path, body in (
                ("GET", "/v1/capacity", None),
                ("POST", "/v1/availability", api.QUESTION),
            )
            * MOST
        ]
        last = answers[-1]
        self.assertEqual((429, "too-many-requests"), (last.status_code, last.json["code"]))
        self.assertTrue(1 <= int(last.headers["Retry-After"]) <= 60)
        self.assertEqual(int(last.headers["Retry-After"]), last.json["retry_after"])
        other = self.call("GET", "/v1/capacity", token="eve:elsewhere")
        self.assertEqual(200, other.status_code)
        self.assertEqual(200, self.call("GET", "/v1/leases").status_code)
