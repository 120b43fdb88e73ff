# SPDX-License-Identifier: Apache-2.0
"""Private properties: for tenants there are none, whatever they ask (E2)."""

import json
import tempfile
from pathlib import Path

from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE
from promise_blazar.tests.functional.cases import CreationCase

ADMIN = "admin:demo"


@databases.on_each_database
class TestPrivateProperties(CreationCase):
    def setUp(self):
        super().setUp()
        for number, rack in ((1, "a"), (2, "b"), (3, "b")):
            self.describe(number, rack=rack)
        self.hide("rack")

    def hide(self, name, private=True):
        path = f"/v1/os-hosts/properties/{name}"
        answer = self.call("PATCH", path, {"private": private}, "admin:admin")
        self.assertEqual(200, answer.status_code, answer.text)

    def tried(self, text, reservation=HOST, token="alice:demo", **more):
        wanted = {**reservation, "resource_properties": text, **more}
        answer = self.call("POST", "/v1/leases?dry_run=1", self.body(wanted), token)
        shown = answer.json
        if answer.status_code == 200:
            shown = shown["lease"]["reservations"]
        return answer.status_code, json.loads(json.dumps(shown).replace("colour", "rack"))

    def test_e2_a_private_property_is_as_one_that_there_is_not(self):
        for text in (
            '["=", "$rack", "a"]',
            '["!=", "$rack", "a"]',
            '[">", "$rack", "a"]',
            '["or", ["=", "$rack", "a"], ["=", "$vcpus", "32"]]',
            '["and", [">", "$vcpus", "1"], ["=", "$rack", "a"]]',
            '["not", ["=", "$rack", "a"]]',
            '["not", ["or", ["=", "$rack", "b"], ["<", "$vcpus", "1"]]]',
        ):
            other = text.replace("rack", "colour")
            for reservation in (HOST, {**HOST, "min": 3, "max": 3}, INSTANCE):
                self.assertEqual(
                    self.tried(other, reservation), self.tried(text, reservation), text
                )
            theirs = {**HOST, "hypervisor_properties": text}
            same = {**HOST, "hypervisor_properties": other}
            self.assertEqual(self.tried("", same), self.tried("", theirs), text)

    def test_e2_so_it_stays_when_the_lease_is_changed(self):
        """A query that could be stored is not answered with other eyes later."""
        query = {"resource_properties": '["not", ["=", "$rack", "a"]]'}
        lease = self.lease({**HOST, **query}, start=self.minute(10), end=20)
        self.assertEqual(["compute-1"], self.held(lease["reservations"][0]))
        after = self.updated(lease, end_date=self.minute(30))
        self.assertEqual(query["resource_properties"],
                         after["reservations"][0]["resource_properties"])  # fmt: skip
        self.assertEqual(["compute-1"], self.held(lease["reservations"][0]))
        change = {"reservations": [{"id": lease["reservations"][0]["id"], "min": 3, "max": 3}]}
        self.updated(lease, **change)
        self.assertEqual(3, len(self.held(lease["reservations"][0])))
        self.pass_time(600)
        self.updated(lease, end_date=self.minute(40))

    def test_e2_an_update_sees_as_little(self):
        lease = self.lease(HOST, start=self.minute(10))
        mine = lease["reservations"][0]["id"]
        for value in ("a", "b", "c"):
            query = json.dumps(["=", "$rack", value])
            for path in (f"/v1/leases/{lease['id']}?dry_run=1", f"/v1/leases/{lease['id']}"):
                change = {"reservations": [{"id": mine, "resource_properties": query}]}
                answer = self.call("PUT", path, change)
                self.refused(409, answer)
                self.assertEqual({"hosts": 0}, answer.json["fits"])

    def test_e2_administrators_may_use_it(self):
        query = {"resource_properties": '["=", "$rack", "b"]'}
        lease = self.lease({**HOST, **query}, token=ADMIN)
        (first,) = lease["reservations"]
        self.assertEqual(["compute-2"], self.held(first))
        other = {"resource_properties": '["=", "$rack", "a"]'}
        mine = self.lease(HOST, start=self.minute(100), end=120)
        change = {"reservations": [{"id": mine["reservations"][0]["id"], **other}]}
        answer = self.call("PUT", f"/v1/leases/{mine['id']}", change, ADMIN)
        self.assertEqual(200, answer.status_code, answer.text)
        # The tenant may go on with what an administrator has said for it.
        self.updated(mine, end_date=self.minute(130))
        self.assertEqual(["compute-1"], self.held(mine["reservations"][0]))

    def test_e2_what_was_asked_for_before_is_kept(self):
        self.hide("rack", private=False)
        query = {"resource_properties": '["=", "$rack", "b"]'}
        lease = self.lease({**HOST, **query}, start=self.minute(10), end=20)
        self.hide("rack")
        self.updated(lease, end_date=self.minute(30))
        mine = {"id": lease["reservations"][0]["id"], **query}
        self.updated(lease, reservations=[{**mine, "max": 2}])
        self.assertEqual(["compute-2", "compute-3"], self.held(lease["reservations"][0]))

    def test_e2_hosts_are_shown_without_it(self):
        rules = Path(self.enterContext(tempfile.TemporaryDirectory())) / "policy.yaml"
        rules.write_text(json.dumps({"blazar:oshosts:get": "", "blazar:oshosts:put": ""}))
        self.conf.set_override("policy_file", str(rules), "oslo_policy")
        self.api.application = self.application(self.service)
        self.describe(1, floor="2")
        for token, seen in (("alice:demo", False), ("admin:admin", True)):
            shown = [
                self.call("GET", "/v1/os-hosts/1", token=token).json["host"],
                self.call("GET", "/v1/os-hosts", token=token).json["hosts"][0],
                self.call("PUT", "/v1/os-hosts/1", {"floor": "3"}, token).json["host"],
            ]
            for host in shown:
                self.assertEqual((seen, True), ("rack" in host, "floor" in host), token)
