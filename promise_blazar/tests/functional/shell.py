# SPDX-License-Identifier: Apache-2.0
"""A standalone service, and the ``openstack`` command to talk to it with."""

import contextlib
import json
import os
import subprocess
import tempfile
import urllib.request
from pathlib import Path

from promise_blazar.tests.functional.reader import Shell
from promise_blazar.tests.functional.test_commands import BIN, PATIENCE, CommandTestCase

#: What the plugin of Blazar's own client says of itself, at every start.
BLAZARS = "Could not load 'reservation_host_unset'"
ADMIN, ALICE = "admin:admin", "alice:demo"
#: The program that is installed, where the one that is loaded already is not enough.
INSTALLED = BIN / "openstack"


@contextlib.contextmanager
def standalone(directory, hosts):
    """A service on a free port; its address."""
    with (
        open(directory / "standalone.log", "w") as log,
        subprocess.Popen(
            [
                BIN / "promise-blazar-standalone",
                "--bind=127.0.0.1:0",
                f"--state-dir={directory / 'state'}",
                f"--simulated-hosts={hosts}",
            ],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.kill()


class ShellTestCase(CommandTestCase):
    """Tests that share a service, of some hosts, all of them lent. Each gives back what it took.

    It takes seconds to start one, and as many to load the ``openstack`` command.
    """

    hosts = 4

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        directory = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.url = cls.enterClassContext(standalone(directory, cls.hosts))
        cls.loaded = directory / ".venv" / "bin" / "openstack"
        shell = Shell(directory)
        cls.addClassCleanup(shell.close)
        for number in range(1, cls.hosts + 1):
            cls.ask("POST", "/v1/os-hosts", {"name": f"compute-{number}"})

    def tearDown(self):
        for lease in self.ask("GET", "/v1/leases")["leases"]:
            self.ask("DELETE", f"/v1/leases/{lease['id']}")
        adjustments = self.ask("GET", "/v1/capacity/adjustments")["adjustments"]
        for each in reversed(adjustments):  # what was set apart goes before its source
            self.ask("DELETE", f"/v1/capacity/adjustments/{each['id']}?force=true")
        super().tearDown()

    @classmethod
    def ask(cls, verb, path, body=None):
        """What the service answers an administrator over REST."""
        request = urllib.request.Request(
            cls.url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Auth-Token": ADMIN, "Content-Type": "application/json"},
            method=verb,
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.loads(answer.read() or "null")

    def openstack(self, token, *words, command=None, **environment):
        """The finished command, ``openstack reservation`` with these words."""
        access = {
            "OS_AUTH_TYPE": "admin_token",
            "OS_TOKEN": token,
            "OS_ENDPOINT": f"{self.url}/v1",
        }
        done = subprocess.run(
            [*(command or [self.loaded, "reservation"]), *words],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env=os.environ | access | environment,
        )
        lines = done.stderr.splitlines(keepends=True)
        done.stderr = "".join(line for line in lines if BLAZARS not in line)
        return done

    def said(self, token, *words, **environment):
        """What it prints when all is well."""
        done = self.openstack(token, *words, **environment)
        self.assertEqual((0, ""), (done.returncode, done.stderr), done.stdout)
        return done.stdout

    def told(self, token, *words):
        """The same as data."""
        return json.loads(self.said(token, *words, "-f", "json"))

    def refused(self, token, *words):
        """What it prints when it fails, and the line that says why."""
        done = self.openstack(token, *words)
        self.assertNotEqual(0, done.returncode, done)
        *usage, line = done.stderr.splitlines()
        self.assertTrue(not usage or usage[0].startswith("usage: "), done.stderr)
        return done.stdout, line
