# SPDX-License-Identifier: Apache-2.0
"""Adjustments of the capacity on offer: what they change, break and leave alone."""

from datetime import UTC, datetime, timedelta

from promise_blazar import exceptions
from promise_blazar.db import providers
from promise_blazar.manager.controllers.purge import Purge
from promise_blazar.model.manager import ADJUSTMENTS
from promise_blazar.model.reason import WITHDRAWN
from promise_blazar.tests import databases
from promise_blazar.tests.functional.adjusting import ADMIN, SLOT, AdjustingCase
from promise_blazar.tests.functional.base import HOST

BEGIN = datetime(2030, 1, 1, tzinfo=UTC)


@databases.on_each_database
class TestAdjustments(AdjustingCase):
    def test_one_is_made_shown_listed_and_taken_back(self):
        made = self.adjust(VCPU=-8, MEMORY_MB=0, end=self.minute(60))
        self.assertEqual({"VCPU": -8}, made.resources)
        self.assertEqual(("default", None, ()), (made.provider, made.zone, made.affected))
        self.assertEqual((BEGIN, BEGIN + timedelta(hours=1)), (made.start, made.end))
        self.assertEqual(made, self.service.get_adjustment(ADMIN, made.id))
        self.assertEqual([made], self.adjustments())
        self.assertEqual((88, 0, 88), self.figures())
        self.assertEqual((96, 0, 96), self.figures(start=self.minute(60)))
        self.assertEqual(0, self.take_back(made).count)
        self.assertEqual((96, 0, 96), self.figures())
        self.assertEqual([], self.adjustments())
        for gone in (self.take_back, lambda a: self.service.get_adjustment(ADMIN, a.id)):
            self.assertRaises(exceptions.NotFound, gone, made)

    def test_less_on_offer_is_less_to_book(self):
        self.lease({**SLOT, "amount": 2, "vcpus": 32})
        self.adjust(VCPU=-8)
        self.assertIn("VCPU", self.refuses({**SLOT, "vcpus": 32}))
        self.refuses(HOST)
        self.lease({**SLOT, "amount": 3})

    def test_how_many_servers_there_may_be_can_be_adjusted(self):
        limit = self.adjust(INSTANCE=3)
        self.lease({**SLOT, "amount": 2})
        self.refuses({**SLOT, "amount": 2})
        self.lease(HOST)
        self.conflict(self.adjust, INSTANCE=-2)
        self.adjust(INSTANCE=1)
        self.lease({**SLOT, "amount": 2})
        self.assertEqual((4, 4, 0), self.figures("INSTANCE"))
        self.take_back(limit, force=True)

    def test_one_that_breaks_promises_is_refused_with_those(self):
        later = self.lease({**SLOT, "amount": 4}, start=self.minute(30), end=90)
        lease = self.lease({**SLOT, "amount": 4}, {**SLOT, "amount": 1})
        expected = sorted(each["id"] for each in lease["reservations"])
        for dry in (False, True):
            with self.no_adjustment_changes():
                error = self.conflict(self.adjust, VCPU=-80, end=self.minute(30), dry_run=dry)
            self.assertEqual(expected, sorted(error.facts["affected"]))
            self.assertIn("24 VCPU short", error.message)
        with self.no_adjustment_changes():
            error = self.conflict(self.adjust, VCPU=-90)
        self.assertEqual(later["reservations"][0]["id"], error.facts["affected"][-1])

    def test_force_breaks_them_and_says_so_until_there_is_enough_again(self):
        lease = self.lease({**SLOT, "amount": 4})
        other = self.lease({**SLOT, "amount": 1}, start=self.minute(70), end=80)
        (broken,) = [each["id"] for each in lease["reservations"]]
        with self.no_adjustment_changes():
            tried = self.adjust(VCPU=-70, end=self.minute(60), force=True, dry_run=True)
        self.assertEqual(("", (broken,), None), (tried.id, tried.affected, tried.created_at))
        made = self.adjust(VCPU=-70, end=self.minute(60), force=True)
        self.assertEqual((broken,), made.affected)
        self.assertEqual((broken,), self.service.get_adjustment(ADMIN, made.id).affected)
        self.assertEqual((26, 32, -6), self.figures())
        shown = self.show(lease)
        self.assertEqual((True, WITHDRAWN), (shown["degraded"], shown["status_reason"]))
        self.assertIn(made.id, self.trouble(lease))
        self.assertIs(False, self.show(other)["degraded"])
        # It starts all the same, and says so still.
        self.pass_time()
        shown = self.show(lease)
        self.assertEqual(("ACTIVE", True), (shown["status"], shown["degraded"]))
        self.adjust(VCPU=3)
        self.assertIs(True, self.show(lease)["degraded"])
        self.adjust(VCPU=3)
        shown = self.show(lease)
        self.assertEqual((False, None), (shown["degraded"], shown["status_reason"]))
        self.assertEqual((), self.service.get_adjustment(ADMIN, made.id).affected)

    def test_the_mark_goes_with_the_adjustment(self):
        lease = self.lease({**SLOT, "amount": 4})
        made = self.adjust(VCPU=-70, force=True)
        self.assertIs(True, self.show(lease)["degraded"])
        self.assertEqual(0, self.take_back(made).count)
        self.assertIs(False, self.show(lease)["degraded"])

    def test_the_mark_goes_when_hosts_come_or_others_leave(self):
        lease = self.lease({**SLOT, "amount": 4})
        other = self.lease({**SLOT, "amount": 4})
        self.adjust(VCPU=-33, force=True)
        self.assertIs(True, self.show(lease)["degraded"])
        self.delete(other)
        self.pass_time()
        self.service.jobs.schedule()
        self.pass_time(61)
        self.assertIs(False, self.show(lease)["degraded"])

    def test_taking_back_what_promises_rest_on_breaks_them(self):
        more = self.adjust(INSTANCE=2)
        self.adjust(INSTANCE=1)
        lease = self.lease({**SLOT, "amount": 3})
        with self.no_adjustment_changes():
            error = self.conflict(self.take_back, more)
            self.assertEqual([lease["reservations"][0]["id"]], error.facts["affected"])
            self.conflict(self.take_back, more, dry_run=True)
            self.take_back(more, force=True, dry_run=True)
        told = self.take_back(more, force=True)
        self.assertEqual((lease["reservations"][0]["id"],), told.reservations)
        self.assertIs(True, self.show(lease)["degraded"])
        self.adjust(INSTANCE=2)
        self.assertIs(False, self.show(lease)["degraded"])

    def test_what_is_short_already_is_no_reason(self):
        self.lease({**SLOT, "amount": 4})
        self.adjust(VCPU=-70, force=True)
        self.adjust(MEMORY_MB=-1024)
        self.adjust(VCPU=-1, start=self.minute(60))
        self.conflict(self.adjust, VCPU=-1)

    def test_less_than_nothing_is_on_offer_never(self):
        with self.no_adjustment_changes():
            for force in (False, True):
                error = self.conflict(self.adjust, VCPU=-97, force=force)
                self.assertIn("less than nothing", error.message)
                self.conflict(self.adjust, VCPU=-97, zone="nova", force=force)
                self.conflict(self.adjust, CUSTOM_FPGA=-1, force=force)
        self.adjust(VCPU=-96)

    def test_what_a_host_gave_up_is_no_reason_against_more(self):
        self.adjust(VCPU=-96)
        host = self.registered_hosts()["compute-3"]
        path = f"/v1/os-hosts/{host['id']}"
        self.assertEqual(204, self.call("DELETE", path, token="admin:admin").status_code)
        self.adjust(VCPU=1)
        self.conflict(self.adjust, VCPU=-1)

    def test_what_is_asked_for_wrongly_is_said(self):
        with self.no_adjustment_changes():
            self.bad("at least one", VCPU=0)
            self.bad("whole number", VCPU=2**53)
            self.bad("whole number", VCPU=True)
            self.bad("no resource class", NO_SUCH=1)
            self.bad("no resource class", CUSTOM_RESERVATION_1=1)
            self.bad("past", VCPU=1, start=self.minute(-1))
            self.bad("after the start", VCPU=1, start=self.minute(5), end=self.minute(5))
            self.bad("provider", VCPU=1, provider="elsewhere")
            self.bad("zone", VCPU=-1, zone="nowhere")
            self.bad("zone", VCPU=1, zone="a\x1bb")
            self.bad("source", VCPU=1, source=self.new_id(), project_ids=("demo",))
            self.bad("project_ids", VCPU=1, project_ids=("demo",))

    def test_capacity_may_be_planned_for_a_zone_that_is_to_come(self):
        self.adjust(VCPU=10, zone="west", start=self.minute(60), force=True)
        self.adjust(VCPU=-4, zone="west", start=self.minute(60))
        self.assertEqual((6, 0, 6), self.figures(zone="west", start=self.minute(60)))
        self.assertEqual((102, 0, 102), self.figures(start=self.minute(60)))

    def test_10_a_window_that_is_over_is_none(self):
        self.clock.advance(50)
        now = self.clock.now()
        with self.no_adjustment_changes():
            for end in (now, now - timedelta(seconds=1), now - timedelta(days=1)):
                for how in ({}, {"force": True}, {"dry_run": True}):
                    self.bad("end", VCPU=1, start=self.minute(0), end=end.isoformat(), **how)
        self.adjust(VCPU=1, start=self.minute(0), end=self.minute(1))

    def test_10_what_limits_slots_to_none_at_other_times_is_forced(self):
        windows = (
            ("from 2030-01-01 01:00 UTC on", {"end": self.minute(60)}),
            ("before 2030-01-01 00:30 UTC", {"start": self.minute(30)}),
            ("before 2030-01-01 00:30", {"start": self.minute(30), "end": self.minute(60)}),
        )
        for words, window in windows:
            with self.no_adjustment_changes():
                for dry_run in (False, True):
                    error = self.conflict(self.adjust, INSTANCE=5, dry_run=dry_run, **window)
                    self.assertIn(words, error.message)
                    self.assertEqual([], error.facts["affected"])
        made = self.adjust(INSTANCE=5, end=self.minute(60), force=True)
        self.adjust(INSTANCE=1, start=self.minute(30))
        error = self.conflict(self.adjust, INSTANCE=5, zone="nova", end=self.minute(60))
        self.assertIn("in the zone nova", error.message)
        self.take_back(made)
        # No slot takes any of it.
        self.adjust(VOLUME_GB=5, end=self.minute(60))

    def test_17_a_zone_without_hosts_is_forced(self):
        with self.no_adjustment_changes():
            for dry_run in (False, True):
                error = self.conflict(self.adjust, VCPU=1000, zone="nova-typo", dry_run=dry_run)
                self.assertIn("there are hosts in: nova", error.message)
                self.assertEqual([], error.facts["affected"])
        self.assertEqual((96, 0, 96), self.figures())
        self.adjust(VCPU=1000, zone="west", force=True)
        self.assertEqual((1096, 0, 1096), self.figures())

    def test_lists_are_filtered_ordered_and_paged(self):
        first = self.adjust(VCPU=1, end=self.minute(10))
        self.clock.advance(1)
        second = self.adjust(VCPU=2, zone="nova", start=self.minute(5), end=self.minute(20))
        self.clock.advance(1)
        third = self.adjust(VCPU=1, source=second.id, project_ids=("demo",), start=self.minute(6))
        self.assertEqual([first, second, third], self.adjustments())
        self.assertEqual([third, second, first], self.adjustments(descending=True))
        self.assertEqual([second, third], self.adjustments(zone="nova"))
        self.assertEqual([third], self.adjustments(source=second.id))
        self.assertEqual([first], self.adjustments(end=BEGIN + timedelta(minutes=5)))
        self.assertEqual([second, third], self.adjustments(start=BEGIN + timedelta(minutes=10)))
        self.assertEqual([first, second], self.adjustments(limit=2, sort="start"))
        self.assertEqual([third], self.adjustments(limit=2, sort="start", marker=second.id))
        self.assertRaises(exceptions.BadInput, self.adjustments, marker="none")
        self.assertRaises(exceptions.BadInput, self.adjustments, sort="colour")


