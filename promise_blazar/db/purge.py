# SPDX-License-Identifier: Apache-2.0
"""Removal of rows that nobody can ask for any more, some at a time.

Who has seen less than what is gone loads anew: so what is to go is declared first, in a short
transaction, and then goes without the provider's row, which everybody else needs.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, false, func, select, true, update

from promise_blazar.db import tables
from promise_blazar.db.session import Connection


def declare(connection: Connection, provider_id: int, until: datetime) -> int | None:
    """Have managers that have seen nothing since then load anew; the generation of that instant.

    None: nothing is so old.
    """
    stamps = tables.Generation
    # SELECT generation FROM generations WHERE provider_id = :p AND at <= :until
    #   ORDER BY at DESC, generation DESC LIMIT 1
    generation = connection.execute(
        select(stamps.generation)
        .where(stamps.provider_id == provider_id, stamps.at <= until)
        .order_by(stamps.at.desc(), stamps.generation.desc())
        .limit(1)
    ).scalar()
    if generation is not None:
        connection.execute(
            update(tables.Provider)
            .where(
                tables.Provider.id == provider_id, tables.Provider.purged_generation < generation
            )
            .values(purged_generation=generation)
        )
    return generation


def tombstones(
    connection: Connection, provider_id: int, after: int, declared: int, most: int
) -> int | None:
    """Remove bookings' tombstones of some generations up to a declared one, from ``after`` on.

    The last generation that was come to; None: there are no more.
    """
    # SELECT id, generation FROM bookings WHERE provider_id = :p AND generation >= :after
    #   AND generation <= :declared AND deleted = true ORDER BY generation LIMIT :n
    gone = connection.execute(
        select(tables.Booking.id, tables.Booking.generation)
        .where(
            tables.Booking.provider_id == provider_id,
            tables.Booking.generation >= after,
            tables.Booking.generation <= declared,
            tables.Booking.deleted == true(),
        )
        .order_by(tables.Booking.generation)
        .limit(most)
    ).all()
    bookings(connection, [row.id for row in gone])
    return gone[-1].generation if gone else None


def adjustments(connection: Connection, provider_id: int, declared: int, most: int) -> int:
    """Remove tombstones of adjustments up to a declared generation, of which nothing is to be done
    any more; how many."""
    # SELECT id FROM adjustments WHERE provider_id = :p AND generation <= :declared
    #   AND deleted = true AND marking = false ORDER BY generation LIMIT :n
    table = tables.Adjustment
    gone = connection.execute(
        select(table.id)
        .where(
            table.provider_id == provider_id,
            table.generation <= declared,
            table.deleted == true(),
            table.marking == false(),
        )
        .order_by(table.generation)
        .limit(most)
    )
    numbers = list(gone.scalars())
    if not numbers:
        return 0
    return connection.execute(delete(table).where(table.id.in_(numbers))).rowcount


def first_stamp(connection: Connection, provider_id: int) -> int:
    """The first generation with a stamp: tombstones of those before are gone. 0: there is none."""
    return (
        connection.execute(
            select(func.min(tables.Generation.generation)).where(
                tables.Generation.provider_id == provider_id
            )
        ).scalar()
        or 0
    )


def bookings(connection: Connection, ids: list[int]) -> int:
    """Remove these rows of the ledger, which no manager has in its own any more; how many."""
    if not ids:
        return 0
    return connection.execute(delete(tables.Booking).where(tables.Booking.id.in_(ids))).rowcount


def stamps(connection: Connection, provider_id: int, declared: int, most: int) -> int:
    """Remove the stamps before a declared generation, whose own one stays; how many."""
    table = tables.Generation
    first = first_stamp(connection, provider_id)
    return connection.execute(
        delete(table).where(
            table.provider_id == provider_id, table.generation < min(first + most, declared)
        )
    ).rowcount


def departed(connection: Connection, before: datetime, most: int) -> int:
    """Forget reservations that have been gone for long; how many."""
    return _older(connection, tables.DepartedReservation.removed_at, before, most)


def former(connection: Connection, before: datetime, most: int) -> int:
    """Forget reservations that nobody looked at again after their release; how many."""
    return _older(connection, tables.FormerReservation.released_at, before, most)


def keys(connection: Connection, before: datetime, most: int) -> int:
    """Remove idempotency keys that are older; how many."""
    return _older(connection, tables.IdempotencyKey.created_at, before, most)


def settled(connection: Connection, before: datetime, most: int) -> int:
    """Forget requests that were decided long ago; how many."""
    return _older(connection, tables.SettledRequest.settled_at, before, most)


def archived(connection: Connection, before: datetime, most: int) -> int:
    """Remove leases from the archive that have been there for longer; how many."""
    return _older(connection, tables.ArchivedLease.archived_at, before, most)


def _older(connection: Connection, column: Any, before: datetime, most: int) -> int:
    """Remove the oldest rows, about so many, by an instant of theirs that has an index."""
    # SELECT at FROM ... WHERE at < :before ORDER BY at LIMIT :most
    rows = connection.execute(select(column).where(column < before).order_by(column).limit(most))
    oldest = list(rows.scalars())
    if not oldest:
        return 0
    # Between the two, so that it is seen how few they are.
    few = (column >= oldest[0], column <= oldest[-1])
    return connection.execute(delete(column.class_).where(*few)).rowcount
