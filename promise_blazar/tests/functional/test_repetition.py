# SPDX-License-Identifier: Apache-2.0
"""The same create twice by its Idempotency-Key, and requests that are only tried."""

from typing import ClassVar

from promise_blazar import exceptions
from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE
from promise_blazar.tests.functional.cases import CreationCase


@databases.on_each_database
class TestIdempotency(CreationCase):
    def test_the_same_request_twice_is_one_lease(self):
        first = self.post(self.body(HOST), Idempotency_Key="k")
        again = self.post(self.body(HOST), Idempotency_Key="k")
        self.assertEqual((201, 201), (first.status_code, again.status_code))
        self.assertEqual(first.json, again.json)
        self.assertEqual(1, len(self.call("GET", "/v1/leases").json["leases"]))
        self.post(self.body(HOST), Idempotency_Key="K")
        self.post(self.body(HOST))
        self.assertEqual(3, len(self.call("GET", "/v1/leases").json["leases"]))

    def test_the_answer_stays_what_it_was(self):
        first = self.post(self.body({**INSTANCE, "affinity": True}), Idempotency_Key="k")
        self.pass_time()
        again = self.post(self.body({**INSTANCE, "affinity": True}), Idempotency_Key="k")
        self.assertEqual((201, first.json), (again.status_code, again.json))
        self.assertEqual("ACTIVE", self.show(first.json["lease"])["status"])

    def test_a_long_answer_is_kept_whole(self):
        condition = '["!=", "$hypervisor_hostname", "' + "x" * 60 + '"]'
        text = '["and", {}]'.format(", ".join([condition] * 80))
        body = self.body(*[{**INSTANCE, "resource_properties": text}] * 12)
        first = self.post(body, Idempotency_Key="k")
        self.assertEqual(201, first.status_code, first.text[:200])
        self.assertGreater(len(first.text), 70_000)
        self.assertEqual(first.json, self.post(body, Idempotency_Key="k").json)

    def test_another_request_with_the_key(self):
        self.post(self.body(HOST), Idempotency_Key="k")
        with self.nothing_changes():
            text = self.refused(422, self.post(self.body(INSTANCE), Idempotency_Key="k"))
            self.assertIn("Idempotency-Key", text)

    def test_another_project_has_its_own_keys(self):
        mine = self.post(self.body(HOST), Idempotency_Key="k").json["lease"]
        theirs = self.post(self.body(HOST), "bob:other", Idempotency_Key="k").json["lease"]
        self.assertNotEqual(mine["id"], theirs["id"])
        self.assertEqual("other", theirs["project_id"])

    def test_after_the_lease_is_gone(self):
        for reservation in (HOST, {**INSTANCE, "affinity": False}):
            body, key = self.body(reservation), reservation["resource_type"]
            first = self.post(body, Idempotency_Key=key)
            self.delete(first.json["lease"])
            self.pass_time(1)
            self.assertEqual(404, self.delete(first.json["lease"]).status_code)
            with self.nothing_changes():
                again = self.post(body, Idempotency_Key=key)
                self.assertEqual((201, first.json), (again.status_code, again.json))

    def test_a_refusal_is_not_kept(self):
        other = self.lease({**HOST, "min": 3, "max": 3})
        self.refused(409, self.post(self.body(HOST), Idempotency_Key="k"))
        self.refused(400, self.post(self.body({**HOST, "min": 0}), Idempotency_Key="k"))
        self.delete(other)
        self.pass_time(1)
        self.assertEqual(201, self.post(self.body(HOST), Idempotency_Key="k").status_code)

    def test_a_failure_is_not_kept(self):
        table = [(HOST, "nova.aggregate.create"), (INSTANCE, "nova.flavor.create")]
        table += [({**INSTANCE, "affinity": True}, "nova.server_group.create")]
        for number, (reservation, call) in enumerate(table):
            key = f"k{number}"
            self.cloud.set_faults(call, fail_next=1)
            failed = self.post(self.body(reservation), Idempotency_Key=key)
            self.assertIn(failed.status_code, (502, 503))
            self.pass_time(60)
            made = self.post(self.body(reservation), Idempotency_Key=key)
            self.assertEqual(201, made.status_code, made.text)
            self.assertEqual("PENDING", made.json["lease"]["status"])

    def test_a_key_that_is_none(self):
        with self.nothing_changes():
            for key in ("", "x" * 256, "caf\xe9"):
                text = self.refused(400, self.post(self.body(HOST), Idempotency_Key=key))
                self.assertIn("Idempotency-Key", text)


