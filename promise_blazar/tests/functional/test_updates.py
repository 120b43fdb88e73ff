# SPDX-License-Identifier: Apache-2.0
"""Changing a lease: what reaches OpenStack, and that a refusal changes nothing at all."""

from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE
from promise_blazar.tests.functional.cases import UpdateCase


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

    def test_d4_a_lease_moves_to_where_it_overlaps_itself(self):
        """What the lease holds now is not in its own way."""
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

    def test_d4_a_shrink_fits_on_a_full_cloud(self):
        """A reservation never counts against itself."""
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

    def test_d10_several_reservations_change_at_once_or_not_at_all(self):
        """The first is not left changed when the second is refused."""
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

    def test_d9_an_extension_into_somebody_elses_time_is_refused(self):
        """A PENDING lease starts all the same, an ACTIVE one goes on."""
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
