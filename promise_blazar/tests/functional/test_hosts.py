# SPDX-License-Identifier: Apache-2.0
"""Lending hosts, seeing who holds them, and taking them back."""

from promise_blazar.model.openstack_names import child_provider_of
from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE
from promise_blazar.tests.functional.cases import HostCase
from promise_blazar.tests.functional.concurrency import audit


@databases.on_each_database
class TestHosts(HostCase):
    def test_a_host_is_lent_and_taken_back(self):
        made = self.register(3, gpu="True", rack=7)
        self.assertRegex(made["id"], "^[0-9]+$")
        self.assertEqual(("compute-3", True), (made["hypervisor_hostname"], made["reservable"]))
        self.assertEqual((32, 131072, 2000), (made["vcpus"], made["memory_mb"], made["local_gb"]))
        self.assertEqual(("True", "7"), (made["gpu"], made["rack"]))
        self.assertEqual({"host": made}, self.admin("GET", f"/{made['id']}").json)
        self.assertIn("compute-3", self.aggregates()["freepool"])

        self.assertEqual(204, self.remove(3).status_code)

        self.assertEqual(["compute-1", "compute-2"], self.aggregates()["freepool"])
        self.assertEqual(404, self.admin("GET", f"/{made['id']}").status_code)
        self.assertEqual(404, self.admin("DELETE", f"/{made['id']}").status_code)
        self.refused(409, self.call("POST", "/v1/leases", self.body({**HOST, "min": 3, "max": 3})))

    def test_d28_a_host_has_an_id_of_ours_and_novas_is_kept_beside_it(self):
        nova = self.cloud.hypervisors.get("compute-3").uuid
        answer = self.admin("POST", "", {"name": nova})
        self.assertEqual(201, answer.status_code, answer.text)
        made = answer.json["host"]
        self.assertRegex(made["id"], "^[0-9]+$")
        self.assertEqual("compute-3", made["hypervisor_hostname"])
        (row,) = (row for row in audit.rows(self.url, "hosts") if row["id"] == int(made["id"]))
        self.assertEqual(nova, row["hypervisor_uuid"])
        self.refused(404, self.admin("GET", f"/{nova}"))
        with self.nothing_changes():
            self.refused(409, self.admin("POST", "", {"name": "compute-3"}))

    def test_a_removed_host_can_be_lent_again(self):
        old = self.register(3, rack="a")
        self.remove(3)
        new = self.register(3)
        self.assertNotEqual(old["id"], new["id"])
        self.assertNotIn("rack", new)
        lease = self.active({**HOST, "min": 3, "max": 3})
        self.assertEqual(3, len(self.aggregates()[lease["reservations"][0]["id"]]))

    def test_d27_a_name_is_not_taken_for_a_longer_one(self):
        """compute-1 is a part of the names compute-10, compute-11 and compute-12."""
        for number in (10, 11):
            self.assertEqual(f"compute-{number}", self.register(number)["hypervisor_hostname"])
        with self.nothing_changes():
            self.refused(409, self.admin("POST", "", {"name": "compute-1"}))
            for name in ("compute", "ompute-3", "compute-", "COMPUTE-3", "compute-3 ", "13"):
                self.refused(404, self.admin("POST", "", {"name": name}))

    def test_a_reserved_host_is_not_taken_back(self):
        lease = self.lease({**HOST, "min": 2, "max": 2}, start=self.minute(10), end=20)
        with self.nothing_changes():
            self.assertIn("reserved", self.refused(409, self.remove(1)))
        self.pass_time(600)
        with self.nothing_changes():
            self.refused(409, self.remove(1))
        self.pass_time(600)
        self.assertEqual("TERMINATED", self.show(lease)["status"])
        self.assertEqual(204, self.remove(1).status_code)

    def test_a_host_whose_slots_are_promised_is_not_taken_back(self):
        lease = self.lease({**INSTANCE, "affinity": True}, start=self.minute(10))
        (name,) = self.held(lease["reservations"][0])
        number = int(name.removeprefix("compute-"))
        with self.nothing_changes():
            self.refused(409, self.remove(number))
        self.delete(lease)
        self.assertEqual(204, self.remove(number).status_code)

    def test_a_host_with_servers_is_neither_lent_nor_taken_back(self):
        server = self.boot()
        number = int(server["host"].removeprefix("compute-"))
        for _ in range(2):
            with self.nothing_changes():
                answer = self.admin("POST", "", {"name": server["host"]})
                self.assertIn(server["id"], self.refused(409, answer))
            # Nor while the server is only on its way there.
            self.before_it_arrives(server["id"])
        self.call("DELETE", f"/simulated/servers/{server['id']}")
        self.register(number)
        lease = self.active(INSTANCE)
        server = self.boot(lease["reservations"][0]["id"])
        number = int(server["host"].removeprefix("compute-"))
        with self.nothing_changes():
            self.refused(409, self.remove(number))

    def test_allocations(self):
        self.register(3)
        lease = self.lease({**HOST, "min": 2, "max": 2}, start=self.minute(10), end=20)
        (reservation,) = lease["reservations"]
        element = {
            "id": reservation["id"],
            "lease_id": lease["id"],
            "start_date": self.at(10),
            "end_date": self.at(20),
        }
        hosts = [host["id"] for host in self.admin("GET", "").json["hosts"]]
        shown = [
            {"resource_id": hosts[0], "reservations": [element]},
            {"resource_id": hosts[1], "reservations": [element]},
            {"resource_id": hosts[2], "reservations": []},
        ]
        nothing = [{"resource_id": host, "reservations": []} for host in hosts]
        other = "00000000-0000-0000-0000-000000000000"

        def allocations(query=""):
            return self.admin("GET", f"/allocations{query}").json["allocations"]

        self.assertEqual(shown, allocations())
        self.assertEqual(shown, allocations(f"?lease_id={lease['id']}"))
        self.assertEqual(shown, allocations(f"?reservation_id={reservation['id']}&x=y"))
        self.assertEqual(nothing, allocations(f"?lease_id={other}"))
        one = self.admin("GET", f"/{hosts[0]}/allocation").json
        self.assertEqual({"allocation": shown[0]}, one)
        one = self.admin("GET", f"/{hosts[0]}/allocation?reservation_id={other}").json
        self.assertEqual({"allocation": nothing[0]}, one)
        self.refused(404, self.admin("GET", "/999/allocation"))
        self.pass_time(600)
        self.pass_time(601)
        self.assertEqual("TERMINATED", self.show(lease)["status"])
        self.assertEqual(nothing, allocations())
        self.assertEqual(shown, allocations(f"?lease_id={lease['id']}"))