class TestKeyInFlight(CreationCase):
    def setUp(self):
        super().setUp()
        self.meanwhile = []

    def wait_for_the_cloud(self, seconds):
        if not self.meanwhile:
            body = self.body(HOST)
            self.meanwhile.append(None)  # the second request must not wait as well
            self.meanwhile = [self.post(body, Idempotency_Key="k")]

    def test_the_second_request_is_told_to_wait(self):
        self.cloud.set_faults("nova.aggregate.create", latency_ms=1)
        first = self.post(self.body(HOST), Idempotency_Key="k")
        self.assertEqual(201, first.status_code, first.text)
        (second,) = self.meanwhile
        self.assertIn("in flight", self.refused(409, second))
        third = self.post(self.body(HOST), Idempotency_Key="k")
        self.assertEqual(first.json, third.json)


class TestTooLate(CreationCase):
    """The first request fails when its repetition has been answered already."""

    together: ClassVar = {**INSTANCE, "affinity": True}

    def setUp(self):
        super().setUp()
        self.meanwhile = []

    def wait_for_the_cloud(self, seconds):
        if not self.meanwhile:
            self.cloud.clear_faults()
            self.meanwhile = [self.post(self.body(self.together), Idempotency_Key="k")]
            raise exceptions.CloudUnavailable(call="nova.server_group.create", detail="late")

    def test_the_lease_is_not_taken_back(self):
        self.cloud.set_faults("nova.server_group.create", latency_ms=1)
        first = self.post(self.body(self.together), Idempotency_Key="k")
        (second,) = self.meanwhile
        self.assertEqual((201, 201), (first.status_code, second.status_code), first.text)
        self.assertEqual(first.json, second.json)
        self.assertEqual("PENDING", self.show(second.json["lease"])["status"])


class TestDryRun(CreationCase):
    def try_out(self, body):
        return self.call("POST", "/v1/leases?dry_run=true", body)

    def test_a_create_makes_nothing(self):
        made = self.lease(HOST, INSTANCE, start=self.minute(10))
        with self.nothing_changes():
            answer = self.try_out(self.body(HOST, INSTANCE, start=self.minute(10)))
            self.assertEqual(200, answer.status_code, answer.text)
        shown = answer.json["lease"]
        self.assertEqual(set(made), set(shown))
        for mine, theirs in zip(made["reservations"], shown["reservations"], strict=True):
            self.assertEqual(set(mine), set(theirs))
        self.assertIsNone(shown["id"])
        self.assertEqual([None, None], [r["id"] for r in shown["reservations"]])
        self.assertEqual(made["events"][0]["time"], shown["events"][0]["time"])

    def test_it_is_refused_as_the_real_one(self):
        with self.nothing_changes():
            refused = self.try_out(self.body({**HOST, "min": 4, "max": 4}))
            self.refused(409, refused)
            self.assertEqual({"hosts": 3}, refused.json["fits"])
            self.refused(400, self.try_out(self.body({**HOST, "min": 0})))
            self.refused(400, self.try_out(self.body(HOST, start=self.minute(90))))

    def test_it_uses_up_no_key(self):
        body = self.body(HOST)
        headers = {"Idempotency-Key": "k"}
        self.call("POST", "/v1/leases?dry_run=1", body, headers=headers)
        made = self.call("POST", "/v1/leases", body, headers=headers)
        self.assertEqual(201, made.status_code)
        tried = self.call("POST", "/v1/leases?dry_run=1", body, headers=headers)
        self.assertEqual((200, None), (tried.status_code, tried.json["lease"]["id"]))

    def test_a_delete_deletes_nothing(self):
        lease = self.active(HOST)
        path = f"/v1/leases/{lease['id']}?dry_run=true"
        with self.nothing_changes():
            self.assertEqual(200, self.call("DELETE", path).status_code)
            self.refused(404, self.call("DELETE", path, token="eve:other"))

    def test_neither_yes_nor_no(self):
        with self.nothing_changes():
            answer = self.call("POST", "/v1/leases?dry_run=perhaps", self.body(HOST))
            self.assertIn("dry_run", self.refused(400, answer))
