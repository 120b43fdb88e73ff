# SPDX-License-Identifier: Apache-2.0
"""Leases with their reservations and events: a few narrow statements, whatever their number."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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

from promise_blazar.db.models import (
    Base,
    DepartedReservation,
    Event,
    HostReservation,
    InstanceReservation,
    Lease,
    Reservation,
    ReservationServer,
)
from promise_blazar.db.types import Instant

#: Where the columns of a resource type's own are.
DETAILS: Mapping[str, type[Base]] = {
    "physical:host": HostReservation,
    "virtual:instance": InstanceReservation,
}


@dataclass(frozen=True, slots=True)
class EventRecord:
    id: str
    event_type: str
    time: datetime
    status: str
    created_at: datetime
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReservationRecord:
    """``details``: the columns of the resource type's own table."""

    id: int
    uuid: str
    resource_id: str
    resource_type: str
    status: str
    missing_resources: bool
    resources_changed: bool
    created_at: datetime
    updated_at: datetime | None
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    id: str
    provider_id: int
    name: str
    user_id: str
    project_id: str
    start: datetime
    end: datetime
    status: str
    degraded: bool
    reason: str | None
    owner: str | None
    attempt: int
    failures: int
    revision: int
    look_at: datetime | None
    created_at: datetime
    updated_at: datetime | None
    reservations: tuple[ReservationRecord, ...] = ()
    events: tuple[EventRecord, ...] = ()

    def event(self, event_type: str) -> EventRecord | None:
        return next((e for e in self.events if e.event_type == event_type), None)


_LEASE = [
    getattr(Lease, name)
    for name in LeaseRecord.__slots__
    if name not in ("reservations", "events")
]
_EVENT = [getattr(Event, name) for name in EventRecord.__slots__]
_RESERVATION = [getattr(Reservation, n) for n in ReservationRecord.__slots__ if n != "details"]


class _Selects:
    """The statements that read leases with all that hangs on them; built once, as that costs
    more than to run them."""

    def __init__(self, where: ColumnElement[bool]) -> None:
        # SELECT ... FROM leases WHERE ...
        # SELECT ... FROM reservations JOIN leases ... WHERE ...     (and so for each table)
        self.leases = select(*_LEASE).where(where).order_by(Lease.created_at, Lease.id)
        self.reservations = (
            select(Reservation.lease_id, *_RESERVATION)
            .join(Lease, Lease.id == Reservation.lease_id)
            .where(where)
            .order_by(Reservation.id)
        )
        self.details = {
            kind: select(table.__table__)
            .join(Reservation, Reservation.id == table.__table__.c.reservation_id)
            .join(Lease, Lease.id == Reservation.lease_id)
            .where(where)
            for kind, table in DETAILS.items()
        }
        self.events = (
            select(Event.lease_id, *_EVENT)
            .join(Lease, Lease.id == Event.lease_id)
            .where(where)
            .order_by(Event.time, Event.event_type)
        )


_REVISIONS = (
    select(Lease.id, Lease.revision)
    .where(Lease.provider_id == bindparam("provider_id"))
    .order_by(Lease.created_at, Lease.id)
)
_A_PROJECTS_REVISIONS = _REVISIONS.where(Lease.project_id == bindparam("project_id"))

_ONE = _Selects(Lease.id == bindparam("lease_id"))
_EVERYBODYS = _Selects(Lease.provider_id == bindparam("provider_id"))
_A_PROJECTS = _Selects(
    (Lease.provider_id == bindparam("provider_id")) & (Lease.project_id == bindparam("project_id"))
)
_THESE = _Selects(Lease.id.in_(bindparam("ids", expanding=True)))
_TROUBLED = _Selects(
    (Lease.status == "ERROR") | (Lease.failures > 0) | (Lease.look_at < bindparam("overdue"))
)


def get(connection: Connection, lease_id: str) -> LeaseRecord | None:
    found = _load(connection, _ONE, lease_id=lease_id)
    return found[0] if found else None


def of_reservation(connection: Connection, reservation_uuid: str) -> LeaseRecord | None:
    lease_id = connection.execute(
        select(Reservation.lease_id).where(Reservation.uuid == reservation_uuid)
    ).scalar()
    return None if lease_id is None else get(connection, lease_id)


def listed(
    connection: Connection, provider_id: int, project_id: str | None
) -> tuple[LeaseRecord, ...]:
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


def these(connection: Connection, ids: Sequence[str]) -> tuple[LeaseRecord, ...]:
    """Those of the leases that are there, oldest first."""
    return tuple(_load(connection, _THESE, ids=ids))


def revision(connection: Connection, lease_id: str) -> int | None:
    """None when the lease is not there."""
    return connection.execute(select(Lease.revision).where(Lease.id == lease_id)).scalar()


