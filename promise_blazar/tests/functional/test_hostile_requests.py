# SPDX-License-Identifier: Apache-2.0
"""Every operation of the API under hostile requests: none is answered by a fault of ours (B)."""

import json
import re

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from promise_blazar.api import v1
from promise_blazar.tests.functional import hostile
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase

OPERATIONS = sorted((verb, path) for path, verbs in v1.ROUTES.items() for verb in verbs)
#: Requests of each operation, by how much there is to be wrong in it.
EXAMPLES = {"POST": 250, "PUT": 250, "PATCH": 60, "GET": 60, "DELETE": 30}
FOR_EVER = "9999-12-31 23:59"


class HostileCase(ServiceTestCase):
    hosts = 4

    def setUp(self):
        super().setUp()
        for path, body in (("/1", {"gpu": "1", "rack": "a"}), ("/2", {"rack": "b"})):
            self.call("PUT", f"/v1/os-hosts{path}", body, "admin:admin")
        self.call("PATCH", "/v1/os-hosts/properties/rack", {"private": True}, "admin:admin")
        self.ids = ["1", "2"]

    def keep(self, lease):
        self.ids += [lease["id"], *(each["id"] for each in lease["reservations"])]

    def ask(self, verb, path, data):
        """One request; its answer, which is no error of the service's."""
        draw = data.draw

        def known_or(texts):
            # What is known grows with what is made, and what is drawn must not.
            known = self.ids[draw(st.integers(0, 999)) % len(self.ids)]
            return hostile.path_part(draw(texts) if draw(st.booleans()) else known)

        def part(match):
            return known_or(hostile.TEXTS)

        url = "/v1" + re.sub("<[^>]*>", part, path)
        names = draw(st.lists(st.sampled_from(hostile.PARAMETERS), max_size=2))
        values = st.one_of(hostile.TEXTS, hostile.DATES)
        query = "&".join(f"{name}={known_or(values)}" for name in names)
        headers = {"X-Auth-Token": draw(st.sampled_from(["alice:demo", "admin:admin"]))}
        for name in ("Idempotency-Key", "OpenStack-API-Version", "Content-Encoding"):
            if draw(st.integers(0, 9)) == 0:
                headers[name] = draw(hostile.HEADERS)
        raw = None
        if (verb, path) in hostile.BODIES:
            raw = json.dumps(draw(hostile.mutated(self.near(verb, path)))).encode()
        answer = self.api.open(
            f"{url}?{query}",
            method=verb,
            data=raw,
            content_type=None if raw is None else "application/json",
            headers=headers,
        )
        sent = f"{verb} {url}?{query} {headers} {raw!r}"
        self.assertLess(answer.status_code, 500, f"{sent}: {answer.text}")
        if answer.status_code >= 400:
            self.assertIsInstance(answer.json["error_message"], str, sent)
        return answer

    def near(self, verb, path):
        """A body that the operation would take."""
        body = json.loads(json.dumps(hostile.BODIES[verb, path]))
        if verb == "PUT" and "reservations" in body:
            body["reservations"][0]["id"] = self.ids[-1]
        return body

    def each_operation(self):
        for verb, path in OPERATIONS:
            with self.subTest(f"{verb} {path}"):
                self.operation(verb, path)
        self.still_well()

    def operation(self, verb, path):
        @settings(
            max_examples=EXAMPLES[verb],
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(st.data())
        def hold(data):
            answer = self.ask(verb, path, data)
            if verb in ("POST", "PUT") and answer.status_code in (200, 201):
                lease = answer.json.get("lease")
                if lease is not None and lease["id"] is not None:
                    self.keep(lease)

        hold()

    def still_well(self):
        """Whatever was made of it can be looked at, runs, and ends."""
        for _ in range(3):
            self.pass_time(600)
            for path in ("leases", "os-hosts", "os-hosts/allocations", "os-hosts/properties"):
                answer = self.call("GET", f"/v1/{path}", token="admin:admin")
                self.assertEqual(200, answer.status_code, answer.text[:300])


class TestEmptyBooks(HostileCase):
    def test_b_no_request_is_answered_by_a_fault_of_ours(self):
        lease = self.lease(HOST, start=self.minute(60), end=120)
        self.keep(lease)
        self.each_operation()


class TestBusyBooks(HostileCase):
    """Everything is promised to the end of all dates, and something runs."""

    def test_b_no_request_is_answered_by_a_fault_of_ours(self):
        running = self.active(INSTANCE, end=90)
        waiting = self.lease(HOST, start=self.minute(60), end=120)
        whole = self.body({**HOST, "max": 3}, start=self.minute(180))
        answer = self.call("POST", "/v1/leases", {**whole, "end_date": FOR_EVER})
        self.assertEqual(201, answer.status_code, answer.text)
        for lease in (answer.json["lease"], running, waiting):
            self.keep(lease)
        self.each_operation()
