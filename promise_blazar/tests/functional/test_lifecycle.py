# SPDX-License-Identifier: Apache-2.0
"""The life of a lease, from create to gone, as a user and the cloud see it."""

from promise_blazar.model.openstack_names import child_provider_of
from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE, ServiceTestCase


@databases.on_each_database
class TestHostLease(ServiceTestCase):
    def test_it_starts_is_used_and_ends(self):
        lease = self.lease(HOST, start=self.minute(1), end=10)
        reservation = lease["reservations"][0]["id"]
        self.assertEqual("PENDING", lease["status"])
        self.assertEqual([], self.aggregates()[reservation])

        self.pass_time(60)

        self.assertEqual("ACTIVE", self.show(lease)["status"])
        (host,) = self.aggregates()[reservation]
        self.assertNotIn(host, self.aggregates()["freepool"])
        mine = self.boot(reservation=reservation)
        self.assertEqual(("ACTIVE", host), (mine["status"], mine["host"]))
        self.assertEqual("ERROR", self.boot()["status"])
        self.assertEqual("ERROR", self.boot(token="eve:other", reservation=reservation)["status"])

        self.pass_time(10 * 60)
        self.pass_time(1)

        ended = self.show(lease)
        self.assertEqual("TERMINATED", ended["status"])
        self.assertEqual("deleted", ended["reservations"][0]["status"])
        self.assertEqual({"DONE"}, {event["status"] for event in ended["events"]})
        gone = self.call("GET", f"/simulated/servers/{mine['id']}")
        self.assertEqual(404, gone.status_code)
        self.assertEqual({"freepool": ["compute-1", "compute-2", "compute-3"]}, self.aggregates())

    def test_a_server_that_is_not_on_its_host_yet_goes_with_the_lease(self):
        lease = self.active(HOST)
        reservation = lease["reservations"][0]["id"]
        late = self.boot(reservation=reservation)["id"]
        self.cloud.set_server_delete_seconds(5)
        self.before_it_arrives(late)
        self.updated(lease, end_date="now")
        self.pass_time(1)
        lease = self.show(lease)
        self.assertEqual("TERMINATING", lease["status"])
        self.assertIn(late, self.trouble(lease))
        self.assertEqual(1, len(self.aggregates()[reservation]), "the host is not free yet")
        self.pass_time(5)
        self.pass_time(1)
        self.assertEqual("TERMINATED", self.show(lease)["status"])
        self.assertEqual([], self.cloud_objects()["servers"])

    def test_its_name_may_be_in_any_script(self):
        lease = self.lease(name="bail \N{SLEUTH OR SPY} \N{CJK UNIFIED IDEOGRAPH-20000}")
        self.assertEqual("bail \U0001f575 \U00020000", self.show(lease)["name"])

    def test_its_host_can_be_leased_again_at_the_very_instant_of_its_end(self):
        self.registered_only("compute-1")
        first = self.lease(HOST, end=10)
        second = self.lease(HOST, start=self.minute(10), end=20)
        self.pass_time()
        self.assertEqual("ACTIVE", self.show(first)["status"])
        self.pass_time(600)
        self.pass_time(1)
        self.assertEqual("TERMINATED", self.show(first)["status"])
        self.assertEqual("ACTIVE", self.show(second)["status"])

    def registered_only(self, name):
        for host in self.call("GET", "/v1/os-hosts", token="admin:admin").json["hosts"]:
            if host["hypervisor_hostname"] != name:
                answer = self.call("DELETE", f"/v1/os-hosts/{host['id']}", token="admin:admin")
                self.assertEqual(204, answer.status_code, answer.text)


@databases.on_each_database
class TestInstanceLease(ServiceTestCase):
    def test_its_flavor_takes_amount_servers_and_not_one_more(self):
        lease = self.lease(INSTANCE)
        self.pass_time()
        (reservation,) = self.show(lease)["reservations"]
        flavor = reservation["flavor_id"]
        self.assertEqual(reservation["id"], flavor)

        servers = [self.boot(flavor) for _ in range(3)]

        self.assertEqual(["ACTIVE", "ACTIVE", "ERROR"], [s["status"] for s in servers])
        stranger = {"name": "x", "flavor": flavor, "image": "tiny", "hints": {}}
        refused = self.call("POST", "/simulated/servers", stranger, "eve:other")
        self.assertIn(refused.status_code, (400, 404))

        self.assertEqual(204, self.call("DELETE", f"/v1/leases/{lease['id']}").status_code)
        self.assertEqual("DELETING", self.show(lease)["status"])
        for _ in range(3):
            self.pass_time(2)

        self.assertEqual(404, self.call("GET", f"/v1/leases/{lease['id']}").status_code)
        self.assertEqual(["freepool"], list(self.aggregates()))
        left = [
            self.cloud.resource_providers.inventory(child_provider_of(f"compute-{n}"))
            for n in (1, 2, 3)
        ]
        self.assertEqual([{}, {}, {}], left)
        flavors = self.call("GET", "/simulated/flavors", token="admin:admin").json["flavors"]
        self.assertNotIn(flavor, [found["id"] for found in flavors])

    def test_affinity_keeps_the_slots_together_or_apart(self):
        together = self.lease({**INSTANCE, "affinity": True, "amount": 3})
        apart = self.lease({**INSTANCE, "affinity": False, "amount": 3})
        self.pass_time()
        for lease, hosts in ((together, 1), (apart, 3)):
            (reservation,) = self.show(lease)["reservations"]
            self.assertIsNotNone(reservation["server_group_id"])
            used = {
                self.boot(reservation["id"], group=reservation["server_group_id"])["host"]
                for _ in range(3)
            }
            self.assertEqual(hosts, len(used))
        four = {**INSTANCE, "affinity": False, "amount": 4}
        body = {
            "name": "n",
            "start_date": "now",
            "end_date": self.minute(9),
            "reservations": [four],
        }
        self.assertEqual(409, self.call("POST", "/v1/leases", body).status_code)

    def test_a_short_lease_can_be_changed_as_soon_as_it_is_active(self):
        """Its warning, due at its start, would have it worked on once more just then."""
        lease = self.lease(HOST, INSTANCE, end=30)
        self.assertEqual(1, self.service.engine.run_due())
        lease = self.show(lease)
        self.assertEqual("ACTIVE", lease["status"])
        self.assertEqual("DONE", self.event(lease, "before_end_lease")[1])
        answer = self.update(lease, end_date="now")
        self.assertEqual(200, answer.status_code, answer.text)
