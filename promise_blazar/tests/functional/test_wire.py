# SPDX-License-Identifier: Apache-2.0
"""What review and misuse found between clients and the service, each mended fault under its id."""

import contextlib
import gzip
import io
import json

from promise_blazar.cmd import manage
from promise_blazar.db import leases
from promise_blazar.db.session import Database
from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase
from promise_blazar.tests.functional.cases import CreationCase, HostCase

#: Escape, line break, the C1 introducer of commands, a line separator, a change of direction.
UNPRINTABLE = ("\x1b[31m", "a\nb", "a\x9bb", "a\u2028b", "a\u202eb", "\x7f")
#: What looks unusual and is text all the same.
PRINTABLE = ("名前　空白", "e\u0301", "\U0001f468\u200d\U0001f4bb", "a\u00a0b", "\u05d0\u200f")


@databases.on_each_database
class TestQueries(CreationCase):
    def test_b2_a_query_as_deep_as_can_be_parsed_is_refused(self):
        with self.nothing_changes():
            for depth in (17, 100, *range(900, 1000)):
                text = self.refused(400, self.ask(self.query("[" * depth + "]" * depth)))
                self.assertIn("deeper", text, depth)
            objects = '{"a": ' * 300 + "1" + "}" * 300
            self.refused(400, self.ask(self.query(f'["=", "$a", {objects}]')))

    def test_b2_a_query_of_what_cannot_be_written_is_refused(self):
        with self.nothing_changes():
            for word in (r"\ud800", r"\u0000", r"\u001b", r"\u2028"):
                for text in (f'["!=", "$a", "{word}"]', f'["=", "${word}", "1"]', f'["{word}"]'):
                    self.refused(400, self.ask(self.query(text)))

    def test_g2_each_list_of_properties_may_name_anything(self):
        self.describe(2, node_type="gpu")
        wanted = {
            "hypervisor_properties": '["=", "$node_type", "gpu"]',
            "resource_properties": '["=", "$hypervisor_hostname", "compute-2"]',
        }
        lease = self.lease({**HOST, **wanted})
        self.assertEqual(["compute-2"], self.held(lease["reservations"][0]))

    def test_g2_what_no_host_has_is_lacking_in_either(self):
        for name in ("hypervisor_properties", "resource_properties"):
            answer = self.ask({**HOST, name: '["=", "$trust_id", "x"]'})
            self.assertIn("trust_id", self.refused(409, answer))
            self.assertEqual({"hosts": 0}, answer.json["fits"])


class TestPrintable(CreationCase):
    def test_e3_names_of_leases_are_printable(self):
        lease = self.lease(HOST)
        with self.nothing_changes():
            for name in UNPRINTABLE:
                text = self.refused(400, self.ask(HOST, name=name))
                self.assertIn("name must be printable text", text)
                self.assertTrue(text.isprintable(), text)
                self.refused(400, self.update(lease, name=name))
        for name in PRINTABLE:
            self.assertEqual(name, self.updated(lease, name=name)["name"])

    def test_e3_so_are_values_of_capabilities_and_names_of_hosts(self):
        with self.nothing_changes():
            for text in UNPRINTABLE:
                for verb, path, body in (
                    ("PUT", "/v1/os-hosts/1", {"note": text}),
                    ("PUT", "/v1/os-hosts/1", {text: "x"}),
                    ("POST", "/v1/os-hosts", {"name": "compute-1", "note": text}),
                    ("POST", "/v1/os-hosts", {"name": text}),
                ):
                    answer = self.call(verb, path, body, "admin:admin")
                    self.assertTrue(self.refused(400, answer).isprintable(), answer.text)
        for text in PRINTABLE:
            self.describe(1, note=text)


class TestRefusalStatus(CreationCase):
    def test_g7_operators_choose_the_status_of_a_refusal(self):
        self.lease({**HOST, "min": 3, "max": 3})
        for status in (409, 400, 500):
            self.conf.set_override("refusal_status", status, "api")
            answer = self.ask(HOST)
            self.assertEqual(status, answer.status_code)
            self.assertEqual(
                (status, status), (answer.json["error_code"], answer.json["error_name"])
            )
            self.assertTrue(answer.json["error_message"].startswith("Not enough hosts available"))
            self.assertTrue(answer.json["reasons"])

    def test_g7_other_conflicts_are_what_they_were(self):
        self.conf.set_override("refusal_status", 500, "api")
        self.lease(HOST)
        answer = self.call("DELETE", "/v1/os-hosts/1", token="admin:admin")
        self.refused(409, answer)
        self.refused(409, self.call("POST", "/v1/os-hosts", {"name": "compute-1"}, "admin:admin"))


