# SPDX-License-Identifier: Apache-2.0
"""Changing a lease: what reaches OpenStack, and that a refusal changes nothing at all."""

from promise_blazar.plugins.virtual_instance import child_provider_of, resource_class_of
from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase


class UpdateCase(ServiceTestCase):
    def change(self, lease, number=0, **values):
        """What changes these keys of one reservation."""
        return {"reservations": [{"id": lease["reservations"][number]["id"], **values}]}

    def slots(self, reservation_id):
        """How many servers Placement counts for a reservation, by host."""
        name = resource_class_of(reservation_id)
        found = {
            f"compute-{n}": self.cloud.child_inventory(child_provider_of(f"compute-{n}"))
            for n in range(1, self.hosts + 1)
        }
        return {host: totals[name] for host, totals in found.items() if name in totals}

    def flavor(self, reservation_id):
        (found,) = (f for f in self.cloud.list_flavors("", admin=True) if f.id == reservation_id)
        return found

    def flavors(self):
        return [flavor.id for flavor in self.cloud.list_flavors("", admin=True)]

    def groups(self):
        return [row[0] for row in self.cloud_objects()["server_groups"]]


@databases.on_each_database
class TestUpdates(UpdateCase):
    def test_a_host_lease_grows_and_shrinks_before_its_start(self):
        lease = self.lease(HOST, start=self.minute(10))
        grown = self.updated(lease, **self.change(lease, min=2, max=3))
        (reservation,) = grown["reservations"]
        self.assertEqual((2, 3), (reservation["min"], reservation["max"]))
        self.assertEqual(3, len(self.held(reservation)))
        self.assertEqual("PENDING", grown["status"])
        self.updated(lease, **self.change(lease, min=1, max=1))
        self.assertEqual(1, len(self.held(reservation)))
        self.lease({**HOST, "min": 2, "max": 2}, start=self.minute(10))

    def test_an_instance_lease_changes_its_shape_before_its_start(self):
        lease = self.lease(INSTANCE, start=self.minute(10))
        values = {"vcpus": 4, "memory_mb": 8192, "disk_gb": 0, "amount": 5}
        after = self.updated(lease, **self.change(lease, **values))
        (reservation,) = after["reservations"]
        self.assertEqual(values, {key: reservation[key] for key in values})
        flavor = self.flavor(reservation["id"])
        self.assertEqual((4, 8192, 0), (flavor.vcpus, flavor.memory_mb, flavor.disk_gb))
        self.pass_time(600)
        self.assertEqual("ACTIVE", self.show(lease)["status"])
        servers = [self.boot(reservation["id"])["status"] for _ in range(6)]
        self.assertEqual(["ACTIVE"] * 5 + ["ERROR"], servers)

    def test_a_lease_moves_to_where_it_overlaps_itself(self):
        """D4: what the lease holds now is not in its own way."""
        lease = self.lease({**HOST, "min": 3, "max": 3}, start=self.minute(10), end=20)
        moved = self.updated(lease, start_date=self.minute(15), end_date=self.minute(25))
        self.assertEqual((self.at(15), self.at(25)), (moved["start_date"], moved["end_date"]))
        self.assertEqual((self.at(15), "UNDONE"), self.event(moved, "start_lease"))
        self.assertEqual((self.at(25), "UNDONE"), self.event(moved, "end_lease"))
        self.lease({**HOST, "min": 3, "max": 3}, start=self.minute(10), end=15)
        self.pass_time(10 * 60)
        self.assertEqual("PENDING", self.show(lease)["status"])
        self.pass_time(5 * 60)
        self.pass_time(1)
        self.assertEqual("ACTIVE", self.show(lease)["status"])

    def test_a_running_lease_is_extended_and_shortened(self):
        lease = self.active(HOST, end=60)
        self.updated(lease, end_date=self.minute(120))
        self.pass_time(60 * 60)
        self.assertEqual("ACTIVE", self.show(lease)["status"])
        self.updated(lease, end_date=self.minute(70))
        self.lease({**HOST, "min": 3, "max": 3}, start=self.minute(70), end=120)
        self.pass_time(10 * 60)
        self.assertEqual("TERMINATED", self.show(lease)["status"])

    def test_a_running_lease_ends_now(self):
        lease = self.active({**HOST, "min": 3, "max": 3})
        self.pass_time(5 * 60 + 30)
        ended = self.updated(lease, end_date=self.minute(5))
        self.assertEqual(self.at(5), ended["end_date"])
        self.pass_time()
        self.assertEqual("TERMINATED", self.show(lease)["status"])
        self.assertEqual(["freepool"], list(self.aggregates()))
        self.pass_time(1)
        self.active({**HOST, "min": 3, "max": 3})

    def test_a_lease_ends_in_the_minute_of_its_start(self):
        lease = self.active(INSTANCE)
        self.updated(lease, end_date="now")
        self.pass_time(1)
        self.assertEqual("TERMINATED", self.show(lease)["status"])
        self.assertEqual([], [r for r in self.promises() if not r[-1]])

    def test_a_running_instance_lease_grows_in_openstack(self):
        lease = self.active({**INSTANCE, "vcpus": 16, "amount": 2})
        (reservation,) = lease["reservations"]
        before = self.slots(reservation["id"])
        self.assertEqual(2, sum(before.values()))
        first = [self.boot(reservation["id"])["status"] for _ in range(3)]
        self.assertEqual(["ACTIVE", "ACTIVE", "ERROR"], first)

        grown = self.updated(lease, **self.change(lease, amount=5))

        self.assertEqual(("ACTIVE", 5), (grown["status"], grown["reservations"][0]["amount"]))
        after = self.slots(reservation["id"])
        self.assertEqual(5, sum(after.values()))
        self.assertTrue(all(after.get(host, 0) >= units for host, units in before.items()))
        more = [self.boot(reservation["id"])["status"] for _ in range(4)]
        self.assertEqual(["ACTIVE"] * 3 + ["ERROR"], more)
        self.assertEqual("active", self.show(lease)["reservations"][0]["status"])

    def test_a_running_host_lease_grows_in_openstack(self):
        lease = self.active(HOST)
        (reservation,) = lease["reservations"]
        (first,) = self.aggregates()[reservation["id"]]
        grown = self.updated(lease, **self.change(lease, min=2, max=2))
        self.assertEqual("ACTIVE", grown["status"])
        members = self.aggregates()[reservation["id"]]
        self.assertEqual(2, len(members))
        self.assertIn(first, members)
        self.assertEqual(1, len(self.aggregates()["freepool"]))
        self.assertEqual(members, self.held(reservation))

    def test_a_running_lease_cannot_shrink(self):
        hosts = self.active({**HOST, "min": 2, "max": 2})
        slots = self.active(INSTANCE)
        with self.nothing_changes():
            text = self.refused(409, self.update(hosts, **self.change(hosts, min=1, max=1)))
            self.assertIn("running", text)
            text = self.refused(409, self.update(slots, **self.change(slots, amount=1)))
            self.assertIn("amount", text)

    def test_a_shrink_fits_on_a_full_cloud(self):
        """D4: a reservation never counts against itself."""
        hosts = self.lease({**HOST, "min": 2, "max": 2})
        slots = self.lease({**INSTANCE, "vcpus": 8, "amount": 4})
        self.refused(409, self.call("POST", "/v1/leases", self.body(INSTANCE)))
        shrunk = self.updated(slots, **self.change(slots, amount=2))
        self.assertEqual(2, shrunk["reservations"][0]["amount"])
        self.lease({**INSTANCE, "vcpus": 8, "amount": 2})
        self.updated(hosts, **self.change(hosts, min=1, max=1))
        self.lease(HOST)

    def test_changed_affinity_changes_the_server_group(self):
        lease = self.lease({**INSTANCE, "affinity": True}, start=self.minute(10))
        (old,) = self.groups()
        self.assertEqual(old, lease["reservations"][0]["server_group_id"])

        apart = self.updated(lease, **self.change(lease, affinity=False))
        (group,) = self.groups()
        self.assertNotEqual(old, group)
        self.assertEqual(group, apart["reservations"][0]["server_group_id"])
        self.assertEqual(2, len(self.held(apart["reservations"][0])))

        free = self.updated(lease, **self.change(lease, affinity="None"))
        self.assertIsNone(free["reservations"][0]["server_group_id"])
        self.assertEqual([], self.groups())

    def test_several_reservations_change_at_once_or_not_at_all(self):
        """D10: the first is not left changed when the second is refused."""
        lease = self.lease(HOST, INSTANCE, start=self.minute(10))
        host, slots = (reservation["id"] for reservation in lease["reservations"])
        change = {"id": host, "min": 2, "max": 2}
        with self.nothing_changes():
            too_much = [change, {"id": slots, "amount": 100}]
            self.refused(
                409,
                self.update(lease, name="new", end_date=self.minute(30), reservations=too_much),
            )
        after = self.updated(
            lease,
            name="new",
            end_date=self.minute(30),
            reservations=[change, {"id": slots, "amount": 16}],
        )
        self.assertEqual(("new", self.at(30)), (after["name"], after["end_date"]))
        self.assertEqual([2, 16], [r.get("max", r.get("amount")) for r in after["reservations"]])
        self.assertEqual(2, len(self.held(after["reservations"][0])))

    def test_a_reservation_does_not_grow_onto_the_hosts_of_another_of_its_lease(self):
        lease = self.lease({**HOST, "min": 2, "max": 2}, INSTANCE, start=self.minute(10))
        host, slots = lease["reservations"]
        with self.nothing_changes():
            answer = self.update(lease, reservations=[{"id": host["id"], "min": 3, "max": 3}])
            self.assertEqual({"hosts": 2}, (self.refused(409, answer), answer.json["fits"])[1])
            self.refused(409, self.update(lease, reservations=[{"id": slots["id"], "amount": 17}]))
        self.updated(lease, reservations=[{"id": slots["id"], "amount": 16}])
        self.assertEqual(1, len(self.held(slots)))

    def test_an_extension_into_somebody_elses_time_is_refused(self):
        """D9: a PENDING lease starts all the same, an ACTIVE one goes on."""
        waiting = self.lease({**HOST, "min": 2, "max": 2}, start=self.minute(10), end=20)
        running = self.active(HOST, end=20)
        self.lease({**HOST, "min": 3, "max": 3}, start=self.minute(20), end=30)
        with self.nothing_changes():
            for lease in (waiting, running):
                answer = self.update(lease, end_date=self.minute(25))
                self.assertIn("Not enough hosts", self.refused(409, answer))
                self.assertTrue(answer.json["reasons"])
        self.pass_time(600)
        self.assertEqual("ACTIVE", self.show(waiting)["status"])
        self.assertEqual("ACTIVE", self.show(running)["status"])


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

    def test_members_that_are_not_ours_to_change_are_ignored(self):
        """D37: nobody is given somebody else's lease."""
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

    def test_a_refused_date_changes_nothing(self):
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
            (pending, 403, "Datetime is out of lease limits", {"before_end_date": 20}),
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
            for wrong in ("tomorrow", "2030-01-01", "2030-01-01T00:30:00Z", "", "2030-02-30 1:00"):
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
            (400, "trust_id", [{"id": mine, "hypervisor_properties": '["=", "$trust_id", "1"]'}]),
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

    def test_replaced_hosts_are_free_in_the_same_step(self):
        """D6: what a reservation gives up is available to the same decision."""
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


