# SPDX-License-Identifier: Apache-2.0
"""Leases that are due, and who works on them: ownership is taken by compare-and-set.

What runs at each turn of the engine asks owner by owner, so that an index leads it to what is
due, however many leases are over or still to come.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, exists, false, or_, select, union_all, update
from sqlalchemy.orm import aliased

from promise_blazar import times
from promise_blazar.db import tables
from promise_blazar.model.manager import RULES
from promise_blazar.model.states import LeaseStatus, Preparation
from promise_blazar.model.strides import stride


@dataclass(frozen=True, slots=True)
class Due:
    """A lease that wants attention. ``owner``: a dead one, or nobody (None)."""

    id: str
    status: str
    attempt: int
    owner: str | None

    @property
    def key(self) -> str:
        """What the engine knows it by."""
        return self.id


def _each_owner(
    dead: Collection[str], query: Callable[[Any], Select[Any]], order: str, limit: int
) -> Select[Any]:
    """The first rows of a query that is asked of the leases of nobody, and of each of the dead.

    ``query``: takes the condition on the owner, and selects a column ``order`` among others.
    """
    # SELECT * FROM ((SELECT ... WHERE owner IS NULL AND ... ORDER BY :order LIMIT :n)
    #   UNION ALL (SELECT ... WHERE owner = :dead AND ... LIMIT :n) ...) ORDER BY :order LIMIT :n
    owned = [tables.Lease.owner.is_(None), *(tables.Lease.owner == each for each in sorted(dead))]
    parts = [query(condition).limit(limit).subquery() for condition in owned]
    found = union_all(*(select(part) for part in parts)).subquery()
    return select(found).order_by(found.c[order]).limit(limit)


def _of_known_rules() -> Any:
    """This release knows the rules that the lease's provider demands."""
    beyond_us = select(tables.Provider.id).where(tables.Provider.rules > RULES)
    return tables.Lease.provider_id.not_in(beyond_us)


def _blocked(now: datetime, given_up_before: datetime) -> Any:
    """A start whose hosts OpenStack has not let go of yet, while it is waited for.

    Where one of the two takes the whole host. Whether slots fit beside slots that linger is
    for the ledger to say, when the start is taken.
    """
    mine, theirs = aliased(tables.Booking), aliased(tables.Booking)
    return and_(
        tables.Lease.status == LeaseStatus.PENDING,
        tables.Lease.start <= now,
        tables.Lease.start > given_up_before,
        tables.Lease.end > now,
        exists()
        .where(tables.Reservation.lease_id == tables.Lease.id)
        .where(mine.reservation_id == tables.Reservation.id, mine.deleted == false())
        .where(*_lingers(mine, theirs, now))
        .where(or_(mine.bundle_id.is_(None), theirs.bundle_id.is_(None))),
    )


def _lingers(mine: Any, theirs: Any, now: datetime) -> Any:
    """Another reservation's booking on the same host, that is over and not let go of."""
    return (
        theirs.host_id == mine.host_id,
        theirs.reservation_id != mine.reservation_id,
        theirs.deleted == false(),
        theirs.released == false(),
        theirs.end <= times.to_micros(now),
    )


def lingering_hosts(connection: Connection, reservation: int, now: datetime) -> frozenset[int]:
    """Hosts of this reservation where another's booking is over and not let go of."""
    mine, theirs = aliased(tables.Booking), aliased(tables.Booking)
    rows = connection.execute(
        select(mine.host_id)
        .join(theirs, and_(*_lingers(mine, theirs, now)))
        .where(mine.reservation_id == reservation, mine.deleted == false())
    )
    return frozenset(rows.scalars())


def _of_known_types(known: Collection[str]) -> Any:
    """No reservation of the lease is of a type that these are not."""
    return ~(
        exists()
        .where(tables.Reservation.lease_id == tables.Lease.id)
        .where(tables.Reservation.resource_type.not_in(known))
    )


_DUE = (tables.Lease.id, tables.Lease.status, tables.Lease.attempt, tables.Lease.owner)


def due(
    connection: Connection,
    now: datetime,
    dead: Collection[str],
    known: Collection[str],
    given_up_before: datetime,
    limit: int,
) -> list[Due]:
    """Leases to look at now, the longest waiting first.

    ``known``: the resource types that the asker can work on; leases with others are left out.
    Blocked starts are, too.
    """

    def query(owned: Any) -> Select[Any]:
        return (
            select(*_DUE, tables.Lease.look_at)
            .where(
                owned,
                tables.Lease.look_at <= now,
                _of_known_rules(),
                _of_known_types(known),
                ~_blocked(now, given_up_before),
            )
            .order_by(tables.Lease.look_at)
        )

    rows = connection.execute(_each_owner(dead, query, "look_at", limit))
    return [Due(*row[:-1]) for row in rows]


