# SPDX-License-Identifier: Apache-2.0
"""What operators say of their hosts, who may change it when, and what tenants may ask of it."""

import json

import sqlalchemy

from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE
from promise_blazar.tests.functional.cases import HostCase
from promise_blazar.tests.functional.concurrency import audit


@databases.on_each_database
class TestCapabilities(HostCase):
    def test_properties(self):
        self.register(3, gpu="True", rack="b")
        self.register(4, gpu="False", rack="b", GPU="other")

        def properties(query=""):
            return self.admin("GET", f"/properties{query}").json["resource_properties"]

        self.assertEqual(
            [{"property": "GPU"}, {"property": "gpu"}, {"property": "rack"}],
            sorted(properties(), key=lambda item: item["property"]),
        )
        detail = {item["property"]: item for item in properties("?detail=True")}
        self.assertEqual(
            {"property": "gpu", "private": False, "values": ["False", "True"]}, detail["gpu"]
        )
        answer = self.admin("PATCH", "/properties/rack", {"private": True})
        self.assertEqual(200, answer.status_code, answer.text)
        self.assertEqual(
            ("rack", True, "physical:host"),
            tuple(
                answer.json["resource_property"][key]
                for key in ("property_name", "private", "resource_type")
            ),
        )
        self.assertEqual({"GPU", "gpu"}, {item["property"] for item in properties()})
        self.assertEqual(
            {"GPU", "gpu", "rack"}, {item["property"] for item in properties("?all=True")}
        )
        with self.nothing_changes():
            self.refused(404, self.admin("PATCH", "/properties/unknown", {"private": True}))
            self.refused(400, self.admin("PATCH", "/properties/rack", {"private": "perhaps"}))
            self.refused(400, self.admin("PATCH", "/properties/rack", {}))

    def test_d30_capabilities_that_a_reservation_asks_for_stay(self):
        """Whatever its type. Others may change; and all of a change is made, or nothing of it."""
        self.register(3, gpu="True", rack="a")
        path = f"/{self.host(3)['id']}"
        query = {"resource_properties": '["=", "$gpu", "True"]'}
        for begin, reservation in enumerate(({**HOST, **query}, {**INSTANCE, **query})):
            minutes = 20 * begin
            lease = self.lease(reservation, start=self.minute(minutes + 10), end=minutes + 20)
            with self.nothing_changes():
                for change in ({"gpu": "False"}, {"gpu": None}, {"rack": "b", "gpu": "False"}):
                    text = self.refused(409, self.admin("PUT", path, change))
                    self.assertIn(lease["reservations"][0]["id"], text)
            same = self.admin("PUT", path, {"gpu": "True", "rack": str(begin), "new": begin})
            self.assertEqual(200, same.status_code, same.text)
            shown = same.json["host"]
            self.assertEqual((str(begin), str(begin)), (shown["rack"], shown["new"]))
            self.pass_time(600)
            self.pass_time(601)
            self.pass_time(1)
            self.assertEqual(200, self.admin("PUT", path, {"gpu": "False"}).status_code)
            answer = self.call("POST", "/v1/leases", self.body(reservation, end=90))
            self.refused(409, answer)
            self.assertEqual(200, self.admin("PUT", path, {"gpu": "True"}).status_code)

    def test_d31_a_capability_can_be_removed(self):
        self.register(3, gpu="True")
        path = f"/{self.host(3)['id']}"
        answer = self.admin("PUT", path, {"gpu": None})
        self.assertEqual(200, answer.status_code, answer.text)
        self.assertNotIn("gpu", answer.json["host"])
        self.refused(
            409, self.call("POST", "/v1/leases", self.body(self.query('["!=", "$gpu", "x"]')))
        )