class TestStates(UpdateCase):
    """A name can be changed in every state, and all else only while nothing is under way."""

    def setUp(self):
        super().setUp()
        self.meanwhile = None

    def wait_for_the_cloud(self, seconds):
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()

    def renamed(self, lease, status):
        """Renames a lease of this status, and tries what is not allowed in it."""
        self.assertEqual(status, self.show(lease)["status"])
        self.assertEqual(status, self.updated(lease, name=f"while {status}")["status"])
        self.assertEqual(f"while {status}", self.show(lease)["name"])
        with self.nothing_changes():
            text = self.refused(409, self.update(lease, name="x", end_date=self.minute(50)))
            self.assertIn(status, text)
            self.refused(409, self.update(lease, **self.change(lease, max=2)))

    def test_creating(self):
        def meanwhile():
            (lease,) = self.call("GET", "/v1/leases").json["leases"]
            self.renamed(lease, "CREATING")

        self.meanwhile = meanwhile
        self.cloud.set_faults("nova.aggregate.create", latency_ms=1)
        lease = self.lease(HOST)
        self.assertEqual(("while CREATING", "PENDING"), (lease["name"], lease["status"]))

    def test_starting(self):
        lease = self.lease(HOST)
        self.cloud.set_faults("nova.aggregate.add_host", fail_next=1)
        self.pass_time()
        self.renamed(lease, "STARTING")
        self.pass_time(60)
        self.assertEqual("ACTIVE", self.show(lease)["status"])

    def test_updating(self):
        lease = self.active(HOST)
        self.cloud.set_faults("nova.aggregate.add_host", fail_next=1)
        self.assertEqual("UPDATING", self.updated(lease, **self.change(lease, max=2))["status"])
        self.renamed(lease, "UPDATING")
        self.pass_time(60)
        lease = self.show(lease)
        self.assertEqual("ACTIVE", lease["status"])
        self.assertEqual(2, len(self.aggregates()[lease["reservations"][0]["id"]]))

    def test_terminating_and_terminated(self):
        lease = self.active(HOST)
        self.boot(reservation=lease["reservations"][0]["id"])
        self.cloud.set_server_delete_seconds(100)
        self.updated(lease, end_date="now")
        self.pass_time()
        self.renamed_after_its_end(lease, "TERMINATING")
        self.pass_time(100)
        self.renamed_after_its_end(lease, "TERMINATED")

    def renamed_after_its_end(self, lease, status):
        self.assertEqual(status, self.show(lease)["status"])
        self.assertEqual(status, self.updated(lease, name=f"while {status}")["status"])
        with self.nothing_changes():
            answer = self.update(lease, end_date=self.minute(50))
            self.assertIn(answer.status_code, (400, 409))

    def test_deleting(self):
        lease = self.active(HOST)
        self.boot(reservation=lease["reservations"][0]["id"])
        self.cloud.set_server_delete_seconds(100)
        self.delete(lease)
        self.pass_time()
        self.renamed(lease, "DELETING")
        self.pass_time(100)
        self.assertEqual(404, self.update(lease, name="late").status_code)

    def test_error(self):
        lease = self.lease(HOST)
        self.cloud.set_faults("nova.aggregate.add_host", fail_next=3, status=409)
        for _ in range(3):
            self.pass_time(60)
        self.renamed(lease, "ERROR")
        self.assertEqual("error", self.show(lease)["reservations"][0]["status"])
        self.active({**HOST, "min": 3, "max": 3})
        self.assertEqual(204, self.delete(lease).status_code)
        self.pass_time()
        self.assertEqual(404, self.update(lease, name="late").status_code)


