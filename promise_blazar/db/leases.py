# SPDX-License-Identifier: Apache-2.0
"""Leases with their reservations and events: a few narrow statements, whatever their number."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from oslo_db import exception as db_exception
from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    delete,
    insert,
    literal,
    select,
    true,
    update,
)

from promise_blazar.db import specs, tables
from promise_blazar.db.types import Instant
from promise_blazar.model.lease import Event, Lease, Reservation
from promise_blazar.model.states import ReservationStatus
from promise_blazar.model.strides import stride

#: Raised by ``add_departed`` where somebody else was faster.
Departed = db_exception.DBDuplicateEntry

_LEASE = [
    getattr(tables.Lease, name)
    for name in Lease.__slots__
    if name not in ("reservations", "events")
]
_EVENT = [getattr(tables.Event, name) for name in Event.__slots__]
_RESERVATION = [getattr(tables.Reservation, n) for n in Reservation.__slots__ if n != "details"]


class _Selects:
    """The statements that read leases with all that hangs on them; built once, as that costs
    more than to run them."""

    def __init__(self, where: ColumnElement[bool]) -> None:
        # SELECT ... FROM leases WHERE ...
        # SELECT ... FROM reservations JOIN leases ... WHERE ...     (and so for each table)
        self.leases = (
            select(*_LEASE).where(where).order_by(tables.Lease.created_at, tables.Lease.id)
        )
        self.reservations = (
            select(tables.Reservation.lease_id, *_RESERVATION)
            .join(tables.Lease, tables.Lease.id == tables.Reservation.lease_id)
            .where(where)
        )
        self.specs = {
            name: select(table.__table__)
            .join(tables.Reservation, tables.Reservation.id == table.__table__.c.reservation_id)
            .join(tables.Lease, tables.Lease.id == tables.Reservation.lease_id)
            .where(where)
            for name, table in specs.TABLES.items()
        }
        self.events = (
            select(tables.Event.lease_id, *_EVENT)
            .join(tables.Lease, tables.Lease.id == tables.Event.lease_id)
            .where(where)
            .order_by(tables.Event.time, tables.Event.event_type)
        )


_REVISIONS = (
    select(tables.Lease.id, tables.Lease.revision)
    .where(tables.Lease.provider_id == bindparam("provider_id"))
    .order_by(tables.Lease.created_at, tables.Lease.id)
)
_A_PROJECTS_REVISIONS = _REVISIONS.where(tables.Lease.project_id == bindparam("project_id"))

_ONE = _Selects(tables.Lease.id == bindparam("lease_id"))
_EVERYBODYS = _Selects(tables.Lease.provider_id == bindparam("provider_id"))
_A_PROJECTS = _Selects(
    (tables.Lease.provider_id == bindparam("provider_id"))
    & (tables.Lease.project_id == bindparam("project_id"))
)
_THESE = _Selects(tables.Lease.id.in_(bindparam("ids", expanding=True)))
_TROUBLED = _Selects(
    (tables.Lease.status == "ERROR")
    | (tables.Lease.failures > 0)
    | (tables.Lease.look_at < bindparam("overdue"))
)


def get(connection: Connection, lease_id: str) -> Lease | None:
    found = _load(connection, _ONE, lease_id=lease_id)
    return found[0] if found else None


def of_reservation(connection: Connection, reservation_uuid: str) -> Lease | None:
    lease_id = connection.execute(
        select(tables.Reservation.lease_id).where(tables.Reservation.uuid == reservation_uuid)
    ).scalar()
    return None if lease_id is None else get(connection, lease_id)


def listed(connection: Connection, provider_id: int, project_id: str | None) -> tuple[Lease, ...]:
    """A project's leases, or everybody's (None), oldest first."""
    if project_id is None:
        found = _load(connection, _EVERYBODYS, provider_id=provider_id)
    else:
        found = _load(connection, _A_PROJECTS, provider_id=provider_id, project_id=project_id)
    return tuple(found)


def revisions(connection: Connection, provider_id: int, project_id: str | None) -> dict[str, int]:
    """Of the leases that ``listed`` would find, by their ids and in that order."""
    query = _REVISIONS if project_id is None else _A_PROJECTS_REVISIONS
    rows = connection.execute(query, {"provider_id": provider_id, "project_id": project_id})
    return dict(map(tuple, rows))


def these(connection: Connection, ids: Sequence[str]) -> tuple[Lease, ...]:
    """Those of the leases that are there, oldest first."""
    return tuple(_load(connection, _THESE, ids=ids))


def revision(connection: Connection, lease_id: str) -> int | None:
    """None when the lease is not there."""
    return connection.execute(
        select(tables.Lease.revision).where(tables.Lease.id == lease_id)
    ).scalar()


def troubled(connection: Connection, overdue: datetime) -> tuple[Lease, ...]:
    """Leases in ERROR, with a step that keeps failing, or that nobody looked at since then."""
    return tuple(_load(connection, _TROUBLED, overdue=overdue))


def _load(connection: Connection, selects: _Selects, **where: Any) -> list[Lease]:
    leases = connection.execute(selects.leases, where).all()
    if not leases:
        return []
    details: dict[int, Mapping[str, Any]] = {}
    reservations = defaultdict(list)
    # Not by the database: SQLite would read all there are in that order, and then look whose.
    rows = sorted(connection.execute(selects.reservations, where).all(), key=lambda row: row.id)
    for name in {specs.table_of(row.resource_type) for row in rows}:
        for row in connection.execute(selects.specs[name], where).mappings().all():
            details[row["reservation_id"]] = specs.details(row)
    for lease_id, *columns in rows:
        reservations[lease_id].append(columns)
    events = defaultdict(list)
    for lease_id, *columns in connection.execute(selects.events, where).all():
        events[lease_id].append(Event(*columns))
    # Each statement sees what is committed by then. Every lease has events: one without was
    # removed in between, with all that hung on it.
    return [
        Lease(
            *lease,
            tuple(Reservation(*row, details.get(row[0], {})) for row in reservations[lease.id]),
            tuple(events[lease.id]),
        )
        for lease in leases
        if lease.id in events
    ]


def exists(connection: Connection, lease_id: str) -> bool:
    return (
        connection.execute(select(true()).where(tables.Lease.id == lease_id)).first() is not None
    )


def add(connection: Connection, values: Mapping[str, Any]) -> None:
    connection.execute(insert(tables.Lease), [dict(values)])


def add_reservation(
    connection: Connection, values: Mapping[str, Any], spec: Mapping[str, Any]
) -> int:
    """The reservation and its specification; its number."""
    number = connection.execute(insert(tables.Reservation).values(**values)).inserted_primary_key[
        0
    ]
    specs.add(connection, values["resource_type"], number, spec)
    return number


def add_events(connection: Connection, events: Iterable[Mapping[str, Any]]) -> None:
    rows = [dict(event) for event in events]
    if rows:
        connection.execute(insert(tables.Event), rows)


def set_lease(
    connection: Connection,
    lease_id: str,
    values: Mapping[str, Any],
    *,
    attempt: int | None = None,
    status: str | None = None,
    revision: int | None = None,
) -> bool:
    """Compare and set: False when the attempt, the status or the revision is no longer this one.

    Every transaction that changes what hangs on a lease comes through here, and be it without
    ``values``: the revision moves.
    """
    query = update(tables.Lease).where(tables.Lease.id == lease_id)
    if attempt is not None:
        query = query.where(tables.Lease.attempt == attempt)
    if status is not None:
        query = query.where(tables.Lease.status == status)
    if revision is not None:
        query = query.where(tables.Lease.revision == revision)
    changed = query.values(revision=tables.Lease.revision + stride(), **values)
    return connection.execute(changed).rowcount == 1


def set_reservation(connection: Connection, number: int, values: Mapping[str, Any]) -> None:
    connection.execute(
        update(tables.Reservation).where(tables.Reservation.id == number).values(**values)
    )


def pending_reservations(connection: Connection, lease_id: str) -> list[int]:
    """The numbers of the lease's reservations that wait for their start."""
    rows = connection.execute(
        select(tables.Reservation.id).where(
            tables.Reservation.lease_id == lease_id,
            tables.Reservation.status == ReservationStatus.PENDING,
        )
    )
    return list(rows.scalars())


