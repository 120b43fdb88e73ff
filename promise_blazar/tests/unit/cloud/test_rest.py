# SPDX-License-Identifier: Apache-2.0
"""The simulated cloud over HTTP, as its users and operators call it."""

from typing import Any

import flask
from werkzeug.test import TestResponse

from promise_blazar.api import simulated as rest
from promise_blazar.api.http import auth, errors
from promise_blazar.tests.unit.cloud.simulated_case import SimulatedCase

ALICE = "alice:demo"
ADMIN = "root:admin:admin"


class RestTest(SimulatedCase):
    def setUp(self) -> None:
        super().setUp()
        app = flask.Flask(__name__)
        auth.register(app, auth.Noauth())
        errors.register(app)
        app.register_blueprint(rest.blueprint(self.cloud))
        self.client = app.test_client()

    def call(self, method: str, path: str, json: Any = None, token: str = ALICE) -> TestResponse:
        return self.client.open(
            f"/simulated/{path}", method=method, json=json, headers={"X-Auth-Token": token}
        )

    def answer(self, status: int, *call: Any, **more: Any) -> Any:
        response = self.call(*call, **more)
        self.assertEqual(status, response.status_code, response.text)
        body = response.get_json(silent=True)
        if status >= 400:
            self.assertEqual(status, body["error_code"])
            self.assertTrue(body["error_message"])
        return body

    def boot(self, token: str = ALICE, **body: Any) -> dict[str, Any]:
        request = {"name": "s", "flavor": "m1.tiny", **body}
        server: dict[str, Any] = self.answer(202, "POST", "servers", request, token)["server"]
        return server

    def test_hosts(self) -> None:
        server = self.boot()
        self.cloud.aggregates.add_host(
            self.cloud.aggregates.ensure("freepool", None, {}).id, "compute-1"
        )
        hosts = self.answer(200, "GET", "hosts")["hosts"]
        self.assertEqual(
            {
                "name": "compute-1",
                "state": "up",
                "vcpus": 32,
                "memory_mb": 131072,
                "disk_gb": 2000,
                "aggregates": ["freepool"],
                "servers": [server["id"]],
            },
            hosts[0],
        )
        self.assertEqual(3, len(hosts))

    def test_flavors_are_those_of_the_project(self) -> None:
        private = self.make_flavor(a__b="c")
        seen = self.answer(200, "GET", "flavors")["flavors"]
        self.assertEqual(["m1.tiny", "m1.small", "m1.medium", "m1.large", private],
                         [flavor["name"] for flavor in seen])  # fmt: skip
        self.assertEqual(
            {
                "id": private,
                "name": private,
                "vcpus": 1,
                "ram": 512,
                "disk": 1,
                "extra_specs": {"a:b": "c"},
            },
            seen[-1],
        )
        for token, count in (("bob:other", 4), ("bob:other:admin", 5)):
            flavors = self.answer(200, "GET", "flavors", token=token)["flavors"]
            self.assertEqual(count, len(flavors))

    def test_a_server_from_its_start_to_its_end(self) -> None:
        server = self.boot(flavor="2", image="tiny", hints={})
        self.assertEqual(
            {
                "id": server["id"],
                "name": "s",
                "status": "ACTIVE",
                "host": "compute-1",
                "fault": None,
            },
            server,
        )
        path = f"servers/{server['id']}"
        self.assertEqual({"server": server}, self.answer(200, "GET", path))
        self.assertEqual({"servers": [server]}, self.answer(200, "GET", "servers"))
        self.answer(204, "DELETE", path)
        self.answer(404, "GET", path)
        self.answer(404, "DELETE", path)

    def test_a_server_without_a_host(self) -> None:
        server = self.boot(hints={"reservation": "unknown"})
        self.assertEqual(("ERROR", None), (server["status"], server["host"]))
        self.assertIn("No valid host was found. ", server["fault"])

    def test_projects_see_their_own_and_an_admin_all(self) -> None:
        server = self.boot()
        path = f"servers/{server['id']}"
        for method in ("GET", "DELETE"):
            self.answer(404, method, path, token="oscar:other")
        self.assertEqual([], self.answer(200, "GET", "servers", token="oscar:other")["servers"])
        seen = self.answer(200, "GET", "servers", token=ADMIN)["servers"]
        self.assertEqual([server], seen)
        self.answer(204, "DELETE", path, token=ADMIN)

    def test_only_an_admin_changes_hosts_and_faults(self) -> None:
        self.answer(403, "PUT", "hosts/compute-1", {"state": "down"})
        self.answer(403, "PUT", "faults", {})
        host = self.answer(200, "PUT", "hosts/compute-1", {"state": "down"}, ADMIN)["host"]
        self.assertEqual("down", host["state"])
        self.answer(404, "PUT", "hosts/compute-9", {"state": "down"}, ADMIN)
        self.assertFalse(self.cloud.hypervisors.get("compute-1").up)

    def test_faults_are_set_and_cleared(self) -> None:
        rule = {"call": "nova.server.list", "latency_ms": 5, "fail_next": 2, "status": 500}
        faults = self.answer(200, "PUT", "faults", rule, ADMIN)["faults"]
        self.assertEqual([{**rule, "after": False}], faults)
        faults = self.answer(200, "PUT", "faults", {"fail_next": 1, "status": None}, ADMIN)
        self.assertEqual(["*", "nova.server.list"], [rule["call"] for rule in faults["faults"]])
        self.assertEqual([], self.answer(200, "PUT", "faults", {}, ADMIN)["faults"])
        self.assertEqual([], self.cloud.list_faults())

    def test_bad_input(self) -> None:
        server = {"name": "s", "flavor": "m1.tiny"}
        for method, path, body in (
            ("POST", "servers", []),
            ("POST", "servers", {"name": "s"}),
            ("POST", "servers", {"flavor": "m1.tiny"}),
            ("POST", "servers", {**server, "name": ""}),
            ("POST", "servers", {**server, "name": "x" * 256}),
            ("POST", "servers", {**server, "flavor": 1}),
            ("POST", "servers", {**server, "flavor": "unknown"}),
            ("POST", "servers", {**server, "image": "unknown"}),
            ("POST", "servers", {**server, "image": None}),
            ("POST", "servers", {**server, "hints": []}),
            ("POST", "servers", {**server, "hints": {"group": "unknown"}}),
            ("POST", "servers", {**server, "other": 1}),
            ("PUT", "hosts/compute-1", {}),
            ("PUT", "hosts/compute-1", {"state": "away"}),
            ("PUT", "hosts/compute-1", {"state": None}),
            ("PUT", "faults", {"call": "unknown"}),
            ("PUT", "faults", {"call": 1}),
            ("PUT", "faults", {"fail_next": -1}),
            ("PUT", "faults", {"fail_next": 1.5}),
            ("PUT", "faults", {"fail_next": True}),
            ("PUT", "faults", {"latency_ms": "5"}),
            ("PUT", "faults", {"latency_ms": 10**9}),
            ("PUT", "faults", {"status": 503}),
            ("PUT", "faults", {"fail_next": 1, "status": 200}),
            ("PUT", "faults", {"fail_next": 1, "status": "503"}),
            ("PUT", "faults", {"after": 1}),
            ("PUT", "faults", {"fail": 1}),
        ):
            with self.subTest((path, body)):
                self.answer(400, method, path, body, ADMIN)
        self.answer(401, "GET", "hosts", token="")
        self.answer(404, "GET", "nothing")
        self.answer(405, "DELETE", "hosts")
        self.assertEqual(([], []), (self.cloud.list_servers(), self.cloud.list_faults()))
