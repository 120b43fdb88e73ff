# SPDX-License-Identifier: Apache-2.0
"""An application on a fake manager, and how tests speak to it."""

from typing import Any

import flask
from oslo_config import cfg
from werkzeug.test import Client, TestResponse

from promise_blazar.api.http.application import create_app
from promise_blazar.conf import api as options
from promise_blazar.tests import base
from promise_blazar.tests.fakes import ManualClock
from promise_blazar.tests.unit.api.fake_manager import FakeCloud, FakeManager

ALICE = "alice:demo"
ADMIN = "admin:operators"

LEASE: dict[str, Any] = {
    "name": "spring",
    "start_date": "2030-02-01 10:00",
    "end_date": "2030-02-01 12:00",
    "before_end_date": None,
    "reservations": [
        {
            "resource_type": "physical:host",
            "min": 1,
            "max": 2,
            "hypervisor_properties": "",
            "resource_properties": '["==", "$gpu", "True"]',
        }
    ],
    "events": [],
}

QUESTION: dict[str, Any] = {
    "reservations": [{"resource_type": "physical:host", "min": 1, "max": 1}],
    "duration": 3600,
}
ADJUSTMENT: dict[str, Any] = {"resources": {"VCPU": -8}, "end": "2030-02-01 12:00"}


class ApiTestCase(base.TestCase):
    """``self.call(method, path)`` as alice of the project demo, unless told otherwise."""

    auth_strategy = "noauth"

    def setUp(self) -> None:
        super().setUp()
        self.conf = cfg.ConfigOpts()
        options.register_opts(self.conf)
        self.conf.set_override("auth_strategy", self.auth_strategy, "api")
        self.conf([], project="promise-blazar", default_config_files=[], default_config_dirs=[])
        self.manager = FakeManager()
        self.cloud = FakeCloud()
        self.groups = self.cloud.server_groups
        self.make_application()

    def make_application(self) -> None:
        """Again, for a configuration that has changed."""
        self.application = create_app(
            self.conf, self.manager, self.cloud, ManualClock(), self.extensions()
        )
        self.client = Client(self.application)

    def extensions(self) -> list[flask.Blueprint]:
        return []

    def call(
        self,
        method: str,
        path: str,
        json: Any = None,
        token: str | None = ALICE,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> TestResponse:
        sent = dict(headers or {})
        if token is not None:
            sent["X-Auth-Token"] = token
        if json is not None:
            more["json"] = json
        return self.client.open(path, method=method, headers=sent, **more)

    def lease(self, token: str = ALICE, **changes: Any) -> dict[str, Any]:
        answer = self.call("POST", "/v1/leases", LEASE | changes, token)
        self.assertEqual(201, answer.status_code, answer.text)
        return answer.json["lease"]

    def host(self, name: str = "compute-1", **extras: Any) -> dict[str, Any]:
        answer = self.call("POST", "/v1/os-hosts", {"name": name, **extras}, ADMIN)
        self.assertEqual(201, answer.status_code, answer.text)
        return answer.json["host"]

    def adjustment(self, **changes: Any) -> dict[str, Any]:
        answer = self.call("POST", "/v1/capacity/adjustments", ADJUSTMENT | changes, ADMIN)
        self.assertEqual(201, answer.status_code, answer.text)
        return answer.json

    def assert_refused(self, status: int, message: str, answer: TestResponse) -> None:
        self.assertEqual((status, message), (answer.status_code, answer.json["error_message"]))
        self.assertEqual(status, answer.json["error_code"])
        self.assertEqual(status, answer.json["error_name"])
