# SPDX-License-Identifier: Apache-2.0
"""What is sent as a body, from nothing to nonsense: never a 5xx."""

import io
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from promise_blazar.api import v1
from promise_blazar.tests.unit.api import base

LIMIT = 114688

#: Near the truth, so that the fuzz goes deeper than the first check.
LEASE_MEMBERS = [
    "name", "start_date", "end_date", "before_end_date", "reservations", "events", "project_id",
]  # fmt: skip
RESERVATION_MEMBERS = ["id", "resource_type", "min", "max", "amount", "affinity", "status"]
WORDS = st.sampled_from(
    ["now", "2030-02-01 10:00", "2030-02-01 12:00", "0000-00-00 00:00", "9999-12-31 23:59",
     "physical:host", "virtual:instance", "", "\0", "\ud800", "\u0662030-02-01 10:00", "x" * 20000]
)  # fmt: skip
SCALARS = st.one_of(
    WORDS, st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(st.sampled_from(LEASE_MEMBERS + RESERVATION_MEMBERS), st.text(max_size=80)),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=20,
)
RESERVATIONS = st.lists(
    st.dictionaries(st.sampled_from(RESERVATION_MEMBERS), ANYTHING, max_size=5), max_size=3
)
LEASES = st.fixed_dictionaries(
    {
        "name": st.one_of(st.just("n"), ANYTHING),
        "start_date": SCALARS,
        "end_date": SCALARS,
        "reservations": st.one_of(RESERVATIONS, ANYTHING),
    },
    optional={"before_end_date": SCALARS, "events": ANYTHING, "extra": ANYTHING},
)
HOSTS = st.dictionaries(
    st.one_of(st.sampled_from(["name", "id", "vcpus", "gpu", "private"]), st.text(max_size=70)),
    ANYTHING,
    max_size=4,
)


class TestRefusals(base.ApiTestCase):
    def refused(self, message: str, data: Any, content_type: str = "application/json") -> None:
        answer = self.call("POST", "/v1/leases", data=data, content_type=content_type)
        self.assert_refused(400, message, answer)
        self.assertEqual([], self.manager.calls)

    def test_d34_nothing(self) -> None:
        message = "The request body is empty; a JSON object is expected"
        self.refused(message, b"")
        self.refused(message, b" \n")

    def test_d34_not_json(self) -> None:
        self.refused(
            "The request body is not valid JSON: Expecting value at line 1, column 10",
            b'{"name": nothing}',
        )
        self.refused("The request body is not UTF-8 text", b'{"name": "\xff"}')

    def test_not_an_object(self) -> None:
        for data in (b"[]", b'"x"', b"1", b"null", b"true"):
            self.refused("The request body must be a JSON object", data)

    def test_not_called_json(self) -> None:
        self.refused(
            "The content type must be application/json, not 'text/plain'", b"{}", "text/plain"
        )

    def test_json_by_no_name_or_with_a_charset(self) -> None:
        body = json.dumps(base.LEASE).encode()
        for content_type in ("", "application/json", "application/json; charset=utf-8"):
            answer = self.call("POST", "/v1/leases", data=body, content_type=content_type)
            self.assertEqual(201, answer.status_code)

    def test_a_member_twice(self) -> None:
        self.refused("'name' appears twice in the same JSON object", b'{"name": "a", "name": "b"}')

    def test_numbers_that_are_none(self) -> None:
        for text in ("NaN", "Infinity", "-Infinity"):
            self.refused(f"{text} is not a JSON number", b'{"x": %s}' % text.encode())
        self.refused("The number '1e999' is too large", b'{"x": 1e999}')
        self.refused("The number '9223372036854775808' is too large", b'{"x": %d}' % 2**63)
        self.refused(f"The number '{'9' * 37}...' is too large", b'{"x": %s}' % (b"9" * 9000))

    def test_text_that_no_database_takes(self) -> None:
        for place in (b'{"name": "%s"}', b'{"%s": 1}', b'{"x": [{"y": ["%s"]}]}'):
            self.refused("Text must not contain a NUL character", place % rb"a\u0000")
            self.refused("Text must not contain half of a surrogate pair", place % rb"a\ud800")

    def test_depth(self) -> None:
        message = "The request body is nested more than 16 levels deep"
        self.refused(message, b'{"x": ' + b"[" * 16 + b"]" * 16 + b"}")
        self.refused(message, b"[" * 100000)
        self.refused(message, b'{"x":' * 10000 + b"1" + b"}" * 10000)
        deep = b'{"x": ' + b"[" * 15 + b"]" * 15 + b"}"
        answer = self.call("POST", "/v1/leases", data=deep)
        self.assert_refused(400, "Missing parameter name", answer)

    def test_size(self) -> None:
        for length in (LIMIT + 1, 10 * LIMIT):
            answer = self.call("POST", "/v1/leases", data=b" " * length)
            self.assert_refused(413, "The request body is too large", answer)
        answer = self.call("POST", "/v1/leases", data=b" " * LIMIT)
        self.assertEqual(400, answer.status_code)

    def test_d34_no_length_at_all(self) -> None:
        """As a server passes on a chunked body."""

        def send(data: bytes) -> Any:
            return self.call(
                "POST",
                "/v1/leases",
                input_stream=io.BytesIO(data),
                environ_overrides={"wsgi.input_terminated": True},
            )

        self.assertEqual(201, send(json.dumps(base.LEASE).encode()).status_code)
        self.assert_refused(413, "The request body is too large", send(b" " * (LIMIT + 1)))


