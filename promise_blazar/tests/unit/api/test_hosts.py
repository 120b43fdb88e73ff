# SPDX-License-Identifier: Apache-2.0
"""The wire of /v1/os-hosts, as clients rely on it."""

from promise_blazar import exceptions
from promise_blazar.tests.unit.api import base

COLUMNS = {
    "id", "hypervisor_hostname", "service_name", "hypervisor_type", "hypervisor_version",
    "vcpus", "memory_mb", "local_gb", "cpu_info", "status", "availability_zone", "trust_id",
    "reservable", "created_at", "updated_at",
}  # fmt: skip


class TestHosts(base.ApiTestCase):
    def test_a_host_shows_its_columns_and_its_capabilities_and_nothing_else(self) -> None:
        host = self.host(gpu="True", rack=7, cost=1.5, ssd=False)
        self.assertEqual(COLUMNS | {"gpu", "rack", "cost", "ssd"}, set(host))
        self.assertEqual(("True", "7", "1.5", "False"), (
            host["gpu"], host["rack"], host["cost"], host["ssd"]
        ))  # fmt: skip
        self.assertEqual(("1", "compute-1"), (host["id"], host["hypervisor_hostname"]))
        self.assertEqual((None, None), (host["status"], host["trust_id"]))
        answer = self.call("GET", "/v1/os-hosts/1", token=base.ADMIN)
        self.assertEqual({"host": host}, answer.json)
        self.assertEqual(
            {"hosts": [host]}, self.call("GET", "/v1/os-hosts", token=base.ADMIN).json
        )

    def test_a_hypervisors_id_serves_as_its_name(self) -> None:
        for given in (12, "12"):
            answer = self.call("POST", "/v1/os-hosts", {"id": given}, base.ADMIN)
            self.assertEqual("12", answer.json["host"]["hypervisor_hostname"])

    def test_a_host_needs_a_name(self) -> None:
        answer = self.call("POST", "/v1/os-hosts", {"gpu": "True"}, base.ADMIN)
        self.assert_refused(400, "Missing parameter name", answer)

    def test_capability_names_have_limits(self) -> None:
        self.assertIn("k" * 64, self.host(**{"k" * 64: "v"}))
        self.manager.hosts.clear()
        self.refused("Extra capability key too long", {"k" * 65: "v"})
        self.refused("'' cannot be the name of an extra capability", {"": "v"})
        for column in ("vcpus", "trust_id", "hypervisor_hostname", "reservable"):
            self.refused(
                f"{column} is known of every host and cannot be an extra capability", {column: "1"}
            )

    def test_capability_values_are_scalars(self) -> None:
        self.refused("gpu must be a string or a number or true or false, not a list", {"gpu": []})

    def refused(self, message: str, body: object) -> None:
        answer = self.call("POST", "/v1/os-hosts", {"name": "compute-1", **body}, base.ADMIN)
        self.assert_refused(400, message, answer)
        self.assertEqual({}, self.manager.hosts)

    def test_capabilities_are_set_and_removed(self) -> None:
        self.host(gpu="True", rack="7")
        body = {"gpu": None, "rack": "8", "ssd": True}
        host = self.call("PUT", "/v1/os-hosts/1", body, base.ADMIN).json["host"]
        self.assertNotIn("gpu", host)
        self.assertEqual(("8", "True"), (host["rack"], host["ssd"]))

    def test_an_update_is_checked_like_a_create(self) -> None:
        self.host()
        for body, message in (
            ({}, "No data to update"),
            ({"k" * 65: "v"}, "Extra capability key too long"),
            ({"vcpus": 1}, "vcpus is known of every host and cannot be an extra capability"),
            (
                {"values": {"gpu": "1"}},
                "values must be a string or a number or true or false or null, not an object",
            ),
        ):
            answer = self.call("PUT", "/v1/os-hosts/1", body, base.ADMIN)
            self.assert_refused(400, message, answer)

    def test_gone_is_gone(self) -> None:
        self.host()
        answer = self.call("DELETE", "/v1/os-hosts/1", token=base.ADMIN)
        self.assertEqual((204, b""), (answer.status_code, answer.data))
        for method in ("GET", "DELETE", "PUT"):
            answer = self.call(method, "/v1/os-hosts/1", {"gpu": "1"}, base.ADMIN)
            self.assert_refused(404, "Object with {'host_id': '1'} not found", answer)

    def test_no_host_is_called_like_that(self) -> None:
        for host_id in ("compute-1", "1" * 40, "%00", "-1"):
            answer = self.call("GET", f"/v1/os-hosts/{host_id}", token=base.ADMIN)
            self.assertEqual(404, answer.status_code)
        self.assertEqual([], self.manager.calls)

    def test_what_cannot_be_tried_is_not_done(self) -> None:
        self.host(gpu="True")
        for method, path, body in (
            ("POST", "/v1/os-hosts", {"name": "compute-2"}),
            ("PUT", "/v1/os-hosts/1", {"gpu": None}),
            ("DELETE", "/v1/os-hosts/1", None),
            ("PATCH", "/v1/os-hosts/properties/gpu", {"private": True}),
        ):
            answer = self.call(method, path + "?dry_run=true", body, base.ADMIN)
            self.assert_refused(400, "dry_run is not supported here; nothing was done", answer)
        self.assertEqual(["create_host"], [name for name, _ in self.manager.calls])

    def test_a_host_in_use_is_409(self) -> None:
        self.host()
        error = exceptions.CannotDeleteHost(host="compute-1", reason="it is reserved")
        self.manager.fails["delete_host"] = error
        answer = self.call("DELETE", "/v1/os-hosts/1", token=base.ADMIN)
        self.assert_refused(409, "Host compute-1 cannot be deleted: it is reserved", answer)


