# SPDX-License-Identifier: Apache-2.0
"""Starts that wait for hosts which OpenStack has not let go of yet, as conditions of statements
that are built once."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, exists, false, or_, select
from sqlalchemy.orm import aliased

from promise_blazar import times
from promise_blazar.db import tables
from promise_blazar.db.types import Instant
from promise_blazar.model.states import LeaseStatus

NOW = bindparam("now", type_=Instant)


def blocked() -> Any:
    """A start whose hosts OpenStack has not let go of yet, while it is waited for.

    Where one of the two takes the whole host. Whether slots fit beside slots that linger is
    for the ledger to say, when the start is taken.
    """
    mine, theirs = aliased(tables.Booking), aliased(tables.Booking)
    return and_(
        tables.Lease.status == LeaseStatus.PENDING,
        tables.Lease.start <= NOW,
        tables.Lease.start > bindparam("given_up_before", type_=Instant),
        tables.Lease.end > NOW,
        exists()
        .where(tables.Reservation.lease_id == tables.Lease.id)
        .where(mine.reservation_id == tables.Reservation.id, mine.deleted == false())
        .where(*_lingers(mine, theirs))
        .where(or_(mine.bundle_id.is_(None), theirs.bundle_id.is_(None))),
    )


def asked(now: datetime, given_up_before: datetime) -> dict[str, Any]:
    """What a statement with ``blocked`` is given."""
    return {"now": now, "micros": times.to_micros(now), "given_up_before": given_up_before}


def _lingers(mine: Any, theirs: Any) -> Any:
    """Another reservation's booking on the same host, that is over and not let go of."""
    return (
        theirs.host_id == mine.host_id,
        theirs.reservation_id != mine.reservation_id,
        theirs.deleted == false(),
        theirs.released == false(),
        theirs.end <= bindparam("micros"),
    )


def _lingering() -> Select[tuple[int]]:
    mine, theirs = aliased(tables.Booking), aliased(tables.Booking)
    return (
        select(mine.host_id)
        .join(theirs, and_(*_lingers(mine, theirs)))
        .where(mine.reservation_id == bindparam("reservation"), mine.deleted == false())
    )


_LINGERING = _lingering()


def lingering_hosts(connection: Connection, reservation: int, now: datetime) -> frozenset[int]:
    """Hosts of this reservation where another's booking is over and not let go of."""
    asked = {"reservation": reservation, "micros": times.to_micros(now)}
    rows = connection.execute(_LINGERING, asked)
    return frozenset(rows.scalars())
