# SPDX-License-Identifier: Apache-2.0
"""Every error as HTTP says it, and health."""

import logging

import fixtures
from oslo_context import context

from promise_blazar import exceptions
from promise_blazar.api.http import errors
from promise_blazar.tests.unit.api import base

EXPECTED = {
    exceptions.BadInput: 400,
    exceptions.MissingParameter: 400,
    exceptions.MalformedParameter: 400,
    exceptions.MalformedRequirements: 400,
    exceptions.InvalidDate: 400,
    exceptions.UnsupportedResourceType: 400,
    exceptions.Forbidden: 403,
    exceptions.PolicyNotAuthorized: 403,
    exceptions.OutsideLease: 403,
    exceptions.NotFound: 404,
    exceptions.Conflict: 409,
    exceptions.NotEnoughHosts: 409,
    exceptions.InvalidStatus: 409,
    exceptions.CannotUpdate: 409,
    exceptions.CannotAddHost: 409,
    exceptions.CannotDeleteHost: 409,
    exceptions.AdjustmentConflict: 409,
    exceptions.GroupsWanted: 409,
    exceptions.RequestInFlight: 409,
    exceptions.KeyReused: 422,
    exceptions.TooManyRequests: 429,
    exceptions.CloudError: 502,
    exceptions.CloudUnavailable: 503,
    exceptions.Busy: 503,
    exceptions.Unavailable: 503,
}


def family(kind: type) -> set[type]:
    return {kind}.union(*(family(child) for child in kind.__subclasses__()))


class TestErrors(base.ApiTestCase):
    def raised(self, error: Exception) -> object:
        self.manager.fails["list_hosts"] = error
        return self.call("GET", "/v1/os-hosts", token=base.ADMIN)

    def test_the_table_names_every_error(self) -> None:
        root = exceptions.PromiseBlazarError
        known = {kind for kind in family(root) if kind.__module__ == exceptions.__name__}
        self.assertEqual(known - {root}, set(EXPECTED))

    def test_d41_every_error_has_its_status_and_its_sentence(self) -> None:
        for kind, status in EXPECTED.items():
            self.assert_refused(status, "said so", self.raised(kind("said so")))

    def test_what_is_worth_another_try_says_when(self) -> None:
        for error, seconds in (
            (exceptions.Busy(retry_after=2), "2"),
            (exceptions.Busy(retry_after=0.2), "1"),
            (exceptions.TooManyRequests(most=600, retry_after=7), "7"),
            (exceptions.Unavailable(what="database"), str(errors.RETRY_AFTER)),
            (exceptions.CloudUnavailable(call="nova", detail="503"), str(errors.RETRY_AFTER)),
        ):
            self.assertEqual(seconds, self.raised(error).headers["Retry-After"])
        refused = self.raised(exceptions.CloudError(call="nova", detail="403"))
        self.assertNotIn("Retry-After", refused.headers)

    def test_a_refusal_without_facts_has_the_keys(self) -> None:
        answer = self.raised(exceptions.NotEnoughHosts())
        self.assertEqual(
            ([], {}, []), tuple(answer.json[key] for key in ("reasons", "fits", "alternatives"))
        )

    def test_our_faults_are_logged_and_not_told(self) -> None:
        for error in (
            KeyError("secret-detail"),
            exceptions.PromiseBlazarError("secret-detail"),
        ):
            log = self.useFixture(fixtures.FakeLogger("promise_blazar.api"))
            answer = self.raised(error)
            self.assertEqual(500, answer.status_code)
            self.assertEqual(
                {
                    "error_code": 500,
                    "error_message": "Internal Server Error",
                    "error_name": "INTERNAL_SERVER_ERROR",
                },
                answer.json,
            )
            self.assertTrue(answer.headers["X-OpenStack-Request-ID"])
            self.assertIn("secret-detail", log.output)
            self.assertIn("Traceback", log.output)


class TestLogging(base.ApiTestCase):
    def test_d35_the_log_level_changes_no_answer(self) -> None:
        lease_id = self.lease()["id"]
        answers = set()
        for level in (logging.DEBUG, logging.INFO, logging.ERROR, logging.CRITICAL + 1):
            self.useFixture(fixtures.FakeLogger(level=level))
            answer = self.call("GET", f"/v1/leases/{lease_id}")
            answers.add((answer.status_code, answer.text))
        self.assertEqual(1, len(answers))

    def test_d40_no_token_is_logged(self) -> None:
        log = self.useFixture(fixtures.FakeLogger(level=logging.DEBUG))
        token = "alice:demo:member,hush-hush"
        self.lease(token, reservations=[])
        self.call("GET", "/v1/leases/x", token=token)
        self.assertNotIn(token, log.output)

    def test_a_line_names_its_own_caller_and_request(self) -> None:
        for token, path, user in (
            ("alice:demo", "/v1/leases", "alice"),
            (None, "/healthcheck", None),
            ("broken", "/v1/leases", None),
        ):
            answer = self.call("GET", path, token=token)
            logged = context.get_current()
            self.assertEqual(user, logged.user_id, path)
            self.assertEqual(answer.headers["X-OpenStack-Request-ID"], logged.request_id)

    def test_a_path_cannot_forge_a_line(self) -> None:
        log = self.useFixture(fixtures.FakeLogger("promise_blazar"))
        self.call("GET", "/v1/leases/x%0aGET forged")
        self.assertEqual(1, len(log.output.strip().splitlines()))


class TestHealth(base.ApiTestCase):
    def ask(self) -> object:
        return self.call("GET", "/healthcheck", token=None)

    def test_all_is_well(self) -> None:
        answer = self.ask()
        self.assertEqual((200, {"status": "ok"}), (answer.status_code, answer.json))

    def test_problems_are_told(self) -> None:
        self.manager.problems = ("the database is away", "an event is late")
        answer = self.ask()
        self.assertEqual(503, answer.status_code)
        self.assertEqual(list(self.manager.problems), answer.json["reasons"])
        self.assertIn("the database is away", answer.json["error_message"])

    def test_no_broker_is_a_problem(self) -> None:
        self.manager.fails["health"] = exceptions.Unavailable(what="message broker")
        answer = self.ask()
        self.assertEqual(503, answer.status_code)
        self.assertEqual(
            ["The message broker cannot be reached; try again later"], answer.json["reasons"]
        )

    def test_no_answer_is_a_problem(self) -> None:
        self.conf.set_override("health_timeout", 0.1, "api")
        self.manager.hang.clear()
        self.addCleanup(self.manager.hang.set)
        for _ in range(4):
            answer = self.ask()
            self.assertEqual(503, answer.status_code)
            self.assertEqual(["No manager answered within 0.1 seconds"], answer.json["reasons"])
        self.manager.hang.set()
        self.conf.set_override("health_timeout", 30, "api")
        self.assertEqual(200, self.ask().status_code)
        # Two hung, two gave up in the queue.
        self.assertEqual(["health"] * 3, [name for name, _ in self.manager.calls])
