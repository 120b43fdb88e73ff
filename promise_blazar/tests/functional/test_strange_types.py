# SPDX-License-Identifier: Apache-2.0
"""A resource type from elsewhere: known by some managers, and by none."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from promise_blazar import exceptions
from promise_blazar.plugins.contract import Reason, Waiting
from promise_blazar.plugins.registry import InstalledTypes
from promise_blazar.tests import base, databases, tree
from promise_blazar.tests.examples.bare_node import PURPOSE, BareNode
from promise_blazar.tests.examples.types import NOT_ENABLED, OURS, WITH_NODES
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase
from promise_blazar.tests.functional.concurrency import audit

NODES = {"resource_type": "bare:node", "nodes": 2, "purpose": "a rack of switches"}


class StrangeCase(ServiceTestCase):
    types = WITH_NODES

    def aggregate(self, lease):
        """The hosts that the reservation's aggregate lists; None if there is none."""
        return self.aggregates().get(lease["reservations"][0]["id"])

    def beside(self, types):
        """A manager that knows these types, beside or instead of the present one."""
        self.types = types
        return self.manager()

    def replaced_by(self, types):
        """The present manager goes, and one comes that knows these types."""
        self.service.stop()
        self.service = self.beside(types)
        self.api.application = self.application(self.service)

    def reasons(self):
        return [row["reason"] for row in audit.rows(self.url, "leases")]

    def statuses(self):
        return [row["status"] for row in audit.rows(self.url, "leases")]


@databases.on_each_database
class TestKnown(StrangeCase):
    def test_it_is_created_shown_started_and_ended(self):
        lease = self.lease(NODES, start=self.minute(5), end=60)
        (shown,) = self.show(lease)["reservations"]
        self.assertEqual((2, NODES["purpose"]), (shown["nodes"], shown["purpose"]))
        self.assertIsInstance(shown["aggregate_id"], int)
        self.assertEqual([], self.aggregate(lease))
        self.pass_time(5 * 60)
        self.assertEqual("ACTIVE", self.show(lease)["status"])
        self.assertEqual(["compute-1", "compute-2"], self.aggregate(lease))
        self.pass_time(55 * 60)
        self.assertEqual("TERMINATED", self.show(lease)["status"])
        self.assertIsNone(self.aggregate(lease))

    def test_it_books_in_the_same_ledger_as_all_others(self):
        self.lease(NODES)
        self.lease(HOST)
        self.refused(409, self.call("POST", "/v1/leases", self.body(INSTANCE)))

    def test_it_is_changed(self):
        lease = self.lease(NODES, start=self.minute(5))
        wanted = {"id": lease["reservations"][0]["id"], "nodes": 3}
        (changed,) = self.updated(lease, reservations=[wanted])["reservations"]
        self.assertEqual((3, NODES["purpose"]), (changed["nodes"], changed["purpose"]))
        self.assertEqual(lease["reservations"][0]["aggregate_id"], changed["aggregate_id"])

    def test_what_it_cannot_be_is_refused(self):
        body = self.body({**NODES, "nodes": 0})
        self.refused(400, self.call("POST", "/v1/leases", body))

    def test_missing_pieces_are_put_back_and_leftovers_removed(self):
        lease = self.lease(NODES)
        reservation = lease["reservations"][0]["id"]
        self.pass_time()
        number = self.cloud_aggregate(reservation)
        self.cloud.aggregates.remove_host(number, "compute-2")
        drift = self.service.reconcile.run()
        self.assertEqual(["compute-2 is not in its aggregate"], list(*drift.missing.values()))
        self.assertEqual(["compute-1", "compute-2"], self.aggregate(lease))
        self.cloud.aggregates.delete(number)
        self.service.reconcile.run()
        self.assertEqual(["compute-1", "compute-2"], self.aggregate(lease))
        self.delete(lease)
        self.pass_time()
        self.cloud.aggregates.ensure(reservation, None, {PURPOSE: "late"})
        self.assertEqual({reservation: "bare:node"}, self.service.reconcile.run().leftovers)
        self.assertIsNone(self.aggregate(lease))
        self.assertTrue(self.service.reconcile.look().clean)

    def cloud_aggregate(self, name):
        return next(each.id for each in self.cloud.aggregates.list() if each.name == name)


class Slow(BareNode):
    """One whose preparation takes a second look."""

    looks = 0

    def prepare(self, context):
        type(self).looks += 1
        if self.looks < 3:
            return Waiting(Reason("being prepared", "being prepared"))
        return super().prepare(context)


