# SPDX-License-Identifier: Apache-2.0
"""Reservations whose promises were broken by adjustments, and the marks of their leases."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    case,
    delete,
    exists,
    false,
    insert,
    or_,
    select,
    true,
    tuple_,
    update,
)

from promise_blazar.db import tables
from promise_blazar.model import reason as reasons
from promise_blazar.model.reason import WITHDRAWN, Reason
from promise_blazar.model.states import LeaseStatus
from promise_blazar.model.strides import stride

#: Leases that have no other reason, or one of ours.
_UNEXPLAINED = or_(tables.Lease.reason.is_(None), tables.Lease.reason == WITHDRAWN)
#: Leases whose mark says that they failed, or no longer matters.
_NOT_DEGRADED_BY_US = (LeaseStatus.ERROR, LeaseStatus.TERMINATING, LeaseStatus.TERMINATED)
#: Numbers, or ids, that one statement names.
_AT_ONCE = 1_000


class Affected(NamedTuple):
    """A reservation, by its number and its uuid, and its lease."""

    number: int
    uuid: str
    lease_id: str


def add(
    connection: Connection, provider_id: int, number: int, reservations: Sequence[Affected]
) -> None:
    """Write down whose promises this adjustment breaks, if that is not known yet."""
    known = of(connection, number)
    rows = [
        {
            "reservation_id": each.number,
            "adjustment_id": number,
            "provider_id": provider_id,
        }
        for each in reservations
        if each.number not in known
    ]
    if rows:
        connection.execute(insert(tables.AffectedReservation), rows)


def of(connection: Connection, number: int) -> set[int]:
    """The numbers of the reservations that this adjustment affects."""
    table = tables.AffectedReservation
    query = select(table.reservation_id).where(table.adjustment_id == number)
    return set(connection.execute(query).scalars())


def degrade(connection: Connection, lease_ids: Sequence[str], reason: Reason) -> None:
    """Mark these leases, with a reason where they have no other."""
    lease, texts = tables.Lease, reasons.columns(reason)
    for first in range(0, len(lease_ids), _AT_ONCE):
        # UPDATE leases SET operator_reason = CASE WHEN reason IS NULL OR reason = ... END, ...
        #   WHERE id IN (...)
        # In this order: MariaDB takes a column that was set before as it is then.
        connection.execute(
            update(lease)
            .where(lease.id.in_(lease_ids[first : first + _AT_ONCE]))
            .ordered_values(
                *(
                    (column, case((_UNEXPLAINED, texts[column.key]), else_=column))
                    for column in (lease.operator_reason, lease.reason)
                ),
                (lease.degraded, True),
                (lease.revision, lease.revision + 1),
            )
        )


def recover(connection: Connection, lease_ids: Sequence[str]) -> None:
    """Take the mark from those of these leases that nothing affects any more, and whose hosts are
    in service."""
    # UPDATE leases SET degraded = false, ... WHERE id IN (...) AND status IN (...)
    #   AND NOT EXISTS (SELECT * FROM affected_reservations JOIN reservations ...)
    #   AND NOT EXISTS (SELECT * FROM bookings JOIN reservations ... JOIN hosts ... WHERE NOT up)
    lease, reservation, booking = tables.Lease, tables.Reservation, tables.Booking
    affected = (
        exists()
        .where(tables.AffectedReservation.reservation_id == reservation.id)
        .where(reservation.lease_id == lease.id)
    )
    down = (
        exists()
        .where(booking.reservation_id == reservation.id, booking.deleted == false())
        .where(reservation.lease_id == lease.id)
        .where(tables.Host.id == booking.host_id, tables.Host.up == false())
    )
    for first in range(0, len(lease_ids), _AT_ONCE):
        theirs = (
            lease.id.in_(lease_ids[first : first + _AT_ONCE]),
            lease.status.not_in(_NOT_DEGRADED_BY_US),
            ~affected,
        )
        unexplained = {**reasons.columns(None), "revision": lease.revision + stride()}
        connection.execute(
            update(lease).where(*theirs, lease.reason == WITHDRAWN).values(**unexplained)
        )
        connection.execute(
            update(lease)
            .where(*theirs, ~down, lease.degraded == true())
            .values(degraded=False, revision=lease.revision + stride())
        )


def by_adjustment(connection: Connection, numbers: Collection[int]) -> dict[int, list[str]]:
    """The uuids of reservations that these adjustments affect, by start, by their numbers."""
    # SELECT adjustment_id, reservations.uuid FROM affected_reservations JOIN reservations JOIN
    #   leases WHERE adjustment_id IN (...) ORDER BY leases.start, uuid
    affected, reservation, lease = tables.AffectedReservation, tables.Reservation, tables.Lease
    found: dict[int, list[str]] = defaultdict(list)
    for row in connection.execute(
        select(affected.adjustment_id, reservation.uuid)
        .join(reservation, reservation.id == affected.reservation_id)
        .join(lease, lease.id == reservation.lease_id)
        .where(affected.adjustment_id.in_(numbers))
        .order_by(lease.start, reservation.uuid)
    ):
        found[row.adjustment_id].append(row.uuid)
    return found


def in_order(connection: Connection, reservations: Sequence[int]) -> list[Affected]:
    """These reservations, by start; those that are gone are none."""
    reservation, lease = tables.Reservation, tables.Lease
    found: list[Any] = []
    for first in range(0, len(reservations), _AT_ONCE):
        found += connection.execute(
            select(lease.start, reservation.uuid, reservation.id, lease.id)
            .join(lease, lease.id == reservation.lease_id)
            .where(reservation.id.in_(reservations[first : first + _AT_ONCE]))
        ).all()
    found.sort(key=lambda row: (row[0], row[1]))
    return [Affected(number, uuid, lease_id) for _, uuid, number, lease_id in found]


def any_of(connection: Connection, reservations: Collection[int]) -> bool:
    """Whether any of these reservations is on record as affected."""
    table = tables.AffectedReservation
    query = select(table.reservation_id).where(table.reservation_id.in_(reservations)).limit(1)
    return connection.execute(query).first() is not None


def pairs(connection: Connection, provider_id: int) -> list[tuple[int, int]]:
    """Pairs of a reservation and an adjustment of this provider, by their numbers."""
    table = tables.AffectedReservation
    rows = connection.execute(
        select(table.reservation_id, table.adjustment_id).where(table.provider_id == provider_id)
    )
    return [(row.reservation_id, row.adjustment_id) for row in rows]


def relieve(connection: Connection, pairs: Sequence[tuple[int, int]]) -> None:
    """Forget these pairs."""
    table = tables.AffectedReservation
    for first in range(0, len(pairs), _AT_ONCE):
        some = pairs[first : first + _AT_ONCE]
        connection.execute(
            delete(table).where(tuple_(table.reservation_id, table.adjustment_id).in_(list(some)))
        )
