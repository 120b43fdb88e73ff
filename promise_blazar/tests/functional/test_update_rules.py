# SPDX-License-Identifier: Apache-2.0
"""What a PUT of a lease may say, row by row as Blazar has it."""

from promise_blazar.tests.functional.base import HOST, INSTANCE
from promise_blazar.tests.functional.cases import UpdateCase


class TestRules(UpdateCase):
    """Row by row what a PUT may say, as Blazar has it."""

    def test_nothing_asked_is_nothing_changed(self):
        lease = self.lease(HOST)
        with self.nothing_changes():
            self.assertEqual(lease, self.updated(lease))
            self.assertEqual(lease, self.updated(lease, before_end_date=None))

    def test_the_dates_it_has_already_change_nothing(self):
        lease = self.show(self.active(HOST))
        dates = {"start_date": self.minute(0), "end_date": self.minute(60)}
        for change in (dates, {"reservations": []}, self.change(lease, min=1, max="1")):
            after = self.updated(lease, **change)
            self.assertEqual("ACTIVE", after["status"])
            self.assertEqual(lease["events"], after["events"])

    def test_d37_members_that_are_not_ours_to_change_are_ignored(self):
        """Nobody is given somebody else's lease."""
        lease = self.lease(HOST)
        theirs = {
            "id": "00000000-0000-0000-0000-000000000000",
            "project_id": "other",
            "user_id": "eve",
            "trust_id": "x",
            "status": "ERROR",
            "degraded": True,
            "created_at": "2001-01-01 00:00",
        }
        with self.nothing_changes():
            self.assertEqual(lease, self.updated(lease, **theirs))

    def test_d9_a_refused_date_changes_nothing(self):
        self.pass_time(600)
        pending = self.lease(HOST, start=self.minute(20), end=40)
        active = self.active(HOST, end=40)
        over = self.active(HOST, end=11)
        self.pass_time(120)
        self.assertEqual("TERMINATED", self.show(over)["status"])
        table = [
            (pending, 400, "Start date must be later than current date", {"start_date": 11}),
            (pending, 400, "End date must be later than current and start", {"end_date": 19}),
            (pending, 400, "End date must be later than current and start", {"end_date": 20}),
            (pending, 400, "End date must be later than current and start", {"start_date": 41}),
            (active, 400, "Cannot modify the start date of already st", {"start_date": 20}),
            (active, 400, "Cannot modify the start date of already st", {"start_date": 12}),
            (active, 400, "End date must be later than current and start", {"end_date": 11}),
            (over, 400, "Terminated leases can only be renamed", {"end_date": 90}),
            (over, 400, "Terminated leases can only be renamed", {"before_end_date": 90}),
            (over, 400, "Terminated leases can only be renamed", {"end_date": 90, "name": "x"}),
            (pending, 403, "Datetime is out of lease limits", {"before_end_date": 19}),
            (pending, 403, "Datetime is out of lease limits", {"before_end_date": 40}),
            (pending, 403, "Datetime is out of lease limits", {"before_end_date": 5}),
        ]
        with self.nothing_changes():
            for lease, status, text, dates in table:
                change = {
                    key: self.minute(value) if isinstance(value, int) else value
                    for key, value in dates.items()
                }
                self.assertIn(text, self.refused(status, self.update(lease, **change)))
            for wrong in ("tomorrow", "2030-01-01", "2030-01-01T00", "", "2030-02-30 1:00"):
                self.assertEqual(
                    f"{wrong} is an invalid date. Required format: %Y-%m-%d %H:%M",
                    self.refused(400, self.update(pending, end_date=wrong)),
                )

    def test_a_waiting_lease_may_start_now(self):
        lease = self.lease(HOST, start=self.minute(30))
        moved = self.updated(lease, start_date="now")
        self.assertEqual(self.at(0), moved["start_date"])
        self.pass_time()
        self.assertEqual("ACTIVE", self.show(lease)["status"])

    def test_a_wrong_reservation_changes_nothing(self):
        lease = self.lease(HOST, INSTANCE, start=self.minute(10))
        other = self.lease(HOST, start=self.minute(10))
        mine = lease["reservations"][0]["id"]
        theirs = other["reservations"][0]["id"]
        table = [
            (400, "Missing parameter reservation ID", [{"min": 1}]),
            (400, "Please enter valid reservation IDs", [{"id": theirs, "min": 1}]),
            (400, "Please enter valid reservation IDs", [{"id": "nonsense", "min": 1}]),
            (409, "resource_type", [{"id": mine, "resource_type": "virtual:instance"}]),
            (400, "max", [{"id": mine, "min": 2}]),
            (400, "min", [{"id": mine, "min": 0}]),
            (400, "max", [{"id": mine, "max": "many"}]),
            (400, "Malformed requirements", [{"id": mine, "resource_properties": "["}]),
            (409, "trust_id", [{"id": mine, "hypervisor_properties": '["=", "$trust_id", "1"]'}]),
            (400, "before_end", [{"id": mine, "before_end": "email"}]),
            (400, "twice", [{"id": mine, "max": 2}, {"id": mine, "max": 3}]),
            (400, "reservations", "all"),
            (400, "reservations", [None]),
        ]
        with self.nothing_changes():
            for status, text, reservations in table:
                answer = self.update(lease, name="x", reservations=reservations)
                self.assertIn(text, self.refused(status, answer))

    def test_a_running_instance_lease_keeps_its_shape(self):
        lease = self.active({**INSTANCE, "resource_properties": ""})
        with self.nothing_changes():
            for key, value in (
                ("vcpus", 1),
                ("memory_mb", 1024),
                ("disk_gb", 1),
                ("affinity", True),
                ("resource_properties", '["=", "$zone", "x"]'),
            ):
                answer = self.update(lease, **self.change(lease, **{key: value, "amount": 3}))
                self.assertIn(key, self.refused(409, answer))

    def test_a_running_host_lease_stays_where_its_servers_are(self):
        lease = self.active(HOST)
        query = '["=", "$hypervisor_hostname", "compute-3"]'
        self.assertEqual(["compute-1"], self.held(lease["reservations"][0]))
        with self.nothing_changes():
            answer = self.update(lease, **self.change(lease, hypervisor_properties=query))
            self.refused(409, answer)

    def test_a_waiting_host_lease_moves_to_other_hosts(self):
        lease = self.lease(HOST, start=self.minute(10))
        query = '["=", "$hypervisor_hostname", "compute-3"]'
        after = self.updated(lease, **self.change(lease, hypervisor_properties=query))
        self.assertEqual(query, after["reservations"][0]["hypervisor_properties"])
        self.assertEqual(["compute-3"], self.held(after["reservations"][0]))

    def test_d6_replaced_hosts_are_free_in_the_same_step(self):
        """What a reservation gives up is available to the same decision."""
        lease = self.lease({**HOST, "min": 1, "max": 1}, HOST, start=self.minute(10))
        first, second = lease["reservations"]
        query = '["=", "$hypervisor_hostname", "{}"]'
        self.assertEqual((["compute-1"], ["compute-2"]), (self.held(first), self.held(second)))
        self.updated(
            lease,
            reservations=[
                {"id": first["id"], "hypervisor_properties": query.format("compute-2")},
                {"id": second["id"], "hypervisor_properties": query.format("compute-1")},
            ],
        )
        self.assertEqual((["compute-2"], ["compute-1"]), (self.held(first), self.held(second)))

    def test_a_longer_wait_may_need_other_hosts(self):
        first = self.lease(HOST, start=self.minute(10), end=20)
        self.assertEqual(["compute-1"], self.held(first["reservations"][0]))
        query = '["=", "$hypervisor_hostname", "compute-1"]'
        self.lease({**HOST, "hypervisor_properties": query}, start=self.minute(20), end=30)
        self.updated(first, end_date=self.minute(25))
        self.assertEqual(["compute-2"], self.held(first["reservations"][0]))

    def test_the_second_of_two_updates_in_a_row_counts(self):
        lease = self.lease(INSTANCE, start=self.minute(10))
        for amount in (3, 1, 4):
            self.updated(lease, **self.change(lease, amount=amount))
        self.pass_time(600)
        slots = self.slots(lease["reservations"][0]["id"])
        self.assertEqual(4, sum(slots.values()))

    def test_an_update_that_is_only_tried_changes_nothing(self):
        lease = self.lease(HOST, start=self.minute(10))
        path = f"/v1/leases/{lease['id']}?dry_run=true"
        change = {"name": "new", "end_date": self.minute(90), **self.change(lease, max=2)}
        with self.nothing_changes():
            tried = self.call("PUT", path, change)
            self.assertEqual(200, tried.status_code, tried.text)
            self.refused(409, self.call("PUT", path, self.change(lease, min=4, max=4)))
            self.refused(400, self.call("PUT", path, {"end_date": self.minute(9)}))
        shown = tried.json["lease"]
        self.assertEqual(("new", self.at(90)), (shown["name"], shown["end_date"]))
        self.assertEqual(2, shown["reservations"][0]["max"])
        self.assertEqual((self.at(90), "UNDONE"), self.event(shown, "end_lease"))


