# SPDX-License-Identifier: Apache-2.0
"""Leases that are due, and who works on them: ownership is taken by compare-and-set.

What runs at each turn of the engine asks owner by owner, so that an index leads it to what is
due, however many leases are over or still to come. Its statements are built once, since that
costs more than to run them.
"""

import functools
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    exists,
    or_,
    select,
    union_all,
    update,
)

from promise_blazar.db import blocked_starts, tables
from promise_blazar.db.blocked_starts import NOW as _NOW
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


_MOST = bindparam("most", type_=Integer)
#: Statements for so many numbers of dead owners are kept.
_KEPT = 32


def _each_owner(query: Callable[[Any], Select[Any]], order: str) -> Callable[[int], Select[Any]]:
    """The first rows of a query that is asked of the leases of nobody, and of each of the dead, by
    the number of these.

    ``query``: takes the condition on the owner, and selects a column ``order`` among others.
    """

    # SELECT * FROM ((SELECT ... WHERE owner IS NULL AND ... ORDER BY :order LIMIT :n)
    #   UNION ALL (SELECT ... WHERE owner = :dead AND ... LIMIT :n) ...) ORDER BY :order LIMIT :n
    @functools.lru_cache(maxsize=_KEPT)
    def built(dead: int) -> Select[Any]:
        owned = [
            tables.Lease.owner.is_(None),
            *(tables.Lease.owner == bindparam(f"dead_{n}") for n in range(dead)),
        ]
        parts = [query(condition).limit(_MOST).subquery() for condition in owned]
        found = union_all(*(select(part) for part in parts)).subquery()
        return select(found).order_by(found.c[order]).limit(_MOST)

    return built


def _asked(dead: Collection[str], known: Collection[str], most: int) -> dict[str, Any]:
    """What every statement of ``_each_owner`` is given."""
    owners = {f"dead_{n}": owner for n, owner in enumerate(sorted(dead))}
    return {**owners, "known": sorted(known), "most": most}


def _of_known_rules() -> Any:
    """This release knows the rules that the lease's provider demands."""
    beyond_us = select(tables.Provider.id).where(tables.Provider.rules > RULES)
    return tables.Lease.provider_id.not_in(beyond_us)


def _of_known_types() -> Any:
    """No reservation of the lease is of a type that is not known."""
    return ~(
        exists()
        .where(tables.Reservation.lease_id == tables.Lease.id)
        .where(tables.Reservation.resource_type.not_in(bindparam("known", expanding=True)))
    )


_DUE = (tables.Lease.id, tables.Lease.status, tables.Lease.attempt, tables.Lease.owner)


def _due_of(owned: Any) -> Select[Any]:
    return (
        select(*_DUE, tables.Lease.look_at)
        .where(
            owned,
            tables.Lease.look_at <= _NOW,
            _of_known_rules(),
            _of_known_types(),
            ~blocked_starts.blocked(),
        )
        .order_by(tables.Lease.look_at)
    )


_ALL_DUE = _each_owner(_due_of, "look_at")


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
    asked = _asked(dead, known, limit) | blocked_starts.asked(now, given_up_before)
    return [Due(*row[:-1]) for row in connection.execute(_ALL_DUE(len(dead)), asked)]


_TO_PREPARE = (
    select(*_DUE)
    .where(
        tables.Lease.preparation == bindparam("preparation"),
        tables.Lease.status == LeaseStatus.PENDING,
        tables.Lease.look_at > _NOW,
        tables.Lease.owner.is_(None),
        _of_known_rules(),
        _of_known_types(),
    )
    .order_by(tables.Lease.failures, tables.Lease.start)
    .limit(_MOST)
    # In its order; MariaDB would rather find them all by two indexes, and sort them.
    .with_hint(tables.Lease, "FORCE INDEX (leases_to_prepare)", "mysql")
    .with_hint(tables.Lease, "FORCE INDEX (leases_to_prepare)", "mariadb")
)


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
        asked = _asked((), known, limit - len(found))
        asked |= {"preparation": preparation, "now": now}
        found += [Due(*row) for row in connection.execute(_TO_PREPARE, asked)]
        if len(found) == limit:
            break
    return found


_BLOCKED_WITHOUT_REASON = (
    select(tables.Lease.id)
    .where(
        tables.Lease.owner.is_(None),
        tables.Lease.look_at <= _NOW,
        _of_known_rules(),
        tables.Lease.reason.is_(None),
        _of_known_types(),
        blocked_starts.blocked(),
    )
    .limit(_MOST)
)


def blocked_without_reason(
    connection: Connection,
    now: datetime,
    known: Collection[str],
    given_up_before: datetime,
    limit: int,
) -> list[str]:
    """Blocked starts, of types that the asker knows, that do not say yet what they wait for."""
    asked = _asked((), known, limit) | blocked_starts.asked(now, given_up_before)
    return list(connection.execute(_BLOCKED_WITHOUT_REASON, asked).scalars())


def _looked_at(owned: Any) -> Select[Any]:
    return (
        select(tables.Lease.look_at)
        .where(owned, tables.Lease.look_at.is_not(None), _of_known_rules(), _of_known_types())
        .order_by(tables.Lease.look_at)
    )


_NEXT_LOOK = _each_owner(_looked_at, "look_at")


def next_look(
    connection: Connection, dead: Collection[str], known: Collection[str]
) -> datetime | None:
    """When the next lease that nobody works on, and the asker can, wants attention; None: none
    does."""
    return connection.execute(_NEXT_LOOK(len(dead)), _asked(dead, known, 1)).scalar()


def _of_unknown_types(owned: Any) -> Select[Any]:
    ended_by_time = (LeaseStatus.PENDING, LeaseStatus.ACTIVE, LeaseStatus.ERROR)
    return (
        select(tables.Lease.id, tables.Lease.look_at)
        .where(
            owned,
            tables.Lease.look_at <= _NOW,
            _of_known_rules(),
            ~_of_known_types(),
            or_(
                tables.Lease.reason.is_(None),
                tables.Lease.reason.not_like(bindparam("said"), escape=_ESCAPE),
                and_(tables.Lease.end <= _NOW, tables.Lease.status.in_(ended_by_time)),
            ),
        )
        .order_by(tables.Lease.look_at)
    )


_ESCAPE = "/"
_UNKNOWN = _each_owner(_of_unknown_types, "look_at")


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
    for mark in (_ESCAPE, "%", "_"):
        said = said.replace(mark, _ESCAPE + mark)
    asked = {**_asked(dead, known, limit), "now": now, "said": f"{said}%"}
    return list(connection.execute(_UNKNOWN(len(dead)), asked).scalars())


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


_ATTEMPT = select(tables.Lease.attempt).where(tables.Lease.id == bindparam("lease_id"))


def attempt(connection: Connection, lease_id: str) -> int | None:
    """The attempt that may act for this lease now; None when it is gone."""
    return connection.execute(_ATTEMPT, {"lease_id": lease_id}).scalar()


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


_OWNERS = union_all(
    *(
        select(table.owner).where(table.owner.is_not(None)).distinct()
        for table in (tables.Lease, tables.Job)
    )
)


def owners(connection: Connection) -> frozenset[str]:
    """Every manager that some lease or job names as its owner, known or not."""
    rows = connection.execute(_OWNERS)
    return frozenset(owner for owner in rows.scalars() if owner is not None)
