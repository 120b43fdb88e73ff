# SPDX-License-Identifier: Apache-2.0
"""Dates as clients write them, and objects that they send back as they were shown (G6)."""

import json

from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase
from promise_blazar.tests.functional.cases import CreationCase, HostCase, UpdateCase


class TestDates(CreationCase):
    def test_g6_dates_have_any_form_of_iso_8601(self):
        for text, shown in (
            ("2030-06-30T12:00:00Z", "2030-06-30T12:00:00.000000"),
            ("2030-06-30T12:00:00z", "2030-06-30T12:00:00.000000"),
            ("2030-06-30T12:00:00+02:00", "2030-06-30T10:00:00.000000"),
            ("2030-06-30 12:00:00-0130", "2030-06-30T13:30:00.000000"),
            ("2030-06-30T12:00:59.999999", "2030-06-30T12:00:59.999999"),
            ("2030-06-30T12:00:30.5+00:00", "2030-06-30T12:00:30.500000"),
            ("2030-06-30T12:00", "2030-06-30T12:00:00.000000"),
            ("2030-6-30 12:00", "2030-06-30T12:00:00.000000"),
        ):
            lease = self.ask(end_date="2031-01-01 00:00", start_date=text)
            self.assertEqual(201, lease.status_code, lease.text)
            lease = lease.json["lease"]
            self.assertEqual(shown, lease["start_date"])
            ends = self.updated(lease, end_date=text.replace("2030", "2032", 1))["end_date"]
            self.assertEqual(shown.replace("2030", "2032", 1), ends)

    def test_g6_what_is_no_date_is_refused_in_blazars_words(self):
        lease = self.lease(start=self.minute(30))
        for text in (
            "2030-06-30", "20300630T1200Z", "2030-W26-7T12:00Z", "2030-06-31T12:00:00Z",
            "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-12:00", "2030-06-30T12:00:00+25:00",
            "٢٠٣٠-06-30 12:00", "2030-06-30T12", "12:00", "tomorrow", "", "2030-06-30X12:00:00Z",
        ):  # fmt: skip
            words = f"{text} is an invalid date. Required format: %Y-%m-%d %H:%M"
            for name in ("start_date", "end_date", "before_end_date"):
                self.assertEqual(words, self.refused(400, self.ask(**{name: text})), name)
                self.assertEqual(words, self.refused(400, self.update(lease, **{name: text})))


