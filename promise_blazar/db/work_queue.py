# SPDX-License-Identifier: Apache-2.0
"""Leases that are due, and who works on them: ownership is taken by compare-and-set."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, exists, or_, select, update
from sqlalchemy.orm import aliased

from promise_blazar import times
from promise_blazar.db import tables
from promise_blazar.model.manager import RULES
from promise_blazar.model.states import LeaseStatus


@dataclass(frozen=True, slots=True)
class Due:
    """A lease that wants attention. ``owner``: a dead one, or nobody (None)."""

    id: str
    status: str
    attempt: int
    owner: str | None


def _unowned(dead: Sequence[str]) -> Any:
    """Nobody works on the lease, and this release knows the rules that its provider demands."""
    free = tables.Lease.owner.is_(None)
    beyond_us = select(tables.Provider.id).where(tables.Provider.rules > RULES)
    return and_(
        or_(free, tables.Lease.owner.in_(dead)) if dead else free,
        tables.Lease.provider_id.not_in(beyond_us),
    )


def _blocked(now: datetime, given_up_before: datetime) -> Any:
    """A start whose hosts OpenStack has not let go of yet, while it is waited for.

    Where one of the two takes the whole host. Whether slots fit beside slots that linger is
    for the ledger to say, when the start is taken.
    """
    mine, theirs = aliased(tables.Booking), aliased(tables.Booking)
    return and_(
        tables.Lease.status == LeaseStatus.PENDING,
        tables.Lease.start > given_up_before,
        tables.Lease.end > now,
        exists()
        .where(tables.Reservation.lease_id == tables.Lease.id)
        .where(mine.reservation_id == tables.Reservation.id, mine.deleted.is_(False))
        .where(*_lingers(mine, theirs, now))
        .where(or_(mine.bundle_id.is_(None), theirs.bundle_id.is_(None))),
    )


def _lingers(mine: Any, theirs: Any, now: datetime) -> Any:
    """Another reservation's booking on the same host, that is over and not let go of."""
    return (
        theirs.host_id == mine.host_id,
        theirs.reservation_id != mine.reservation_id,
        theirs.deleted.is_(False),
        theirs.released.is_(False),
        theirs.end <= times.to_micros(now),
    )


def lingering_hosts(connection: Connection, reservation: int, now: datetime) -> frozenset[int]:
    """Hosts of this reservation where another's booking is over and not let go of."""
    mine, theirs = aliased(tables.Booking), aliased(tables.Booking)
    rows = connection.execute(
        select(mine.host_id)
        .join(theirs, and_(*_lingers(mine, theirs, now)))
        .where(mine.reservation_id == reservation, mine.deleted.is_(False))
    )
    return frozenset(rows.scalars())


def _of_known_types(known: Collection[str]) -> Any:
    """No reservation of the lease is of a type that these are not."""
    return ~(
        exists()
        .where(tables.Reservation.lease_id == tables.Lease.id)
        .where(tables.Reservation.resource_type.not_in(known))
    )


def due(
    connection: Connection,
    now: datetime,
    dead: Sequence[str],
    known: Collection[str],
    given_up_before: datetime,
    limit: int,
) -> list[Due]:
    """Leases to look at now, the longest waiting first.

    ``known``: the resource types that the asker can work on; leases with others are left out.
    Blocked starts are, too.
    """
    rows = connection.execute(
        select(tables.Lease.id, tables.Lease.status, tables.Lease.attempt, tables.Lease.owner)
        .where(
            tables.Lease.look_at <= now,
            _unowned(dead),
            _of_known_types(known),
            ~_blocked(now, given_up_before),
        )
        .order_by(tables.Lease.look_at)
        .limit(limit)
    )
    return [Due(*row) for row in rows]


def blocked_without_reason(
    connection: Connection,
    now: datetime,
    known: Collection[str],
    given_up_before: datetime,
    limit: int,
) -> list[str]:
    """Blocked starts, of types that the asker knows, that do not say yet what they wait for."""
    rows = connection.execute(
        select(tables.Lease.id)
        .where(
            tables.Lease.look_at <= now,
            _unowned([]),
            tables.Lease.reason.is_(None),
            _of_known_types(known),
            _blocked(now, given_up_before),
        )
        .limit(limit)
    )
    return list(rows.scalars())


def next_look(
    connection: Connection, dead: Sequence[str], known: Collection[str]
) -> datetime | None:
    """When the next lease that nobody works on, and the asker can, wants attention; None: none
    does."""
    # In the order of an index, of which the first rows do: min() would read all that match.
    return connection.execute(
        select(tables.Lease.look_at)
        .where(tables.Lease.look_at.is_not(None), _unowned(dead), _of_known_types(known))
        .order_by(tables.Lease.look_at)
        .limit(1)
    ).scalar()


def of_unknown_types(
    connection: Connection,
    now: datetime,
    dead: Sequence[str],
    known: Collection[str],
    said: str,
    limit: int,
) -> list[str]:
    """Leases that want attention, that nobody works on, and that have a type which none of these
    is; without those that were seen to before, whose reasons begin as ``said``."""
    ended_by_time = (LeaseStatus.PENDING, LeaseStatus.ACTIVE, LeaseStatus.ERROR)
    rows = connection.execute(
        select(tables.Lease.id)
        .where(
            tables.Lease.look_at <= now,
            _unowned(dead),
            ~_of_known_types(known),
            or_(
                tables.Lease.reason.is_(None),
                ~tables.Lease.reason.startswith(said, autoescape=True),
                and_(tables.Lease.end <= now, tables.Lease.status.in_(ended_by_time)),
            ),
        )
        .limit(limit)
    )
    return list(rows.scalars())


def take(connection: Connection, lease: Due, owner: str, status: str) -> bool:
    """Take the lease, and move it to this status. False: somebody else was faster."""
    unchanged = (
        tables.Lease.owner.is_(None) if lease.owner is None else tables.Lease.owner == lease.owner
    )
    return (
        connection.execute(
            update(tables.Lease)
            .where(
                tables.Lease.id == lease.id,
                tables.Lease.attempt == lease.attempt,
                tables.Lease.status == lease.status,
                unchanged,
            )
            .values(
                owner=owner,
                attempt=lease.attempt + 1,
                status=status,
                revision=tables.Lease.revision + 1,
            )
        ).rowcount
        == 1
    )


def attempt(connection: Connection, lease_id: str) -> int | None:
    """The attempt that may act for this lease now; None when it is gone."""
    return connection.execute(
        select(tables.Lease.attempt).where(tables.Lease.id == lease_id)
    ).scalar()


def let_go(connection: Connection, lease_id: str, owner: str) -> None:
    """A superseded owner has stopped: the next may begin."""
    connection.execute(
        update(tables.Lease)
        .where(tables.Lease.id == lease_id, tables.Lease.owner == owner)
        .values(owner=None)
    )


def let_go_of_all(connection: Connection, owner: str) -> None:
    """A manager that ends in order leaves nothing to be waited for."""
    connection.execute(update(tables.Lease).where(tables.Lease.owner == owner).values(owner=None))


def owners(connection: Connection) -> frozenset[str]:
    """Every manager that some lease names as its owner, known or not."""
    rows = connection.execute(
        select(tables.Lease.owner).where(tables.Lease.owner.is_not(None)).distinct()
    )
    return frozenset(owner for owner in rows.scalars() if owner is not None)
