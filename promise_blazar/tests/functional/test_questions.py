# SPDX-License-Identifier: Apache-2.0
"""Questions to the ledger: what is free and when, and that a create at once says the same."""

import threading
from datetime import UTC, datetime, timedelta

from promise_blazar import exceptions
from promise_blazar.manager.contract.messages import ReservationRequest
from promise_blazar.manager.contract.questions import (
    AvailabilityQuestion,
    CapacityQuestion,
    FlavorContent,
)
from promise_blazar.tests import databases
from promise_blazar.tests.functional.adjusting import ADMIN, ALICE, SLOT, AdjustingCase
from promise_blazar.tests.functional.base import HOST

BEGIN = datetime(2030, 1, 1, tzinfo=UTC)
FLAVOR = FlavorContent("f", "quarter", {"VCPU": 8, "MEMORY_MB": 1024, "DISK_GB": 1})


def wanted(*reservations):
    return tuple(
        ReservationRequest(
            each["resource_type"], {k: v for k, v in each.items() if k != "resource_type"}
        )
        for each in reservations
    )


@databases.on_each_database
class TestCapacity(AdjustingCase):
    def ask(self, **asked):
        return self.service.capacity(ADMIN, CapacityQuestion(**asked))

    def test_an_instant_of_all_that_is_counted(self):
        self.lease(HOST, {**SLOT, "amount": 2})
        answer = self.ask()
        self.assertEqual((BEGIN, BEGIN), (answer.start, answer.end))
        self.assertEqual(["DISK_GB", "MEMORY_MB", "VCPU"], sorted(answer.capacity))
        found = answer.capacity["VCPU"]
        self.assertEqual(
            (96, 48, 0, 48, 0),
            (found.total, found.reserved, found.used, found.available, found.shortfall),
        )
        self.assertEqual(BEGIN, found.at)

    def test_a_window_is_as_good_as_its_worst_instant(self):
        self.lease(SLOT, start=self.minute(10), end=20)
        self.lease({**SLOT, "amount": 2}, start=self.minute(15), end=30)
        answer = self.ask(end=self.minute(60), resource_classes=("VCPU",))
        found = answer.capacity["VCPU"]
        self.assertEqual((24, 72), (found.reserved, found.available))
        self.assertEqual(BEGIN + timedelta(minutes=15), found.at)
        columns = answer.series.columns["VCPU"]
        minutes = [(at - 1893456000 * 10**6) // 60_000_000 for at in answer.series.at]
        self.assertEqual([0, 10, 15, 20, 30], minutes)
        self.assertEqual((0, 8, 24, 16, 0), columns.reserved)
        self.assertEqual((96, 88, 72, 80, 96), columns.available)
        self.assertIsNone(self.ask(series=False).series)

    def test_what_began_within_this_minute_counts(self):
        self.clock.advance(5)
        before = self.ask(end=self.minute(60))
        self.clock.advance(20)
        # The same answer to the byte, while nothing has changed.
        self.assertEqual(before, self.ask(end=self.minute(60)))
        self.lease(SLOT)
        self.assertEqual(8, self.ask().capacity["VCPU"].reserved)
        self.assertEqual(BEGIN, self.ask().capacity["VCPU"].at)

    def test_zones_and_adjustments_are_told_apart(self):
        self.adjust(VCPU=-8, zone="nova")
        self.adjust(VCPU=4, INSTANCE=7)
        self.assertEqual((88, 0, 88), self.figures(zone="nova"))
        self.assertEqual((92, 0, 92), self.figures())
        self.assertIn("INSTANCE", self.ask().capacity)
        self.assertNotIn("INSTANCE", self.ask(zone="nova").capacity)

    def test_how_many_of_a_flavor_fit(self):
        self.assertIsNone(self.ask().fits)
        self.lease(HOST)
        fits = self.ask(flavor=FLAVOR).fits
        self.assertEqual((8, 8, 8), (fits.pool, fits.hosts, fits.count))
        self.adjust(INSTANCE=3)
        fits = self.ask(flavor=FLAVOR).fits
        self.assertEqual((3, 3), (fits.pool, fits.count))

    def test_a_project_sees_what_it_could_have(self):
        source = self.adjust(INSTANCE=4)
        self.adjust(INSTANCE=3, source=source.id, project_ids=("demo",))
        for project, total in ((None, 4), ("demo", 4), ("other", 1)):
            answer = self.ask(resource_classes=("INSTANCE",), project_id=project)
            self.assertEqual(total, answer.capacity["INSTANCE"].total, project)

    def test_15_as_many_fit_as_would_be_admitted_of_who_asks(self):
        source = self.adjust(INSTANCE=6)
        self.adjust(INSTANCE=4, source=source.id, project_ids=("demo",))
        for project, count in ((None, 2), (ADMIN.project_id, 2), ("demo", 6), ("other", 2)):
            answer = self.ask(flavor=FLAVOR, project_id=project)
            self.assertEqual((count, count), (answer.fits.pool, answer.fits.count), project)
        self.assertEqual(6, self.ask().capacity["INSTANCE"].available)
        for count, windows in ((2, 1), (3, 0)):
            question = AvailabilityQuestion(wanted({**SLOT, "amount": count}), 3600)
            self.assertEqual(windows, len(self.service.availability(ADMIN, question).windows))

    def test_18_what_limits_nothing_is_as_many_as_what_does(self):
        def fit(**amounts):
            found = self.ask(flavor=FlavorContent("f", "odd", amounts)).fits
            return found.pool, found.hosts, found.count

        self.assertEqual((0, 0, 0), fit(CUSTOM_LICENCE=1))
        self.adjust(CUSTOM_LICENCE=10)
        self.assertEqual((5, 5, 5), fit(CUSTOM_LICENCE=2))
        self.assertEqual((5, 12, 5), fit(CUSTOM_LICENCE=2, VCPU=8))
        self.assertEqual((12, 12, 12), fit(VCPU=8))
        for amounts in ({}, {"VCPU": 0, "MEMORY_MB": 0}):
            error = self.assertRaises(exceptions.BadInput, fit, **amounts)
            self.assertIn("flavor", error.message)

    def test_what_is_asked_wrongly_is_said(self):
        for word, asked in (
            ("past", {"start": self.minute(-1)}),
            ("after the start", {"start": self.minute(5), "end": self.minute(5)}),
            ("nowhere", {"zone": "nowhere"}),
            ("NO_SUCH", {"resource_classes": ("NO_SUCH",)}),
            ("provider", {"provider": "elsewhere"}),
        ):
            error = self.assertRaises(exceptions.BadInput, self.ask, **asked)
            self.assertIn(word, error.message)

    def test_no_decision_waits_for_one(self):
        ledger = self.service.ledger

        def slow(present, budget):
            done = threading.Event()

            def decide():
                self.lease(SLOT)
                done.set()

            threading.Thread(target=decide).start()
            return done.wait(30)

        self.assertTrue(ledger.ask(lambda ledger, now: ledger.copy(), slow, "demo"))


@databases.on_each_database
class TestAvailability(AdjustingCase):
    def ask(self, *reservations, context=ALICE, hours=1, **asked):
        question = AvailabilityQuestion(wanted(*reservations), hours * 3600, **asked)
        return self.service.availability(context, question)

    def starts(self, *reservations, **asked):
        """In minutes from the beginning."""
        windows = self.ask(*reservations, **asked).windows
        return [(each.start - BEGIN) // timedelta(minutes=1) for each in windows]

    def test_what_is_free_now_is_offered_now(self):
        self.clock.advance(20)
        self.assertEqual([0], self.starts(HOST))
        self.assertEqual([0, 60, 120], self.starts(HOST, limit=3))

    def test_the_earliest_is_offered_for_each_type_and_for_all_together(self):
        self.lease({**HOST, "min": 3, "max": 3}, end=30)
        self.lease({**HOST, "min": 2, "max": 2}, start=self.minute(40), end=200)
        self.assertEqual([30], self.starts(HOST))
        self.assertEqual([30], self.starts({**SLOT, "amount": 4}))
        self.assertEqual([200], self.starts(HOST, {**SLOT, "amount": 1}))
        self.assertEqual([30, 90, 150], self.starts(HOST, limit=3))
        self.assertEqual([100], self.starts(HOST, earliest=self.minute(100)))

    def test_a_lease_at_once_is_admitted_where_one_is_offered(self):
        self.lease({**HOST, "min": 3, "max": 3}, start=self.minute(10), end=30)
        self.lease({**SLOT, "amount": 10}, start=self.minute(50), end=100)
        for reservations in ((HOST,), ({**SLOT, "amount": 5},), (HOST, HOST, SLOT)):
            (start,) = self.starts(*reservations)
            for minute in range(start + 1):
                body = self.body(*reservations, start=self.minute(minute), end=minute + 60)
                answer = self.call("POST", "/v1/leases?dry_run=1", body)
                self.assertEqual(200 if minute == start else 409, answer.status_code, minute)

    def test_this_very_minute_is_owed_to_nobody(self):
        self.lease({**HOST, "min": 3, "max": 3}, end=1)
        self.clock.advance(30)
        self.assertEqual([1], self.starts(HOST))

    def test_none_comes_with_the_reasons_of_a_refused_lease(self):
        self.lease({**HOST, "min": 2, "max": 2}, end=60 * 24 * 100)
        wish = {**HOST, "min": 2, "max": 2}
        answer = self.ask(wish)
        self.assertEqual((), answer.windows)
        refused = self.call("POST", "/v1/leases", self.body(wish)).json
        self.assertEqual(
            [each["text"] for each in refused["reasons"] if each["check"] != "search"],
            [each.text for each in answer.reasons],
        )
        self.assertEqual({"hosts": 1}, answer.fits)
        self.assertIsNone(answer.searched_until)

    def test_nothing_is_offered_after_the_latest(self):
        self.lease({**HOST, "min": 3, "max": 3}, end=30)
        self.assertEqual([], self.starts(HOST, latest=self.minute(89)))
        self.assertEqual([30], self.starts(HOST, latest=self.minute(90)))

    def test_adjustments_count(self):
        self.adjust(VCPU=-90, end=self.minute(45))
        self.assertEqual([45], self.starts(SLOT))

    def test_what_a_create_would_refuse_is_refused(self):
        error = self.assertRaises(
            exceptions.UnsupportedResourceType, self.ask, {**HOST, "resource_type": "virtual:ship"}
        )
        self.assertIn("virtual:ship", error.message)
        for reservations, asked in (
            ((), {}),
            (({**HOST, "min": 0},), {}),
            ((HOST,), {"limit": 21}),
            ((HOST,), {"hours": 0}),
            ((HOST,), {"earliest": self.minute(-1)}),
            ((HOST,), {"latest": self.minute(59)}),
        ):
            self.assertRaises(exceptions.BadInput, self.ask, *reservations, **asked)

    def test_e2_private_properties_are_unknown_to_tenants(self):
        host = self.registered_hosts()["compute-1"]
        for verb, path, body in (
            ("PUT", f"/v1/os-hosts/{host['id']}", {"gpu": "yes"}),
            ("PATCH", "/v1/os-hosts/properties/gpu", {"private": True}),
        ):
            self.assertEqual(200, self.call(verb, path, body, "admin:admin").status_code)
        wish = {**HOST, "resource_properties": '["=", "$gpu", "yes"]'}
        self.assertEqual([], self.starts(wish))
        self.assertEqual([0], self.starts(wish, context=ADMIN))
