# SPDX-License-Identifier: Apache-2.0
"""Connections and transactions: the one place where the three databases differ."""

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from oslo_db import exception as db_exception
from oslo_db.sqlalchemy import engines
from sqlalchemy import Connection, Engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from promise_blazar import exceptions

LOG = logging.getLogger(__name__)

#: What a transaction is, to those who hand it on and write no SQL themselves.
__all__ = ["BadUrl", "Connection", "Database", "LostRace"]

T = TypeVar("T")

#: Seconds to wait for a connection, unless the URL has a ``connect_timeout``.
CONNECT_SECONDS = 5
#: Connections beyond those that are kept open, while all of these are busy.
OVERFLOW = 20
#: Transactions lost to deadlocks in a row before a request is told to come again.
MOST_RACES = 20
#: Seconds that a connection of those who are impatient waits at most.
MOST_PATIENCE = 3600


class BadUrl(ValueError):
    """A URL that no database can be opened by; the message says why."""


class LostRace(Exception):
    """The database chose somebody else's transaction: try again in a new one."""


class ReadHandle:
    """The reading half of a database, for those who must not write."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    def reader(self) -> contextlib.AbstractContextManager[Connection]:
        """As ``Database.reader``."""
        return self._database.reader()


class Database:
    """One database, by its SQLAlchemy URL.

    ``reader`` and ``writer`` are transactions; what a writer did is committed at the end of the
    block, and rolled back when it raises. They raise ``LostRace`` for a deadlock or a
    serialization failure, ``exceptions.Busy`` when a lock could not be had in time, and
    ``exceptions.Unavailable`` when the database is away.

    PostgreSQL and MariaDB run READ COMMITTED: under a higher level a transaction that waited
    for the provider's lock would go on with a picture older than the lock. SQLite runs in WAL
    mode; its writers begin IMMEDIATE, since a reader that turns writer fails when somebody else
    wrote in between.

    Raises ``BadUrl``.

    ``pool_size``: connections kept open, unless ``engine`` says otherwise. ``lock_seconds``: how
    long a transaction waits for another one's lock. A transaction that sends nothing for so long
    is ended by the server: its process is suspended, or its machine is gone, and with the
    provider's row locked nobody else could decide anything. ``engine``: what operators have
    configured of oslo.db's ``create_engine``.
    """

    def __init__(
        self,
        url: str,
        pool_size: int = 40,
        lock_seconds: float = 10,
        engine: Mapping[str, Any] | None = None,
    ) -> None:
        self._url = url
        self._configured = dict(engine or {})
        self._engine = _engine(
            url,
            {
                "max_pool_size": pool_size,
                "max_overflow": OVERFLOW,
                "max_retries": 0,
                **self._configured,
            },
        )
        self.dialect = self._engine.dialect.name
        if self.dialect == "sqlite":
            self._prepare_sqlite(lock_seconds)
        elif self.dialect == "postgresql":
            milliseconds = int(lock_seconds * 1000)
            self._say_at_connect(
                "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED",
                f"SET lock_timeout = {milliseconds}",
                f"SET idle_in_transaction_session_timeout = {milliseconds}",
            )
        else:
            seconds = max(1, round(lock_seconds))
            self._say_at_connect(
                "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
                f"SET SESSION innodb_lock_wait_timeout = {seconds},"
                f" idle_write_transaction_timeout = {seconds}",
            )

    def _prepare_sqlite(self, lock_seconds: float) -> None:
        # A dead process holds no lock on a file.
        @event.listens_for(self._engine, "connect")
        def _connect(dbapi_connection, record):  # type: ignore[no-untyped-def]
            dbapi_connection.execute(f"PRAGMA busy_timeout = {int(lock_seconds * 1000)}")
            dbapi_connection.execute("PRAGMA journal_mode = WAL")
            # In WAL mode a crash of the machine may lose the last commits, never the file.
            # FULL loses nothing that was answered.
            dbapi_connection.execute("PRAGMA synchronous = FULL")

    def _say_at_connect(self, *statements: str) -> None:
        @event.listens_for(self._engine, "connect")
        def _connect(dbapi_connection, record):  # type: ignore[no-untyped-def]
            with dbapi_connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
            # Else PostgreSQL forgets a setting with the transaction that made it.
            dbapi_connection.commit()

    def _connect(self) -> Connection:
        try:
            return self._engine.connect()
        except (OperationalError, db_exception.DBNonExistentDatabase) as error:
            # Psycopg's, of a server that is away: oslo.db knows the other drivers' words only.
            if _waited_too_long(error):
                raise
            raise _away(error) from error

    @contextlib.contextmanager
    def reader(self) -> Iterator[Connection]:
        # To be rolled back is as good an end as any, and needs no word to the database more.
        with _translated(), self._connect() as connection:
            yield connection

    @contextlib.contextmanager
    def writer(self) -> Iterator[Connection]:
        with _translated(), self._connect() as connection:
            if self.dialect != "sqlite":
                with connection.begin():
                    yield connection
                return
            # oslo.db would send a plain BEGIN; this mark tells it that one was sent.
            connection.info["in_transaction"] = True
            with connection.begin():
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                yield connection

    def transact(self, work: Callable[[Connection], T]) -> T:
        """Commit what ``work`` does, in as many new transactions as it takes to lose no race.

        Raises ``Busy`` after ``MOST_RACES``.
        """
        for _ in range(MOST_RACES):
            try:
                with self.writer() as connection:
                    return work(connection)
            except LostRace:
                continue
        raise exceptions.Busy(retry_after=1)

    def ping(self) -> None:
        """Raises ``exceptions.Unavailable`` when the database does not answer."""
        with self.reader() as connection:
            connection.execute(text("SELECT 1"))

    def apart(self, seconds: float) -> "Database":
        """The same database over connections of its own, for what must not wait for others.

        It waits for so many seconds, and not longer, for a connection, a lock or an answer.
        """
        limits = {"max_pool_size": 1, "max_overflow": 1, "pool_timeout": seconds, "max_retries": 0}
        return Database(
            _impatient(self._url, seconds),
            lock_seconds=seconds,
            engine={**self._configured, **limits},
        )

    def dispose(self) -> None:
        """Close what is open; the next use opens anew."""
        self._engine.dispose()


def _engine(url: str, options: Mapping[str, Any]) -> Engine:
    try:
        if make_url(url).get_backend_name() == "sqlite":
            # It has no pool, and oslo.db hands this option on all the same.
            options = {k: value for k, value in options.items() if k != "pool_timeout"}
        return engines.create_engine(
            _completed(url),
            sqlite_fk=True,
            # Else oslo.db yields the processor after each transaction, for eventlet's sake: on a
            # busy machine that is a place at the end of the queue.
            thread_checkin=False,
            **options,
        )
    except ArgumentError:
        # The library's own words may hold the password.
        raise BadUrl(
            "[database] connection is no URL of a database, such as "
            "mysql+pymysql://user:password@host/name or postgresql+psycopg://..."
        ) from None
    except ImportError as error:
        raise BadUrl(
            f"[database] connection needs a driver that is not installed ({error}); "
            "mysql+pymysql:// and postgresql+psycopg:// have theirs"
        ) from None


def _completed(url: str) -> str:
    """With what the URL does not say, and the drivers' defaults are not good for.

    oslo.db would speak to MariaDB in the ``utf8`` that lacks half of Unicode. A server that does
    not even refuse would be waited for for minutes.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return url
    defaults = {"connect_timeout": str(CONNECT_SECONDS)}
    if parsed.get_backend_name() == "mysql":
        defaults["charset"] = "utf8mb4"
    full = parsed.update_query_dict({**defaults, **parsed.query})
    return full.render_as_string(hide_password=False)


