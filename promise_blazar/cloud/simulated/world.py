# SPDX-License-Identifier: Apache-2.0
"""The world of the simulated cloud: one SQLite file, shared by all processes that open it.

The file is made complete under another name and then linked into place, so that of several
processes that start together one makes it and nobody sees half of it. Writers take the file's
one write lock with their first statement (``BEGIN IMMEDIATE``); readers (WAL) never wait.

A server that is being deleted carries the time at which it will be gone, one that is being built
the time at which it is on its host; whoever looks after that time lets it happen first.
"""

import contextlib
import os
import sqlite3
import tempfile
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

from promise_blazar import times
from promise_blazar.clock import Clock
from promise_blazar.cloud.simulated import layout

#: Seconds that a writer of another process may keep us waiting.
BUSY_TIMEOUT = 30.0

#: What every host has: Nova's and Placement's defaults, with round sizes.
HOST_VCPUS, HOST_MEMORY_MB, HOST_DISK_GB = 32, 131072, 2000
VCPU_ALLOCATION_RATIO = 4.0
FLAVORS = (
    ("1", "m1.tiny", 1, 512, 1),
    ("2", "m1.small", 1, 2048, 20),
    ("3", "m1.medium", 2, 4096, 40),
    ("4", "m1.large", 4, 8192, 80),
)
IMAGE = "tiny"


_GONE = "DELETE FROM servers WHERE gone_at <= :now"
_ARRIVED = (
    "UPDATE servers SET status = 'ACTIVE', host = bound_for, bound_for = NULL, arrives_at = NULL"
    " WHERE arrives_at <= :now"
)
_DUE = (
    "SELECT 1 FROM servers WHERE gone_at <= :now UNION ALL"
    " SELECT 1 FROM servers WHERE arrives_at <= :now LIMIT 1"
)


def _connect(path: Path) -> sqlite3.Connection:
    # One thread at a time uses a connection, but not always the same one.
    db = sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA foreign_keys = ON")
    # Survives the death of every process; only a power failure may lose the last commits.
    db.execute("PRAGMA synchronous = NORMAL")
    return db


def _populate(db: sqlite3.Connection, hosts: int) -> None:
    """What is in a new file, at the first layout."""
    for number in range(1, hosts + 1):
        name = f"compute-{number}"
        host_uuid = str(uuid.uuid5(uuid.NAMESPACE_DNS, name))
        db.execute(
            "INSERT INTO hosts (number, name, uuid, vcpus, memory_mb, disk_gb)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (number, name, host_uuid, HOST_VCPUS, HOST_MEMORY_MB, HOST_DISK_GB),
        )
        db.execute("INSERT INTO providers VALUES (?, ?, ?)", (host_uuid, name, host_uuid))
        db.executemany(
            "INSERT INTO inventories VALUES (?, ?, ?, 0, ?, ?)",
            (
                (host_uuid, "VCPU", HOST_VCPUS, VCPU_ALLOCATION_RATIO, HOST_VCPUS),
                (host_uuid, "MEMORY_MB", HOST_MEMORY_MB, 1.0, HOST_MEMORY_MB),
                (host_uuid, "DISK_GB", HOST_DISK_GB, 1.0, HOST_DISK_GB),
            ),
        )
    db.executemany(
        "INSERT INTO flavors (id, name, vcpus, memory_mb, disk_gb, extra_specs, public)"
        " VALUES (?, ?, ?, ?, ?, '{}', 1)",
        FLAVORS,
    )
    db.execute("INSERT INTO images VALUES (?, ?, NULL)", (str(uuid.uuid4()), IMAGE))


def _make(path: Path, hosts: int) -> None:
    with tempfile.TemporaryDirectory(prefix=f"{path.name}.", dir=path.parent) as directory:
        draft = Path(directory) / path.name
        with contextlib.closing(_connect(draft)) as db:
            db.execute("PRAGMA journal_mode = WAL")
            layout.make(db)
            db.execute("BEGIN")
            _populate(db, hosts)
            db.execute("COMMIT")
        with contextlib.suppress(FileExistsError):  # another process was faster
            os.link(draft, path)


class World:
    """The file, and its transactions. Safe to use from several threads.

    Raises ``layout.Unreadable`` for a file that is not ours, or of a later release.
    """

    def __init__(self, path: Path, hosts: int, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._idle: list[sqlite3.Connection] = []
        # Threads queue here; SQLite's own lock is polled, and polling is slow and unfair.
        self._writing = threading.Lock()
        if not path.exists():
            _make(path, hosts)
        with self._connection() as db:
            layout.upgrade(db, path)

    def close(self) -> None:
        """Let go of the file. No call may be under way."""
        while self._idle:
            self._idle.pop().close()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent view of the world."""
        with self._connection() as db:
            due = db.execute(_DUE, {"now": self._now()}).fetchone()
        if due:
            with self.writing():
                pass  # every writer first lets happen what is due
        with self._connection() as db:
            db.execute("BEGIN")
            try:
                yield db
            finally:
                db.execute("ROLLBACK")

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One change of the world: all of it, or on an exception nothing."""
        with self._writing, self._connection() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                for happens in (_GONE, _ARRIVED):
                    db.execute(happens, {"now": self._now()})
                yield db
            except BaseException:
                if db.in_transaction:  # a full disk has ended it already
                    db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def in_seconds(self, seconds: float) -> int:
        """An instant from now, as ``servers.gone_at`` and ``arrives_at`` keep it."""
        return self._now() + round(seconds * 1_000_000)

    def _now(self) -> int:
        return times.to_micros(self._clock.now())

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            db = self._idle.pop()
        except IndexError:
            db = _connect(self._path)
        try:
            yield db
        except BaseException:
            db.close()  # whatever state it is in, nobody else shall find it there
            raise
        self._idle.append(db)
