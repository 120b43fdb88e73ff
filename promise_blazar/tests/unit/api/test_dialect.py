# SPDX-License-Identifier: Apache-2.0
"""A dialect from elsewhere beside Blazar's, under the same prefix and under one of its own."""

import dataclasses
from typing import Any

import flask
from keystonemiddleware import fixture as keystone_fixture
from werkzeug.test import Client

from promise_blazar import exceptions
from promise_blazar.api import v1
from promise_blazar.api.http import bodies
from promise_blazar.api.http.application import create_app
from promise_blazar.api.http.dialect import Answer, Dialect, Dialects, ErrorBody, Problem, read
from promise_blazar.api.http.schema import Schema, UnknownMembers
from promise_blazar.tests.base import TestCase
from promise_blazar.tests.fakes import ManualClock
from promise_blazar.tests.unit.api import base

ASK = Schema(
    {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "places": {
                "type": "array",
                "items": {"type": "object", "properties": {"zone": {"type": "string"}}},
            },
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        "required": ["name"],
    }
)


def ask() -> Answer:
    return {"name": read(ASK, first=_check_name)["name"]}, 201


def _check_name(body: dict[str, Any]) -> None:
    if body.get("name") == "full":
        raise exceptions.NotEnoughHosts(reasons=[{"check": "busy"}])
    if body.get("name") == "broken":
        raise KeyError("secret-detail")


def look(place: str) -> Answer:
    raise exceptions.NotFound(object={"place": place})


def unwrap() -> dict[str, Any]:
    """The object inside an envelope."""
    return bodies.read_object().get("input", {})


def wrap(document: Any, status: int) -> flask.Response:
    return bodies.write({"output": document}, status)


def problem_details(problem: Problem) -> ErrorBody:
    document = {
        "title": "refused",
        "status": problem.status,
        "detail": problem.message,
        "code": problem.error.code if problem.error else None,
        "reasons": problem.error.facts.get("reasons", []) if problem.error else [],
        "request_id": problem.request_id,
    }
    return ErrorBody(document, "application/problem+json")


FOREIGN = Dialect(
    name="foreign",
    prefix="/v1",
    routes={"/places": {"POST": ask}, "/places/<place>": {"GET": look}},
    reader=unwrap,
    writer=wrap,
    error_body=problem_details,
    unknown_members=UnknownMembers.REFUSED,
)


class ForeignCase(base.ApiTestCase):
    dialects = (v1.DIALECT, FOREIGN)

    def make_application(self) -> None:
        self.application = create_app(
            self.conf, self.manager, self.cloud, ManualClock(), dialects=self.dialects
        )
        self.client = Client(self.application)

    def problem(self, status: int, method: str, path: str, *body: Any, **more: Any) -> Any:
        answer = self.call(method, path, *body, **more)
        self.assertEqual(
            (status, "application/problem+json"), (answer.status_code, answer.mimetype)
        )
        self.assertEqual(answer.headers["X-OpenStack-Request-ID"], answer.json["request_id"])
        self.assertEqual(status, answer.json["status"])
        return answer.json


class TestForeignDialect(ForeignCase):
    def test_it_reads_and_writes_its_own_way(self) -> None:
        answer = self.call("POST", "/v1/places", {"input": {"name": "here"}})
        self.assertEqual((201, {"output": {"name": "here"}}), (answer.status_code, answer.json))

    def test_errors_have_the_one_table_and_its_words(self) -> None:
        found = self.problem(404, "GET", "/v1/places/x")
        self.assertEqual(
            ("not-found", "Object with {'place': 'x'} not found"),
            (found["code"], found["detail"]),
        )
        found = self.problem(409, "POST", "/v1/places", {"input": {"name": "full"}})
        self.assertEqual([{"check": "busy"}], found["reasons"])
        found = self.problem(500, "POST", "/v1/places", {"input": {"name": "broken"}})
        self.assertEqual("Internal Server Error", found["detail"])

    def test_what_http_refuses_is_in_its_words_too(self) -> None:
        self.problem(404, "GET", "/v1/places/x/y")
        self.problem(405, "PUT", "/v1/places")
        self.problem(401, "GET", "/v1/places/x", token=None)
        self.problem(
            406, "GET", "/v1/places/x", headers={"OpenStack-API-Version": "reservation 9.9"}
        )

    def test_members_that_no_schema_names_are_refused(self) -> None:
        for body, place in (
            ({"name": "here", "more": 1}, "more"),
            ({"name": "here", "places": [{"zone": "a"}, {"row": 1}]}, "places[1].row"),
        ):
            found = self.problem(400, "POST", "/v1/places", {"input": body})
            self.assertEqual(f"{place} must be left out, not 1", found["detail"])
        body = {"name": "here", "labels": {"any": "thing"}}
        self.assertEqual(201, self.call("POST", "/v1/places", {"input": body}).status_code)

    def test_its_neighbours_keep_their_own(self) -> None:
        for path in ("/v1/leases/x", "/v1/nothing", "/v1/placesque", "/nothing"):
            answer = self.call("GET", path)
            self.assertEqual((404, "application/json"), (answer.status_code, answer.mimetype))
            self.assertEqual(404, answer.json["error_code"], path)
        self.lease(surprise=1)

    def test_an_error_may_have_a_status_of_its_own(self) -> None:
        def always_well(problem: Problem) -> ErrorBody:
            return ErrorBody({"result": "error", "message": problem.message}, status=200)

        polite = dataclasses.replace(
            FOREIGN, name="polite", prefix="/polite", error_body=always_well
        )
        self.dialects = (v1.DIALECT, FOREIGN, polite)
        self.make_application()
        answer = self.call("GET", "/polite/places/x")
        self.assertEqual((200, "error"), (answer.status_code, answer.json["result"]))
        self.problem(404, "GET", "/v1/places/x")


class TestKeystone(ForeignCase):
    auth_strategy = "keystone"

    def test_a_token_is_refused_in_the_paths_words(self) -> None:
        url = "http://127.0.0.1:1/identity"
        self.conf.set_override("www_authenticate_uri", url, "keystone_authtoken")
        self.make_application()
        self.useFixture(keystone_fixture.AuthTokenFixture())
        self.problem(401, "GET", "/v1/places/x", token="invalid")
        answer = self.call("GET", "/v1/leases", token="invalid")
        self.assert_refused(401, "The request you have made requires authentication.", answer)


class TestWhoseAPathIs(TestCase):
    def of(self, path: str, *dialects: Dialect) -> str | None:
        found = Dialects(dialects).of(path)
        return found and found.name

    def test_the_longest_static_part_decides(self) -> None:
        for path, name in (
            ("/v1", "v1"),
            ("/v1/leases/x/y", "v1"),
            ("/v1/places", "foreign"),
            ("/v1/places/", "foreign"),
            ("/v1/places/x", "foreign"),
            ("/v1/place", "v1"),
            ("/v1/leases.json", "v1"),
            ("/v10", None),
            ("/", None),
            ("", None),
        ):
            self.assertEqual(name, self.of(path, v1.DIALECT, FOREIGN), path)

    def test_of_two_that_claim_the_same_the_first_has_it(self) -> None:
        self.assertEqual("foreign", self.of("/v1/nothing", FOREIGN, v1.DIALECT))
        self.assertEqual("v1", self.of("/v1/nothing", v1.DIALECT, FOREIGN))
