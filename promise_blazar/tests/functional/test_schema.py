# SPDX-License-Identifier: Apache-2.0
"""The schema that migrations make, compared with the tables that the code reads."""

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from promise_blazar.db import migrate
from promise_blazar.db.session import Database
from promise_blazar.db.tables import Base
from promise_blazar.tests import base, databases
from promise_blazar.tests.functional.base import sync


@databases.on_each_database
class TestSchema(base.DatabaseTestCase):
    prepare = staticmethod(sync)

    def test_the_migrations_make_the_tables_of_the_code(self):
        database = Database(self.url)
        self.addCleanup(database.dispose)
        with database.reader() as connection:
            context = MigrationContext.configure(connection)
            self.assertEqual([], compare_metadata(context, Base.metadata))

    def test_a_migration_that_was_cut_off_can_be_run_again(self):
        database = Database(self.url)
        self.addCleanup(database.dispose)
        with database.writer() as connection:
            # As MariaDB leaves it, which commits each change by itself.
            connection.exec_driver_sql("ALTER TABLE managers DROP COLUMN resource_types")
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
        migrate.sync(database)
        with database.reader() as connection:
            context = MigrationContext.configure(connection)
            self.assertEqual([], compare_metadata(context, Base.metadata))

    def test_so_can_that_of_adjustments_wherever_it_was(self):
        tables = ("affected_reservations", "adjustment_projects", "adjustment_amounts")
        database = Database(self.url)
        self.addCleanup(database.dispose)
        for gone in ((), tables[:1], tables[:2], tables, (*tables, "adjustments")):
            with database.writer() as connection:
                for table in gone:
                    connection.exec_driver_sql(f"DROP TABLE {table}")
                connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0003'")
            migrate.sync(database)
            with database.reader() as connection:
                context = MigrationContext.configure(connection)
                self.assertEqual([], compare_metadata(context, Base.metadata), gone)
