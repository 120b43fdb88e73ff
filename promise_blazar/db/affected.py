# SPDX-License-Identifier: Apache-2.0
"""Reservations whose promises were broken by adjustments, and the marks of their leases."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    case,
    delete,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    true,
    tuple_,
    update,
)

from promise_blazar.db import tables
from promise_blazar.model import reason as reasons
from promise_blazar.model.adjustment import Adjustment
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


class Listed(NamedTuple):
    """The uuids of the first of ``count`` reservations, by start."""

    uuids: tuple[str, ...]
    count: int


def mark(
    connection: Connection, found: Adjustment, reservations: Sequence[int], reason: Reason
) -> None:
    """Write down that this adjustment breaks the promises of these reservations, a few, and let
    their leases say so; of what is on record already nothing changes.

    For who holds the provider's row.
    """
    table = tables.AffectedReservation
    query = select(table.reservation_id).where(
        table.adjustment_id == found.id, table.reservation_id.in_(reservations)
    )
    known = set(connection.execute(query).scalars())
    new = [each for each in in_order(connection, reservations) if each.number not in known]
    if not new:
        return
    rows = [
        {
            "reservation_id": each.number,
            "adjustment_id": found.id,
            "provider_id": found.provider_id,
        }
        for each in new
    ]
    connection.execute(insert(table), rows)
    degrade(connection, sorted({each.lease_id for each in new}), reason)


def of(connection: Connection, number: int) -> set[int]:
    """The numbers of the reservations that this adjustment affects."""
    table = tables.AffectedReservation
    query = select(table.reservation_id).where(table.adjustment_id == number)
    return set(connection.execute(query).scalars())


def degrade(connection: Connection, lease_ids: Sequence[str], reason: Reason) -> None:
    """Mark these leases, with a reason where they have no other; none that has failed or is
    over."""
    lease, texts = tables.Lease, reasons.columns(reason)
    for first in range(0, len(lease_ids), _AT_ONCE):
        # UPDATE leases SET operator_reason = CASE WHEN reason IS NULL OR reason = ... END, ...
        #   WHERE id IN (...) AND status NOT IN (...)
        # In this order: MariaDB takes a column that was set before as it is then.
        connection.execute(
            update(lease)
            .where(
                lease.id.in_(lease_ids[first : first + _AT_ONCE]),
                lease.status.not_in(_NOT_DEGRADED_BY_US),
            )
            .ordered_values(
                *(
                    (column, case((_UNEXPLAINED, texts[column.key]), else_=column))
                    for column in (lease.operator_reason, lease.reason)
                ),
                (lease.degraded, True),
                (lease.revision, lease.revision + stride()),
            )
        )


def say_so(connection: Connection, lease_id: str) -> None:
    """Let a lease that is affected be degraded, and say why where it says nothing else.

    For who has changed its row in this transaction, and so keeps everybody else from doing so.
    """
    # SELECT DISTINCT adjustments.uuid FROM affected_reservations JOIN reservations
    #   LEFT JOIN adjustments WHERE reservations.lease_id = :lease
    affected, reservation = tables.AffectedReservation, tables.Reservation
    found = connection.execute(
        select(tables.Adjustment.uuid)
        .distinct()
        .select_from(affected)
        .join(reservation, reservation.id == affected.reservation_id)
        .outerjoin(tables.Adjustment, tables.Adjustment.id == affected.adjustment_id)
        .where(reservation.lease_id == lease_id)
    )
    by = [row.uuid for row in found]
    if by:
        words = ", ".join(sorted(each or "one that is gone" for each in by))
        reason = Reason(WITHDRAWN, f"{WITHDRAWN} by adjustment {words}")
        degrade(connection, [lease_id], reason)


def recover(connection: Connection, lease_ids: Sequence[str]) -> None:
    """Take the mark from those of these leases that nothing affects any more, and whose hosts, if
    they run, are in service."""
    # UPDATE leases SET degraded = false, ... WHERE id IN (...) AND status IN (...)
    #   AND NOT EXISTS (SELECT * FROM affected_reservations JOIN reservations ...)
    #   AND (status <> 'ACTIVE'
    #   OR NOT EXISTS (SELECT * FROM bookings JOIN reservations ... JOIN hosts ... WHERE NOT up))
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
            .where(
                *theirs,
                or_(lease.status != LeaseStatus.ACTIVE, ~down),
                lease.degraded == true(),
            )
            .values(degraded=False, revision=lease.revision + stride())
        )


def listed(connection: Connection, numbers: Sequence[int], most: int) -> dict[int, Listed]:
    """The reservations that these adjustments affect, so many of each at most, by their numbers;
    one that affects none is missing."""
    # SELECT adjustment_id, count(*) FROM affected_reservations WHERE adjustment_id IN (...)
    #   GROUP BY adjustment_id
    # SELECT reservations.uuid FROM affected_reservations JOIN reservations JOIN leases
    #   WHERE adjustment_id = :n ORDER BY leases.start, uuid LIMIT :most
    affected, reservation, lease = tables.AffectedReservation, tables.Reservation, tables.Lease
    counts = connection.execute(
        select(affected.adjustment_id, func.count())
        .where(affected.adjustment_id.in_(numbers))
        .group_by(affected.adjustment_id)
    ).all()
    found = {}
    for number, count in counts:
        first = connection.execute(
            select(reservation.uuid)
            .join(affected, reservation.id == affected.reservation_id)
            .join(lease, lease.id == reservation.lease_id)
            .where(affected.adjustment_id == number)
            .order_by(lease.start, reservation.uuid)
            .limit(most)
        )
        found[number] = Listed(tuple(first.scalars()), count)
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
