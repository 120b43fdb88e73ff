# SPDX-License-Identifier: Apache-2.0
"""Jobs that are due, and who works on them: ownership is taken by compare-and-set, as of leases.

Who begins a job has moved the provider's generation first, in the same transaction, so that no
two begin one at the same time.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from oslo_db import exception as db_exception
from sqlalchemy import Connection, Integer, bindparam, delete, insert, or_, select, update

from promise_blazar.db import tables
from promise_blazar.model.manager import RULES
from promise_blazar.model.strides import stride

#: Raised by ``add`` when there is a job of this kind on this subject.
Taken = db_exception.DBDuplicateEntry


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is on record; see ``tables.Job``."""

    id: str
    kind: str
    subject: str
    provider_id: int
    look_at: datetime | None
    owner: str | None
    attempt: int
    failures: int
    reason: str | None

    @property
    def key(self) -> str:
        """What the engine knows it by."""
        return key(self.kind, self.subject)


def key(kind: str, subject: str) -> str:
    """The name of a job: ``host compute-1``; that of one without a subject is its kind."""
    return f"{kind} {subject}".strip()


_COLUMNS = [getattr(tables.Job, name) for name in Job.__slots__]


#: Nobody's, or of one of the dead.
_OPEN = or_(tables.Job.owner.is_(None), tables.Job.owner.in_(bindparam("dead", expanding=True)))
_OF_KINDS = tables.Job.kind.in_(bindparam("kinds", expanding=True))
# SELECT ... FROM jobs WHERE look_at <= :now AND kind IN (...) AND (owner IS NULL OR ...)
#   ORDER BY look_at LIMIT :n
_DUE = (
    select(*_COLUMNS)
    .where(
        tables.Job.look_at <= bindparam("now"),
        _OF_KINDS,
        _OPEN,
        tables.Job.provider_id.not_in(
            select(tables.Provider.id).where(tables.Provider.rules > RULES)
        ),
    )
    .order_by(tables.Job.look_at)
    .limit(bindparam("most", type_=Integer))
)
_NEXT_LOOK = (
    select(tables.Job.look_at)
    .where(tables.Job.look_at.is_not(None), _OF_KINDS, _OPEN)
    .order_by(tables.Job.look_at)
    .limit(1)
)


def due(
    connection: Connection,
    now: datetime,
    dead: Sequence[str],
    kinds: Collection[str],
    limit: int,
) -> list[Job]:
    """Jobs of these kinds to look at now, which nobody works on, the longest waiting first."""
    asked = {"now": now, "kinds": sorted(kinds), "dead": list(dead), "most": limit}
    return [Job(*row) for row in connection.execute(_DUE, asked)]


def next_look(
    connection: Connection, dead: Sequence[str], kinds: Collection[str]
) -> datetime | None:
    """When the next job of these kinds that nobody works on wants attention; None: none does."""
    asked = {"kinds": sorted(kinds), "dead": list(dead)}
    return connection.execute(_NEXT_LOOK, asked).scalar()


def of_kind(connection: Connection, provider_id: int, kind: str) -> dict[str, Job]:
    """Those that there are, by subject."""
    rows = connection.execute(
        select(*_COLUMNS).where(tables.Job.provider_id == provider_id, tables.Job.kind == kind)
    )
    return {job.subject: job for job in (Job(*row) for row in rows)}


def find(connection: Connection, provider_id: int, kind: str, subject: str) -> Job | None:
    row = connection.execute(
        select(*_COLUMNS).where(
            tables.Job.provider_id == provider_id,
            tables.Job.kind == kind,
            tables.Job.subject == subject,
        )
    ).first()
    return None if row is None else Job(*row)


def add(
    connection: Connection, provider_id: int, kind: str, subject: str, look_at: datetime
) -> None:
    """A job that nobody works on yet."""
    connection.execute(
        insert(tables.Job).values(
            id=str(uuid.uuid4()),
            kind=kind,
            subject=subject,
            provider_id=provider_id,
            look_at=look_at,
            attempt=0,
            failures=0,
        )
    )


def bring_forward(
    connection: Connection, provider_id: int, kind: str, subject: str, look_at: datetime
) -> bool:
    """Have the job looked at no later than this; False: there is none."""
    this = (
        tables.Job.provider_id == provider_id,
        tables.Job.kind == kind,
        tables.Job.subject == subject,
    )
    connection.execute(
        update(tables.Job).where(*this, tables.Job.look_at > look_at).values(look_at=look_at)
    )
    return connection.execute(select(tables.Job.id).where(*this)).first() is not None


def begin(
    connection: Connection, provider_id: int, kind: str, subject: str, look_at: datetime
) -> None:
    """See that there is this job, which is nobody's until then.

    Whoever works on it may not go on: the caller does what it is about, and says when it is
    ``over``; should the caller die, somebody looks at it then.
    """
    found = find(connection, provider_id, kind, subject)
    if found is None:
        add(connection, provider_id, kind, subject, look_at)
        return
    values = {"owner": None, "attempt": found.attempt + stride(), "failures": 0, "reason": None}
    connection.execute(
        update(tables.Job).where(tables.Job.id == found.id).values(look_at=look_at, **values)
    )


def over(connection: Connection, provider_id: int, kind: str, subject: str) -> None:
    """There is nothing left to do, whoever has done it."""
    connection.execute(
        delete(tables.Job).where(
            tables.Job.provider_id == provider_id,
            tables.Job.kind == kind,
            tables.Job.subject == subject,
        )
    )


def take(connection: Connection, job: Job, owner: str) -> int | None:
    """Take the job: the new attempt. None: somebody else was faster."""
    attempt = job.attempt + stride()
    unchanged = tables.Job.owner.is_(None) if job.owner is None else tables.Job.owner == job.owner
    taken = connection.execute(
        update(tables.Job)
        .where(tables.Job.id == job.id, tables.Job.attempt == job.attempt, unchanged)
        .values(owner=owner, attempt=attempt)
    )
    return attempt if taken.rowcount == 1 else None


def attempt(connection: Connection, job_id: str) -> int | None:
    """The attempt that may act for this job now; None when it is over."""
    return connection.execute(select(tables.Job.attempt).where(tables.Job.id == job_id)).scalar()


def put_off(
    connection: Connection,
    job_id: str,
    attempt: int,
    look_at: datetime,
    failures: int = 0,
    reason: str | None = None,
) -> bool:
    """Nobody's until then. False: somebody else has it by now."""
    values = {"owner": None, "look_at": look_at, "failures": failures, "reason": reason}
    return (
        connection.execute(
            update(tables.Job)
            .where(tables.Job.id == job_id, tables.Job.attempt == attempt)
            .values(**values)
        ).rowcount
        == 1
    )


def remove(connection: Connection, job_id: str, attempt: int) -> None:
    """The work of this attempt is over."""
    connection.execute(
        delete(tables.Job).where(tables.Job.id == job_id, tables.Job.attempt == attempt)
    )


def let_go(connection: Connection, job_id: str, owner: str) -> None:
    """A superseded owner has stopped: the next may begin."""
    connection.execute(
        update(tables.Job)
        .where(tables.Job.id == job_id, tables.Job.owner == owner)
        .values(owner=None)
    )


def troubled(connection: Connection, overdue: datetime) -> list[Job]:
    """Jobs that keep failing, or that nobody looked at since then."""
    rows = connection.execute(
        select(*_COLUMNS)
        .where(or_(tables.Job.failures > 0, tables.Job.look_at < overdue))
        .order_by(tables.Job.kind, tables.Job.subject)
    )
    return [Job(*row) for row in rows]
