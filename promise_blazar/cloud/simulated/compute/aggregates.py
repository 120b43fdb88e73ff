# SPDX-License-Identifier: Apache-2.0
"""Host aggregates, by Nova's rules.

A host is in one availability zone at most, that of its zoned aggregates (the key
``availability_zone`` of their metadata). Its zone cannot change while it has servers: not by
joining or leaving an aggregate, not by the aggregate's new metadata. An empty zone is refused.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping

from promise_blazar.cloud.contract.compute import Aggregate
from promise_blazar.cloud.simulated.refusals import BAD_REQUEST, CONFLICT, Refused, missing

ZONE_KEY = "availability_zone"


def every(db: sqlite3.Connection) -> list[Aggregate]:
    hosts: dict[int, list[str]] = {}
    for row in db.execute(
        "SELECT a.aggregate, h.name FROM aggregate_hosts a JOIN hosts h ON h.number = a.host"
        " ORDER BY h.number"
    ):
        hosts.setdefault(row["aggregate"], []).append(row["name"])
    return [
        _aggregate(row, hosts.get(row["id"], ()))
        for row in db.execute("SELECT * FROM aggregates ORDER BY id")
    ]


def one(db: sqlite3.Connection, aggregate_id: int) -> Aggregate:
    """Raises ``NotFound``."""
    row = db.execute("SELECT * FROM aggregates WHERE id = ?", (aggregate_id,)).fetchone()
    if row is None:
        raise missing("aggregate", aggregate_id)
    return _aggregate(row, members(db, aggregate_id))


def named(db: sqlite3.Connection, name: str) -> Aggregate | None:
    row = db.execute("SELECT id FROM aggregates WHERE name = ?", (name,)).fetchone()
    return one(db, row["id"]) if row else None


def ensure(db: sqlite3.Connection, name: str, metadata: Mapping[str, str]) -> Aggregate:
    """The aggregate of this name, as it is, or made with this metadata."""
    db.execute(
        "INSERT OR IGNORE INTO aggregates (name, metadata) VALUES (?, ?)",
        (name, json.dumps(dict(metadata))),
    )
    row = db.execute("SELECT * FROM aggregates WHERE name = ?", (name,)).fetchone()
    return _aggregate(row, members(db, row["id"]))


def set_metadata(
    db: sqlite3.Connection, aggregate_id: int, changes: Mapping[str, str | None]
) -> None:
    """Raises ``NotFound``, ``Refused`` (400, as Nova here): the zone is empty or would move."""
    aggregate = one(db, aggregate_id)
    if ZONE_KEY in changes:
        zone = changes[ZONE_KEY]
        if not zone:
            raise Refused(BAD_REQUEST, f"Aggregate {aggregate.name}: a zone must have a name")
        for host in aggregate.hosts:
            _refuse_second_zone(db, aggregate, host, zone, BAD_REQUEST)
            if zone != aggregate.zone and _server_count(db, host):
                raise Refused(
                    BAD_REQUEST, f"Aggregate {aggregate.name}: host {host} has servers in its zone"
                )
    metadata = {**aggregate.metadata, ZONE_KEY: aggregate.zone, **changes}
    kept = {key: value for key, value in metadata.items() if value is not None}
    db.execute("UPDATE aggregates SET metadata = ? WHERE id = ?", (json.dumps(kept), aggregate_id))


def add_host(db: sqlite3.Connection, aggregate_id: int, host: str) -> None:
    """Raises ``NotFound``, ``Refused`` (409): another zone, or servers in the present one."""
    number = host_number(db, host)
    aggregate = one(db, aggregate_id)
    if aggregate.zone:
        _refuse_second_zone(db, aggregate, host, aggregate.zone, CONFLICT)
        if aggregate.zone not in _zones(db, host):
            _refuse_move(db, aggregate, host, "added to")
    db.execute("INSERT OR IGNORE INTO aggregate_hosts VALUES (?, ?)", (aggregate_id, number))


def remove_host(db: sqlite3.Connection, aggregate_id: int, host: str) -> None:
    """Nothing to do where there is no such member. Raises ``Refused`` (409): has servers."""
    row = db.execute("SELECT * FROM aggregates WHERE id = ?", (aggregate_id,)).fetchone()
    if row is None or host not in members(db, aggregate_id):
        return
    aggregate = one(db, aggregate_id)
    if aggregate.zone and aggregate.zone not in _zones(db, host, besides=aggregate_id):
        _refuse_move(db, aggregate, host, "removed from")
    db.execute(
        "DELETE FROM aggregate_hosts WHERE aggregate = ? AND host = ?",
        (aggregate_id, host_number(db, host)),
    )


def members(db: sqlite3.Connection, aggregate_id: int) -> list[str]:
    """The hosts of an aggregate; of one that is not there, none."""
    rows = db.execute(
        "SELECT h.name FROM aggregate_hosts a JOIN hosts h ON h.number = a.host"
        " WHERE a.aggregate = ? ORDER BY h.number",
        (aggregate_id,),
    )
    return [row["name"] for row in rows]


def delete(db: sqlite3.Connection, aggregate_id: int) -> None:
    """Nothing to do where there is none. Raises ``Refused`` (400): it has members."""
    if members(db, aggregate_id):
        raise Refused(BAD_REQUEST, f"Aggregate {aggregate_id} is not empty")
    db.execute("DELETE FROM aggregates WHERE id = ?", (aggregate_id,))


def _aggregate(row: sqlite3.Row, hosts: Iterable[str]) -> Aggregate:
    metadata = json.loads(row["metadata"])
    zone = metadata.pop(ZONE_KEY, None)
    return Aggregate(row["id"], row["name"], zone, metadata, tuple(hosts))


def host_number(db: sqlite3.Connection, host: str) -> int:
    """Raises ``NotFound``."""
    row = db.execute("SELECT number FROM hosts WHERE name = ?", (host,)).fetchone()
    if row is None:
        raise missing("host", host)
    return int(row["number"])


def _zones(db: sqlite3.Connection, host: str, besides: int | None = None) -> set[str]:
    rows = db.execute(
        "SELECT a.id, a.metadata FROM aggregates a JOIN aggregate_hosts m ON m.aggregate = a.id"
        " JOIN hosts h ON h.number = m.host WHERE h.name = ?",
        (host,),
    )
    zones = {json.loads(row["metadata"]).get(ZONE_KEY) for row in rows if row["id"] != besides}
    return zones - {None}


def _server_count(db: sqlite3.Connection, host: str) -> int:
    row = db.execute(
        "SELECT count(*) FROM servers s JOIN hosts h ON h.number = s.host WHERE h.name = ?",
        (host,),
    ).fetchone()
    return int(row[0])


def _refuse_second_zone(
    db: sqlite3.Connection, aggregate: Aggregate, host: str, zone: str, status: int
) -> None:
    others = _zones(db, host, besides=aggregate.id) - {zone}
    if others:
        raise Refused(
            status,
            f"Aggregate {aggregate.name}: host {host} is in zone {sorted(others)[0]} already",
        )


def _refuse_move(db: sqlite3.Connection, aggregate: Aggregate, host: str, verb: str) -> None:
    count = _server_count(db, host)
    if count:
        raise Refused(
            CONFLICT,
            f"Host {host} cannot be {verb} aggregate {aggregate.name}: its zone would change"
            f" and it has {count} server(s)",
        )