class TestQueries(HostCase):
    def test_d38_a_query_sees_what_is_shown_and_no_other_column(self):
        (host, _) = audit.rows(self.url, "hosts")
        shown = self.admin("GET", "").json["hosts"][0]
        hidden = {"trust_id", *host.keys()} - shown.keys()
        self.assertIn("hypervisor_uuid", hidden)
        for column in sorted(hidden):
            text = json.dumps(["!=", f"${column}", "no such value"])
            for reservation in (HOST, INSTANCE):
                with self.subTest(column, type=reservation["resource_type"]):
                    wanted = {**reservation, "resource_properties": text}
                    answer = self.call("POST", "/v1/leases", self.body(wanted))
                    self.assertIn("lack", self.refused(409, answer))
            wanted = {**HOST, "hypervisor_properties": text}
            answer = self.call("POST", "/v1/leases", self.body(wanted))
            self.assertIn("lack", self.refused(409, answer))

    def test_d39_of_a_property_its_privacy_alone_can_be_set(self):
        self.register(3, rack="b")
        before = self.admin("GET", "/properties?detail=True&all=True").json
        theirs = {
            "id": "x",
            "property_name": "mine",
            "resource_type": "other",
            "created_at": "2001-01-01 00:00:00",
        }
        answer = self.admin("PATCH", "/properties/rack", {"private": False, **theirs})
        self.assertEqual(200, answer.status_code, answer.text)
        for name, value in theirs.items():
            self.assertNotEqual(value, answer.json["resource_property"][name])
        self.assertEqual(before, self.admin("GET", "/properties?detail=True&all=True").json)
        with self.nothing_changes():
            self.refused(400, self.admin("PATCH", "/properties/rack", theirs))


@databases.on_each_database
class TestChanges(HostCase):
    """Of what reservations ask for: judged by the new value."""

    def setUp(self):
        super().setUp()
        self.register(3, speed="6", gpu="a100", rack="a")
        self.path = f"/{self.host(3)['id']}"

    def promised(self, *query):
        asked = {**HOST, "resource_properties": json.dumps(query)}
        return self.lease(asked, start=self.minute(10))["reservations"][0]["id"]

    def test_h1_what_satisfies_still_may_be_set(self):
        self.promised(">=", "$speed", "5")
        self.assertEqual(200, self.admin("PUT", self.path, {"speed": "7"}).status_code)
        with self.nothing_changes():
            self.refused(409, self.admin("PUT", self.path, {"speed": "4"}))
            self.refused(409, self.admin("PUT", self.path, {"speed": None}))

    def test_h1_a_refusal_names_what_is_needed_and_nothing_else(self):
        reservation = self.promised("and", [">=", "$speed", "5"], ["=", "$gpu", "a100"])
        change = {"speed": "7", "gpu": "h100", "rack": "b", "new": "x"}
        with self.nothing_changes():
            text = self.refused(409, self.admin("PUT", self.path, change))
        self.assertTrue(text.endswith("with another gpu"), text)
        self.assertIn(reservation, text)

    def test_h1_either_of_two_is_enough(self):
        self.promised("or", ["=", "$gpu", "a100"], ["=", "$rack", "a"])
        self.assertEqual(200, self.admin("PUT", self.path, {"gpu": "h100"}).status_code)
        with self.nothing_changes():
            self.refused(409, self.admin("PUT", self.path, {"rack": "b"}))
        both = {"gpu": "a100", "rack": "b"}
        self.assertEqual(200, self.admin("PUT", self.path, both).status_code)

    def test_f5_a_change_reads_as_often_for_many_leases_as_for_one(self):
        self.lease(self.query(), start=self.minute(5), end=9)
        few = self.statements_of_a_change("1")
        for number in range(2, 8):
            self.lease(self.query(), start=self.minute(20 * number), end=20 * number + 10)
        self.assertEqual(few, self.statements_of_a_change("2"))

    def query(self):
        return {**HOST, "resource_properties": '["=", "$gpu", "a100"]'}

    def statements_of_a_change(self, speed):
        """How many statements setting a capability takes that no reservation asks for."""
        seen = []

        def count(connection, cursor, statement, *rest):
            seen.append(statement)

        sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", count)
        self.addCleanup(sqlalchemy.event.remove, sqlalchemy.Engine, "before_cursor_execute", count)
        answer = self.admin("PUT", self.path, {"speed": speed, "gpu": "a100"})
        self.assertEqual(200, answer.status_code, answer.text)
        return len(seen)
