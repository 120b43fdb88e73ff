# SPDX-License-Identifier: Apache-2.0
"""Lent hosts are what Nova and Placement say they are, and not what they were once."""

import contextlib
import sqlite3
from unittest import mock

import sqlalchemy

from promise_blazar import exceptions
from promise_blazar.db import tables
from promise_blazar.manager.controllers import inventory_sync
from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase

ON_ONE = {"resource_properties": '["==", "$hypervisor_hostname", "compute-1"]'}
EIGHT = {**INSTANCE, **ON_ONE, "vcpus": 4, "amount": 2}


class InventorySyncCase(ServiceTestCase):
    def setUp(self):
        super().setUp()
        self.inventory_sync = self.service.inventory_sync

    def openstack(self, statement, *values):
        """Something happens to a hypervisor."""
        with contextlib.closing(sqlite3.connect(self.cloud_file)) as db:
            self.assertEqual(1, db.execute(statement, values).rowcount)
            db.commit()

    def resize(self, name, vcpus):
        self.openstack("UPDATE hosts SET vcpus = ? WHERE name = ?", vcpus, name)
        self.set_inventory(name, "total", vcpus)

    def set_inventory(self, name, column, value, resource_class="VCPU"):
        self.openstack(
            f"UPDATE inventories SET {column} = ? WHERE resource_class = ? AND provider ="
            " (SELECT uuid FROM hosts WHERE name = ?)",
            value,
            resource_class,
            name,
        )

    def look(self):
        return self.inventory_sync.look().lines()

    def ask(self, *reservations, start="now"):
        answer = self.call("POST", "/v1/leases", self.body(*reservations, start=start, end=99))
        return answer.status_code

    def set_state(self, name, state):
        answer = self.call("PUT", f"/simulated/hosts/{name}", {"state": state}, "admin:admin")
        self.assertEqual(200, answer.status_code, answer.text)


@databases.on_each_database
class TestInventorySync(InventorySyncCase):
    def test_d29_a_host_that_grows_or_shrinks_is_lent_as_it_is(self):
        self.assertEqual([], self.look())
        self.resize("compute-1", 7)
        nova, placement = self.look()
        self.assertEqual("host compute-1: its vcpus is 7 and was 32", nova)
        change = "7 (reserved 0, ratio 4) and was 32 (reserved 0, ratio 4)"
        self.assertEqual(f"host compute-1: its VCPU is {change}", placement)
        self.inventory_sync.run()
        self.assertEqual([], self.look())
        self.assertEqual(7, self.registered_hosts()["compute-1"]["vcpus"])
        self.assertEqual(409, self.ask(EIGHT))
        self.resize("compute-1", 8)
        self.inventory_sync.run()
        self.assertEqual(201, self.ask(EIGHT))

    def test_d29_what_nova_keeps_for_itself_is_not_lent(self):
        self.set_inventory("compute-1", "reserved", 25)
        self.inventory_sync.run()
        self.assertEqual(409, self.ask(EIGHT))
        self.set_inventory("compute-1", "reserved", 24)
        self.inventory_sync.run()
        self.assertEqual(201, self.ask(EIGHT))

    def test_d29_every_manager_knows(self):
        other = self.manager()
        self.resize("compute-1", 7)
        self.assertEqual(2, len(other.inventory_sync.run().lines()))
        self.assertEqual(409, self.ask(EIGHT))
        self.assertTrue(self.inventory_sync.run().clean)

    def test_d29_a_zone_that_changes_is_seen_and_that_of_a_lease_is_not(self):
        pool = self.cloud.aggregates.ensure("rack", "east", {})
        self.cloud.aggregates.add_host(pool.id, "compute-2")
        self.inventory_sync.run()
        hosts = self.registered_hosts()
        zones = {name: host["availability_zone"] for name, host in hosts.items()}
        self.assertEqual("east", zones["compute-2"])
        lease = self.active({**HOST, **ON_ONE})
        (reservation,) = lease["reservations"]
        there = self.cloud.hypervisors.get("compute-1")
        self.assertEqual(f"blazar_{reservation['id']}", there.zone)
        self.assertEqual([], self.look())
        self.inventory_sync.run()
        self.assertEqual("nova", self.registered_hosts()["compute-1"]["availability_zone"])

    def test_what_is_promised_and_not_there_any_more_is_said_and_kept(self):
        lease = self.lease(EIGHT, start=self.minute(10), end=20)
        self.resize("compute-1", 7)
        promised = self.promises()
        drift = self.inventory_sync.run()
        self.assertFalse(drift.clean)
        said = (
            "host compute-1 is promised 8 VCPU of the 7 that it has, "
            "from 2030-01-01T00:10:00+00:00"
        )
        self.assertEqual([said], self.look())
        self.assertEqual(promised, self.promises())
        self.assertEqual("PENDING", self.show(lease)["status"])
        self.resize("compute-1", 8)
        self.inventory_sync.run()
        self.assertEqual([], self.look())