@databases.on_each_database
class TestRules(AdjustingCase):
    """A manager that knows of no adjustments decides nothing once there is one."""

    def rules(self):
        with self.database_of().reader() as connection:
            return providers.head(connection, 1).rules

    def test_the_first_one_puts_them_in_force(self):
        self.assertEqual(0, self.rules())
        with self.no_adjustment_changes():
            self.adjust(VCPU=1, dry_run=True)
        self.assertEqual(0, self.rules())
        self.adjust(VCPU=1)
        self.assertEqual(ADJUSTMENTS, self.rules())

    def test_it_waits_until_all_managers_know_them(self):
        self.manager()
        self.sql(
            f"UPDATE managers SET rules = {ADJUSTMENTS - 1} WHERE id <> "
            f"'{self.service.heartbeat.id}'"
        )
        with self.no_adjustment_changes():
            error = self.assertRaises(exceptions.Unavailable, self.adjust, VCPU=1)
        self.assertIn("earlier release", error.message)
        # Leases are taken all the same.
        self.lease(SLOT)


@databases.on_each_database
class TestTombstones(AdjustingCase):
    def test_they_go_and_who_missed_them_loads_anew(self):
        other = self.manager()
        made = self.adjust(INSTANCE=1)
        self.assertEqual((1, 0, 1), self.figures("INSTANCE", other))
        self.take_back(made)
        self.clock.advance(1)
        Purge(self.database_of(), self.clock, 1).run(keep=timedelta(0))
        for table in ("adjustments", "adjustment_amounts", "adjustment_projects"):
            self.assertEqual([], self.rows(table), table)
        for manager in (self.service, other):
            self.assertRaises(
                exceptions.BadInput, self.figures, "INSTANCE", manager, start=self.minute(1)
            )
