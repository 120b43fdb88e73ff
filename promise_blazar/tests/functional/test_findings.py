# SPDX-License-Identifier: Apache-2.0
"""What a review and misuse found, each mended fault under its id."""

import json
import tempfile
from pathlib import Path
from unittest import mock

import sqlalchemy

from promise_blazar.db.session import Database, LostRace
from promise_blazar.manager.ledger import explaining
from promise_blazar.plugins.contract import Reason, Waiting
from promise_blazar.plugins.physical_host import PhysicalHost
from promise_blazar.tests import base, databases
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase, sync

FOR_EVER = "9999-12-31 23:59"
AFFINE = {**INSTANCE, "affinity": True, "amount": 1}


@databases.on_each_database
class TestRefusals(ServiceTestCase):
    hosts = registered = 2

    def ask(self, *reservations, end, **more):
        body = self.body(*reservations, **more)
        return self.call("POST", "/v1/leases", {**body, "end_date": end})

    def test_b1_a_refusal_beside_what_never_ends_offers_no_window(self):
        taken = self.ask({**HOST, "min": 2, "max": 2}, end=FOR_EVER)
        self.assertEqual(201, taken.status_code, taken.text)
        for end in (self.minute(60), FOR_EVER):
            answer = self.ask(HOST, end=end)
            self.refused(409, answer)
            self.assertEqual([], answer.json["alternatives"])

    def test_b1_a_refusal_until_the_end_of_all_dates_is_one(self):
        self.lease({**HOST, "min": 2, "max": 2}, end=60)
        answer = self.ask(HOST, end=FOR_EVER)
        self.refused(409, answer)
        self.assertEqual([], answer.json["alternatives"])
        self.assertTrue(answer.json["reasons"])

    def test_b1_a_refusal_that_cannot_be_explained_is_one(self):
        self.lease({**HOST, "min": 2, "max": 2})
        with mock.patch.object(explaining, "explain", side_effect=OverflowError):
            words = self.refused(409, self.ask(HOST, end=self.minute(60)))
        self.assertIn("was not worked out", words)

    def test_g1_null_is_no_condition(self):
        nothing = {"hypervisor_properties": None, "resource_properties": None}
        whole, slots = self.lease({**HOST, **nothing}, {**INSTANCE, "resource_properties": None})[
            "reservations"
        ]
        self.assertEqual("", whole["hypervisor_properties"])
        self.assertEqual(("", ""), (whole["resource_properties"], slots["resource_properties"]))


@databases.on_each_database
class TestLostRaces(ServiceTestCase):
    def racing(self, times=3):
        """Writers whose transactions are chosen against, for the first few times."""
        writer, left = Database.writer, [None] * times

        def lost(database):
            if left:
                left.pop()
                raise LostRace
            return writer(database)

        return mock.patch.object(Database, "writer", lost)

    def test_b4_a_property_is_hidden_also_after_a_lost_race(self):
        self.register_capability()
        with self.racing():
            path = "/v1/os-hosts/properties/gpu"
            answer = self.call("PATCH", path, {"private": True}, "admin:admin")
        self.assertEqual(
            (200, True), (answer.status_code, answer.json["resource_property"]["private"])
        )

    def register_capability(self):
        answer = self.call("PUT", "/v1/os-hosts/1", {"gpu": "yes"}, "admin:admin")
        self.assertEqual(200, answer.status_code, answer.text)

    def test_b4_a_server_group_is_recorded_also_after_a_lost_race(self):
        lease = self.lease(AFFINE)
        (reservation,) = lease["reservations"]
        with self.racing():
            self.service.set_server_group(None, reservation["id"], "another-group")
        (shown,) = self.show(lease)["reservations"]
        self.assertEqual("another-group", shown["server_group_id"])


@databases.on_each_database
class TestReasons(ServiceTestCase):
    def test_b3_a_reason_longer_than_a_row_takes_is_cut(self):
        lease = self.lease(HOST)
        self.pass_time()
        long = Waiting(Reason("servers to disappear", "\U0001f575" * 70_000))
        with mock.patch.object(PhysicalHost, "end", return_value=long):
            self.delete(lease)
            self.pass_time()
        shown = self.show(lease)
        self.assertEqual("DELETING", shown["status"])
        self.assertTrue(self.trouble(lease).endswith("..."))
        self.pass_time(60)
        self.assertEqual(404, self.call("GET", f"/v1/leases/{lease['id']}").status_code)


class TestPolicies(ServiceTestCase):
    """Policy files as operators have them."""

    def setUp(self):
        super().setUp()
        self.file = Path(self.enterContext(tempfile.TemporaryDirectory())) / "policy.yaml"

    def with_policies(self, **rules):
        named = {name.replace("__", ":"): rule for name, rule in rules.items()}
        self.file.write_text(json.dumps(named))
        self.conf.set_override("policy_file", str(self.file), "oslo_policy")
        self.api.application = self.application(self.service)

    def status(self, path, token):
        return self.call("GET", path, token=token).status_code

    def test_g3_hosts_are_shown_to_those_whom_a_rule_of_projects_names(self):
        readers = "rule:project_member_or_admin or rule:project_reader_or_admin"
        self.assertEqual(403, self.status("/v1/os-hosts", "bob:demo:reader"))
        self.with_policies(blazar__oshosts__get=readers)
        self.assertEqual(200, self.status("/v1/os-hosts", "bob:demo:reader"))
        self.assertEqual(403, self.status("/v1/os-hosts", "bob:demo:guest"))

    def test_g12_so_are_allocations_and_properties(self):
        paths = ("/v1/os-hosts/allocations", "/v1/os-hosts/properties")
        rules = {
            "blazar__oshosts__get_allocations": "rule:project_member_or_admin",
            "blazar__oshosts__get_resource_properties": "rule:project_member_or_admin",
        }
        self.with_policies(**rules)
        for path in paths:
            self.assertEqual(200, self.status(path, "bob:demo"), path)
            self.assertEqual(403, self.status(path, "bob:demo:reader"), path)

    def test_g4_a_rule_that_blazar_has_still_is_known(self):
        lease = self.lease(HOST)
        self.with_policies(blazar__leases__get="rule:admin_or_owner")
        path = f"/v1/leases/{lease['id']}"
        self.assertEqual(200, self.status(path, "bob:demo"))
        self.assertEqual(200, self.status(path, "admin:admin"))
        self.assertEqual(404, self.status(path, "eve:other"))
        listed = self.call("GET", "/v1/leases", token="eve:other").json["leases"]
        self.assertEqual([], listed)


@databases.on_each_database
class TestIsolation(base.DatabaseTestCase):
    prepare = staticmethod(sync)

    def test_d9_transactions_read_what_is_committed_whatever_the_server_prefers(self):
        database = Database(self.url)
        self.addCleanup(database.dispose)
        asked = {
            "sqlite": "PRAGMA journal_mode",
            "postgresql": "SHOW transaction_isolation",
            "mariadb": "SELECT @@tx_isolation",
        }
        with self.stubborn(), database.writer() as connection:
            found = connection.execute(sqlalchemy.text(asked[self.database])).scalar()
        self.assertIn(found.lower(), ("wal", "read committed", "read-committed"))

    def stubborn(self):
        """Connections for which the server would have the strictest level."""
        return mock.patch.dict(
            "os.environ", {"PGOPTIONS": "-c default_transaction_isolation=serializable"}
        )