class TestBadRequests(HostCase):
    def test_wrong_requests_change_nothing(self):
        long = "k" * 65
        table = [
            ("POST", "", {}, 400, "name"),
            ("POST", "", {"name": ""}, 400, "name"),
            ("POST", "", {"name": 5}, 400, "name"),
            ("POST", "", {"name": "compute-3", long: "x"}, 400, "Extra capability key too long"),
            ("POST", "", {"name": "compute-3", "": "x"}, 400, "capability"),
            ("POST", "", {"name": "compute-3", " gpu": "x"}, 400, "capability"),
            ("POST", "", {"name": "compute-3", "vcpus": "64"}, 400, "vcpus"),
            ("POST", "", {"name": "compute-3", "gpu": ["x"]}, 400, "gpu"),
            ("POST", "", {"name": "compute-99"}, 404, "compute-99"),
            ("PUT", "/1", {}, 400, "No data to update"),
            ("PUT", "/1", {long: "x"}, 400, "Extra capability key too long"),
            ("PUT", "/1", {"hypervisor_hostname": "x"}, 400, "hypervisor_hostname"),
            ("PUT", "/1", {"gpu": {}}, 400, "gpu"),
            ("PUT", "/999", {"gpu": "x"}, 404, "999"),
            ("PUT", "/compute-1", {"gpu": "x"}, 404, "compute-1"),
            ("DELETE", "/999", None, 404, "999"),
            ("DELETE", "/99999999999999999999", None, 404, "host_id"),
            ("GET", "/0", None, 404, "host_id"),
            ("GET", "/allocations?lease_id=x", None, 400, "lease_id"),
        ]
        with self.nothing_changes():
            for verb, path, body, status, text in table:
                self.assertIn(text, self.refused(status, self.admin(verb, path, body)))

    def test_hosts_are_the_operators_alone(self):
        with self.nothing_changes():
            for verb, path in (("POST", ""), ("DELETE", "/1"), ("PUT", "/1"), ("GET", "")):
                answer = self.call(verb, f"/v1/os-hosts{path}", {"name": "compute-3"})
                self.refused(403, answer)


