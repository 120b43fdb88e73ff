# SPDX-License-Identifier: Apache-2.0
"""Events that clients want kept with their leases (G11)."""

from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST
from promise_blazar.tests.functional.cases import CreationCase


def note(time, event_type="notification", **more):
    return {"event_type": event_type, "time": time, **more}


@databases.on_each_database
class TestClientEvents(CreationCase):
    def kept(self, lease):
        own = ("start_lease", "before_end_lease", "end_lease")
        return [
            (event["event_type"], event["time"], event["status"])
            for event in lease["events"]
            if event["event_type"] not in own
        ]

    def test_g11_events_of_a_client_are_kept_and_shown(self):
        events = [
            note(self.minute(30)),
            note("2030-01-01T00:20:00Z"),
            {"event_type": "reminder", "event_date": self.minute(90)},
        ]
        lease = self.lease(HOST, start=self.minute(10), end=120, events=events)
        expected = [
            ("notification", self.at(20), "UNDONE"),
            ("notification", self.at(30), "UNDONE"),
            ("reminder", self.at(90), "UNDONE"),
        ]
        self.assertEqual(expected, self.kept(lease))
        self.assertEqual(sorted(e["time"] for e in lease["events"]),
                         [e["time"] for e in lease["events"]])  # fmt: skip
        shown = self.show(lease)
        self.assertEqual(expected, self.kept(shown))
        (listed,) = self.call("GET", "/v1/leases").json["leases"]
        self.assertEqual(shown["events"], listed["events"])
        self.assertEqual(6, len({event["id"] for event in shown["events"]}))
        self.assertEqual({lease["id"]}, {event["lease_id"] for event in shown["events"]})

    def test_g11_nothing_is_done_for_them(self):
        lease = self.lease(HOST, end=60, events=[note(self.minute(5)), note(self.minute(-60))])
        self.pass_time()
        self.pass_time(600)
        shown = self.show(lease)
        self.assertEqual("ACTIVE", shown["status"])
        self.assertEqual(["UNDONE"] * 2, [status for _, _, status in self.kept(shown)])
        self.assertEqual(2, len(self.kept(self.updated(lease, end_date=self.minute(20)))))
        self.pass_time(600)
        self.pass_time(1)
        shown = self.show(lease)
        self.assertEqual("TERMINATED", shown["status"])
        self.assertEqual(["UNDONE"] * 2, [status for _, _, status in self.kept(shown)])
        self.assertEqual(204, self.delete(lease).status_code)

    def test_g11_a_dry_run_shows_them_without_ids(self):
        body = self.body(HOST, events=[note(self.minute(5))])
        answer = self.call("POST", "/v1/leases?dry_run=1", body)
        self.assertEqual(1, len(self.kept(answer.json["lease"])))
        self.assertEqual({None}, {event["id"] for event in answer.json["lease"]["events"]})

    def test_g11_a_malformed_event_is_refused(self):
        good = self.minute(5)
        table = [
            ("events must be a list", "x"),
            ("events[0] must be an object", ["x"]),
            ("Missing parameter event_type", [{"time": good}]),
            ("Missing parameter time", [{"event_type": "notification"}]),
            ("is an invalid date", [note("tomorrow")]),
            ("events[0].time must be a string", [note(5)]),
            ("events[0].event_type must be a string", [note(good, None)]),
            ("events[0].event_type must not be empty", [note(good, "")]),
            ("events[0].event_type must be at most 66", [note(good, "x" * 67)]),
            ("events[0].event_type must be printable", [note(good, "a\nb")]),
            ("events must have at most 100 entries", [note(good)] * 101),
            ("an event of the service's own", [note(good, "start_lease")]),
            ("an event of the service's own", [note(good, "before_end_lease")]),
        ]
        with self.nothing_changes():
            for text, events in table:
                self.assertIn(text, self.refused(400, self.ask(HOST, events=events)))

    def test_g11_as_many_as_are_allowed_are_kept_whole(self):
        event_type = "\U0001f5d3" * 66
        lease = self.lease(events=[note(self.minute(5), event_type)] * 100)
        self.assertEqual([event_type] * 100, [name for name, _, _ in self.kept(self.show(lease))])

    def test_g11_none_are_none(self):
        for events in ([], None):
            self.assertEqual([], self.kept(self.lease(events=events)))

    def test_g11_the_services_own_may_be_repeated(self):
        lease = self.lease(HOST, start=self.minute(10), events=[note(self.minute(20))])
        again = self.lease(HOST, start=self.minute(10), events=[*lease["events"]], name="again")
        self.assertEqual(self.kept(lease), self.kept(again))
        self.assertEqual(len(lease["events"]), len(again["events"]))