def troubled(connection: Connection, overdue: datetime) -> tuple[LeaseRecord, ...]:
    """Leases in ERROR, with a step that keeps failing, or that nobody looked at since then."""
    return tuple(_load(connection, _TROUBLED, overdue=overdue))


def _load(connection: Connection, selects: _Selects, **where: Any) -> list[LeaseRecord]:
    leases = connection.execute(selects.leases, where).all()
    if not leases:
        return []
    details: dict[int, Mapping[str, Any]] = {}
    reservations = defaultdict(list)
    rows = connection.execute(selects.reservations, where).all()
    for resource_type in {row.resource_type for row in rows}:
        for row in connection.execute(selects.details[resource_type], where).mappings().all():
            details[row["reservation_id"]] = dict(row)
    for lease_id, *columns in rows:
        reservations[lease_id].append(columns)
    events = defaultdict(list)
    for lease_id, *columns in connection.execute(selects.events, where).all():
        events[lease_id].append(EventRecord(*columns))
    # Each statement sees what is committed by then. Every lease has events: one without was
    # removed in between, with all that hung on it.
    return [
        LeaseRecord(
            *lease,
            tuple(ReservationRecord(*row, details[row[0]]) for row in reservations[lease.id]),
            tuple(events[lease.id]),
        )
        for lease in leases
        if lease.id in events
    ]


def exists(connection: Connection, lease_id: str) -> bool:
    return connection.execute(select(true()).where(Lease.id == lease_id)).first() is not None


def add(connection: Connection, values: Mapping[str, Any]) -> None:
    connection.execute(insert(Lease), [dict(values)])


def add_reservation(
    connection: Connection, values: Mapping[str, Any], details: Mapping[str, Any]
) -> int:
    """The reservation and its type's row; its number."""
    number = connection.execute(insert(Reservation).values(**values)).inserted_primary_key[0]
    connection.execute(
        insert(DETAILS[values["resource_type"]]), [{"reservation_id": number, **details}]
    )
    return number


def add_events(connection: Connection, events: Iterable[Mapping[str, Any]]) -> None:
    rows = [dict(event) for event in events]
    if rows:
        connection.execute(insert(Event), rows)


def set_lease(
    connection: Connection,
    lease_id: str,
    values: Mapping[str, Any],
    *,
    attempt: int | None = None,
    status: str | None = None,
) -> bool:
    """Compare and set: False when the attempt or the status is no longer this one.

    Every transaction that changes what hangs on a lease comes through here, and be it without
    ``values``: the revision moves.
    """
    query = update(Lease).where(Lease.id == lease_id)
    if attempt is not None:
        query = query.where(Lease.attempt == attempt)
    if status is not None:
        query = query.where(Lease.status == status)
    changed = query.values(revision=Lease.revision + 1, **values)
    return connection.execute(changed).rowcount == 1


def set_reservation(connection: Connection, number: int, values: Mapping[str, Any]) -> None:
    connection.execute(update(Reservation).where(Reservation.id == number).values(**values))


def set_details(
    connection: Connection, resource_type: str, number: int, details: Mapping[str, Any]
) -> None:
    table = DETAILS[resource_type].__table__
    connection.execute(update(table).where(table.c.reservation_id == number).values(**details))


def set_event(
    connection: Connection, lease_id: str, event_type: str, values: Mapping[str, Any]
) -> None:
    connection.execute(
        update(Event)
        .where(Event.lease_id == lease_id, Event.event_type == event_type)
        .values(**values)
    )


def remove_events(connection: Connection, lease_id: str, event_type: str) -> None:
    connection.execute(
        delete(Event).where(Event.lease_id == lease_id, Event.event_type == event_type)
    )


def remove(connection: Connection, lease_id: str, now: datetime) -> None:
    """The lease with everything that hangs on it; its reservations are remembered as departed."""
    # INSERT INTO departed_reservations SELECT uuid, resource_type, :now FROM reservations ...
    connection.execute(
        insert(DepartedReservation).from_select(
            ["uuid", "resource_type", "removed_at"],
            select(
                Reservation.uuid, Reservation.resource_type, literal(now, type_=Instant())
            ).where(Reservation.lease_id == lease_id),
        )
    )
    connection.execute(delete(Lease).where(Lease.id == lease_id))


def departed(connection: Connection) -> dict[str, str]:
    """The resource types of reservations that are gone, by their ids."""
    rows = connection.execute(select(DepartedReservation.uuid, DepartedReservation.resource_type))
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
        connection.execute(insert(ReservationServer), new)


def servers(connection: Connection, number: int) -> frozenset[str]:
    return frozenset(
        connection.execute(
            select(ReservationServer.server_id).where(ReservationServer.reservation_id == number)
        ).scalars()
    )