def to_prepare(
    connection: Connection, now: datetime, known: Collection[str], limit: int
) -> list[Due]:
    """Leases that have time and are not prepared, those that start first before the others.

    What OpenStack refused before comes after all that it was not asked for yet. ``known``: as of
    ``due``, which has what is urgent.
    """
    found: list[Due] = []
    for preparation in (Preparation.NONE, Preparation.BEGUN):
        # Each in the order of the index, of which the first rows do.
        rows = connection.execute(
            select(*_DUE)
            .where(
                tables.Lease.preparation == preparation,
                tables.Lease.status == LeaseStatus.PENDING,
                tables.Lease.look_at > now,
                tables.Lease.owner.is_(None),
                _of_known_rules(),
                _of_known_types(known),
            )
            .order_by(tables.Lease.failures, tables.Lease.start)
            .limit(limit - len(found))
        )
        found += [Due(*row) for row in rows]
        if len(found) == limit:
            break
    return found


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
            tables.Lease.owner.is_(None),
            tables.Lease.look_at <= now,
            _of_known_rules(),
            tables.Lease.reason.is_(None),
            _of_known_types(known),
            _blocked(now, given_up_before),
        )
        .limit(limit)
    )
    return list(rows.scalars())


def next_look(
    connection: Connection, dead: Collection[str], known: Collection[str]
) -> datetime | None:
    """When the next lease that nobody works on, and the asker can, wants attention; None: none
    does."""

    def query(owned: Any) -> Select[Any]:
        return (
            select(tables.Lease.look_at)
            .where(
                owned,
                tables.Lease.look_at.is_not(None),
                _of_known_rules(),
                _of_known_types(known),
            )
            .order_by(tables.Lease.look_at)
        )

    return connection.execute(_each_owner(dead, query, "look_at", 1)).scalar()


def of_unknown_types(
    connection: Connection,
    now: datetime,
    dead: Collection[str],
    known: Collection[str],
    said: str,
    limit: int,
) -> list[str]:
    """Leases that want attention, that nobody works on, and that have a type which none of these
    is; without those that were seen to before, whose reasons begin as ``said``."""
    ended_by_time = (LeaseStatus.PENDING, LeaseStatus.ACTIVE, LeaseStatus.ERROR)

    def query(owned: Any) -> Select[Any]:
        return (
            select(tables.Lease.id, tables.Lease.look_at)
            .where(
                owned,
                tables.Lease.look_at <= now,
                _of_known_rules(),
                ~_of_known_types(known),
                or_(
                    tables.Lease.reason.is_(None),
                    ~tables.Lease.reason.startswith(said, autoescape=True),
                    and_(tables.Lease.end <= now, tables.Lease.status.in_(ended_by_time)),
                ),
            )
            .order_by(tables.Lease.look_at)
        )

    rows = connection.execute(_each_owner(dead, query, "look_at", limit))
    return list(rows.scalars())


def take(connection: Connection, lease: Due, owner: str, status: str) -> int | None:
    """Take the lease, and move it to this status: the new attempt; None: another was faster."""
    attempt = lease.attempt + stride()
    unchanged = (
        tables.Lease.owner.is_(None) if lease.owner is None else tables.Lease.owner == lease.owner
    )
    taken = connection.execute(
        update(tables.Lease)
        .where(
            tables.Lease.id == lease.id,
            tables.Lease.attempt == lease.attempt,
            tables.Lease.status == lease.status,
            unchanged,
        )
        .values(
            owner=owner,
            attempt=attempt,
            status=status,
            # They are of the present step, and this begins another.
            **({} if status == lease.status else {"failures": 0}),
            revision=tables.Lease.revision + stride(),
        )
    )
    return attempt if taken.rowcount == 1 else None


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
    for table in (tables.Lease, tables.Job):
        connection.execute(update(table).where(table.owner == owner).values(owner=None))


def owners(connection: Connection) -> frozenset[str]:
    """Every manager that some lease or job names as its owner, known or not."""
    named = [
        select(table.owner).where(table.owner.is_not(None)).distinct()
        for table in (tables.Lease, tables.Job)
    ]
    rows = connection.execute(union_all(*named))
    return frozenset(owner for owner in rows.scalars() if owner is not None)