class TestFuzz(base.ApiTestCase):
    """Whatever is sent, the answer is a JSON object that is not our fault."""

    def setUp(self) -> None:
        super().setUp()
        lease = self.lease()
        self.host(gpu="True")
        values = {"lease_id": lease["id"], "host_id": "1", "name": "gpu"}
        self.targets = [
            (
                verb,
                "/v1"
                + path.replace("<path:", "<")
                .replace("<", "{")
                .replace(">", "}")
                .format_map(values),
            )
            for path, verbs in v1.ROUTES.items()
            for verb in verbs
            if verb != "DELETE"
        ]

    def send(self, method: str, path: str, data: bytes) -> None:
        answer = self.call(method, path, token="admin:demo", data=data)
        self.assertLess(answer.status_code, 500, f"{method} {path} {data!r}: {answer.text}")
        self.assertIsInstance(answer.json, dict)
        if answer.status_code >= 400:
            self.assertIsInstance(answer.json["error_message"], str)

    def everywhere(self, data: bytes) -> None:
        for method, path in self.targets:
            self.send(method, path, data)

    fuzz = settings(
        max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
    )

    @fuzz
    @given(LEASES)
    def test_d33_leases(self, body: Any) -> None:
        self.everywhere(json.dumps(body).encode())

    @fuzz
    @given(HOSTS)
    def test_d33_hosts(self, body: Any) -> None:
        self.everywhere(json.dumps(body).encode())

    @fuzz
    @given(ANYTHING)
    def test_d33_any_json(self, body: Any) -> None:
        self.everywhere(json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass"))

    @fuzz
    @given(st.binary(max_size=200))
    def test_d34_any_bytes(self, data: bytes) -> None:
        self.everywhere(data)

    @fuzz
    @given(st.text(max_size=60), st.text(st.characters(max_codepoint=255), max_size=60))
    def test_any_path_query_and_header(self, path: str, header: str) -> None:
        headers = {
            name: header.replace("\r", "").replace("\n", "")
            for name in ("Idempotency-Key", "Accept", "OpenStack-API-Version")
        }
        for prefix in ("/v1/leases/", "/v1/os-hosts/", "/v1/os-hosts/properties/", "/", "/v1/"):
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
                answer = self.client.open(
                    base_url="http://localhost/",
                    path=prefix,
                    method=method,
                    query_string={"dry_run": path, "lease_id": path, path: path},
                    headers={**headers, "X-Auth-Token": "admin:demo"},
                    environ_overrides={
                        "PATH_INFO": (prefix + path).encode("utf-8").decode("latin-1")
                    },
                )
                self.assertLess(answer.status_code, 500, answer.text)
