# SPDX-License-Identifier: Apache-2.0
"""Rules of deciding: in force when all who decide know them, and who does not, keeps still."""

import sqlalchemy

from promise_blazar import exceptions
from promise_blazar.db import heartbeats, providers
from promise_blazar.db.tables import ManagerProcess, Provider
from promise_blazar.model.manager import RULES, ManagerIdentity
from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase
from promise_blazar.tests.functional.concurrency import audit
from promise_blazar.tests.functional.concurrency.test_ledger_store import LedgerStoreTestCase

#: Of a release to come.
NEXT = RULES + 1
NEWER = ManagerIdentity("controller-1", NEXT, "1.0", frozenset({"physical:host"}))
PRESENT = ManagerIdentity("controller-2", RULES, "1.0", frozenset({"physical:host"}))


@databases.on_each_database
class TestRequiringRules(LedgerStoreTestCase):
    """The first write that needs rules, as a release that knows them makes it."""

    def arrive(self, name, identity):
        with self.mine_database.writer() as connection:
            heartbeats.register(connection, name, identity, self.clock.now())

    def require(self, rules=NEXT, dead=frozenset()):
        self.mine.change(
            lambda connection, generation: providers.require_rules(connection, 1, rules, dead)
        )

    def rules(self):
        with self.mine_database.reader() as connection:
            return connection.scalar(sqlalchemy.select(Provider.rules))

    def test_they_are_in_force_when_all_managers_know_them(self):
        self.arrive("one", NEWER)
        self.arrive("two", NEWER)
        self.require()
        self.assertEqual(NEXT, self.rules())

    def test_a_manager_that_does_not_know_them_is_named_and_keeps_them_out(self):
        self.arrive("one", NEWER)
        self.arrive("two", PRESENT)
        head = self.head()
        with self.assertLogs(providers.LOG, "WARNING") as logged:
            refused = self.assertRaises(exceptions.Unavailable, self.require)
        # By name to operators; the sentence is a tenant's to read.
        self.assertIn("two on controller-2", logged.output[0])
        self.assertNotIn("controller-2", refused.message)
        self.assertIn("1 of the managers that run", refused.message)
        self.assertEqual(providers.RETRY_AFTER, refused.facts["retry_after"])
        self.assertEqual((0, head), (self.rules(), self.head()))

    def test_so_does_one_of_a_release_that_says_nothing_of_rules(self):
        self.arrive("one", PRESENT)
        self.sql("UPDATE managers SET rules = NULL")
        self.assertRaises(exceptions.Unavailable, self.require)
        self.assertEqual(0, self.rules())

    def test_the_dead_keep_nothing_out(self):
        self.arrive("one", NEWER)
        self.arrive("two", PRESENT)
        self.require(dead={"two"})
        self.assertEqual(NEXT, self.rules())

    def test_what_is_in_force_is_required_at_no_cost_and_never_lowered(self):
        self.sql("UPDATE managers SET rules = NULL")
        self.require(RULES)
        self.require(RULES - 1)
        self.assertEqual(RULES, self.rules())

    def test_who_decided_before_they_came_into_force_is_too_late(self):
        self.mine_database.before_write = lambda: self.theirs.change(
            lambda connection, g: providers.require_rules(connection, 1, NEXT, frozenset())
        )
        self.assertRaises(exceptions.Unavailable, self.take, self.mine)
        self.assertEqual([], audit.rows(self.url, "bookings"))


@databases.on_each_database
class TestUnknownRules(ServiceTestCase):
    """A manager of this release, where those of a later one have begun to decide by rules."""

    registered = 2

    def set_rules(self, rules):
        engine = sqlalchemy.create_engine(self.url, poolclass=sqlalchemy.NullPool)
        with engine.begin() as connection:
            connection.execute(sqlalchemy.update(Provider).values(rules=rules))

    def test_it_decides_and_changes_nothing_and_says_why(self):
        lease = self.active(HOST, INSTANCE)
        pending = self.lease(INSTANCE, start=self.minute(30))
        (first, *_) = self.registered_hosts().values()
        lease_path, host_path = f"/v1/leases/{lease['id']}", f"/v1/os-hosts/{first['id']}"
        self.set_rules(NEXT)
        with self.nothing_changes():
            for verb, path, body in (
                ("POST", "/v1/leases", self.body(HOST)),
                ("POST", "/v1/leases?dry_run=true", self.body(HOST)),
                ("PUT", lease_path, {"end_date": self.minute(90)}),
                ("DELETE", lease_path, None),
                ("DELETE", f"/v1/leases/{pending['id']}", None),
                ("POST", "/v1/os-hosts", {"name": "compute-3"}),
                ("PUT", host_path, {"gpu": "True"}),
                ("DELETE", host_path, None),
            ):
                with self.subTest(f"{verb} {path}"):
                    answer = self.call(verb, path, body, "admin:demo")
                    sentence = self.refused(503, answer)
                    self.assertIn(f"knows rules {RULES}, and {NEXT} are in force", sentence)
                    self.assertEqual(str(providers.RETRY_AFTER), answer.headers["Retry-After"])
        self.assertIn("in force", self.service.health().problems[0])

    def test_it_works_on_nothing_until_it_is_upgraded(self):
        self.lease(HOST, INSTANCE, start=self.minute(1))
        self.set_rules(NEXT)
        with self.nothing_changes():
            self.pass_time(120)
            self.assertRaises(exceptions.Unavailable, self.service.reconcile.run)
        self.set_rules(RULES)
        self.pass_time()
        (lease,) = self.call("GET", "/v1/leases").json["leases"]
        self.assertEqual("ACTIVE", lease["status"])

    def test_another_cloud_s_leases_are_worked_on(self):
        engine = sqlalchemy.create_engine(self.url, poolclass=sqlalchemy.NullPool)
        with engine.begin() as connection:
            values = {"name": "other", "generation": 0, "purged_generation": 0, "rules": NEXT}
            connection.execute(sqlalchemy.insert(Provider).values(values))
        self.active(HOST)

    def test_health_tells_the_version_that_every_living_manager_answers(self):
        engine = sqlalchemy.create_engine(self.url, poolclass=sqlalchemy.NullPool)
        for said, version in (("1.7", "1.7"), (None, "1.0")):
            with engine.begin() as connection:
                connection.execute(sqlalchemy.update(ManagerProcess).values(rpc_version=said))
            self.assertEqual(version, self.service.health().rpc_version)

    def test_managers_say_what_they_know(self):
        engine = sqlalchemy.create_engine(self.url, poolclass=sqlalchemy.NullPool)
        with engine.connect() as connection:
            known = connection.scalars(sqlalchemy.select(ManagerProcess.rules)).all()
        self.assertEqual([RULES], known)
