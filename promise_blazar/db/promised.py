# SPDX-License-Identifier: Apache-2.0
"""What leases have promised in a window: their bookings, alike ones together."""

from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select

from promise_blazar.db import tables

#: A condition that leases meet.
Leases = ColumnElement[bool]


class Promised(NamedTuple):
    """``units`` of a bundle (its text; None: the whole host) on a host, in ``[start, end)``,
    microseconds."""

    bundle: str | None
    host: int
    units: int
    start: int
    end: int


def by_leases(
    connection: Connection, leases: Leases, start: int, end: int, most: int
) -> list[Promised]:
    """Of these leases, what overlaps the window; at most so many."""
    # SELECT text, host_id, SUM(units), bookings.start, bookings.end FROM leases JOIN reservations
    #   JOIN bookings LEFT JOIN bundles WHERE ... AND deleted = false AND bookings.start < :end
    #   AND bookings.end > :start GROUP BY text, host_id of whole hosts, start, end LIMIT :most
    booking, bundle = tables.Booking, tables.Bundle
    # Of slots it does not matter where they are.
    host = func.coalesce(booking.bundle_id - booking.bundle_id, booking.host_id)
    rows = connection.execute(
        select(bundle.text, host, func.sum(booking.units), booking.start, booking.end)
        .select_from(tables.Lease)
        .join(tables.Reservation, tables.Reservation.lease_id == tables.Lease.id)
        .join(booking, booking.reservation_id == tables.Reservation.id)
        .join(bundle, bundle.id == booking.bundle_id, isouter=True)
        .where(leases, booking.deleted.is_(False), booking.start < end, booking.end > start)
        .group_by(bundle.text, host, booking.start, booking.end)
        .limit(most)
    )
    return [Promised(text, place, int(units), a, b) for text, place, units, a, b in rows]
