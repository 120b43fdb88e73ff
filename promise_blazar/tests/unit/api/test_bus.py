# SPDX-License-Identifier: Apache-2.0
"""What of a request crosses the bus: who asks, and for what, but nothing that opens doors."""

import json
from typing import Any

from keystoneauth1 import fixture
from keystonemiddleware import fixture as keystone_fixture

from promise_blazar.clock import SystemClock
from promise_blazar.manager.rpc import versions, wire
from promise_blazar.manager.rpc.client import _Remote
from promise_blazar.manager.rpc.server import _endpoint
from promise_blazar.tests.unit.api import base
from promise_blazar.tests.unit.api.fake_manager import FakeManager

TOKEN = "hush-hush"
ENDPOINT = "http://reservation.example.net"


class Bus:
    """In place of oslo.messaging: hands calls over at once, and keeps what it was given."""

    def __init__(self, manager: FakeManager) -> None:
        self.sent: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
        self._endpoints = {name: _endpoint(name, manager) for name in wire.ENDPOINTS}

    def prepare(self, namespace: str, **target: Any) -> "Line":
        return Line(self, self._endpoints[namespace])


class Line:
    def __init__(self, bus: Bus, endpoint: object) -> None:
        self._bus = bus
        self._endpoint = endpoint

    def call(self, ctxt: dict[str, Any], method: str, **arguments: Any) -> Any:
        self._bus.sent.append((method, ctxt, arguments))
        return getattr(self._endpoint, method)(ctxt, **arguments)


class TestBus(base.ApiTestCase):
    auth_strategy = "keystone"

    def setUp(self) -> None:
        super().setUp()
        self.manager.rpc_version = versions.VERSION
        self.bus = Bus(self.manager)
        self.manager = _Remote(self.bus, SystemClock())
        url = "http://127.0.0.1:1/identity"
        self.conf.set_override("www_authenticate_uri", url, "keystone_authtoken")
        token = fixture.V3Token(user_id="alice", project_id="demo")
        token.add_role(name="admin")
        token.add_service("reservation").add_endpoint("public", ENDPOINT)
        self.useFixture(keystone_fixture.AuthTokenFixture()).add_token(token, TOKEN)
        self.make_application()

    def ask(self, method: str, path: str, json: Any = None) -> Any:
        answer = self.call(method, path, json, TOKEN)
        self.assertLess(answer.status_code, 300, answer.text)
        return answer.json

    def test_d40_neither_token_nor_catalog_crosses_it(self) -> None:
        apart = {"resource_type": "virtual:instance", "amount": 2, "affinity": "False"}
        lease = self.ask("POST", "/v1/leases", base.LEASE | {"reservations": [apart]})["lease"]
        self.ask("GET", "/v1/leases")
        self.ask("GET", "/v1/leases?limit=1")
        self.ask("GET", f"/v1/leases/{lease['id']}")
        self.ask("PUT", f"/v1/leases/{lease['id']}", {"name": "autumn"})
        self.ask("DELETE", f"/v1/leases/{lease['id']}")
        self.ask("POST", "/v1/os-hosts", {"name": "compute-1", "gpu": "True"})
        for path in ("", "/1", "/allocations", "/properties"):
            self.ask("GET", f"/v1/os-hosts{path}")
        self.ask("PUT", "/v1/os-hosts/1", {"gpu": "False"})
        self.ask("PATCH", "/v1/os-hosts/properties/gpu", {"private": True})
        self.ask("DELETE", "/v1/os-hosts/1")

        asked = [message for message in self.bus.sent if message[0] != "health"]
        self.assertEqual(
            {*wire.ENDPOINTS["leases"], *wire.ENDPOINTS["hosts"]}, {name for name, *_ in asked}
        )
        for name, context, _ in asked:
            self.assertEqual(
                {
                    "user_id",
                    "project_id",
                    "request_id",
                    "global_request_id",
                    "is_admin",
                    "seconds_left",
                },
                set(context),
                name,
            )
        text = json.dumps(asked)
        self.assertIn("alice", text)
        self.assertNotIn(TOKEN, text)
        self.assertNotIn(ENDPOINT, text)
