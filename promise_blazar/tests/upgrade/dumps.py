# SPDX-License-Identifier: Apache-2.0
"""Databases and simulated clouds as an earlier release left them, put into empty ones.

A directory beside this module is named by the release that made what is in it; README.rst says
what that is, and how it is made anew. Nothing of that release is needed to load it.
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import pool

HERE = Path(__file__).resolve().parent
#: The last releases before the next migration: of revision 0001, 0002 and 0003 (SQLite alone).
RELEASES = FIRST, SECOND, THIRD = "ee2a01f", "d69889d", "b85ffef"


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease in a dump. ``name`` begins with its status and ends with how it was left.

    ``cut_off``: the calls to OpenStack before which its manager, or the request, was killed.
    """

    name: str
    id: str
    status: str
    resource_types: tuple[str, ...]
    cut_off: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the dumps of a release have in common.

    ``now``: the instant they were taken, aware UTC; a clock for them starts here. ``managers``:
    ids of those that were killed; ``hosts``: the number and state of each host on record, by
    name. ``shown``: the bodies of the old release's answers to an administrator's GET, by path.
    """

    release: str
    now: datetime
    managers: tuple[str, ...]
    leases: Mapping[str, Lease]
    hosts: Mapping[str, tuple[int, str]]
    shown: Mapping[str, Any]


def manifest(release: str = FIRST) -> Manifest:
    """What is known of a release's dumps."""
    known = json.loads((HERE / release / "manifest.json").read_text())
    leases = {
        name: Lease(
            name,
            each["id"],
            each["status"],
            tuple(each["resource_types"]),
            tuple(each["cut_off"]),
        )
        for name, each in known["leases"].items()
    }
    return Manifest(
        release=known["release"],
        now=datetime.fromisoformat(known["now"]),
        managers=tuple(known["managers"]),
        leases=leases,
        hosts={name: (number, state) for name, (number, state) in known["hosts"].items()},
        shown=json.loads((HERE / release / "shown.json").read_text()),
    )


def load(url: str, release: str = FIRST) -> None:
    """Fill an empty database, by its SQLAlchemy URL; for ``DatabaseTestCase.prepare``."""
    parsed = sqlalchemy.make_url(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        load_sqlite(Path(str(parsed.database)), HERE / release / "sqlite.sql")
        return
    name = {"mysql": "mariadb"}.get(backend, backend)
    text = (HERE / release / f"{name}.sql").read_text()
    engine = sqlalchemy.create_engine(
        # Both servers have their defaults for what a connection speaks; a dump is in UTF-8.
        parsed.update_query_dict({"charset": "utf8mb4"} if name == "mariadb" else {}),
        poolclass=pool.NullPool,
        # Else a % in a value would be taken for a place to fill in.
        execution_options={"no_parameters": True},
    )
    with engine.begin() as connection:
        for statement in statements(text):
            connection.exec_driver_sql(statement)


def load_cloud(path: Path, release: str = FIRST) -> None:
    """Make the file of the simulated cloud that belongs to the databases, at ``path``."""
    load_sqlite(path, HERE / release / "cloud.sql")


def load_sqlite(path: Path, dump: Path) -> None:
    """Run a dump of SQLite into the file at ``path``, which is made where there is none."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript(dump.read_text())


def statements(text: str) -> Iterator[str]:
    """The statements of a dump of a server: each ends with the semicolon that ends a line."""
    lines: list[str] = []
    for line in text.splitlines():
        if not line or line.startswith("--"):
            continue
        lines.append(line)
        if line.endswith(";"):
            yield "\n".join(lines)
            lines = []
    if lines:
        raise ValueError(f"the dump ends within a statement: {lines[0]}")
