# SPDX-License-Identifier: Apache-2.0
"""The application as a WSGI server finds it. In a process of its own: it has one configuration."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

from promise_blazar.tests import base

SERVER = """
import json
from werkzeug.test import Client
from promise_blazar.wsgi.api import application

client = Client(application)
answers = [
    client.get(path, headers={"X-Auth-Token": "alice:demo"}).status_code
    for path in ("/", "/v1/nothing", "/v1/leases", "/healthcheck")
]
from oslo_config import cfg
print(json.dumps([answers, cfg.CONF.api.max_reservations_per_lease]))
"""


#: Whose application cannot be made.
BROKEN = """
from werkzeug.test import Client
from promise_blazar.wsgi.api import application

for _ in range(2):
    try:
        Client(application).get("/")
    except Exception as error:
        print(error)
"""


class TestApplication(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        settings = SETTINGS.format(self.directory)
        (self.directory / "promise-blazar.conf").write_text(settings)
        self.drop_ins = self.directory / "promise-blazar.conf.d"
        self.drop_ins.mkdir()

    def serve(self, program: str) -> list[str]:
        run = subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"OS_PROMISE_BLAZAR_CONFIG_DIR": str(self.directory)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.assertEqual(0, run.returncode, run.stderr)
        self.log = run.stderr
        return run.stdout.splitlines()

    def test_it_serves_what_the_configuration_directory_says(self) -> None:
        (self.drop_ins / "10-limits.conf").write_text("[api]\nmax_reservations_per_lease = 7\n")
        # No manager is on the bus: that is 503, and no reason not to serve the rest.
        self.assertEqual([[300, 404, 503, 503], 7], json.loads(self.serve(SERVER)[-1]))

    def test_g5_options_without_effect_are_named_when_it_begins(self) -> None:
        settings = "[enforcement]\nmax_lease_duration = 3600\n"
        (self.drop_ins / "10-limits.conf").write_text(settings)
        self.serve(SERVER)
        self.assertIn("[enforcement] max_lease_duration has no effect", self.log)

    def test_each_request_is_told_what_is_wrong_with_the_configuration(self) -> None:
        settings = "[database]\nconnection = sqlite://\n[manager]\nplugins = virtual.pony\n"
        (self.drop_ins / "10-plugins.conf").write_text(settings)
        self.assertEqual(["no such plugins: virtual.pony"] * 2, self.serve(BROKEN))

    def test_what_ends_a_command_ends_no_server(self) -> None:
        settings = "[database]\nconnection = sqlite://\nslave_connection = sqlite://\n"
        (self.drop_ins / "10-database.conf").write_text(settings)
        first, second = self.serve(BROKEN)
        self.assertIn("slave_connection", first)
        self.assertEqual(first, second)


SETTINGS = """
[DEFAULT]
transport_url = fake:/
rpc_response_timeout = 1
[api]
auth_strategy = noauth
[cloud]
driver = simulated
simulated_state = {}/cloud.sqlite
"""
