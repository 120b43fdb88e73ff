# SPDX-License-Identifier: Apache-2.0
"""Leases of an earlier release, in every state, under this one."""

from promise_blazar.model.reason import UNTOLD
from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE
from promise_blazar.tests.functional.concurrency import audit
from promise_blazar.tests.upgrade.base import UpgradedTestCase

#: Seconds between two heartbeats, and until all that can be done is done.
STEP, LONG = 2, 240
#: What becomes, in that time, of a lease that was in the midst of something; of others, nothing.
BECOMES = {
    "CREATING": "PENDING",
    "STARTING": "ACTIVE",
    "TERMINATING": "TERMINATED",
    "DELETING": None,
}
#: Where the state alone does not say it: before the start, or at it.
BECOMES_BY_NAME = {
    "updating both, refused": "ACTIVE",
    "updating instance, cut off": "ACTIVE",
    "updating instance, cut off before its start": "PENDING",
    "pending both, waits for its host": "ACTIVE",
}
#: Nothing happens to these, and they are shown the same.
UNTOUCHED = ("active both, warned", "active host, not warned", "pending both", "terminated both")
#: Of those that last.
SERVERS = ("server of active both, warned", "server of active host, warning refused")


def untold(body):
    """What was shown, with reasons as tenants may read them."""
    if isinstance(body, list):
        return [untold(each) for each in body]
    if not isinstance(body, dict):
        return body
    told = {name: untold(value) for name, value in body.items()}
    if told.get("status_reason") is not None:
        told["status_reason"] = UNTOLD
    return told


@databases.on_each_database
class TestWhatIsShown(UpgradedTestCase):
    def test_all_is_shown_as_the_earlier_release_showed_it(self):
        reader = self.with_a_database(self.service)
        for client in (self.api, reader):
            for path, body in self.manifest.shown.items():
                answer = client.get(path, headers={"X-Auth-Token": "admin:admin"})
                self.assertEqual((200, untold(body)), (answer.status_code, answer.json), path)

    def test_e1_what_hinders_leases_was_told_to_operators_and_still_is(self):
        before = {
            lease["id"]: lease["status_reason"]
            for lease in self.manifest.shown["/v1/leases"]["leases"]
        }
        self.assertTrue(any(before.values()))
        self.assertEqual(before, {each: self.trouble({"id": each}) for each in before})

    def test_a_tenant_sees_what_is_its_own(self):
        for token in ("alice:demo", "bob:other"):
            project = token.split(":")[1]
            leases = self.call("GET", "/v1/leases", token=token).json
            names = {
                lease["name"]
                for lease in self.manifest.shown["/v1/leases"]["leases"]
                if lease["project_id"] == project
            }
            self.assertEqual(names, {lease["name"] for lease in leases["leases"]}, token)


@databases.on_each_database
class TestLeases(UpgradedTestCase):
    def carry_on(self, seconds):
        for _ in range(seconds // STEP):
            self.pass_time(STEP)

    def test_each_carries_on_from_where_it_was(self):
        expected = {
            name: BECOMES_BY_NAME.get(name, BECOMES.get(lease.status, lease.status))
            for name, lease in self.manifest.leases.items()
        }
        before = self.shown()
        servers = {s.id for s in self.cloud.list_servers() if s.name in SERVERS}
        self.assertEqual(3, len(servers))
        self.carry_on(LONG)
        shown = self.shown()
        becomes = {name: shown[name]["status"] if name in shown else None for name in expected}
        self.assertEqual(expected, becomes)
        self.assertEqual(shown.keys(), {name for name, status in expected.items() if status})
        troubled = {n for n, lease in shown.items() if lease["status_reason"] is not None}
        self.assertEqual({n for n, status in expected.items() if status == "ERROR"}, troubled)
        # OpenStack has what was promised, and nothing else; the ledger is what the rows say. Of
        # two hosts half was done, and that release left no jobs.
        self.assertEqual(
            {"compute-21", "compute-22"}, set(self.service.reconcile.run().unfinished)
        )
        self.pass_time()
        self.assertEqual([], self.service.reconcile.look().lines())
        # One that was down before as well; the audit of that release did not look at it.
        self.assertEqual(
            ["host compute-20 is out of service"], self.service.inventory_sync.look().lines()
        )
        self.assertEqual([], audit.faults(self.url))
        self.assertEqual([], audit.strayed(self.service.ledger, self.url, self.clock))
        # What lasts was left alone.
        for name in UNTOUCHED:
            self.assertEqual(before[name], shown[name])
        self.assertEqual(servers, {s.id for s in self.cloud.list_servers()})

    def test_each_can_be_deleted_at_once_and_then_nothing_is_left(self):
        for name, lease in self.shown().items():
            self.assertEqual(204, self.delete(lease, "admin:admin").status_code, name)
        self.carry_on(LONG)
        self.assertEqual({}, self.shown())
        self.assertEqual([], self.cloud.list_servers())
        self.assertEqual(["freepool"], list(self.aggregates()))
        self.service.reconcile.run()  # of hosts half was done, and that release left no jobs
        self.pass_time()
        self.assertEqual([], self.service.reconcile.look().lines())

    def test_running_ones_are_changed_and_new_ones_are_made(self):
        self.carry_on(10)
        changed = self.updated(
            self.shown()["active host, not warned"], end_date="2030-01-01 07:00"
        )
        self.assertEqual("2030-01-01T07:00:00.000000", changed["end_date"])
        new = self.lease(HOST, INSTANCE, end=200)
        self.carry_on(10)
        self.assertEqual("ACTIVE", self.show(new)["status"])


@databases.on_each_database
class TestUnfinishedHosts(UpgradedTestCase):
    def test_c9_what_was_cut_off_is_finished_without_anybody(self):
        self.service.reconcile.run()
        self.pass_time()
        lent = self.registered_hosts()
        self.assertTrue(lent["compute-21"]["reservable"])
        self.assertNotIn("compute-22", lent)
        freepool = self.aggregates()["freepool"]
        self.assertIn("compute-21", freepool)
        self.assertNotIn("compute-22", freepool)


@databases.on_each_database
class TestHosts(UpgradedTestCase):
    """Who asked for them asks again: that carries on from where it was."""

    def test_one_that_was_being_added_is_added(self):
        before = self.registered_hosts()["compute-21"]
        answer = self.call("POST", "/v1/os-hosts", {"name": "compute-21"}, "admin:admin")
        self.assertEqual(201, answer.status_code, answer.text)
        self.assertEqual(before["id"], answer.json["host"]["id"])
        self.assertIn("compute-21", self.aggregates()["freepool"])

    def test_one_that_was_being_removed_is_removed(self):
        path = f"/v1/os-hosts/{self.registered_hosts()['compute-22']['id']}"
        self.assertEqual(204, self.call("DELETE", path, token="admin:admin").status_code)
        self.assertNotIn("compute-22", self.registered_hosts())
        self.assertNotIn("compute-22", self.aggregates()["freepool"])
