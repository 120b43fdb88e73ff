# SPDX-License-Identifier: Apache-2.0
"""Servers, as Nova keeps them.

A server is deleted at once, or (``delete_seconds``) after a while in which it is still seen,
still holds its resources and still ties its host to its zone.
"""

import json
import sqlite3
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from promise_blazar.cloud.contract.compute import Server
from promise_blazar.cloud.simulated import image
from promise_blazar.cloud.simulated.compute import flavors, scheduler
from promise_blazar.cloud.simulated.compute.flavors import StoredFlavor
from promise_blazar.cloud.simulated.refusals import CONFLICT, Refused, missing

DELETE_SECONDS = "server_delete_seconds"
_SELECT = "SELECT s.*, h.name AS host_name FROM servers s LEFT JOIN hosts h ON h.number = s.host"


@dataclass(frozen=True, slots=True)
class StoredServer:
    """A server's row. ``fault``: why it is in ERROR."""

    number: int
    fault: str | None
    server: Server


def every(db: sqlite3.Connection) -> list[StoredServer]:
    return [_stored(row) for row in db.execute(f"{_SELECT} ORDER BY s.number")]


def one(db: sqlite3.Connection, server_id: str) -> StoredServer | None:
    row = db.execute(f"{_SELECT} WHERE s.id = ?", (server_id,)).fetchone()
    return _stored(row) if row else None


def on_host(db: sqlite3.Connection, host: str) -> list[StoredServer]:
    rows = db.execute(f"{_SELECT} WHERE h.name = ? ORDER BY s.number", (host,))
    return [_stored(row) for row in rows]


def of_flavor(db: sqlite3.Connection, flavor_id: str) -> list[StoredServer]:
    """Of the flavor that has this id now: a deleted one finds nothing, as in Nova."""
    flavor = flavors.by_id(db, flavor_id)
    number = flavor.number if flavor else None
    rows = db.execute(f"{_SELECT} WHERE s.flavor = ? ORDER BY s.number", (number,))
    return [_stored(row) for row in rows]


def create(
    db: sqlite3.Connection,
    project_id: str,
    name: str,
    stored: StoredFlavor,
    hints: Mapping[str, object],
) -> StoredServer:
    """Schedule and start it: ACTIVE on a host, or in ERROR with the reason."""
    flavor = stored.flavor
    verdict = scheduler.schedule(db, project_id, flavor, hints)
    chosen = verdict.candidate
    server_id = str(uuid.uuid4())
    made = db.execute(
        "INSERT INTO servers (id, name, project_id, status, host, flavor, flavor_id,"
        " flavor_extra_specs, fault) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            server_id,
            name,
            project_id,
            "ACTIVE" if chosen else "ERROR",
            chosen.host if chosen else None,
            stored.number,
            flavor.id,
            json.dumps(dict(flavor.extra_specs)),
            verdict.reason,
        ),
    )
    if chosen:
        db.executemany(
            "INSERT INTO allocations VALUES (?, ?, ?, ?)",
            (
                (made.lastrowid, each.provider, each.resource_class, each.amount)
                for each in chosen.taken
            ),
        )
    row = db.execute(f"{_SELECT} WHERE s.id = ?", (server_id,)).fetchone()
    return _stored(row)


def delete_seconds(db: sqlite3.Connection) -> float:
    row = db.execute("SELECT value FROM settings WHERE key = ?", (DELETE_SECONDS,)).fetchone()
    return row["value"] if row else 0.0


def set_delete_seconds(db: sqlite3.Connection, seconds: float) -> None:
    db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (DELETE_SECONDS, seconds))


def delete(db: sqlite3.Connection, server_id: str, in_seconds: Callable[[float], int]) -> None:
    """At once, or seen for a while yet. A second request does not put it off.

    ``in_seconds``: the instant so many seconds from now, as ``gone_at`` keeps it.
    """
    seconds = delete_seconds(db)
    if seconds:
        db.execute(
            "UPDATE servers SET gone_at = ? WHERE id = ? AND gone_at IS NULL",
            (in_seconds(seconds), server_id),
        )
    else:
        db.execute("DELETE FROM servers WHERE id = ?", (server_id,))


def snapshot(db: sqlite3.Connection, server_id: str, image_name: str, occasion: str) -> None:
    """One on each occasion. Raises ``NotFound``, ``Refused`` (409): it is on no host."""
    found = one(db, server_id)
    if found is None:
        raise missing("server", server_id)
    if found.server.host is None:
        raise Refused(CONFLICT, f"Server {server_id} is in ERROR")
    image.add(db, image_name, server_id, occasion)


def _stored(row: sqlite3.Row) -> StoredServer:
    server = Server(
        id=row["id"],
        name=row["name"],
        project_id=row["project_id"],
        status=row["status"],
        host=row["host_name"],
        flavor_id=row["flavor_id"],
        flavor_extra_specs=json.loads(row["flavor_extra_specs"]),
    )
    return StoredServer(row["number"], row["fault"], server)
