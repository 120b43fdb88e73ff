# SPDX-License-Identifier: Apache-2.0
"""Schema of an earlier release: it becomes this one's, unless its managers still run."""

from unittest import mock

import sqlalchemy
from sqlalchemy import pool

from promise_blazar.cmd import schema
from promise_blazar.db import heartbeats, migrate
from promise_blazar.db.session import Database
from promise_blazar.model.manager import RULES, ManagerIdentity
from promise_blazar.tests import base, databases
from promise_blazar.tests.fakes import ManualClock
from promise_blazar.tests.functional.base import sync
from promise_blazar.tests.upgrade import dumps

#: As [manager] ownership_seconds.
SECONDS = 7.0


class SyncTestCase(base.DatabaseTestCase):
    prepare = staticmethod(dumps.load)

    def setUp(self):
        super().setUp()
        self.opened = Database(self.url)
        self.addCleanup(self.opened.dispose)
        #: What happens while heartbeats are watched, and how long they were.
        self.meanwhile = lambda: None
        self.waited = []

    def pause(self, seconds):
        self.waited.append(seconds)
        self.meanwhile()

    def sync(self):
        schema.sync(self.opened, SECONDS, self.pause)

    def sql(self, statement):
        engine = sqlalchemy.create_engine(self.url, poolclass=pool.NullPool)
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)

    def beat(self):
        self.sql("UPDATE managers SET beat = beat + 1")

    def tables(self):
        """The shape of everything there is, as the database tells it."""
        engine = sqlalchemy.create_engine(self.url, poolclass=pool.NullPool)
        found = sqlalchemy.MetaData()
        found.reflect(engine)
        inspector = sqlalchemy.inspect(engine)
        return {
            name: {
                "columns": [
                    (c["name"], repr(c["type"]), c["nullable"], c["default"])
                    for c in inspector.get_columns(name)
                ],
                "key": inspector.get_pk_constraint(name),
                "indexes": sorted(inspector.get_indexes(name), key=lambda each: each["name"]),
                "foreign": sorted(
                    inspector.get_foreign_keys(name), key=lambda each: each["constrained_columns"]
                ),
                "unique": sorted(
                    inspector.get_unique_constraints(name), key=lambda each: each["column_names"]
                ),
                "checks": inspector.get_check_constraints(name),
                "options": inspector.get_table_options(name),
            }
            for name in found.tables
        }


@databases.on_each_database
class TestSync(SyncTestCase):
    def test_the_first_release_s_schema_becomes_the_one_that_is_made_anew(self):
        self.sync()
        upgraded = self.tables()
        with databases.fresh_database(self.database, sync) as self.url:
            self.assertEqual(self.tables(), upgraded)

    def test_once_more_is_harmless(self):
        self.sync()
        rows = self.rows()
        self.sync()
        self.assertEqual(rows, self.rows())
        self.assertEqual([SECONDS], self.waited)

    def test_every_row_of_the_first_release_is_kept(self):
        before = self.rows()
        self.sync()
        after = self.rows()
        for lease in after["leases"]:
            # What that release told everybody was in the words of operators.
            lease["reason"], told = lease["operator_reason"], lease["reason"]
            self.assertEqual(lease["reason"] is None, told is None)
        for name, rows in before.items():
            if name != "alembic_version":
                kept = [{key: row[key] for key in rows[0]} for row in after[name] if rows]
                self.assertEqual(rows, kept, name)

    def rows(self):
        engine = sqlalchemy.create_engine(self.url, poolclass=pool.NullPool)
        found = sqlalchemy.MetaData()
        found.reflect(engine)
        with engine.connect() as connection:
            return {
                name: sorted(
                    map(dict, connection.execute(sqlalchemy.select(table)).mappings()), key=_key
                )
                for name, table in found.tables.items()
            }


def _key(row):
    """The first columns are the same before and after, and no two rows have the same."""
    return repr(list(row.values())[:2])


@databases.on_each_database
class TestManagersOfTheFirstRelease(SyncTestCase):
    def test_one_whose_heartbeat_moves_is_named_and_nothing_is_changed(self):
        self.meanwhile = self.beat
        refused = self.assertRaises(SystemExit, self.sync)
        (manager,) = dumps.manifest().managers
        self.assertIn(f"{manager} on controller-1", str(refused))
        self.assertIn("Stop them, and run this again", str(refused))
        self.assertEqual("0001", migrate.version(self.opened))
        self.assertEqual([SECONDS], self.waited)

    def test_so_is_one_that_begins_meanwhile(self):
        # As one that was taken for dead does, under a new id.
        self.meanwhile = lambda: self.sql("UPDATE managers SET id = 'a new one'")
        self.assertIn("a new one on", str(self.assertRaises(SystemExit, self.sync)))

    def test_one_that_was_killed_is_waited_for_once(self):
        self.sync()
        self.assertEqual(
            ([SECONDS], migrate.latest()), (self.waited, migrate.version(self.opened))
        )

    def test_nobody_is_waited_for_where_nobody_is(self):
        self.sql("DELETE FROM managers")
        self.sync()
        self.assertEqual(([], migrate.latest()), (self.waited, migrate.version(self.opened)))

    def test_a_schema_that_is_this_release_s_needs_nobody_to_stop(self):
        self.sync()
        self.meanwhile = self.beat
        self.sync()
        self.assertEqual([SECONDS], self.waited)


@databases.on_each_database
class TestManagersOfLaterReleases(SyncTestCase):
    prepare = staticmethod(sync)

    def setUp(self):
        super().setUp()
        # As if there were one more revision to come to.
        self.enterContext(mock.patch.object(migrate, "latest", return_value="9999"))
        self.meanwhile = self.beat
        identity = ManagerIdentity("controller-2", RULES, "1.0", frozenset())
        with self.opened.writer() as connection:
            heartbeats.register(connection, "late", identity, ManualClock().now())

    def test_they_may_go_on(self):
        self.sync()
        self.assertEqual([], self.waited)

    def test_unlike_one_of_the_first_release_beside_them(self):
        self.sql(
            "INSERT INTO managers (id, host, beat, started_at) SELECT 'early', host, beat, "
            "started_at FROM managers"
        )
        refused = str(self.assertRaises(SystemExit, self.sync))
        self.assertIn("early on controller-2", refused)
        self.assertNotIn("late", refused)


class TestAnEmptyDatabase(SyncTestCase):
    prepare = None

    def test_nobody_is_waited_for(self):
        self.sync()
        self.assertEqual(([], migrate.latest()), (self.waited, migrate.version(self.opened)))
