# SPDX-License-Identifier: Apache-2.0
"""A standalone service goes on, after an upgrade, on the directory of an earlier release."""

import contextlib
import sqlite3

from promise_blazar.model.reason import UNTOLD
from promise_blazar.tests.functional.base import INSTANCE
from promise_blazar.tests.functional.test_commands import CommandTestCase
from promise_blazar.tests.upgrade import dumps

#: So that the manager that was killed is found dead soon.
QUICK = (
    "[manager]\nheartbeat_interval = 0.1\nownership_seconds = 0.5\n"
    "[openstack]\ncall_timeout = 0.2\n"
)


class TestStandalone(CommandTestCase):
    def setUp(self):
        super().setUp()
        self.state = self.directory / "state"
        self.state.mkdir()
        dumps.load(f"sqlite:///{self.state / 'promise-blazar.sqlite'}")
        self.cloud = self.state / "simulated-cloud.sqlite"
        dumps.load_cloud(self.cloud)
        self.words = ("--bind=127.0.0.1:0", f"--state-dir={self.state}", self.configured(QUICK))

    def test_it_goes_on_where_the_first_release_was(self):
        process = self.start("promise-blazar-standalone", *self.words)
        url = process.stdout.readline().split()[-1]
        # The dump's now is years ahead: nothing of it is due, and there is room today.
        for path in ("/v1/leases", "/v1/os-hosts"):
            shown = dumps.manifest().shown[path]
            for lease in shown.get("leases", ()):
                # What that release said to everybody was in the words of operators.
                lease["status_reason"] = lease["status_reason"] and UNTOLD
            self.assertEqual((200, shown), self.request(url + path, "admin:admin"), path)
        body = {
            "name": "new",
            "start_date": "now",
            "end_date": "2029-01-01 00:00",
            "reservations": [INSTANCE],
        }
        status, made = self.request(f"{url}/v1/leases", "alice:demo", "POST", body)
        self.assertEqual(201, status, made)
        lease = f"{url}/v1/leases/{made['lease']['id']}"
        self.eventually(
            lambda: self.request(lease, "alice:demo")[1]["lease"]["status"] == "ACTIVE"
        )
        process.terminate()
        self.assertEqual(0, process.wait(60))

    def test_a_cloud_of_a_later_release_is_refused_in_one_line(self):
        with contextlib.closing(sqlite3.connect(self.cloud)) as db:
            db.execute("PRAGMA user_version = 7")
        refused = self.run_command("promise-blazar-standalone", *self.words)
        self.assertEqual(1, refused.returncode)
        self.assertIn("of layout 7", refused.stderr.splitlines()[-1])
        self.assertNotIn("Traceback", refused.stderr)