@databases.on_each_database
class TestPatient(StrangeCase):
    types = InstalledTypes({**OURS.classes, "bare:node": Slow}, WITH_NODES.creatable)

    def test_what_waits_to_be_prepared_is_created_all_the_same(self):
        Slow.looks = 0
        lease = self.lease(NODES, start=self.minute(5))
        self.assertEqual("CREATING", lease["status"])
        self.pass_time(5)
        self.assertEqual("CREATING", self.show(lease)["status"])
        self.pass_time(5)
        self.assertEqual("PENDING", self.show(lease)["status"])


@databases.on_each_database
class TestNotEnabled(StrangeCase):
    def test_only_its_creation_is_refused(self):
        lease = self.lease(NODES, end=60)
        self.pass_time()
        self.replaced_by(NOT_ENABLED)
        answer = self.call("POST", "/v1/leases", self.body(NODES))
        self.assertIn("bare:node resource type is not supported", self.refused(400, answer))
        self.assertEqual(NODES["nodes"], self.show(lease)["reservations"][0]["nodes"])
        self.assertTrue(self.service.reconcile.look().clean)
        self.pass_time(60 * 60)
        self.assertEqual("TERMINATED", self.show(lease)["status"])
        self.assertIsNone(self.aggregate(lease))


@databases.on_each_database
class TestLeftOut(StrangeCase):
    """A type of the service's own, left out of ``[manager] plugins`` while leases of it live."""

    def test_g9_a_type_that_is_left_out_is_refused_at_creation_and_nowhere_else(self):
        slots = self.lease(INSTANCE, start=self.minute(5), end=60)
        gone = self.lease(INSTANCE, end=60)
        self.replaced_by(InstalledTypes(OURS.classes, frozenset({"physical:host"})))
        answer = self.call("POST", "/v1/leases", self.body(INSTANCE))
        self.assertIn("virtual:instance resource type is not supported", self.refused(400, answer))
        self.assertTrue(self.service.reconcile.run().clean)
        (reservation,) = self.show(slots)["reservations"]
        self.assertEqual(INSTANCE["vcpus"], reservation["vcpus"])
        listed = self.call("GET", "/v1/leases").json["leases"]
        self.assertEqual({slots["id"], gone["id"]}, {each["id"] for each in listed})
        wanted = {"id": reservation["id"], "amount": 3}
        self.updated(slots, end_date=self.minute(90), reservations=[wanted])
        self.assertEqual(204, self.delete(gone).status_code)
        self.pass_time(5 * 60)
        self.refused(404, self.call("GET", f"/v1/leases/{gone['id']}"))
        self.assertEqual("ACTIVE", self.show(slots)["status"])
        self.boot(reservation["id"])
        self.assertTrue(self.service.reconcile.run().clean)
        self.pass_time(90 * 60)
        self.pass_time(60)
        self.assertEqual("TERMINATED", self.show(slots)["status"])


