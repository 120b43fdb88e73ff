# SPDX-License-Identifier: Apache-2.0
"""Servers, as Nova keeps them.

A boot is scheduled, then claimed, then built: at once, or (``build_seconds``) after a while in
which the server has a claim and names no host. A server is deleted at once, or
(``delete_seconds``) after a while in which it is still seen, still holds its resources and still
ties its host to its zone. Where deletion is deferred (``reclaim_seconds``), what a tenant deletes
is SOFT_DELETED for so long: in no list any more, and all else as before.
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

BUILD, SOFT_DELETED = "BUILD", "SOFT_DELETED"
BUILD_SECONDS = "server_build_seconds"
DELETE_SECONDS = "server_delete_seconds"
RECLAIM_SECONDS = "server_reclaim_seconds"
_SELECT = "SELECT s.*, h.name AS host_name FROM servers s LEFT JOIN hosts h ON h.number = s.host"
#: As the adapter of the real cloud has what passes by itself.
_UNAVAILABLE = 503
_LISTED = "s.status != 'SOFT_DELETED'"

#: The instant so many seconds from now, as ``gone_at`` and ``arrives_at`` keep it.
InSeconds = Callable[[float], int]


@dataclass(frozen=True, slots=True)
class StoredServer:
    """A server's row. ``fault``: why it is in ERROR."""

    number: int
    fault: str | None
    server: Server


@dataclass(frozen=True, slots=True)
class Boot:
    """A server that is scheduled: it is there, and has taken nothing yet."""

    server_id: str
    verdict: scheduler.Verdict


def every(db: sqlite3.Connection) -> list[StoredServer]:
    return [_stored(row) for row in db.execute(f"{_SELECT} WHERE {_LISTED} ORDER BY s.number")]


def one(db: sqlite3.Connection, server_id: str) -> StoredServer | None:
    row = db.execute(f"{_SELECT} WHERE s.id = ?", (server_id,)).fetchone()
    return _stored(row) if row else None


def on_host(db: sqlite3.Connection, host: str) -> list[StoredServer]:
    rows = db.execute(f"{_SELECT} WHERE h.name = ? AND {_LISTED} ORDER BY s.number", (host,))
    return [_stored(row) for row in rows]


def of_flavor(db: sqlite3.Connection, flavor_id: str) -> list[StoredServer]:
    """Of the flavor that has this id now: a deleted one finds nothing, as in Nova."""
    flavor = flavors.by_id(db, flavor_id)
    number = flavor.number if flavor else None
    rows = db.execute(f"{_SELECT} WHERE s.flavor = ? AND {_LISTED} ORDER BY s.number", (number,))
    return [_stored(row) for row in rows]


def building(db: sqlite3.Connection, project_id: str) -> list[StoredServer]:
    rows = db.execute(
        f"{_SELECT} WHERE s.project_id = ? AND s.status = ? AND s.host IS NULL ORDER BY s.number",
        (project_id, BUILD),
    )
    return [_stored(row) for row in rows]


def schedule(
    db: sqlite3.Connection,
    project_id: str,
    name: str,
    stored: StoredFlavor,
    hints: Mapping[str, object],
) -> Boot:
    """Make the server, in BUILD, and choose its host as the filter and Placement allow now."""
    flavor = stored.flavor
    boot = Boot(str(uuid.uuid4()), scheduler.schedule(db, project_id, flavor, hints))
    db.execute(
        "INSERT INTO servers (id, name, project_id, status, flavor, flavor_id,"
        " flavor_extra_specs) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            boot.server_id,
            name,
            project_id,
            BUILD,
            stored.number,
            flavor.id,
            json.dumps(dict(flavor.extra_specs)),
        ),
    )
    return boot


def claim(db: sqlite3.Connection, boot: Boot, in_seconds: InSeconds) -> StoredServer:
    """Take its room and build it: ACTIVE on its host, or in BUILD, or in ERROR with the reason.

    Raises ``NotFound``: it was deleted in the meantime.
    """
    found = one(db, boot.server_id)
    if found is None:
        raise missing("server", boot.server_id)
    chosen, reason = boot.verdict.candidate, boot.verdict.reason
    if chosen is not None and not scheduler.still_fits(db, chosen):
        chosen, reason = None, f"{scheduler.NO_VALID_HOST} Its room was taken in the meantime."
    seconds = _setting(db, BUILD_SECONDS)
    if chosen is None:
        values = ("ERROR", None, reason, None, None)
    elif seconds:
        values = (BUILD, None, None, chosen.host, in_seconds(seconds))
    else:
        values = ("ACTIVE", chosen.host, None, None, None)
    db.execute(
        "UPDATE servers SET status = ?, host = ?, fault = ?, bound_for = ?, arrives_at = ?"
        " WHERE number = ?",
        (*values, found.number),
    )
    for each in chosen.taken if chosen else ():
        db.execute(
            "INSERT INTO allocations VALUES (?, ?, ?, ?)",
            (found.number, each.provider, each.resource_class, each.amount),
        )
    made = one(db, boot.server_id)
    assert made is not None  # noqa: S101 - it was there a moment ago
    return made


def set_seconds(db: sqlite3.Connection, setting: str, seconds: float) -> None:
    """``setting``: ``BUILD_SECONDS``, ``DELETE_SECONDS`` or ``RECLAIM_SECONDS``."""
    db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (setting, seconds))


def _setting(db: sqlite3.Connection, setting: str) -> float:
    row = db.execute("SELECT value FROM settings WHERE key = ?", (setting,)).fetchone()
    return row["value"] if row else 0.0


def remove(db: sqlite3.Connection, server_id: str, in_seconds: InSeconds) -> None:
    """As its tenant deletes it: deferred, where deletion is, and it has got its host."""
    seconds = _setting(db, RECLAIM_SECONDS)
    found = one(db, server_id)
    if not seconds or found is None or found.server.host is None:
        delete(db, server_id, in_seconds)
        return
    db.execute(
        "UPDATE servers SET status = ?, gone_at = ? WHERE id = ? AND status != ?",
        (SOFT_DELETED, in_seconds(seconds), server_id, SOFT_DELETED),
    )


def delete(db: sqlite3.Connection, server_id: str, in_seconds: InSeconds) -> None:
    """By force: at once, or seen for a while yet. A second request does not put it off."""
    seconds = _setting(db, DELETE_SECONDS)
    if seconds:
        gone_at = in_seconds(seconds)
        db.execute(
            "UPDATE servers SET gone_at = ? WHERE id = ? AND (gone_at IS NULL OR gone_at > ?)",
            (gone_at, server_id, gone_at),
        )
    else:
        db.execute("DELETE FROM servers WHERE id = ?", (server_id,))


def snapshot(db: sqlite3.Connection, server_id: str, image_name: str, occasion: str) -> None:
    """One on each occasion. Raises ``NotFound``, ``Refused``: 503 for one in BUILD, 409 for
    one in ERROR, which is so for good."""
    found = one(db, server_id)
    if found is None:
        raise missing("server", server_id)
    if found.server.status == BUILD:
        raise Refused(_UNAVAILABLE, f"Server {server_id} is being built")
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
