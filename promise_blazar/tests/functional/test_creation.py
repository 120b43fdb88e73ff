# SPDX-License-Identifier: Apache-2.0
"""Making a lease: what is accepted, what is refused and why, and that this leaves nothing."""

from datetime import datetime

from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE
from promise_blazar.tests.functional.cases import CreationCase
from promise_blazar.tests.functional.concurrency import audit


@databases.on_each_database
class TestCreation(CreationCase):
    def test_every_type_in_one_lease(self):
        lease = self.lease(HOST, INSTANCE, {**HOST, "min": 1, "max": 1}, start=self.minute(5))
        host, slots, other = lease["reservations"]
        self.assertEqual([lease["id"]] * 3, [r["lease_id"] for r in lease["reservations"]])
        self.assertEqual(3, len({*self.held(host), *self.held(slots), *self.held(other)}))
        self.pass_time(300)
        self.assertEqual(["active"] * 3, [r["status"] for r in self.show(lease)["reservations"]])

    def test_all_of_a_lease_or_nothing(self):
        with self.nothing_changes():
            self.refused(409, self.ask({**HOST, "min": 2, "max": 2}, {**INSTANCE, "amount": 17}))
        self.lease({**HOST, "min": 2, "max": 2}, {**INSTANCE, "amount": 16})

    def test_an_empty_lease(self):
        lease = self.lease(start=self.minute(1), end=3)
        self.assertEqual(("PENDING", []), (lease["status"], lease["reservations"]))
        self.pass_time(60)
        self.assertEqual("ACTIVE", self.show(lease)["status"])
        self.pass_time(120)
        self.assertEqual("TERMINATED", self.show(lease)["status"])
        self.assertEqual(204, self.delete(lease).status_code)
        self.assertEqual(404, self.delete(lease).status_code)

    def test_d41_a_refusal_says_why_how_much_and_when(self):
        self.lease({**HOST, "min": 2, "max": 2}, start=self.minute(10), end=20)
        wanted = {**HOST, "min": 2, "max": 2}
        with self.nothing_changes():
            answer = self.ask(wanted, start=self.minute(15), end=25)
            text = self.refused(409, answer)
        self.assertTrue(text.startswith("Not enough hosts available"), text)
        self.assertEqual(409, answer.json["error_name"])
        self.assertEqual({"hosts": 1}, answer.json["fits"])
        busy, fits = answer.json["reasons"]
        self.assertEqual(("busy", 2), (busy["check"], busy["hosts"]))
        self.assertEqual({"check", "reservation", "hosts", "text", "window"}, set(busy))
        self.assertEqual(("fits", 1), (fits["check"], fits["hosts"]))
        (window,) = answer.json["alternatives"]
        self.assertEqual({"start_date": self.minute(20), "end_date": self.minute(30)}, window)
        accepted = self.post({**self.body(wanted), **window})
        self.assertEqual(201, accepted.status_code, accepted.text)

    def test_the_alternative_to_now_is_as_long_as_what_was_asked_for(self):
        self.lease({**HOST, "min": 3, "max": 3}, end=10)
        self.pass_time(30)
        answer = self.ask(HOST, end=1)
        self.refused(409, answer)
        (window,) = answer.json["alternatives"]
        self.assertEqual({"start_date": self.minute(10), "end_date": self.minute(11)}, window)
        self.assertEqual(201, self.post({**self.body(HOST), **window}).status_code)

    def test_d1_every_slot_of_a_reservation_counts(self):
        """A host that four servers fill takes not one more."""
        one_host = {"resource_properties": '["=", "$hypervisor_hostname", "compute-1"]'}
        self.lease({**INSTANCE, **one_host, "vcpus": 8, "amount": 4})
        with self.nothing_changes():
            self.refused(409, self.ask({**INSTANCE, **one_host, "vcpus": 1, "amount": 1}))

    def test_d3_leases_one_after_the_other_fill_the_same_host(self):
        whole = {**INSTANCE, "vcpus": 32, "amount": 3}
        self.lease(whole, start=self.minute(10), end=20)
        self.lease(whole, start=self.minute(20), end=30)
        self.lease(whole, start=self.minute(5), end=10)
        self.refused(409, self.ask(whole, start=self.minute(19), end=21))

    def test_d5_types_share_hosts(self):
        self.lease({**INSTANCE, "vcpus": 16, "amount": 5})
        self.lease({**INSTANCE, "vcpus": 16, "amount": 1})
        self.refused(409, self.ask({**INSTANCE, "vcpus": 1, "amount": 1}))
        self.refused(409, self.ask(HOST))

    def test_d7_as_many_hosts_as_there_are_up_to_max(self):
        """Also when a host that was never leased would be enough for min."""
        first = self.lease({**HOST, "min": 2, "max": 2}, start=self.minute(10), end=20)
        self.assertEqual(2, len(self.held(first["reservations"][0])))
        lease = self.lease({**HOST, "min": 1, "max": 5}, start=self.minute(20), end=30)
        self.assertEqual(3, len(self.held(lease["reservations"][0])))

    def test_h7_slots_of_the_same_lease_leave_the_hosts_that_others_could_have(self):
        for number in (1, 2):
            self.describe(number, gpu="a100")
        whole = self.query('["=", "$gpu", "a100"]', min=1, max=2)
        one = {**INSTANCE, "amount": 1}
        for other in (one, {**one, "affinity": True}, HOST):
            lease = self.lease(other, whole, start=self.minute(10), end=20)
            held = [self.held(each) for each in lease["reservations"]]
            self.assertEqual([["compute-3"], ["compute-1", "compute-2"]], held)
            self.delete(lease)
            self.pass_time()

    def test_f7_what_is_refused_leaves_no_row(self):
        before = self.count("bundles")
        for vcpus in range(1, 6):
            self.refused(409, self.ask({**INSTANCE, "vcpus": vcpus, "amount": 1000}))
            self.refused(
                409, self.ask({**INSTANCE, "vcpus": 9 + vcpus}, {**HOST, "min": 4, "max": 4})
            )
        self.assertEqual(before, self.count("bundles"))
        lease = self.lease({**INSTANCE, "vcpus": 1}, start=self.minute(10), end=20)
        change = {"id": lease["reservations"][0]["id"], "vcpus": 7, "amount": 1000}
        self.refused(409, self.update(lease, reservations=[change]))
        self.lease({**INSTANCE, "vcpus": 1}, start=self.minute(10), end=20)
        self.assertEqual(before + 1, self.count("bundles"))

    def count(self, table):
        return len(audit.rows(self.url, table))

    def test_d8_numbers_are_compared_as_numbers(self):
        self.describe(1, gpus="10")
        self.describe(2, gpus="8")
        self.describe(3, gpus="9")
        lease = self.lease(self.query('[">=", "$gpus", "9"]', min=2, max=3))
        self.assertEqual(["compute-1", "compute-3"], self.held(lease["reservations"][0]))

    def test_d8_queries_nest(self):
        self.describe(1, gpu="True", rack="a")
        self.describe(2, gpu="True", rack="b")
        self.describe(3, rack="a")
        table = {
            '["and", ["and", ["=", "$gpu", "True"], ["=", "$rack", "b"]], [">", "$vcpus", "1"]]': [
                2
            ],
            '["or", ["=", "$rack", "b"], ["not", ["=", "$gpu", "true"]]]': [2, 3],
            '["not", ["or", ["=", "$rack", "b"], ["=", "$hypervisor_hostname", "compute-1"]]]': [
                3
            ],
            '["and", [">=", "$memory_mb", "131072"], ["<", "$vcpus", "32"]]': [],
            '["!=", "$gpu", "False"]': [1, 2],
            '["=", "$nothing_has_this", "1"]': [],
        }
        for number, (text, hosts) in enumerate(table.items()):
            start, end = self.minute(number + 1), number + 2
            if not hosts:
                answer = self.ask(self.query(text), start=start, end=end)
                self.assertIn("lack", self.refused(409, answer))
                continue
            lease = self.lease(self.query(text, max=3), start=start, end=end)
            (reservation,) = lease["reservations"]
            self.assertEqual(text, reservation["resource_properties"])
            self.assertEqual([f"compute-{n}" for n in hosts], self.held(reservation), text)


