# SPDX-License-Identifier: Apache-2.0
"""Answers that may be large, of which a process works on a few at a time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

from promise_blazar.api.http import large_answers
from promise_blazar.tests.unit.api import base as api

LONG = 60
SERIES = "/v1/capacity?end=2030-01-02T00:00:00Z"


class TestLargeAnswers(api.ApiTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.pool = self.enterContext(ThreadPoolExecutor(8))
        self.go_on = threading.Event()
        self.addCleanup(self.go_on.set)
        self.asked = threading.Semaphore(0)
        real = self.manager.capacity

        def slow(context, question):
            if question.series and question.end:
                self.asked.release()
                self.go_on.wait(LONG)
            return real(context, question)

        self.enterContext(mock.patch.object(self.manager, "capacity", slow))

    def hold(self, token: str):
        """A series that is in the making."""
        answer = self.pool.submit(self.call, "GET", SERIES, token=token)
        self.assertTrue(self.asked.acquire(timeout=LONG))
        return answer

    def test_few_series_are_in_the_making_and_fewer_of_one_project(self) -> None:
        self.enterContext(mock.patch.object(large_answers, "_PATIENCE", 0))
        made = [self.hold(token) for token in ("a:one", "b:one")]
        refused = self.call("GET", SERIES, token="c:one")
        self.assertEqual((503, "1"), (refused.status_code, refused.headers["Retry-After"]))
        made += [self.hold(token) for token in ("d:two", "e:three")]
        self.assertEqual(503, self.call("GET", SERIES, token="f:four").status_code)
        # What is small by itself needs no place.
        for small in (f"{SERIES}&series=false", "/v1/capacity"):
            self.assertEqual(200, self.call("GET", small, token="c:one").status_code)
        self.go_on.set()
        self.assertEqual([200] * 4, [each.result().status_code for each in made])
        self.assertEqual(200, self.call("GET", SERIES, token="c:one").status_code)

    def test_who_comes_then_waits_for_a_place(self) -> None:
        self.enterContext(mock.patch.object(large_answers, "_PATIENCE", LONG))
        made = [self.hold("a:one"), self.hold("b:one")]
        waiting = self.pool.submit(self.call, "GET", SERIES, token="c:one")
        self.assertFalse(waiting.done())
        self.go_on.set()
        self.assertEqual([200] * 3, [each.result().status_code for each in (*made, waiting)])

    def test_a_place_is_free_again_after_an_error(self) -> None:
        self.enterContext(mock.patch.object(large_answers, "_PATIENCE", 0))
        self.go_on.set()
        for _ in range(3):
            self.assertEqual(400, self.call("GET", f"{SERIES}&start=never").status_code)
        with mock.patch.object(self.manager, "capacity", side_effect=RuntimeError):
            for _ in range(3):
                self.assertEqual(500, self.call("GET", SERIES).status_code)
        self.assertEqual(200, self.call("GET", SERIES).status_code)
