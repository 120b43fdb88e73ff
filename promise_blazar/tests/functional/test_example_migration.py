# SPDX-License-Identifier: Apache-2.0
"""The example of a migration: it runs under the release before it, which goes on."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from promise_blazar.db import migrate, migrations
from promise_blazar.db.session import Database
from promise_blazar.tests import databases, examples
from promise_blazar.tests.functional.base import HOST, ServiceTestCase
from promise_blazar.tests.functional.concurrency import audit

#: Where the next release would have its revisions: those of this one, and the example.
LOCATIONS = (migrations, examples)


@databases.on_each_database
class TestMigration(ServiceTestCase):
    def setUp(self):
        super().setUp()
        self.next_release = Database(self.url)
        self.addCleanup(self.next_release.dispose)

    def sync(self):
        """What ``db sync`` of the next release does."""
        config = Config()
        config.set_main_option("script_location", "promise_blazar.db:migrations")
        config.set_main_option("path_separator", "newline")
        folders = (Path(each.__file__).parent / "versions" for each in LOCATIONS)
        config.set_main_option("version_locations", "\n".join(map(str, folders)))
        with self.next_release.writer() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def columns(self):
        """Whether NULL is allowed, by table and column."""
        with self.next_release.reader() as connection:
            there = sa.inspect(connection)
            return {
                (table, column["name"]): column["nullable"]
                for table in there.get_table_names()
                for column in there.get_columns(table)
            }

    def test_it_only_adds_what_may_be_left_out(self):
        before = self.columns()
        self.sync()
        after = self.columns()
        self.assertLessEqual(before.items(), after.items())
        self.assertEqual(
            {("leases", "purpose"): True}, {k: v for k, v in after.items() if k not in before}
        )

    def test_the_release_before_goes_on_with_its_leases(self):
        old = self.lease(HOST, start=self.minute(5), end=60)
        self.sync()
        new = self.lease(HOST, start=self.minute(5), end=60)
        self.updated(old, name="renamed")
        self.pass_time(5 * 60)
        self.assertEqual(["ACTIVE"] * 2, [self.show(each)["status"] for each in (old, new)])
        self.pass_time(55 * 60)
        self.assertEqual(["TERMINATED"] * 2, [self.show(each)["status"] for each in (old, new)])
        self.assertEqual([None] * 2, [row["purpose"] for row in audit.rows(self.url, "leases")])
        self.assertEqual([], audit.faults(self.url))

    def test_it_may_be_run_again(self):
        self.sync()
        after = self.columns()
        self.sync()
        self.assertEqual(after, self.columns())

    def test_the_release_before_keeps_its_own_newest_revision(self):
        newest = migrate.latest()
        self.sync()
        self.assertEqual("9999", migrate.version(self.next_release))
        self.assertEqual(newest, migrate.latest())
