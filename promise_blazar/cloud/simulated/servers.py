# SPDX-License-Identifier: Apache-2.0
"""Servers and server groups, as Nova keeps them.

A server is deleted at once, or (``delete_seconds``) after a while in which it is still seen,
still holds its resources and still ties its host to its zone.
"""

import json
import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from promise_blazar.cloud.contract.cloud import Server
from promise_blazar.cloud.simulated import flavors, scheduler
from promise_blazar.cloud.simulated.flavors import StoredFlavor
from promise_blazar.cloud.simulated.refusals import CONFLICT, Refused, missing

DELETE_SECONDS = "server_delete_seconds"
_SELECT = "SELECT s.*, h.name AS host_name FROM servers s LEFT JOIN hosts h ON h.number = s.host"


@dataclass(frozen=True, slots=True)
class StoredServer:
    """``fault``: why it is in ERROR."""

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
                (made.lastrowid, held.provider, held.resource_class, held.amount)
                for held in chosen.taken
            ),
        )
    row = db.execute(f"{_SELECT} WHERE s.id = ?", (server_id,)).fetchone()
    return _stored(row)


def delete_seconds(db: sqlite3.Connection) -> float:
    row = db.execute("SELECT value FROM settings WHERE key = ?", (DELETE_SECONDS,)).fetchone()
    return row["value"] if row else 0.0


def set_delete_seconds(db: sqlite3.Connection, seconds: float) -> None:
    db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (DELETE_SECONDS, seconds))


def delete(db: sqlite3.Connection, server_id: str, gone_at: int | None) -> None:
    """``gone_at`` None: at once. A second request does not put it off."""
    if gone_at is None:
        db.execute("DELETE FROM servers WHERE id = ?", (server_id,))
    else:
        db.execute(
            "UPDATE servers SET gone_at = ? WHERE id = ? AND gone_at IS NULL",
            (gone_at, server_id),
        )


def snapshot(db: sqlite3.Connection, server_id: str, image_name: str, occasion: str) -> None:
    """One on each occasion. Raises ``NotFound``, ``Refused`` (409): it is on no host."""
    found = one(db, server_id)
    if found is None:
        raise missing("server", server_id)
    if found.server.host is None:
        raise Refused(CONFLICT, f"Server {server_id} is in ERROR")
    flavors.add_image(db, image_name, server_id, occasion)


def ensure_group(db: sqlite3.Connection, project_id: str, name: str, policy: str) -> str:
    """The project's group of this name and policy; its id."""
    row = db.execute(
        "SELECT id FROM server_groups WHERE project_id = ? AND name = ? AND policy = ?",
        (project_id, name, policy),
    ).fetchone()
    if row:
        return str(row["id"])
    made = str(uuid.uuid4())
    db.execute("INSERT INTO server_groups VALUES (?, ?, ?, ?)", (made, project_id, name, policy))
    return made


def delete_group(db: sqlite3.Connection, group_id: str) -> None:
    db.execute("DELETE FROM server_groups WHERE id = ?", (group_id,))


def groups(db: sqlite3.Connection, prefix: str) -> dict[str, str]:
    """Every project's: names by id."""
    rows = db.execute("SELECT id, name FROM server_groups ORDER BY id")
    return {row["id"]: row["name"] for row in rows if row["name"].startswith(prefix)}


def groups_named(db: sqlite3.Connection, name: str) -> list[str]:
    """Every project's."""
    rows = db.execute("SELECT id FROM server_groups WHERE name = ? ORDER BY id", (name,))
    return [row["id"] for row in rows]


def group_exists(db: sqlite3.Connection, project_id: str, group_id: str) -> bool:
    """A group of another project does not."""
    row = db.execute(
        "SELECT 1 FROM server_groups WHERE id = ? AND project_id = ?", (group_id, project_id)
    ).fetchone()
    return row is not None


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