class TestGrowthThatOpenStackRefuses(UpdateCase):
    def test_a_running_lease_keeps_what_it_has(self):
        """A host that cannot be added is no reason to take the others away."""
        lease = self.active(HOST)
        (reservation,) = lease["reservations"]
        server = self.boot(reservation=reservation["id"])
        self.cloud.set_faults("nova.aggregate.add_host", fail_next=1000, status=409)
        self.updated(lease, **self.change(lease, min=2, max=2))
        for _ in range(6):
            self.pass_time(60)
        lease = self.show(lease)
        self.assertEqual("UPDATING", lease["status"])
        self.assertIn("nova.aggregate.add_host", lease["status_reason"])
        self.assertEqual("ACTIVE", self.cloud.get_server(server["id"]).status)
        self.cloud.clear_faults()
        self.pass_time(60)
        lease = self.show(lease)
        self.assertEqual(("ACTIVE", None), (lease["status"], lease["status_reason"]))
        self.assertEqual(2, len(self.aggregates()[reservation["id"]]))

    def test_the_lease_ends_all_the_same(self):
        lease = self.active(HOST, end=10)
        self.cloud.set_faults("nova.aggregate.add_host", fail_next=1000, status=503)
        self.updated(lease, **self.change(lease, min=2, max=2))
        self.assertEqual("UPDATING", self.show(lease)["status"])
        self.pass_time(600)
        self.cloud.clear_faults()
        self.pass_time(60)
        self.pass_time(1)
        self.assertEqual("TERMINATED", self.show(lease)["status"])
        self.assertEqual(["freepool"], list(self.aggregates()))

    def test_a_group_that_cannot_be_made_is_made_by_the_next_try(self):
        lease = self.lease({**INSTANCE, "affinity": True}, start=self.minute(10))
        self.cloud.set_faults("nova.server_group.create", fail_next=1)
        change = self.change(lease, affinity=False)
        self.refused(503, self.update(lease, **change))
        after = self.updated(lease, **change)
        self.assertEqual([after["reservations"][0]["server_group_id"]], self.groups())

    def test_an_operator_makes_no_group_that_the_tenant_could_not_use(self):
        lease = self.lease(INSTANCE, start=self.minute(10))
        change = self.change(lease, affinity=False)
        answer = self.update(lease, token="admin:admin", **change)
        self.assertEqual(200, answer.status_code, answer.text)
        self.assertEqual([], self.groups())
        self.updated(lease, name="mine")
        ((_, project, *_),) = self.cloud_objects()["server_groups"]
        self.assertEqual("demo", project)
