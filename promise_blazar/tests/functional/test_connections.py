# SPDX-License-Identifier: Apache-2.0
"""Connections to the database: as many as were asked for, and heartbeats' own."""

import contextlib
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from oslo_config import cfg

from promise_blazar import exceptions
from promise_blazar.cloud.simulated import SimulatedCloud
from promise_blazar.conf import opts
from promise_blazar.conf.database import engine_options
from promise_blazar.db.session import Database
from promise_blazar.manager import composition
from promise_blazar.tests import base, databases
from promise_blazar.tests.fakes import ManualClock
from promise_blazar.tests.functional.base import configuration, sync

#: The least that there can be.
ONE = {"max_pool_size": 1, "max_overflow": 0, "pool_timeout": 1}
#: Seconds after which those who hold a connection give it back; nobody should wait so long.
LONG = 10


@databases.on_each_database
class TestConnections(base.DatabaseTestCase):
    prepare = staticmethod(sync)

    def opened(self, **options):
        database = Database(self.url, engine=options)
        self.addCleanup(database.dispose)
        return database

    def test_d9_there_are_as_many_connections_as_were_asked_for(self):
        database = self.opened(**ONE)
        database.ping()
        with database.reader():
            # SQLite has no pool: a connection is a file.
            if self.database == "sqlite":
                database.ping()
            else:
                self.assertRaises(exceptions.Unavailable, database.ping)
        database.ping()

    def test_a4_heartbeats_go_on_when_all_connections_are_busy(self):
        database = self.opened(**ONE)
        directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        clock = ManualClock()
        cloud = SimulatedCloud(directory / "cloud.sqlite", 1, clock)
        self.addCleanup(cloud.close)
        manager = composition.manager(configuration(), database, cloud, clock)
        heartbeat = manager.heartbeat
        self.addCleanup(heartbeat.stop)
        heartbeat.register()
        before = heartbeat.id
        with contextlib.ExitStack() as stack:
            stack.enter_context(database.reader())
            for _ in range(8):
                clock.advance(1)
                heartbeat.beat()
            self.assertTrue(heartbeat.able())
        self.assertEqual(before, heartbeat.id)

    def test_a4_heartbeats_may_be_days_apart(self):
        """PostgreSQL's library refused so long a time of a connection, and no manager began."""
        database = self.opened().apart(100_000)
        self.addCleanup(database.dispose)
        database.ping()

    def test_a4_a_heartbeat_waits_for_nobody_for_long(self):
        apart = self.opened().apart(1)
        self.addCleanup(apart.dispose)
        held, done = threading.Barrier(3), threading.Event()

        def hold():
            with apart.reader():
                held.wait(LONG)
                done.wait(LONG)

        with ThreadPoolExecutor(2) as pool:
            holding = [pool.submit(hold) for _ in range(2)]
            held.wait(LONG)
            if self.database == "sqlite":
                apart.ping()
            else:
                self.assertRaises(exceptions.Unavailable, apart.ping)
            done.set()
        self.assertEqual([None, None], [each.result() for each in holding])


class TestOptions(base.TestCase):
    def read(self, *lines):
        file = Path(self.enterContext(tempfile.TemporaryDirectory())) / "file.conf"
        file.write_text("\n".join(["[database]", *lines]))
        conf = cfg.ConfigOpts()
        opts.register(conf)
        conf([f"--config-file={file}"], project="promise-blazar")
        return engine_options(conf)

    def test_d9_what_is_set_is_handed_on(self):
        found = self.read(
            "connection = sqlite://",
            "connection_recycle_time = 10",
            "max_pool_size = 5",
            "max_overflow = 50",
            "max_retries = -1",
            "pool_timeout = 7",
        )
        expected = {
            "connection_recycle_time": 10,
            "max_pool_size": 5,
            "max_overflow": 50,
            "max_retries": -1,
            "pool_timeout": 7,
        }
        self.assertEqual(expected, found)

    def test_d9_what_is_not_set_is_as_we_have_it(self):
        self.assertEqual({}, self.read("connection = sqlite://"))
        self.assertEqual({}, self.read("backend = sqlalchemy", "use_db_reconnect = false"))

    def test_d9_what_would_have_no_effect_is_refused_by_name(self):
        lines = ("slave_connection = sqlite://", "use_db_reconnect = true", "db_max_retries = 3")
        error = self.assertRaises(SystemExit, self.read, *lines)
        for line in lines:
            self.assertIn(line.partition(" ")[0], str(error))

    def test_d9_every_option_is_honoured_or_refused(self):
        from promise_blazar.conf import database

        conf = configuration()
        known = {*database._HONOURED, *database._REFUSED, "connection"}  # noqa: SLF001
        self.assertEqual(set(conf.database), known & set(conf.database))
