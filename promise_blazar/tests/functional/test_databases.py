# SPDX-License-Identifier: Apache-2.0
"""Are the databases that tests get fresh, filled as asked, and gone afterwards?"""

import sqlalchemy
from sqlalchemy import exc, pool

from promise_blazar.tests import base, databases

FILL = (
    "CREATE TABLE shelves (id INTEGER PRIMARY KEY, label VARCHAR(20) DEFAULT '50%')",
    "CREATE TABLE books (id INTEGER PRIMARY KEY, shelf INTEGER NOT NULL REFERENCES shelves(id))",
    "INSERT INTO shelves (id) VALUES (7)",
    "INSERT INTO books (id, shelf) VALUES (1, 7)",
)


def run(url, *statements):
    """The first column of what the last statement answers, if it answers."""
    engine = sqlalchemy.create_engine(url, poolclass=pool.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            # As written: no % in it is a place to fill in.
            result = connection.exec_driver_sql(
                statement, execution_options={"no_parameters": True}
            )
        return result.scalars().all() if result.returns_rows else None


@databases.on_each_database
class TestFreshDatabase(base.DatabaseTestCase):
    prepare = staticmethod(lambda url: run(url, *FILL))

    def test_is_filled(self):
        self.assertEqual(["50%"], run(self.url, "SELECT label FROM shelves"))
        self.assertEqual([7], run(self.url, "SELECT shelf FROM books"))

    def test_keeps_nothing_of_another(self):
        run(self.url, "DELETE FROM books")
        with databases.fresh_database(self.database, self.prepare) as url:
            self.assertEqual([1], run(url, "SELECT id FROM books"))
        self.assertEqual([], run(self.url, "SELECT id FROM books"))

    def test_unprepared_is_empty(self):
        with databases.fresh_database(self.database) as url:
            names = sqlalchemy.inspect(sqlalchemy.create_engine(url)).get_table_names()
        self.assertEqual([], names)

    def test_is_gone_afterwards(self):
        with databases.fresh_database(self.database, self.prepare) as url:
            pass
        self.assertRaises(exc.OperationalError, run, url, "SELECT id FROM books")

    def test_runs_on_the_database_that_it_says(self):
        dialects = {"sqlite": "sqlite", "postgresql": "postgresql", "mariadb": "mysql"}
        dialect = sqlalchemy.make_url(self.url).get_backend_name()
        self.assertEqual(dialects[self.database], dialect)
        self.assertTrue(self.id().split(".")[-2].endswith(f"_{self.database}"))