class TestHostsThatAreAway(InventorySyncCase):
    registered = 2

    def test_a_host_that_was_down_when_it_was_lent_is_offered_when_it_is_back(self):
        self.set_state("compute-3", "down")
        answer = self.call("POST", "/v1/os-hosts", {"name": "compute-3"}, "admin:admin")
        self.assertEqual(201, answer.status_code, answer.text)
        three = {**HOST, "min": 3, "max": 3}
        self.inventory_sync.run()
        self.assertEqual(409, self.ask(three, start=self.minute(5)))
        self.set_state("compute-3", "up")
        self.assertEqual(
            ["host compute-3: it is in service, and was not when it was lent"], self.look()
        )
        self.inventory_sync.run()
        self.assertEqual([], self.look())
        self.assertTrue(self.registered_hosts()["compute-3"]["reservable"])
        self.assertEqual(201, self.ask(three, start=self.minute(5)))

    def test_a_host_that_goes_down_stays_on_offer(self):
        self.set_state("compute-1", "down")
        self.assertEqual(["host compute-1 is out of service"], self.inventory_sync.run().lines())
        self.assertEqual(201, self.ask({**HOST, "min": 2, "max": 2}, start=self.minute(5)))

    def test_a_host_without_inventory_keeps_what_it_had(self):
        with contextlib.closing(sqlite3.connect(self.cloud_file)) as db:
            there = "provider = (SELECT uuid FROM hosts WHERE name = 'compute-1')"
            kept = db.execute(f"SELECT * FROM inventories WHERE {there}").fetchall()
            db.execute(f"DELETE FROM inventories WHERE {there}")
            db.commit()
        self.assertEqual(["host compute-1: Placement has no inventory of it"], self.look())
        self.inventory_sync.run()
        self.assertEqual(201, self.ask(EIGHT))
        with contextlib.closing(sqlite3.connect(self.cloud_file)) as db:
            db.executemany("INSERT INTO inventories VALUES (?, ?, ?, ?, ?, ?)", kept)
            db.commit()
        self.assertEqual([], self.look())

    def test_a_host_that_nova_does_not_know_keeps_what_it_had(self):
        self.openstack("UPDATE hosts SET uuid = 'another' WHERE name = 'compute-1'")
        self.assertEqual(["host compute-1: Nova does not know it any more"], self.look())
        self.inventory_sync.run()
        self.assertEqual(201, self.ask(EIGHT))


class TestSlowInventorySync(InventorySyncCase):
    """Another manager stands still between its look at OpenStack and its writing."""

    def test_the_later_word_of_openstack_stays(self):
        self.resize("compute-1", 4)
        slow = self.manager().inventory_sync
        seen = slow.changes()
        self.resize("compute-1", 8)
        self.inventory_sync.run()
        slow.record(seen)
        self.assertEqual([], self.look())
        self.assertEqual(8, self.registered_hosts()["compute-1"]["vcpus"])
        self.assertEqual(201, self.ask(EIGHT))

    def test_a_host_that_was_given_back_meanwhile_is_left_alone(self):
        self.resize("compute-1", 4)
        slow = self.manager().inventory_sync
        seen = slow.changes()
        number = self.registered_hosts()["compute-1"]["id"]
        answer = self.call("DELETE", f"/v1/os-hosts/{number}", token="admin:admin")
        self.assertEqual(204, answer.status_code, answer.text)
        slow.record(seen)
        self.assertNotIn("compute-1", self.registered_hosts())
        engine = sqlalchemy.create_engine(self.url, poolclass=sqlalchemy.NullPool)
        with engine.connect() as connection:
            query = sqlalchemy.select(tables.Host.vcpus).where(tables.Host.id == int(number))
            self.assertEqual(32, connection.execute(query).scalar_one())


class TestManyHosts(InventorySyncCase):
    hosts = registered = 7

    def test_all_of_many_are_recorded_in_parts(self):
        with contextlib.closing(sqlite3.connect(self.cloud_file)) as db:
            db.execute("UPDATE inventories SET reserved = 1 WHERE resource_class = 'VCPU'")
            db.execute("UPDATE hosts SET vcpus = number")
            db.commit()
        with mock.patch.object(inventory_sync, "_AT_ONCE", 3):
            self.inventory_sync.run()
        self.assertEqual([], self.look())
        seen = {host["vcpus"] for host in self.registered_hosts().values()}
        self.assertEqual(set(range(1, 8)), seen)


class TestOutage(InventorySyncCase):
    def test_leftovers_are_removed_while_hypervisors_cannot_be_listed(self):
        lease = self.lease(INSTANCE, start=self.minute(5))
        (slots,) = (r["id"] for r in lease["reservations"])
        self.delete(lease)
        self.pass_time(2)
        self.cloud.aggregates.ensure(slots, None, {})
        self.cloud.set_faults("nova.hypervisor.list", fail_next=9, status=503)
        self.assertRaises(exceptions.CloudUnavailable, self.inventory_sync.run)
        self.service.reconcile.run()
        self.assertNotIn(slots, self.aggregates())