@databases.on_each_database
class TestKeys(HostCase):
    def test_the_same_request_twice_is_one_host(self):
        body = {"name": "compute-3", "gpu": "True"}
        first = self.admin("POST", "", body, Idempotency_Key="k")
        with self.nothing_changes():
            again = self.admin("POST", "", body, Idempotency_Key="k")
            self.assertEqual((201, first.json), (again.status_code, again.json))
            other = {"name": "compute-4"}
            self.refused(422, self.admin("POST", "", other, Idempotency_Key="k"))
        self.assertEqual(204, self.remove(3).status_code)
        with self.nothing_changes():
            again = self.admin("POST", "", body, Idempotency_Key="k")
            self.assertEqual((201, first.json), (again.status_code, again.json))

    def test_refusals_and_failures_are_not_kept(self):
        self.refused(404, self.admin("POST", "", {"name": "compute-99"}, Idempotency_Key="a"))
        body = {"name": "compute-3"}
        self.cloud.set_faults("nova.aggregate.add_host", fail_next=1)
        self.refused(503, self.admin("POST", "", body, Idempotency_Key="k"))
        self.assertEqual(201, self.admin("POST", "", body, Idempotency_Key="k").status_code)


class TestDownHosts(HostCase):
    def test_a_host_that_is_down_is_not_leased(self):
        self.cloud.set_host_state("compute-3", "down")
        self.assertIs(False, self.register(3)["reservable"])
        answer = self.call("POST", "/v1/leases", self.body({**HOST, "min": 3, "max": 3}))
        self.assertIn("1 not in service", self.refused(409, answer))
        self.lease({**HOST, "max": 3})
        self.assertEqual(204, self.remove(3).status_code)


class TestHostFaults(HostCase):
    """OpenStack fails at every call of adding and removing a host, in every way."""

    ADDING = (
        "nova.hypervisor.show",
        "nova.server.list",
        "placement.allocation.list",
        "placement.provider.create",
        "nova.aggregate.list",
        "nova.aggregate.add_host",
    )
    REMOVING = ("nova.server.list", "nova.aggregate.list", "nova.aggregate.remove_host")
    WAYS = (
        {"status": 503},
        {"status": None, "after": True},
        {"status": 409},
        {"status": 404},
        {"status": 503, "fail_next": 2},
        {"status": None, "after": True, "fail_next": 3},
    )

    def settled(self):
        objects = self.cloud_objects()
        # Child providers are emptied, never deleted.
        return {
            "hosts": sorted(self.registered_hosts()),
            "pool": self.aggregates(),
            "inventories": objects["inventories"],
        }

    def failing(self, call, way):
        self.cloud.set_faults(call, **{"fail_next": 1, **way})

    def test_adding(self):
        before = self.settled()
        for call in self.ADDING:
            for way in self.WAYS:
                with self.subTest(call=call, way=way):
                    self.failing(call, way)
                    answer = self.admin("POST", "", {"name": "compute-3"})
                    self.assertIn(answer.status_code, (404, 502, 503), answer.text)
                    self.assertIn("error_message", answer.json)
                    self.cloud.clear_faults()
                    self.assertNotEqual(True, self.reservable(3))
                    self.assertIs(True, self.register(3)["reservable"])
                    self.assertEqual(204, self.remove(3).status_code)
                    self.assertEqual(before, self.settled())

    def reservable(self, number):
        found = self.registered_hosts().get(f"compute-{number}")
        return found and found["reservable"]

    def test_removing(self):
        before = self.settled()
        for call in self.REMOVING:
            for way in self.WAYS:
                with self.subTest(call=call, way=way):
                    self.register(3)
                    self.failing(call, way)
                    answer = self.remove(3)
                    self.assertIn(answer.status_code, (404, 502, 503), answer.text)
                    self.cloud.clear_faults()
                    self.assertEqual(204, self.remove(3).status_code)
                    self.assertEqual(before, self.settled())

    def test_every_call_is_tried(self):
        """The lists above are the calls that are made."""
        self.assertEqual(set(self.ADDING), self.calls_of(lambda: self.register(3)))
        self.assertEqual(set(self.REMOVING), self.calls_of(lambda: self.remove(3)))

    def test_a_child_provider_is_kept(self):
        self.register(3)
        self.remove(3)
        names = {row[1] for row in self.cloud_objects()["providers"]}
        self.assertIn(child_provider_of("compute-3"), names)
