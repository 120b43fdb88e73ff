# SPDX-License-Identifier: Apache-2.0
"""Removal of rows that nobody can ask for any more."""

from datetime import datetime

from sqlalchemy import delete, update

from promise_blazar.db import providers, tables
from promise_blazar.db.session import Connection


def tombstones(connection: Connection, provider_id: int, keep: int) -> int:
    """Remove bookings' tombstones, except of the last ``keep`` generations; how many.

    Managers that have seen less than what is gone load anew, by ``purged_generation``.
    """
    head = providers.lock(connection, provider_id)
    until = head.generation - keep
    if until <= head.purged:
        return 0
    connection.execute(
        update(tables.Provider)
        .where(tables.Provider.id == provider_id)
        .values(purged_generation=until)
    )
    return connection.execute(
        delete(tables.Booking).where(
            tables.Booking.provider_id == provider_id,
            tables.Booking.deleted.is_(True),
            tables.Booking.generation <= until,
        )
    ).rowcount


def departed(connection: Connection, before: datetime) -> int:
    """Forget reservations that have been gone for long; how many."""
    return connection.execute(
        delete(tables.DepartedReservation).where(tables.DepartedReservation.removed_at < before)
    ).rowcount


def keys(connection: Connection, before: datetime) -> int:
    """Remove idempotency keys that are older; how many."""
    return connection.execute(
        delete(tables.IdempotencyKey).where(tables.IdempotencyKey.created_at < before)
    ).rowcount
