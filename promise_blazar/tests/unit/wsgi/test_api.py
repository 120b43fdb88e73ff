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


class TestApplication(base.TestCase):
    def test_it_serves_what_the_configuration_directory_says(self) -> None:
        directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (directory / "promise-blazar.conf").write_text(SETTINGS.format(directory))
        drop_ins = directory / "promise-blazar.conf.d"
        drop_ins.mkdir()
        (drop_ins / "10-limits.conf").write_text("[api]\nmax_reservations_per_lease = 7\n")
        run = subprocess.run(
            [sys.executable, "-c", SERVER],
            env=os.environ | {"OS_PROMISE_BLAZAR_CONFIG_DIR": str(directory)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.assertEqual(0, run.returncode, run.stderr)
        # No manager is on the bus: that is 503, and no reason not to serve the rest.
        self.assertEqual([[300, 404, 503, 503], 7], json.loads(run.stdout.splitlines()[-1]))


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
