# SPDX-License-Identifier: Apache-2.0
"""Forget what nobody can ask for any more."""

from datetime import datetime

from sqlalchemy import delete, update

from promise_blazar.db import providers
from promise_blazar.db.engine import Connection
from promise_blazar.db.models import Booking, DepartedReservation, IdempotencyKey, Provider


def tombstones(connection: Connection, provider_id: int, keep: int) -> int:
    """Remove bookings' tombstones, except of the last ``keep`` generations; how many.

    Managers that have seen less than what is gone load anew, by ``purged_generation``.
    """
    head = providers.lock(connection, provider_id)
    until = head.generation - keep
    if until <= head.purged:
        return 0
    connection.execute(
        update(Provider).where(Provider.id == provider_id).values(purged_generation=until)
    )
    return connection.execute(
        delete(Booking).where(
            Booking.provider_id == provider_id,
            Booking.deleted.is_(True),
            Booking.generation <= until,
        )
    ).rowcount


def departed(connection: Connection, before: datetime) -> int:
    """Forget reservations that have been gone for long; how many."""
    return connection.execute(
        delete(DepartedReservation).where(DepartedReservation.removed_at < before)
    ).rowcount


def keys(connection: Connection, before: datetime) -> int:
    """Remove idempotency keys that are older; how many."""
    return connection.execute(
        delete(IdempotencyKey).where(IdempotencyKey.created_at < before)
    ).rowcount
