# SPDX-License-Identifier: Apache-2.0
"""Which databases does a test run on, and where does it get a fresh one?

SQLite always; PostgreSQL and MariaDB when the run was given a server (``tools/test`` starts
them; by hand, set ``PROMISE_BLAZAR_TEST_POSTGRESQL`` or ``PROMISE_BLAZAR_TEST_MARIADB`` to an
administrator's SQLAlchemy URL). For a server that is not there no test is made, so none is
skipped::

    @databases.on_each_database
    class TestLedger(base.DatabaseTestCase):
        prepare = staticmethod(migrations.sync)

        def test_it(self):
            engine = sqlalchemy.create_engine(self.url)
"""

import atexit
import contextlib
import functools
import os
import sqlite3
import sys
import tempfile
import unittest
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import sqlalchemy
from sqlalchemy import pool

from promise_blazar.tests import servers

#: The databases of this run.
DATABASES = (
    "sqlite",
    *(name for name in servers.VARIABLES if os.environ.get(servers.VARIABLES[name])),
)

#: Fills an empty database: takes its URL, closes its connections.
Prepare = Callable[[str], object]

#: As the process found it: during a test, oslotest's is gone with the test.
_DIRECTORY = tempfile.gettempdir()
_templates = contextlib.ExitStack()
_owner = os.getpid()


@atexit.register
def _drop_templates() -> None:
    if os.getpid() == _owner:  # and not a process that a test forked
        _templates.close()


def on_each_database(case: type[unittest.TestCase]) -> None:
    """Put a copy of the class per database into its module: ``TestX_sqlite``, ...

    Each has its database's name as ``database``. The decorated name itself becomes None, so
    that a loader finds the copies alone; do not inherit from it.
    """
    module = sys.modules[case.__module__]
    for name in DATABASES:
        title = f"{case.__name__}_{name}"
        members = {"database": name, "__module__": case.__module__, "__doc__": case.__doc__}
        setattr(module, title, type(title, (case,), members))


@contextlib.contextmanager
def fresh_database(name: str, prepare: Prepare | None = None) -> Iterator[str]:
    """The SQLAlchemy URL of a database of its own, dropped after the block.

    ``prepare`` is run once a process, into a template that later databases are copied from.
    """
    with contextlib.ExitStack() as stack:
        if prepare is None:
            yield stack.enter_context(_KINDS[name].empty())
        else:
            template = _template(name, prepare)
            yield stack.enter_context(_KINDS[name].copy(template))


@functools.cache
def _template(name: str, prepare: Prepare) -> str:
    url = _templates.enter_context(_KINDS[name].empty())
    prepare(url)
    return url


class _SQLite:
    @staticmethod
    @contextlib.contextmanager
    def empty() -> Iterator[str]:
        with tempfile.TemporaryDirectory(
            dir=_DIRECTORY, prefix="promise-blazar-test-"
        ) as directory:
            yield f"sqlite:///{directory}/database.sqlite"

    @classmethod
    @contextlib.contextmanager
    def copy(cls, template: str) -> Iterator[str]:
        with cls.empty() as url:
            # Not a copy of the file: part of it may still be in the write-ahead log.
            with (
                contextlib.closing(sqlite3.connect(_path(template))) as source,
                contextlib.closing(sqlite3.connect(_path(url))) as target,
            ):
                source.backup(target)
            yield url


def _path(url: str) -> Path:
    return Path(sqlalchemy.make_url(url).database)


class _Server:
    def __init__(self, name: str) -> None:
        self._variable = servers.VARIABLES[name]

    @contextlib.contextmanager
    def empty(self, options: str = "") -> Iterator[str]:
        # Short, and never one that another run on the same server has chosen.
        name = f"test_{uuid.uuid4().hex}"
        self._run(f"CREATE DATABASE {name} {options}")
        try:
            yield self._url(name)
        finally:
            self._run(f"DROP DATABASE {name} {self.drop_options}")

    @functools.cached_property
    def _admin(self) -> sqlalchemy.Engine:
        # No pool: an idle connection would be counted against the server's limit.
        return sqlalchemy.create_engine(
            os.environ[self._variable],
            poolclass=pool.NullPool,
            isolation_level="AUTOCOMMIT",
            # Else a % in a replayed statement would be taken for a place to fill in.
            execution_options={"no_parameters": True},
        )

    def _url(self, name: str) -> str:
        return self._admin.url.set(database=name).render_as_string(hide_password=False)

    def _run(self, *statements: str) -> None:
        with self._admin.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    drop_options = ""


class _PostgreSQL(_Server):
    drop_options = "WITH (FORCE)"

    def copy(self, template: str) -> contextlib.AbstractContextManager[str]:
        return self.empty(f"TEMPLATE {sqlalchemy.make_url(template).database}")


class _MariaDB(_Server):
    @contextlib.contextmanager
    def copy(self, template: str) -> Iterator[str]:
        source = sqlalchemy.make_url(template).database
        with self.empty() as url:
            target = sqlalchemy.make_url(url).database
            # It has no templates; replaying what the tables are is quicker than migrating.
            self._run(f"USE {target}", "SET foreign_key_checks = 0", *self._replay(source))
            yield url

    @functools.cache  # noqa: B019 - there is one object a process
    def _replay(self, source: str) -> tuple[str, ...]:
        statements = []
        with self._admin.connect() as connection:
            for table in sqlalchemy.inspect(connection).get_table_names(schema=source):
                shape = connection.exec_driver_sql(f"SHOW CREATE TABLE {source}.`{table}`")
                statements.append(shape.one()[1])
                statements.append(f"INSERT INTO `{table}` SELECT * FROM {source}.`{table}`")
        return tuple(statements)


_KINDS = {
    "sqlite": _SQLite(),
    "postgresql": _PostgreSQL("postgresql"),
    "mariadb": _MariaDB("mariadb"),
}