def has_reservations(connection: Connection, lease_id: str, statuses: Sequence[str]) -> bool:
    """Whether a reservation of the lease has one of these statuses."""
    query = select(tables.Reservation.id).where(
        tables.Reservation.lease_id == lease_id, tables.Reservation.status.in_(statuses)
    )
    return connection.execute(query.limit(1)).first() is not None


def set_event(
    connection: Connection, lease_id: str, event_type: str, values: Mapping[str, Any]
) -> None:
    connection.execute(
        update(tables.Event)
        .where(tables.Event.lease_id == lease_id, tables.Event.event_type == event_type)
        .values(**values)
    )


def remove(connection: Connection, lease_id: str, now: datetime) -> None:
    """The lease with everything that hangs on it; its reservations are remembered as departed."""
    # INSERT INTO departed_reservations SELECT uuid, resource_type, :now FROM reservations ...
    connection.execute(
        insert(tables.DepartedReservation).from_select(
            ["uuid", "resource_type", "removed_at"],
            select(
                tables.Reservation.uuid,
                tables.Reservation.resource_type,
                literal(now, type_=Instant()),
            ).where(tables.Reservation.lease_id == lease_id),
        )
    )
    connection.execute(delete(tables.Lease).where(tables.Lease.id == lease_id))


def add_departed(connection: Connection, kinds: Mapping[str, str], now: datetime) -> None:
    """Remember as departed what is on no record: resource types by the reservations' ids.

    Raises ``Departed``: some are already.
    """
    rows = [
        {"uuid": uuid, "resource_type": kind, "removed_at": now} for uuid, kind in kinds.items()
    ]
    if rows:
        connection.execute(insert(tables.DepartedReservation), rows)


def departed(connection: Connection) -> dict[str, str]:
    """The resource types of reservations that are gone, by their ids."""
    rows = connection.execute(
        select(tables.DepartedReservation.uuid, tables.DepartedReservation.resource_type)
    )
    return {row.uuid: row.resource_type for row in rows}


def record_servers(connection: Connection, number: int, server_ids: Iterable[str]) -> None:
    """Servers that the end of this reservation will delete."""
    known = servers(connection, number)
    new = [
        {"reservation_id": number, "server_id": server}
        for server in server_ids
        if server not in known
    ]
    if new:
        connection.execute(insert(tables.ReservationServer), new)


def servers(connection: Connection, number: int) -> frozenset[str]:
    return frozenset(
        connection.execute(
            select(tables.ReservationServer.server_id).where(
                tables.ReservationServer.reservation_id == number
            )
        ).scalars()
    )
