# SPDX-License-Identifier: Apache-2.0
"""Archive of leases that ended long ago: one row each, and none elsewhere."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert, literal, select, update

from promise_blazar.db import leases, tables
from promise_blazar.db.types import Instant
from promise_blazar.model.lease import Lease
from promise_blazar.model.states import LeaseStatus
from promise_blazar.model.strides import stride


def over(connection: Connection, provider_id: int, before: datetime, most: int) -> list[str]:
    """Leases that ended, and were last changed, before then; those that ended first."""
    # SELECT id FROM leases WHERE status = 'TERMINATED' AND end < :before AND ... ORDER BY end
    #   LIMIT :n
    lease = tables.Lease
    rows = connection.execute(
        select(lease.id)
        .where(
            lease.status == LeaseStatus.TERMINATED,
            lease.end < before,
            lease.provider_id == provider_id,
            lease.updated_at < before,
        )
        .order_by(lease.end)
        .limit(most)
    )
    return list(rows.scalars())


def bookings_of(connection: Connection, lease_ids: Sequence[str], most: int) -> list[int]:
    """Some of the rows that these leases have in the ledger."""
    rows = connection.execute(
        select(tables.Booking.id)
        .join(tables.Reservation, tables.Reservation.id == tables.Booking.reservation_id)
        .where(tables.Reservation.lease_id.in_(lease_ids))
        .limit(most)
    )
    return list(rows.scalars())


def hold(connection: Connection, lease_ids: Sequence[str]) -> tuple[Lease, ...]:
    """Those of the leases that are still over; nobody else changes them in this transaction."""
    still = (tables.Lease.id.in_(lease_ids), tables.Lease.status == LeaseStatus.TERMINATED)
    connection.execute(
        update(tables.Lease).where(*still).values(revision=tables.Lease.revision + stride())
    )
    kept = connection.execute(select(tables.Lease.id).where(*still)).scalars()
    return leases.these(connection, list(kept))


def store(connection: Connection, found: Mapping[str, tuple[str, str]], now: datetime) -> None:
    """Have these leases in the archive, and not among the others: by id, their projects and their
    documents. Their reservations are remembered as departed."""
    if not found:
        return
    rows = [
        {"id": lease_id, "project_id": project, "archived_at": now, "document": document}
        for lease_id, (project, document) in found.items()
    ]
    connection.execute(insert(tables.ArchivedLease), rows)
    # INSERT INTO departed_reservations SELECT uuid, resource_type, :now FROM reservations ...
    connection.execute(
        insert(tables.DepartedReservation).from_select(
            ["uuid", "resource_type", "removed_at"],
            select(
                tables.Reservation.uuid,
                tables.Reservation.resource_type,
                literal(now, type_=Instant()),
            ).where(tables.Reservation.lease_id.in_(found)),
        )
    )
    connection.execute(delete(tables.Lease).where(tables.Lease.id.in_(found)))


def document(connection: Connection, lease_id: str) -> str | None:
    """The lease as it was last shown; None: it is not in the archive."""
    return connection.execute(
        select(tables.ArchivedLease.document).where(tables.ArchivedLease.id == lease_id)
    ).scalar()
