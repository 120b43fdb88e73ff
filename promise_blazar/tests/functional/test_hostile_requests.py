# SPDX-License-Identifier: Apache-2.0
"""Every operation of the API under hostile requests: none is answered by a fault of ours (B)."""

import json
import re

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from promise_blazar.api import extensions
from promise_blazar.api.dialects import DIALECTS
from promise_blazar.api.extensions import operations
from promise_blazar.tests.behaviour import answers
from promise_blazar.tests.functional import hostile
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase

#: What removes anything comes last.
OPERATIONS = sorted(
    (
        (verb, path)
        for dialect in DIALECTS
        for path, verbs in dialect.routes.items()
        for verb in verbs
    ),
    reverse=True,
)
#: Requests of each operation, by how much there is to be wrong in it.
EXAMPLES = {"POST": 120, "PUT": 120, "PATCH": 40, "GET": 40, "DELETE": 20}
#: What can always be looked at.
LISTS = (
    "leases", "os-hosts", "os-hosts/allocations", "os-hosts/properties", "capacity",
    "capacity/adjustments",
)  # fmt: skip
FOR_EVER = "9999-12-31 23:59"
TENANT, ADMIN = "alice:demo", "admin:admin"


def examples(number):
    """As many, and the same ones each time."""
    return settings(
        max_examples=number,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


class HostileCase(ServiceTestCase):
    hosts = 5

    def setUp(self):
        super().setUp()
        for path, body in (("/1", {"gpu": "1", "rack": "a"}), ("/2", {"rack": "b"})):
            self.call("PUT", f"/v1/os-hosts{path}", body, ADMIN)
        self.call("PATCH", "/v1/os-hosts/properties/rack", {"private": True}, ADMIN)
        self.leases = []
        # A source, since nothing can be carved out of what is only near one.
        licences = {"resources": {"CUSTOM_LICENCE": 100}}
        answer = self.call("POST", "/v1/capacity/adjustments", licences, ADMIN)
        self.assertEqual(201, answer.status_code, answer.text)
        self.adjustments = [answer.json["id"]]

    def known(self):
        """What there is, by the parameters of paths."""
        return {
            "lease_id": [lease["id"] for lease in self.leases],
            "host_id": ["1", "2", "3"],
            "path:name": ["gpu", "rack", "gpu.json"],
            "adjustment_id": self.adjustments[-1:],
        }

    def ask(self, verb, path, data):
        """One request; its answer, which is no error of the service's."""
        draw = data.draw
        lease = self.leases[draw(st.integers(0, 999)) % len(self.leases)]
        # What is known grows with what is made, and what is drawn must not.
        there = self.known() | {"lease_id": [lease["id"]]}

        def part(match):
            if draw(st.integers(0, 4)) == 0:
                return hostile.path_part(draw(hostile.TEXTS))
            known = there[match[1]]
            return hostile.path_part(known[draw(st.integers(0, 99)) % len(known)])

        url = "/v1" + re.sub("<([^>]*)>", part, path)
        names = draw(st.lists(st.sampled_from(_parameters(verb, path)), max_size=2))
        values = st.one_of(hostile.WORDS, hostile.TEXTS, hostile.DATES)
        query = "&".join(f"{name}={hostile.path_part(draw(values))}" for name in names)
        admins = "hosts" in path or "adjustments" in path
        tokens = [ADMIN, ADMIN, ADMIN, TENANT] if admins else [TENANT, TENANT, ADMIN]
        headers = {"X-Auth-Token": draw(st.sampled_from(tokens))}
        for name in ("Idempotency-Key", "OpenStack-API-Version", "Content-Encoding"):
            if draw(st.integers(0, 19)) == 19:
                headers[name] = draw(hostile.HEADERS)
        raw = None
        if (verb, path) in hostile.BODIES:
            near = hostile.lease_bodies if "leases" in path else hostile.mutated
            raw = json.dumps(draw(near(self.near(verb, path, lease)))).encode()
        answer = self.api.open(
            f"{url}?{query}",
            method=verb,
            data=raw,
            content_type=None if raw is None else "application/json",
            headers=headers,
        )
        sent = f"{verb} {url}?{query} {headers} {raw!r}"
        self.assertLess(answer.status_code, 500, f"{sent}: {answer.text}")
        ours = path in extensions.ROUTES
        if answer.status_code >= 400:
            told = answer.json["detail" if ours else "error_message"]
            self.assertIsInstance(told, str, sent)
        if ours:
            # As a client wrote it, a part of the path may hold slashes of its own.
            answers.check(
                verb, f"/v1{path}", answer.status_code, dict(answer.headers), [answer.data]
            )
        return answer

    def near(self, verb, path, lease):
        """A body that the operation would take."""
        body = json.loads(json.dumps(hostile.BODIES[verb, path]))
        if verb == "PUT" and "reservations" in body:
            body["reservations"][0]["id"] = lease["reservations"][0]["id"]
        return body

    def each_operation(self):
        for verb, path in OPERATIONS:
            with self.subTest(f"{verb} {path}"):
                self.operation(verb, path)
        self.still_well()

    def operation(self, verb, path):
        @examples(EXAMPLES[verb])
        @given(st.data())
        def hold(data):
            answer = self.ask(verb, path, data)
            if answer.status_code == 201 and answer.json.get("lease", {}).get("reservations"):
                self.leases.append(answer.json["lease"])
            if answer.status_code == 201 and "resources" in answer.json:
                self.adjustments.append(answer.json["id"])

        hold()

    def still_well(self):
        """Whatever was made of it can be looked at, runs, and ends."""
        for _ in range(3):
            self.pass_time(600)
            for path in LISTS:
                answer = self.call("GET", f"/v1/{path}", token="admin:admin")
                self.assertEqual(200, answer.status_code, answer.text[:300])


def _parameters(verb, path):
    """Names of a query: those that are known, and one that is not."""
    known = operations.OPERATIONS.get((verb, path))
    return hostile.PARAMETERS if known is None else (*known.query.document["properties"], "x")


class TestEmptyBooks(HostileCase):
    def test_b_no_request_is_answered_by_a_fault_of_ours(self):
        self.leases.append(self.lease(HOST, start=self.minute(60), end=120))
        self.each_operation()

    @examples(300)
    @given(hostile.QUERIES, st.sampled_from(["hypervisor_properties", "resource_properties"]))
    def test_b_no_query_is_answered_by_a_fault_of_ours(self, query, name):
        body = self.body({**HOST, name: query})
        answer = self.call("POST", "/v1/leases?dry_run=1", body)
        self.assertIn(answer.status_code, (200, 400, 409), ascii(body) + ascii(answer.text))


class TestBusyBooks(HostileCase):
    """Everything is promised to the end of all dates, and something runs."""

    def test_b_no_request_is_answered_by_a_fault_of_ours(self):
        self.leases += [
            self.active(INSTANCE, end=90),
            self.lease(HOST, start=self.minute(60), end=120),
        ]
        whole = self.body({**HOST, "max": 3}, start=self.minute(180))
        answer = self.call("POST", "/v1/leases", {**whole, "end_date": FOR_EVER})
        self.assertEqual(201, answer.status_code, answer.text)
        self.leases.append(answer.json["lease"])
        self.each_operation()