class TestWarning(UpdateCase):
    """The before_end event."""

    def test_it_follows_the_end_at_the_same_distance(self):
        lease = self.lease(HOST, start=self.minute(10), end=200, before_end_date=self.minute(170))
        for end, warning in ((300, 270), (100, 70), (20, 10), (40, 30)):
            lease = self.updated(lease, end_date=self.minute(end))
            self.assertEqual((self.at(warning), "UNDONE"), self.event(lease, "before_end_lease"))

    def test_it_can_be_set(self):
        lease = self.active(HOST, end=120)
        self.assertEqual((self.at(60), "UNDONE"), self.event(lease, "before_end_lease"))
        lease = self.updated(lease, before_end_date=self.minute(90))
        self.assertEqual((self.at(90), "UNDONE"), self.event(lease, "before_end_lease"))
        self.pass_time(60 * 60)
        self.assertEqual("UNDONE", self.event(self.show(lease), "before_end_lease")[1])
        self.pass_time(30 * 60)
        self.assertEqual("DONE", self.event(self.show(lease), "before_end_lease")[1])

    def test_what_was_done_is_to_be_done_again_after_an_extension(self):
        lease = self.active(HOST, end=60)
        self.pass_time()
        self.assertEqual((self.at(0), "DONE"), self.event(self.show(lease), "before_end_lease"))
        lease = self.updated(lease, end_date=self.minute(180))
        self.assertEqual((self.at(120), "UNDONE"), self.event(lease, "before_end_lease"))
        self.pass_time(120 * 60)
        self.assertEqual("DONE", self.event(self.show(lease), "before_end_lease")[1])

    def test_it_does_not_keep_a_lease_from_ending_now(self):
        lease = self.active(HOST, end=120)
        self.updated(lease, end_date="now")
        self.pass_time(1)
        ended = self.show(lease)
        self.assertEqual("TERMINATED", ended["status"])
        self.assertEqual({"DONE"}, {event["status"] for event in ended["events"]})


class TestWithoutWarning(UpdateCase):
    options = {"manager__minutes_before_end_lease": 0}  # noqa: RUF012 - never changed

    def test_one_may_be_asked_for_later(self):
        lease = self.lease(HOST, end=120)
        self.assertEqual(2, len(lease["events"]))
        self.updated(lease, end_date=self.minute(100))
        lease = self.updated(lease, before_end_date=self.minute(90))
        self.assertEqual((self.at(90), "UNDONE"), self.event(lease, "before_end_lease"))
