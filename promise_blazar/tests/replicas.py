# SPDX-License-Identifier: Apache-2.0
"""Replicas that lag, and databases that go back to what those have: an asynchronous failover.

A replica keeps what a database was at each of its last generations: as the transaction left it
that moved the generation, and as the last one did before the next move.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import sqlalchemy

from promise_blazar.db import tables
from promise_blazar.db.session import Database

#: So many generations are lost at most.
MOST = 5


def of(url: str) -> "Replica":
    """The replica of a database; it follows in ``following`` only."""
    return FileReplica(url) if url.startswith("sqlite") else ServerReplica(url)


class Replica:
    """What a database of a single provider was. For one thread at a time."""

    @contextlib.contextmanager
    def following(self) -> Iterator[None]:
        """Keeps up with each transaction of this process that is committed in the block."""
        self.follow()
        writer = Database.writer

        @contextlib.contextmanager
        def followed(database: Database) -> Iterator[Any]:
            with writer(database) as connection:
                yield connection
            self.follow()

        with mock.patch.object(Database, "writer", followed):
            yield

    def follow(self) -> None:
        """Keep what there is now."""
        generation = self.generation()
        for other in self.kept():
            if not generation - MOST <= other <= generation:
                self.drop(other)
        self.keep(generation)

    def fail_over(self, lost: int, first: bool = False) -> int:
        """The database goes back so many generations, or as many as are kept; how many it was.

        ``first``: also what was committed without a move of the generation is lost.
        """
        head = self.generation()
        back_to = max(head - lost, min(self.kept()))
        self.restore(back_to, first)
        self.follow()
        return head - back_to

    def generation(self) -> int:
        raise NotImplementedError

    def kept(self) -> list[int]:
        """The generations that it has."""
        raise NotImplementedError

    def keep(self, generation: int) -> None:
        raise NotImplementedError

    def drop(self, generation: int) -> None:
        raise NotImplementedError

    def restore(self, generation: int, first: bool) -> None:
        raise NotImplementedError


class FileReplica(Replica):
    """Of a file of SQLite's: files beside it, which another process may carry on with."""

    def __init__(self, url: str) -> None:
        self._path = Path(str(sqlalchemy.make_url(url).database))

    def generation(self) -> int:
        with contextlib.closing(sqlite3.connect(self._path)) as db:
            return db.execute("SELECT generation FROM providers").fetchone()[0]

    def kept(self) -> list[int]:
        return [
            int(each.suffix[1:]) for each in self._path.parent.glob(f"{self._path.name}.last.*")
        ]

    def keep(self, generation: int) -> None:
        with contextlib.closing(sqlite3.connect(self._path)) as db:
            found = bytearray(db.serialize())
        # A copy has no write-ahead log to be read with.
        found[18:20] = b"\x01\x01"
        self._file(generation, first=False).write_bytes(found)
        first = self._file(generation, first=True)
        if not first.exists():
            first.write_bytes(found)

    def drop(self, generation: int) -> None:
        for first in (True, False):
            self._file(generation, first).unlink()

    def restore(self, generation: int, first: bool) -> None:
        with (
            contextlib.closing(sqlite3.connect(self._file(generation, first))) as source,
            contextlib.closing(sqlite3.connect(self._path)) as target,
        ):
            source.backup(target)
        if first:
            self.drop(generation)

    def _file(self, generation: int, first: bool) -> Path:
        moment = "first" if first else "last"
        return self._path.with_name(f"{self._path.name}.{moment}.{generation}")


class ServerReplica(Replica):
    """Of a database server: the rows of every table, in memory."""

    def __init__(self, url: str) -> None:
        self._engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
        self._rows: dict[tuple[int, bool], dict[sqlalchemy.Table, list[dict[str, Any]]]] = {}

    def generation(self) -> int:
        with self._engine.connect() as connection:
            return connection.scalars(sqlalchemy.select(tables.Provider.generation)).one()

    def kept(self) -> list[int]:
        return [generation for generation, first in self._rows if first]

    def keep(self, generation: int) -> None:
        with self._engine.connect() as connection:
            found = {
                table: [dict(row) for row in connection.execute(table.select()).mappings()]
                for table in tables.Base.metadata.sorted_tables
            }
        self._rows[generation, False] = found
        self._rows.setdefault((generation, True), found)

    def drop(self, generation: int) -> None:
        for first in (True, False):
            del self._rows[generation, first]

    def restore(self, generation: int, first: bool) -> None:
        found = self._rows[generation, first]
        with self._engine.begin() as connection:
            for table in reversed(found):
                connection.execute(table.delete())
            for table, rows in found.items():
                if rows:
                    connection.execute(table.insert(), rows)
        if first:
            self.drop(generation)
