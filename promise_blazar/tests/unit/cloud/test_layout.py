# SPDX-License-Identifier: Apache-2.0
"""The simulated cloud's file from one release to the next."""

import contextlib
import sqlite3
import threading
from pathlib import Path
from unittest import mock

from promise_blazar.cloud.simulated import SimulatedCloud, layout
from promise_blazar.tests.unit.cloud.simulated_case import SimulatedCase
from promise_blazar.tests.upgrade import dumps

#: Those that this release has.
STEPS = layout.STEPS
RACKS = ("ALTER TABLE hosts ADD COLUMN rack TEXT", "UPDATE hosts SET rack = 'r-' || number")
ROOMS = ("CREATE TABLE rooms (rack TEXT)", "INSERT INTO rooms SELECT rack FROM hosts")


class LayoutTest(SimulatedCase):
    def setUp(self) -> None:
        super().setUp()
        self.old = self.path.with_name("old.sqlite")
        dumps.load_cloud(self.old)

    def steps(self, *steps: tuple[str, ...]) -> None:
        """As a later release would have them."""
        self.enterContext(mock.patch.object(layout, "STEPS", (*STEPS, *steps)))

    def opened(self, path: Path) -> SimulatedCloud:
        cloud = SimulatedCloud(path, 24, self.clock)
        self.addCleanup(cloud.close)
        return cloud

    def ask(self, path: Path, question: str) -> list[tuple[object, ...]]:
        with contextlib.closing(sqlite3.connect(path)) as db:
            return db.execute(question).fetchall()

    def layout(self) -> object:
        return self.ask(self.old, "PRAGMA user_version")[0][0]

    def test_what_the_first_release_made_is_read_as_it_is(self) -> None:
        self.assertEqual(1, self.layout())
        cloud = self.opened(self.old)
        self.assertEqual(24, len(cloud.list_hosts()))
        self.assertNotEqual([], cloud.list_servers())
        self.assertEqual(1 + len(layout.STEPS), self.layout())

    def test_it_becomes_what_a_new_file_is_and_keeps_what_it_has(self) -> None:
        servers = self.opened(self.old).list_servers()
        self.steps(RACKS, ROOMS)
        self.assertEqual(servers, self.opened(self.old).list_servers())
        self.assertEqual(3 + len(STEPS), self.layout())
        new = self.path.with_name("new.sqlite")
        self.opened(new)
        tables = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
        self.assertEqual(self.ask(new, tables), self.ask(self.old, tables))
        racks = [(f"r-{number}",) for number in range(1, 25)]
        for path in (self.old, new):
            self.assertEqual(racks, self.ask(path, "SELECT rack FROM hosts ORDER BY number"))

    def test_a_step_that_breaks_off_leaves_the_file_at_a_whole_layout(self) -> None:
        self.steps(RACKS, ("CREATE TABLE rooms (rack TEXT)", "no SQL"))
        self.assertRaises(sqlite3.OperationalError, self.opened, self.old)
        self.assertEqual(2 + len(STEPS), self.layout())
        self.steps(RACKS, ROOMS)
        self.opened(self.old)
        self.assertEqual([(24,)], self.ask(self.old, "SELECT count(*) FROM rooms"))

    def test_of_several_that_start_together_one_takes_each_step(self) -> None:
        self.steps(RACKS, ROOMS)
        together, failed = threading.Barrier(4), []

        def start() -> None:
            together.wait()
            try:
                SimulatedCloud(self.old, 24, self.clock).close()
            except sqlite3.Error as error:
                failed.append(error)

        threads = [threading.Thread(target=start) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([], failed)
        self.assertEqual([(24,)], self.ask(self.old, "SELECT count(*) FROM rooms"))

    def test_a_file_of_a_later_release_is_refused_in_one_line(self) -> None:
        with contextlib.closing(sqlite3.connect(self.old)) as db:
            db.execute("PRAGMA user_version = 70")
        with self.assertRaisesRegex(
            layout.Unreadable, rf"layout 70.* up to {1 + len(STEPS)}: run the"
        ) as refused:
            self.opened(self.old)
        self.assertNotIn("\n", str(refused.exception))

    def test_so_is_a_file_of_something_else(self) -> None:
        with contextlib.closing(sqlite3.connect(self.path.with_name("else"))) as db:
            db.execute("CREATE TABLE hosts (name TEXT)")
        with self.assertRaisesRegex(layout.Unreadable, "no simulated cloud"):
            self.opened(self.path.with_name("else"))
