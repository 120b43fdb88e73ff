# SPDX-License-Identifier: Apache-2.0
"""Layout of the simulated cloud's file, and the steps from each to the next.

The file says in its ``user_version`` which layout it has. A step is statements that run in one
transaction with the new number, so that a process which dies in between leaves the file at a
layout that is whole. A new file is filled at the first layout and takes the same steps: there is
one way for it to become what it is.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

# A flavor has a row number besides its id, as in Nova, where servers keep the number: of a
# flavor that was deleted and made again under the same id, the old servers are not found.
_FIRST = """
CREATE TABLE settings (key TEXT PRIMARY KEY, value REAL NOT NULL);
CREATE TABLE hosts (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, uuid TEXT NOT NULL UNIQUE,
    up INTEGER NOT NULL DEFAULT 1,
    vcpus INTEGER NOT NULL, memory_mb INTEGER NOT NULL, disk_gb INTEGER NOT NULL);
CREATE TABLE aggregates (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, metadata TEXT NOT NULL);
CREATE TABLE aggregate_hosts (
    aggregate INTEGER NOT NULL REFERENCES aggregates (id),
    host INTEGER NOT NULL REFERENCES hosts (number), PRIMARY KEY (aggregate, host));
CREATE TABLE flavors (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE, vcpus INTEGER NOT NULL, memory_mb INTEGER NOT NULL,
    disk_gb INTEGER NOT NULL, extra_specs TEXT NOT NULL, public INTEGER NOT NULL);
CREATE TABLE flavor_access (
    flavor INTEGER NOT NULL REFERENCES flavors (number) ON DELETE CASCADE,
    project_id TEXT NOT NULL, PRIMARY KEY (flavor, project_id));
CREATE TABLE images (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, server TEXT);
CREATE TABLE server_groups (
    id TEXT PRIMARY KEY, project_id TEXT NOT NULL, name TEXT NOT NULL, policy TEXT NOT NULL);
CREATE TABLE servers (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    project_id TEXT NOT NULL, status TEXT NOT NULL,
    host INTEGER REFERENCES hosts (number), flavor INTEGER NOT NULL, flavor_id TEXT NOT NULL,
    flavor_extra_specs TEXT NOT NULL, fault TEXT, gone_at INTEGER);
CREATE INDEX servers_by_host ON servers (host);
CREATE INDEX servers_by_flavor ON servers (flavor);
CREATE INDEX servers_by_gone_at ON servers (gone_at) WHERE gone_at IS NOT NULL;
CREATE TABLE resource_classes (name TEXT PRIMARY KEY);
CREATE TABLE providers (
    uuid TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE,
    root TEXT NOT NULL REFERENCES providers (uuid));
CREATE TABLE inventories (
    provider TEXT NOT NULL REFERENCES providers (uuid), resource_class TEXT NOT NULL,
    total INTEGER NOT NULL, reserved INTEGER NOT NULL, allocation_ratio REAL NOT NULL,
    max_unit INTEGER NOT NULL, PRIMARY KEY (provider, resource_class));
CREATE INDEX inventories_by_class ON inventories (resource_class);
CREATE TABLE allocations (
    server INTEGER NOT NULL REFERENCES servers (number) ON DELETE CASCADE,
    provider TEXT NOT NULL, resource_class TEXT NOT NULL, amount INTEGER NOT NULL,
    PRIMARY KEY (server, provider, resource_class));
CREATE INDEX allocations_by_inventory ON allocations (provider, resource_class);
CREATE TABLE faults (
    call TEXT PRIMARY KEY, latency_ms INTEGER NOT NULL, fail_next INTEGER NOT NULL,
    status INTEGER, after INTEGER NOT NULL);
"""

#: The statements that bring a file of layout 1 to 2, of 2 to 3, and so on. What is here stays.
STEPS: Sequence[Sequence[str]] = (
    # A server that is being built names its host only when it arrives there.
    (
        "ALTER TABLE servers ADD COLUMN bound_for INTEGER",
        "ALTER TABLE servers ADD COLUMN arrives_at INTEGER",
        "CREATE INDEX servers_by_arrival ON servers (arrives_at) WHERE arrives_at IS NOT NULL",
    ),
)


class Unreadable(ValueError):
    """The file is of a later release, or of somebody else: in one line, what to do."""


def make(db: sqlite3.Connection) -> None:
    """The tables of the first layout, in an empty file that nobody else sees yet."""
    db.executescript(_FIRST)
    db.execute("PRAGMA user_version = 1")


def upgrade(db: sqlite3.Connection, path: Path) -> None:
    """Bring the file to this release's layout. Raises ``Unreadable``."""
    found, ours = _layout(db), 1 + len(STEPS)
    if found > ours:
        raise Unreadable(
            f"{path} holds a simulated cloud of layout {found}, and this release knows layouts up "
            f"to {ours}: run the release that made it, or a later one"
        )
    if found < 1:
        raise Unreadable(f"{path} holds no simulated cloud; name another file, or remove it")
    for to, statements in enumerate(STEPS, start=2):
        if found < to:
            _step(db, to, statements)


def _step(db: sqlite3.Connection, to: int, statements: Sequence[str]) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        # Of several processes that start together one takes it.
        if _layout(db) < to:
            for statement in statements:
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {to:d}")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _layout(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])