@databases.on_each_database
class TestUnknown(StrangeCase):
    def test_its_leases_are_shown_and_everybody_elses_served(self):
        lease = self.lease(NODES, start=self.minute(5))
        other = self.lease(HOST)
        self.replaced_by(OURS)
        (shown,) = self.show(lease)["reservations"]
        self.assertEqual("bare:node", shown["resource_type"])
        self.assertNotIn("nodes", shown)
        listed = self.call("GET", "/v1/leases").json["leases"]
        self.assertEqual({lease["id"], other["id"]}, {each["id"] for each in listed})
        self.pass_time()
        self.assertEqual("ACTIVE", self.show(other)["status"])
        host = self.registered_hosts()["compute-1"]["id"]
        self.admin_sets(host, gpu="yes")
        self.service.reconcile.run()
        self.refused(409, self.update(lease, end_date=self.minute(90)))
        self.assertEqual("renamed", self.updated(lease, name="renamed")["name"])

    def admin_sets(self, host, **capabilities):
        answer = self.call("PUT", f"/v1/os-hosts/{host}", capabilities, "admin:admin")
        self.assertEqual(200, answer.status_code, answer.text)

    def test_who_does_not_know_it_leaves_it_to_who_does(self):
        self.lease(NODES, end=30)
        rival = self.beside(OURS)
        for _ in range(31 * 6):
            self.clock.advance(10)
            rival.heartbeat.beat()
            self.service.heartbeat.beat()
            rival.engine.run_due()
        self.assertEqual((["PENDING"], [None]), (self.statuses(), self.reasons()))
        self.service.engine.run_due()
        self.assertEqual(["TERMINATED"], self.statuses())

    def test_who_does_not_know_it_repairs_no_lease_that_has_it(self):
        lease = self.lease(HOST, {**NODES, "nodes": 1})
        self.pass_time()
        whole = lease["reservations"][0]["id"]
        number = next(each.id for each in self.cloud.aggregates.list() if each.name == whole)
        self.cloud.aggregates.remove_host(number, *self.aggregates()[whole])
        rival = self.beside(OURS)
        rival.reconcile.run()
        self.assertEqual([None], [row["owner"] for row in audit.rows(self.url, "leases")])
        self.assertEqual([], self.aggregates()[whole])
        self.service.reconcile.run()
        self.assertEqual(1, len(self.aggregates()[whole]))

    def test_a_blocked_start_of_it_keeps_nobody_from_work(self):
        first = self.lease(HOST, HOST, end=30)
        self.pass_time()
        reservation = first["reservations"][0]["id"]
        self.boot(reservation=reservation)
        self.lease({**NODES, "nodes": 2}, start=self.minute(30), end=60)
        self.replaced_by(OURS)
        self.cloud.set_server_delete_seconds(600)
        self.clock.advance(30 * 60)
        self.service.heartbeat.beat()
        self.service.engine.run_due()
        self.assertIn("knows the resource type bare:node", "".join(filter(None, self.reasons())))

    def test_its_end_gives_up_and_waits_for_who_knows_it(self):
        lease = self.lease(NODES, end=30)
        self.pass_time()
        self.replaced_by(OURS)
        self.pass_time(31 * 60)
        self.assertEqual("TERMINATING", self.show(lease)["status"])
        self.assertIn("knows the resource type bare:node", self.show(lease)["status_reason"])
        rows = audit.rows(self.url, "bookings")
        self.assertEqual([False, False], [bool(row["released"]) for row in rows])
        self.assertEqual(["compute-1", "compute-2"], self.aggregate(lease))
        before = audit.rows(self.url, "leases")
        self.pass_time(60)
        self.assertEqual(before, audit.rows(self.url, "leases"))
        self.replaced_by(WITH_NODES)
        self.pass_time()
        self.assertEqual("TERMINATED", self.show(lease)["status"])
        self.assertIsNone(self.show(lease)["status_reason"])
        self.assertIsNone(self.aggregate(lease))

    def test_its_deletion_gives_up_and_waits_for_who_knows_it(self):
        lease = self.lease(NODES)
        self.pass_time()
        self.replaced_by(OURS)
        self.assertEqual(204, self.call("DELETE", f"/v1/leases/{lease['id']}").status_code)
        self.pass_time()
        self.assertEqual("DELETING", self.show(lease)["status"])
        self.assertIn("knows the resource type bare:node", self.show(lease)["status_reason"])
        self.replaced_by(WITH_NODES)
        self.pass_time()
        self.refused(404, self.call("GET", f"/v1/leases/{lease['id']}"))
        self.assertIsNone(self.aggregate(lease))

    def test_an_administrator_may_say_that_nothing_is_left(self):
        ended = self.lease(NODES, end=30)
        self.pass_time()
        self.replaced_by(OURS)
        self.assertRaises(exceptions.InvalidStatus, self.service.forget_lease, ended["id"])
        self.pass_time(31 * 60)
        self.service.forget_lease(ended["id"])
        self.assertEqual("TERMINATED", self.show(ended)["status"])
        self.assertTrue(all(row["released"] for row in audit.rows(self.url, "bookings")))
        self.assertEqual([], audit.faults(self.url))


METADATA = "Metadata-Version: 2.1\nName: bare-node\nVersion: 1\n"
ENTRY_POINTS = """[promise_blazar.plugins]
bare.node = promise_blazar.tests.examples.bare_node:BareNode
broken = promise_blazar.tests.examples.nothing_here:Nothing
"""
LOOK = """
import sys
from promise_blazar.plugins import registry
types = registry.installed(sys.argv[1:])
print(sorted(types.classes), sorted(types.creatable))
"""


class TestInstalled(base.TestCase):
    def look(self, *enabled):
        """What a process sees on a machine where the package of the type is installed."""
        with tempfile.TemporaryDirectory() as directory:
            package = Path(directory) / "bare_node-1.0.dist-info"
            package.mkdir()
            (package / "METADATA").write_text(
                "Metadata-Version: 2.1\nName: bare-node\nVersion: 1\n"
            )
            (package / "entry_points.txt").write_text(ENTRY_POINTS)
            return subprocess.run(
                [sys.executable, "-c", LOOK, *enabled],
                capture_output=True,
                text=True,
                check=False,
                env={**os.environ, "PYTHONPATH": f"{tree.ROOT}:{directory}"},
            )

    def test_a_type_is_found_by_its_entry_point_also_if_it_is_not_enabled(self):
        done = self.look("physical.host.plugin")
        found = "['bare:node', 'physical:host', 'virtual:instance'] ['physical:host']\n"
        self.assertEqual((0, found), (done.returncode, done.stdout), done.stderr)

    def test_one_that_is_enabled_and_broken_or_not_there_is_an_error(self):
        self.assertIn("No module named", self.look("broken").stderr)
        self.assertIn("no such plugins: nowhere", self.look("nowhere").stderr)
