# SPDX-License-Identifier: Apache-2.0
"""Those whose promises an adjustment breaks: who is told, how they are marked, and until when."""

import contextlib
from unittest import mock

from promise_blazar import exceptions
from promise_blazar.db.session import Database
from promise_blazar.manager.ledger import supply_rules
from promise_blazar.manager.queries import adjustments as queries
from promise_blazar.manager.supply import marks
from promise_blazar.manager.supply.marks import Marks
from promise_blazar.manager.workflow.host_states import HostStates
from promise_blazar.manager.workflow.results import LeaseResults
from promise_blazar.model.manager import ADJUSTMENTS
from promise_blazar.model.reason import WITHDRAWN
from promise_blazar.tests import databases
from promise_blazar.tests.functional.adjusting import SLOT, AdjustingCase


class AffectedCase(AdjustingCase):
    def promised(self, count):
        """Leases of a host's VCPUs each, one after another; their reservations."""
        leases = [
            self.lease({**SLOT, "amount": 4}, start=self.minute(10 * n), end=10 * n + 10)
            for n in range(1, count + 1)
        ]
        return leases, [each["reservations"][0]["id"] for each in leases]

    def marked(self, leases):
        shown = [self.show(each) for each in leases]
        for each in shown:
            self.assertEqual(WITHDRAWN if each["degraded"] else None, each["status_reason"])
        return [each["degraded"] for each in shown]

    def set_state(self, host, state):
        self.call("PUT", f"/simulated/hosts/{host}", {"state": state}, "admin:admin")
        self.service.host_states.run()

    def revision(self, lease):
        return self.value(f"SELECT revision FROM leases WHERE id = '{lease['id']}'")

    def value(self, query):
        with self.database_of().reader() as connection:
            return connection.exec_driver_sql(query).scalar_one()