@databases.on_each_database
class TestWords(CreationCase):
    def dry(self, key, *reservations):
        return self.call(
            "POST",
            "/v1/leases?dry_run=true",
            self.body(*reservations),
            headers={"Idempotency-Key": key},
        )

    def test_h5_a_dry_run_looks_at_its_key(self):
        self.post(self.body(HOST), Idempotency_Key="k")
        with self.nothing_changes():
            self.refused(400, self.dry("clé", HOST))
            self.refused(422, self.dry("k", INSTANCE))
            for key in ("k", "new"):
                self.assertEqual(200, self.dry(key, HOST).status_code)
        self.assertEqual(201, self.post(self.body(INSTANCE), Idempotency_Key="new").status_code)

    def test_h5_a_changed_reservation_says_when(self):
        lease = self.lease(HOST, INSTANCE, start=self.minute(10))
        self.clock.advance(60)
        change = {"reservations": [{"id": lease["reservations"][1]["id"], "amount": 1}]}
        for seen in (self.updated(lease, **change), self.show(lease)):
            whole, slots = seen["reservations"]
            self.assertEqual("2030-01-01 00:01:00", slots["updated_at"])
            self.assertEqual(lease["reservations"][0]["updated_at"], whole["updated_at"])

    def test_h5_a_compressed_body_is_said_to_be(self):
        raw = gzip.compress(json.dumps(self.body(HOST)).encode())
        for path, verb in (("/v1/leases", "POST"), ("/v1/os-hosts", "POST")):
            answer = self.api.open(
                path,
                method=verb,
                data=raw,
                content_type="application/json",
                headers={"X-Auth-Token": "admin:admin", "Content-Encoding": "gzip"},
            )
            self.assertIn("gzip", self.refused(415, answer))
        identity = {"Content-Encoding": "identity"}
        answer = self.call("POST", "/v1/leases", self.body(HOST), headers=identity)
        self.assertEqual(201, answer.status_code, answer.text)


@databases.on_each_database
class TestProperties(HostCase):
    def hide(self, name, private=True):
        return self.admin("PATCH", f"/properties/{name}", {"private": private})

    def listed(self, query="?all=true"):
        answer = self.admin("GET", f"/properties{query}").json["resource_properties"]
        return [item["property"] for item in answer]

    def test_h6_a_name_with_a_slash_can_be_made_private(self):
        self.register(3, **{"a/b": "1", "a//c": "2"})
        for name in ("a/b", "a%2Fb", "a//c"):
            answer = self.hide(name)
            self.assertEqual(200, answer.status_code, answer.text)
        self.assertEqual([], self.listed(""))

    def test_h6_a_name_that_ends_as_paths_may_can_too(self):
        self.register(3, **{"x.json": "1", "y": "2"})
        for path, name in (("x.json", "x.json"), ("x.json.json", "x.json"), ("y.json", "y")):
            answer = self.hide(path)
            self.assertEqual(200, answer.status_code, answer.text)
            self.assertEqual(name, answer.json["resource_property"]["property_name"])
        self.refused(404, self.hide("z.json"))

    def test_h6_names_that_no_path_can_end_with_are_refused(self):
        with self.nothing_changes():
            for name in ("/a", ".", "..", "a/../b", "a/."):
                self.refused(400, self.admin("PUT", "/1", {name: "x"}))

    def test_h10_a_name_without_values_is_forgotten(self):
        self.register(3, gpu="1", rack="a")
        self.hide("gpu")
        self.admin("PUT", f"/{self.host(3)['id']}", {"gpu": None})
        self.assertEqual(["rack"], self.listed())
        self.assertEqual(["rack"], self.listed("?all=true&detail=true"))
        # That it was private is not.
        self.admin("PUT", f"/{self.host(3)['id']}", {"gpu": "2"})
        self.assertEqual((["rack"], ["gpu", "rack"]), (self.listed(""), sorted(self.listed())))

    def test_h10_what_no_host_has_now_can_be_made_private(self):
        self.register(3, gpu="1")
        self.admin("PUT", f"/{self.host(3)['id']}", {"gpu": None})
        self.assertEqual(200, self.hide("gpu").status_code)


class TestWithoutBody(ServiceTestCase):
    def test_h5_what_needs_no_body_reads_none(self):
        answer = self.call("GET", "/v1/leases", headers={"Content-Encoding": "gzip"})
        self.assertEqual(200, answer.status_code)


class TestCommands(CreationCase):
    def test_e3_what_is_on_record_is_told_to_operators_escaped(self):
        lease = self.lease(HOST)
        database = Database(self.url)
        self.addCleanup(database.dispose)
        reason = {"failures": 1, "reason": "it said \x1b[31m\nand \u202e\ud7ff"}
        with database.writer() as connection:
            leases.set_lease(connection, lease["id"], reason)
        self.conf.set_override("connection", self.url, "database")
        with contextlib.redirect_stdout(io.StringIO()) as told:
            self.assertEqual(1, manage.stuck(self.conf))
        (line,) = told.getvalue().splitlines()
        self.assertIn(r"it said \x1b[31m\nand \u202e", line)