class TestDates(CreationCase):
    def test_wrong_dates(self):
        self.pass_time(10 * 60 + 30)
        later = "End date must be later than start date."
        past = "Start date must be later than current date"
        limits = "Datetime is out of lease limits"
        table = [
            (400, past, {"start_date": self.minute(9)}),
            (400, later, {"start_date": self.minute(20), "end_date": self.minute(20)}),
            (400, later, {"start_date": self.minute(20), "end_date": self.minute(19)}),
            (400, later, {"start_date": "now", "end_date": "now"}),
            (400, later, {"end_date": self.minute(5)}),
            (403, limits, {"before_end_date": self.minute(10)}),
            (403, limits, {"before_end_date": self.minute(60)}),
            (403, limits, {"before_end_date": self.minute(70)}),
        ]
        with self.nothing_changes():
            for status, text, dates in table:
                self.assertEqual(text, self.refused(status, self.ask(HOST, **dates)))

    def test_dates_of_another_form(self):
        with self.nothing_changes():
            for key in ("start_date", "end_date", "before_end_date"):
                for wrong in ("", "soon", "2030-01-01", "00:30 2030-01-01", "2030-13-01 00:00"):
                    self.assertEqual(
                        f"{wrong} is an invalid date. Required format: %Y-%m-%d %H:%M",
                        self.refused(400, self.ask(HOST, **{key: wrong})),
                    )
                for wrong in (5, [], {}, True):
                    self.assertIn(key, self.refused(400, self.ask(HOST, **{key: wrong})))

    def test_missing_members(self):
        for key in ("name", "start_date", "end_date"):
            body = self.body(HOST)
            del body[key]
            with self.nothing_changes():
                self.assertEqual(f"Missing parameter {key}", self.refused(400, self.post(body)))

    def test_now_is_the_current_minute(self):
        self.pass_time(10 * 60 + 30)
        lease = self.lease(HOST, before_end_date=None, events=[])
        self.assertEqual(self.at(10), lease["start_date"])
        self.assertEqual((self.at(10), "UNDONE"), self.event(lease, "start_lease"))
        same = self.lease(HOST, start=self.minute(10))
        self.assertEqual(self.at(10), same["start_date"])
        self.pass_time()
        self.assertEqual(["ACTIVE"] * 2, [self.show(made)["status"] for made in (lease, same)])

    def test_d42_dates_are_as_the_dashboard_reads_them(self):
        lease = self.active(HOST, before_end_date=self.minute(30))
        allocations = self.call("GET", "/v1/os-hosts/allocations", token="admin:admin").json
        (held,) = allocations["allocations"][0]["reservations"]
        dates = [shown[f"{side}_date"] for shown in (lease, held) for side in ("start", "end")]
        dates += [event["time"] for event in lease["events"]]
        read = [datetime.strptime(date, "%Y-%m-%dT%H:%M:%S.%f") for date in dates]  # noqa: DTZ007
        begin = read[0]
        minutes = [(date - begin).total_seconds() / 60 for date in read]
        self.assertEqual(([0, 60, 0, 60], [0, 30, 60]), (minutes[:4], sorted(minutes[4:])))

    def test_the_warning(self):
        self.assertEqual(self.at(60), self.event(self.lease(end=120), "before_end_lease")[0])
        self.assertEqual(self.at(0), self.event(self.lease(end=30), "before_end_lease")[0])
        asked = self.lease(end=30, before_end_date=self.minute(29))
        self.assertEqual(self.at(29), self.event(asked, "before_end_lease")[0])

    def test_d14_a_client_cannot_invent_events(self):
        """What a client calls an event is never run."""
        events = [{"event_type": "delete_lease", "time": self.minute(1), "event_date": "x"}]
        lease = self.lease(HOST, events=events)
        self.assertEqual(
            {"start_lease", "before_end_lease", "end_lease", "delete_lease"},
            {event["event_type"] for event in lease["events"]},
        )
        self.pass_time(5 * 60)
        shown = self.show(lease)
        self.assertEqual("ACTIVE", shown["status"])
        self.assertEqual((self.at(1), "UNDONE"), self.event(shown, "delete_lease"))

    def test_d37_members_that_are_the_services_own_are_not_taken(self):
        theirs = {"id": "x", "status": "ACTIVE", "project_id": "other", "trust_id": "x"}
        lease = self.lease(HOST, **theirs, degraded=True, user_id="eve")
        self.assertNotEqual("x", lease["id"])
        shown = (lease["status"], lease["project_id"], lease["user_id"], lease["trust_id"])
        self.assertEqual(("PENDING", "demo", "alice", None), shown)
        self.assertIs(False, lease["degraded"])


