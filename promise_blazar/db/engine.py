# SPDX-License-Identifier: Apache-2.0
"""Connections and transactions: the one place where the three databases differ."""

import contextlib
from collections.abc import Iterator

from oslo_db import exception as db_exception
from oslo_db.sqlalchemy import engines
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import TimeoutError as PoolTimeout

from promise_blazar import exceptions

#: What a transaction is, to those who hand it on and write no SQL themselves.
__all__ = ["Connection", "Database", "LostRace"]


class LostRace(Exception):
    """The database chose somebody else's transaction: try again in a new one."""


class Database:
    """One database, by its SQLAlchemy URL.

    ``reader`` and ``writer`` are transactions: committed at the end of the block, rolled back
    when it raises. They raise ``LostRace`` for a deadlock or a serialization failure and
    ``exceptions.Unavailable`` when the database is away.

    PostgreSQL and MariaDB run READ COMMITTED: under a higher level a transaction that waited
    for the provider's lock would go on with a picture older than the lock. SQLite runs in WAL
    mode; its writers begin IMMEDIATE, since a reader that turns writer fails when somebody else
    wrote in between.
    """

    def __init__(self, url: str, pool_size: int = 40, busy_seconds: float = 30) -> None:
        self._engine = engines.create_engine(
            url, sqlite_fk=True, max_pool_size=pool_size, max_overflow=20, max_retries=0
        )
        self.dialect = self._engine.dialect.name
        if self.dialect == "sqlite":
            self._prepare_sqlite(busy_seconds)
        elif self.dialect == "mysql":
            self._prepare_mysql()

    def _prepare_sqlite(self, busy_seconds: float) -> None:
        @event.listens_for(self._engine, "connect")
        def _connect(dbapi_connection, record):  # type: ignore[no-untyped-def]
            dbapi_connection.execute(f"PRAGMA busy_timeout = {int(busy_seconds * 1000)}")
            dbapi_connection.execute("PRAGMA journal_mode = WAL")
            # In WAL mode a crash of the machine may lose the last commits, never the file.
            # FULL loses nothing that was answered.
            dbapi_connection.execute("PRAGMA synchronous = FULL")

    def _prepare_mysql(self) -> None:
        @event.listens_for(self._engine, "connect")
        def _connect(dbapi_connection, record):  # type: ignore[no-untyped-def]
            with dbapi_connection.cursor() as cursor:
                cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")

    @contextlib.contextmanager
    def reader(self) -> Iterator[Connection]:
        with _translated(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def writer(self) -> Iterator[Connection]:
        with _translated(), self._engine.connect() as connection:
            if self.dialect != "sqlite":
                with connection.begin():
                    yield connection
                return
            # oslo.db would send a plain BEGIN; this mark tells it that one was sent.
            connection.info["in_transaction"] = True
            with connection.begin():
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                yield connection

    def ping(self) -> None:
        """Raises ``exceptions.Unavailable`` when the database does not answer."""
        with self.reader() as connection:
            connection.execute(text("SELECT 1"))

    def dispose(self) -> None:
        """Close what is open; the next use opens anew."""
        self._engine.dispose()


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except db_exception.DBDeadlock as error:
        raise LostRace from error
    except (db_exception.DBConnectionError, PoolTimeout) as error:
        raise exceptions.Unavailable(what="database", retry_after=2) from error
    except db_exception.DBError as error:
        if "database is locked" in str(error):
            raise LostRace from error
        raise