@databases.on_each_database
class TestMarks(AffectedCase):
    def setUp(self):
        super().setUp()
        self.patch(marks, "_AT_ONCE", 2)

    def patch(self, where, name, value):
        change = mock.patch.object(where, name, value)
        change.start()
        self.addCleanup(change.stop)

    def test_6_marks_that_were_not_made_are_made_later(self):
        leases, reservations = self.promised(5)
        some, left = Marks._some, [1]  # noqa: SLF001

        def cut_off(*arguments, **named):
            if not left:
                raise exceptions.Unavailable(what="database")
            left.pop()
            return some(*arguments, **named)

        with mock.patch.object(Marks, "_some", cut_off):
            made = self.adjust(VCPU=-70, force=True)
        self.assertEqual((tuple(reservations), 5), (made.affected, made.affected_count))
        self.assertEqual(2, self.marked(leases).count(True))
        self.assertEqual(2, self.adjustments()[0].affected_count)
        self.service.relief.run()
        self.assertEqual([True] * 5, self.marked(leases))
        self.assertEqual([made], self.adjustments())
        before = [self.revision(each) for each in leases]
        self.service.relief.run()
        self.assertEqual(before, [self.revision(each) for each in leases])

    def test_6_so_are_those_of_one_that_was_taken_back(self):
        more = self.adjust(INSTANCE=8)
        self.adjust(INSTANCE=1)
        leases, reservations = self.promised(3)
        with mock.patch.object(Marks, "make", side_effect=exceptions.Unavailable(what="database")):
            told = self.take_back(more, force=True)
        self.assertEqual((tuple(reservations), 3), (told.reservations, told.count))
        self.assertEqual([False] * 3, self.marked(leases))
        self.service.relief.run()
        self.assertEqual([True] * 3, self.marked(leases))
        self.adjust(INSTANCE=7)
        self.assertEqual([False] * 3, self.marked(leases))

    def test_6_none_is_made_for_what_is_no_longer_there(self):
        leases, _ = self.promised(3)
        with mock.patch.object(Marks, "make", side_effect=exceptions.Unavailable(what="database")):
            made = self.adjust(VCPU=-70, force=True)
        self.take_back(made)
        self.service.relief.run()
        self.assertEqual([False] * 3, self.marked(leases))
        self.assertEqual([], self.rows("affected_reservations"))

    def test_6_who_makes_many_waits_for_the_first(self):
        leases, _ = self.promised(5)
        with mock.patch.object(marks, "AT_FIRST", 2):
            made = self.adjust(VCPU=-70, force=True)
        self.assertEqual(5, made.affected_count)
        self.assertEqual(2, self.marked(leases).count(True))
        self.service.relief.run()
        self.assertEqual([True] * 5, self.marked(leases))

    def test_6_the_first_are_named_and_all_are_counted(self):
        _, reservations = self.promised(5)
        self.patch(supply_rules, "LISTED", 3)
        self.patch(queries, "LISTED", 3)
        self.patch(queries, "LISTED_EACH", 1)
        body = {"resources": {"VCPU": -70}}
        path = "/v1/capacity/adjustments"
        refused = self.call("POST", path, body, "admin:admin")
        self.assertEqual(409, refused.status_code)
        self.assertEqual(
            (reservations[:3], 5), (refused.json["affected"], refused.json["affected_count"])
        )
        self.assertIn("5 reservations", refused.json["detail"])
        made = self.call("POST", path, body | {"force": True}, "admin:admin").json
        self.assertEqual((reservations[:3], 5), (made["affected"], made["affected_count"]))
        shown = self.call("GET", f"{path}/{made['id']}", token="admin:admin").json
        self.assertEqual(made, shown)
        (one,) = self.call("GET", path, token="admin:admin").json["adjustments"]
        self.assertEqual((reservations[:1], 5), (one["affected"], one["affected_count"]))

    def test_a_revision_that_a_mark_makes_cannot_be_foreseen(self):
        (lease,), _ = self.promised(1)
        before = self.revision(lease)
        self.adjust(VCPU=-70, force=True)
        self.assertGreater(self.revision(lease), before + 1)

    def test_11_no_mark_stays_on_what_is_over(self):
        lease = self.active({**SLOT, "amount": 4}, end=20)
        made = self.adjust(VCPU=-70, force=True)
        self.assertIs(True, self.show(lease)["degraded"])
        self.pass_time(20 * 60)
        shown = self.show(lease)
        self.assertEqual(("TERMINATED", False), (shown["status"], shown["degraded"]))
        self.service.relief.run()
        self.assertEqual([], self.rows("affected_reservations"))
        with mock.patch.object(supply_rules, "affected", self.all_of(lease)):
            self.adjust(VCPU=-1, force=True)
        self.assertIs(False, self.show(lease)["degraded"])
        self.take_back(made)

    def all_of(self, lease):
        """What finds that a lease is affected, whatever becomes of it."""
        uuid = lease["reservations"][0]["id"]
        number = self.value(f"SELECT id FROM reservations WHERE uuid = '{uuid}'")
        found = supply_rules.Affected(frozenset([number]), ())
        return lambda *_: found

    def test_12_a_change_of_the_lease_leaves_the_reason(self):
        (lease,), _ = self.promised(1)
        made = self.adjust(VCPU=-70, force=True)
        self.call("PUT", f"/v1/leases/{lease['id']}", {"end_date": self.minute(15)})
        self.pass_time()
        self.assertEqual([True], self.marked([lease]))
        self.assertIn(made.id, self.trouble(lease))
        self.adjust(VCPU=10)
        self.assertEqual([False], self.marked([lease]))

    def test_12_a_host_that_comes_back_leaves_the_reason(self):
        lease = self.active({**SLOT, "amount": 4})
        made = self.adjust(VCPU=-70, force=True)
        (host,) = self.held(lease["reservations"][0])
        self.set_state(host, "down")
        self.assertIn("out of service", self.show(lease)["status_reason"])
        self.set_state(host, "up")
        self.assertEqual([True], self.marked([lease]))
        self.assertIn(made.id, self.trouble(lease))
        self.take_back(made)
        self.assertEqual([False], self.marked([lease]))

    @contextlib.contextmanager
    def at_the_next_write_of(self, where, name, work):
        """A block in which this is done just before what the method writes is."""
        method, writer, armed = getattr(where, name), Database.writer, []

        def watched(*arguments, **named):
            armed.append(1)
            return method(*arguments, **named)

        @contextlib.contextmanager
        def late(database):
            if armed:
                armed.clear()
                with mock.patch.object(where, name, method):
                    work()
            with writer(database) as connection:
                yield connection

        with mock.patch.object(where, name, watched), mock.patch.object(Database, "writer", late):
            yield

    def test_13_what_is_relieved_while_it_starts_has_no_mark(self):
        (lease,), _ = self.promised(1)
        made = self.adjust(VCPU=-70, force=True)
        with self.at_the_next_write_of(LeaseResults, "settle", lambda: self.take_back(made)):
            self.pass_time(600)
        self.assertEqual("ACTIVE", self.show(lease)["status"])
        self.assertEqual([False], self.marked([lease]))

    def test_13_what_is_relieved_while_its_host_returns_has_no_mark(self):
        lease = self.active({**SLOT, "amount": 4})
        made = self.adjust(VCPU=-70, force=True)
        (host,) = self.held(lease["reservations"][0])
        self.set_state(host, "down")
        work = self.take_back
        with self.at_the_next_write_of(HostStates, "_tell_lease", lambda: work(made)):
            self.set_state(host, "up")
        self.assertEqual([False], self.marked([lease]))


@databases.on_each_database
class TestRehearsals(AffectedCase):
    def test_5_who_tries_an_adjustment_takes_no_turn_of_decisions(self):
        long = self.service.ledger.decisions.long
        made = self.adjust(VCPU=-1)
        with long.mine(self.service.ledger.access.budget()):
            self.adjust(VCPU=-1, dry_run=True)
            self.take_back(made, dry_run=True)

    def test_23_a_try_waits_for_all_managers_as_well(self):
        self.manager()
        self.sql(
            f"UPDATE managers SET rules = {ADJUSTMENTS - 1} WHERE id <> "
            f"'{self.service.heartbeat.id}'"
        )
        with self.no_adjustment_changes():
            error = self.assertRaises(exceptions.Unavailable, self.adjust, VCPU=1, dry_run=True)
        self.assertIn("earlier release", error.message)