@databases.on_each_database
class TestLeases(UpdateCase):
    def written_back(self, lease, **changes):
        """The lease after it was sent as it is shown, but for these changes."""
        shown = self.show(lease)
        return self.updated(lease, **{**shown, **changes})

    def unchanged(self, lease):
        with self.nothing_changes():
            self.assertEqual(self.show(lease), self.written_back(lease))
            dry = self.call("PUT", f"/v1/leases/{lease['id']}?dry_run=1", self.show(lease))
            self.assertEqual(200, dry.status_code, dry.text)

    def test_g6_a_lease_as_it_is_shown_is_no_change_in_any_state(self):
        lease = self.lease(HOST, INSTANCE, start=self.minute(10), end=20)
        self.unchanged(lease)
        self.clock.advance(30)
        self.unchanged(lease)
        self.pass_time(570)
        self.assertEqual("ACTIVE", self.show(lease)["status"])
        self.unchanged(lease)
        self.pass_time(600)
        self.pass_time(1)
        self.assertEqual("TERMINATED", self.show(lease)["status"])
        self.unchanged(lease)

    def test_g6_what_is_changed_in_it_is_all_that_changes(self):
        lease = self.lease(HOST, start=self.minute(10), end=20)
        self.pass_time(600)
        after = self.written_back(lease, name="other", end_date="2030-01-01T00:30:00Z")
        self.assertEqual(("other", self.at(30)), (after["name"], after["end_date"]))
        self.pass_time(1200)
        self.pass_time(1)
        after = self.written_back(lease, name="over")
        self.assertEqual(("over", "TERMINATED"), (after["name"], after["status"]))
        text = self.refused(400, self.update(lease, **{**after, "end_date": self.minute(90)}))
        self.assertEqual("Terminated leases can only be renamed", text)

    def test_g6_a_warning_as_it_is_shown_stays(self):
        # An hour long or less, a lease warns as it starts, which nobody may ask for.
        lease = self.lease(HOST, start=self.minute(10), end=20)
        time, _ = self.event(lease, "before_end_lease")
        self.assertEqual(self.at(10), time)
        with self.nothing_changes():
            self.updated(lease, before_end_date=time)
        self.assertEqual(
            "Datetime is out of lease limits",
            self.refused(403, self.update(lease, before_end_date=self.minute(20))),
        )

    def test_g6_a_warning_as_it_is_shown_stays_where_dates_allow(self):
        lease = self.lease(HOST, start=self.minute(10), end=60, before_end_date=self.minute(40))
        time, _ = self.event(lease, "before_end_lease")
        after = self.updated(lease, end_date=self.minute(90), before_end_date=time)
        self.assertEqual(time, self.event(after, "before_end_lease")[0])
        after = self.updated(lease, end_date=self.minute(30), before_end_date=time)
        self.assertEqual(self.at(10), self.event(after, "before_end_lease")[0])

    def test_g6_a_copy_of_a_lease_can_be_made(self):
        lease = self.show(self.lease(HOST, start=self.minute(10)))
        answer = self.call("POST", "/v1/leases", lease)
        self.assertEqual(201, answer.status_code, answer.text)
        self.assertNotEqual(lease["id"], answer.json["lease"]["id"])

    def test_g6_what_is_wrong_is_still_said(self):
        lease = self.lease(HOST, start=self.minute(10))
        mine = lease["reservations"][0]
        with self.nothing_changes():
            for reservations in (
                [{**mine, "min": 0}],
                [mine, mine],
                [{**mine, "id": "other"}],
            ):
                self.refused(400, self.update(lease, reservations=reservations))
            moved = {**mine, "resource_type": "virtual:instance"}
            self.refused(409, self.update(lease, reservations=[moved]))


@databases.on_each_database
class TestHosts(HostCase):
    def test_g6_a_host_as_it_is_shown_is_no_change(self):
        self.register(3, gpu="1", rack="a")
        host = self.host(3)
        path = f"/{host['id']}"
        with self.nothing_changes():
            answer = self.admin("PUT", path, host)
            self.assertEqual((200, host), (answer.status_code, answer.json["host"]))
        self.clock.advance(60)
        self.admin("PUT", path, {"rack": "b"})
        after = self.admin("PUT", path, {**host, "gpu": "2"}).json["host"]
        self.assertEqual(("2", "a"), (after["gpu"], after["rack"]))
        self.assertEqual(after, self.admin("PUT", path, {"name": "compute-3"}).json["host"])

    def test_g6_another_column_is_refused(self):
        host = self.host(1)
        with self.nothing_changes():
            for change in ({"vcpus": 1}, {"reservable": False}, {"name": "x"}, {"status": "up"}):
                text = self.refused(400, self.admin("PUT", "/1", {**host, **change}))
                self.assertIn(next(iter(change)), text)
            self.refused(404, self.admin("PUT", "/99", host))


class TestForms(ServiceTestCase):
    def test_g6_seconds_and_fractions_are_kept(self):
        start, end = "2030-01-01T00:10:30.25Z", "2030-01-01T00:20:45.5Z"
        body = {"name": "n", "start_date": start, "end_date": end, "reservations": [HOST]}
        lease = self.call("POST", "/v1/leases", body).json["lease"]
        self.assertEqual("2030-01-01T00:10:30.250000", lease["start_date"])
        self.pass_time(630)
        self.assertEqual("PENDING", self.show(lease)["status"])
        self.pass_time(0.25)
        self.assertEqual("ACTIVE", self.show(lease)["status"])
        self.assertEqual(200, self.update(lease, **json.loads(json.dumps(lease))).status_code)