def _impatient(url: str, seconds: float) -> str:
    """For connections on which a server that has vanished is not waited for longer than this."""
    parsed = make_url(url)
    # Systems take no more than nine hours for the idle time of a connection.
    whole = max(1, round(min(seconds, MOST_PATIENCE)))
    limits: dict[str, str] = {}
    if parsed.get_backend_name() == "mysql":
        limits = {"connect_timeout": str(whole)}
        if parsed.get_driver_name() in ("pymysql", "mysqldb"):
            limits |= {"read_timeout": str(whole), "write_timeout": str(whole)}
    elif parsed.get_backend_name() == "postgresql":
        # The least that libpq takes is two.
        limits = {
            "connect_timeout": str(max(2, whole)),
            "tcp_user_timeout": str(whole * 1000),
            "keepalives_idle": str(whole),
            "keepalives_interval": "1",
            "keepalives_count": "2",
        }
    impatient = parsed.update_query_dict(limits)
    return impatient.render_as_string(hide_password=False)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (db_exception.DBConnectionError, PoolTimeout) as error:
        raise _away(error) from error
    except (db_exception.DBError, DBAPIError) as error:  # oslo.db knows not all of them
        if _waited_too_long(error):
            raise exceptions.Busy(retry_after=1) from error
        if isinstance(error, db_exception.DBDeadlock):
            raise LostRace from error
        raise


def _away(error: Exception) -> exceptions.Unavailable:
    """Callers are told that it is away; operators also why, which may be a wrong password."""
    cause = getattr(error, "orig", None) or getattr(error, "inner_exception", None) or error
    LOG.warning("The database cannot be reached: %s", " ".join(str(cause).split()))
    return exceptions.Unavailable(what="database", retry_after=2)


def _waited_too_long(error: Exception) -> bool:
    return any(words in str(error) for words in _WAITED_TOO_LONG)


#: For somebody else's lock, in the words of SQLite, PostgreSQL and MariaDB.
_WAITED_TOO_LONG = ("database is locked", "due to lock timeout", "Lock wait timeout exceeded")
