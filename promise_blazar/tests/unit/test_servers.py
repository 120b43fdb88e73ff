# SPDX-License-Identifier: Apache-2.0
"""Does a test server that cannot start say so, and does none leave anything behind?"""

import os
import sys

from promise_blazar.tests import base, databases, servers


class Broken(servers.Server):
    """Prints why, and ends."""

    accounts = ("nobody",)

    def initialise(self, directory):
        self.run(directory, "/bin/sh", "-c", "touch initialised")

    def command(self, directory, port):
        return ["/bin/sh", "-c", "ls; echo no room on the disk; exit 1"]

    def url(self, port):
        return f"postgresql+psycopg://tests:secret@127.0.0.1:{port}/postgres"


class Unprepared(Broken):
    def initialise(self, directory):
        self.run(directory, "/bin/sh", "-c", "echo no locale; exit 3")


class TestServer(base.TestCase):
    def failure(self, kind):
        server = kind({})
        self.addCleanup(server.stop)
        failure = self.assertRaises(servers.ServerFailed, server.start)
        server.stop()
        self.assertFalse(server.directory.exists())
        return str(failure)

    def test_one_that_ends_at_once_is_told_with_its_log(self):
        said = self.failure(Broken)
        self.assertIn("no room on the disk", said)
        self.assertIn("initialised", said)

    def test_one_that_cannot_be_initialised_is_told_with_what_it_said(self):
        said = self.failure(Unprepared)
        self.assertIn("ended with 3", said)
        self.assertIn("no locale", said)

    def test_none_runs_as_root(self):
        server = Broken({})
        self.addCleanup(server.stop)
        self.assertRaises(servers.ServerFailed, server.start)
        self.assertNotEqual(0, os.stat(server.directory / "initialised").st_uid)


class TestOnEachDatabase(base.TestCase):
    def test_a_class_becomes_one_for_each_database(self):
        module = sys.modules[__name__]
        titles = {name: f"Example_{name}" for name in databases.DATABASES}
        for title in titles.values():
            self.addCleanup(delattr, module, title)

        @databases.on_each_database
        class Example(base.DatabaseTestCase):
            """What it is for."""

        self.assertIsNone(Example)
        for name, title in titles.items():
            copy = getattr(module, title)
            self.assertEqual((name, __name__), (copy.database, copy.__module__))
            self.assertEqual("What it is for.", copy.__doc__)