class TestReservations(CreationCase):
    def test_d33_d41_malformed_values(self):
        whole = [0, -1, "0", "-1", "", "one", "1.5", 1.5, True, [], {}, 2**31, "9" * 30]
        missing = "Missing parameter {}"
        table = []
        for key in ("min", "max"):
            table += [(HOST, key, value, key) for value in whole]
        for key in ("vcpus", "memory_mb", "amount"):
            table += [(INSTANCE, key, value, key) for value in whole]
        table += [
            (INSTANCE, "disk_gb", value, "disk_gb") for value in whole if value not in (0, "0")
        ]
        for sample in (HOST, INSTANCE):
            # Of a query, null is no condition (G1).
            queries = {"hypervisor_properties", "resource_properties"}
            for key in sample.keys() - {"resource_type", "affinity"} - queries:
                table.append((sample, key, None, missing.format(key)))
        queries = [
            "[", "{}", "null", "5", '"x"', '["="]', '["=", "gpu", "1"]', '["~", "$gpu", "1"]',
            '["and"]', '["not"]', '["=", "$gpu"]', '["=", "$gpu", null]', '["=", "$a", "1", "2"]',
            '["and", ["=", "$gpu", "1"], "x"]', '["=", "$", "1"]', "gpu = 1", '[["=", "$a", "1"]]',
            '["not", ["=", "$a", "1"], ["=", "$a", "1"]]', '["=", "$a", NaN]', "[" * 5000,
            {}, 5, True,
        ]  # fmt: skip
        table += [(HOST, "resource_properties", q, "requirements") for q in queries]
        table += [(HOST, "hypervisor_properties", q, "requirements") for q in queries]
        table += [(INSTANCE, "resource_properties", q, "requirements") for q in queries]
        table += [(HOST, "before_end", value, "before_end") for value in ("email", 1, [], True)]
        table += [(INSTANCE, "affinity", value, "affinity") for value in ("maybe", 1, [], {}, 0)]
        types = [("nova:unicorn", "nova:unicorn"), (None, "resource_type"), (5, "resource_type")]
        table += [(HOST, "resource_type", value, text) for value, text in types]
        with self.nothing_changes():
            for sample, key, value, text in table:
                answer = self.ask({**sample, key: value})
                self.assertEqual(400, answer.status_code, f"{key}={value!r}: {answer.text}")
                self.assertIn(text, answer.json["error_message"], f"{key}={value!r}")
                self.assertLess(len(answer.json["error_message"]), 400)

    def test_d41_missing_keys(self):
        for sample in (HOST, INSTANCE):
            for key in sample:
                reservation = {**sample}
                del reservation[key]
                with self.nothing_changes():
                    text = self.refused(400, self.ask(reservation))
                    self.assertEqual(f"Missing parameter {key}", text)

    def test_a_list_of_something_else(self):
        with self.nothing_changes():
            for reservations in ("HOST", 5, {}, [None], ["x"], [[HOST]], [5]):
                text = self.refused(400, self.ask(reservations=reservations))
                self.assertIn("reservations", text)

    def test_max_must_not_be_less_than_min(self):
        with self.nothing_changes():
            text = self.refused(400, self.ask({**HOST, "min": 2, "max": 1}))
        self.assertIn("max", text)

    def test_what_clients_send_for_nothing_and_for_numbers(self):
        dashboard = {**INSTANCE, "affinity": "", "resource_properties": "[]"}
        shell = {**INSTANCE, "affinity": "None", "amount": "1", "vcpus": "1", "disk_gb": "0"}
        for reservation in (dashboard, shell):
            (made,) = self.lease(reservation)["reservations"]
            self.assertIsNone(made["affinity"])
            self.assertEqual(reservation["resource_properties"], made["resource_properties"])
        (made,) = self.lease({**HOST, "min": "1", "max": "1", "hypervisor_properties": "[]"})[
            "reservations"
        ]
        self.assertEqual((1, 1, "[]"), (made["min"], made["max"], made["hypervisor_properties"]))
        for text, value in (("True", True), ("false", False), ("none", None)):
            (made,) = self.lease({**INSTANCE, "affinity": text, "amount": 1})["reservations"]
            self.assertIs(value, made["affinity"])
            self.assertEqual(value is None, made["server_group_id"] is None)

    def test_more_than_any_cloud_has(self):
        most = 2**31 - 1
        with self.nothing_changes():
            for key in ("vcpus", "memory_mb", "disk_gb", "amount"):
                for affinity in (None, True, False):
                    wanted = {**INSTANCE, key: most, "affinity": affinity}
                    self.refused(409, self.ask(wanted))
            self.refused(409, self.ask({**HOST, "min": most, "max": most}))
        self.lease({**HOST, "max": most})

    def test_a_host_too_small_is_said_to_be(self):
        answer = self.ask({**INSTANCE, "vcpus": 33})
        self.assertIn("too small", self.refused(409, answer))
        self.assertEqual([], answer.json["alternatives"])


class TestWithoutHosts(CreationCase):
    registered = 0

    def test_that_none_is_registered_is_said(self):
        answer = self.ask(HOST)
        self.assertIn("none is registered", self.refused(409, answer))
        self.assertEqual([], answer.json["alternatives"])