class TestAllocations(base.ApiTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.host("compute-1")
        self.host("compute-2")
        self.leases = [self.lease(), self.lease()]

    def get(self, path: str) -> object:
        return self.call("GET", f"/v1/os-hosts/{path}", token=base.ADMIN).json

    def entry(self, lease: dict) -> dict:
        return {
            "id": lease["reservations"][0]["id"],
            "lease_id": lease["id"],
            "start_date": "2030-02-01T10:00:00.000000",
            "end_date": "2030-02-01T12:00:00.000000",
        }

    def test_every_host_has_an_entry(self) -> None:
        expected = [
            {"resource_id": "1", "reservations": [self.entry(each) for each in self.leases]},
            {"resource_id": "2", "reservations": []},
        ]
        self.assertEqual({"allocations": expected}, self.get("allocations"))

    def test_filters_keep_every_host(self) -> None:
        lease = self.leases[1]
        expected = [
            {"resource_id": "1", "reservations": [self.entry(lease)]},
            {"resource_id": "2", "reservations": []},
        ]
        reservation_id = lease["reservations"][0]["id"]
        for query in (f"lease_id={lease['id']}", f"reservation_id={reservation_id}&what=ever"):
            self.assertEqual({"allocations": expected}, self.get(f"allocations?{query}"))

    def test_one_host(self) -> None:
        self.assertEqual(
            {"allocation": {"resource_id": "2", "reservations": []}}, self.get("2/allocation")
        )
        answer = self.call("GET", "/v1/os-hosts/3/allocation", token=base.ADMIN)
        self.assertEqual(404, answer.status_code)

    def test_a_filter_is_an_id(self) -> None:
        answer = self.call("GET", "/v1/os-hosts/allocations?lease_id=x%00", token=base.ADMIN)
        self.assert_refused(400, "lease_id must be a UUID, not 'x\\x00'", answer)


class TestProperties(base.ApiTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.host("compute-1", gpu="True", rack="7")
        self.host("compute-2", rack="8")

    def get(self, query: str) -> object:
        answer = self.call("GET", f"/v1/os-hosts/properties{query}", token=base.ADMIN)
        return answer.json["resource_properties"]

    def test_names_only(self) -> None:
        self.assertEqual([{"property": "gpu"}, {"property": "rack"}], self.get(""))
        self.assertEqual([{"property": "gpu"}, {"property": "rack"}], self.get("?detail=False"))

    def test_details(self) -> None:
        self.assertEqual(
            [
                {"property": "gpu", "private": False, "values": ["True"]},
                {"property": "rack", "private": False, "values": ["7", "8"]},
            ],
            self.get("?detail=True"),
        )

    def test_d39_privacy_is_all_that_can_be_set(self) -> None:
        body = {"private": True, "property_name": "mine", "resource_type": "other"}
        answer = self.call("PATCH", "/v1/os-hosts/properties/rack", body, base.ADMIN)
        self.assertEqual(200, answer.status_code)
        found = answer.json["resource_property"]
        self.assertEqual(("rack", "physical:host", True), (
            found["property_name"], found["resource_type"], found["private"]
        ))  # fmt: skip
        self.assertEqual({"id", "resource_type", "property_name", "private", "created_at",
                          "updated_at"}, set(found))  # fmt: skip

    def test_a_broken_request_is_refused(self) -> None:
        path = "/v1/os-hosts/properties/rack"
        answer = self.call("PATCH", path, {}, base.ADMIN)
        self.assert_refused(400, "Missing parameter private", answer)
        answer = self.call("PATCH", path, {"private": "yes"}, base.ADMIN)
        self.assert_refused(400, "private must be true or false, not 'yes'", answer)

    def test_an_unknown_name_is_404(self) -> None:
        for name in ("unheard-of", "x" * 65, "%00"):
            answer = self.call(
                "PATCH", f"/v1/os-hosts/properties/{name}", {"private": True}, base.ADMIN
            )
            self.assertEqual(404, answer.status_code)
