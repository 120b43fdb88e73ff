# SPDX-License-Identifier: Apache-2.0
"""Idempotency keys: what a create made, so that its repetition makes nothing."""

from dataclasses import dataclass
from datetime import datetime

from oslo_db import exception as db_exception
from sqlalchemy import Connection, delete, insert, select, update

from promise_blazar.db import tables

#: Raised by ``add`` when the key is taken.
Taken = db_exception.DBDuplicateEntry


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """``answer``: JSON text; None while the first request still runs."""

    fingerprint: str
    object_id: str
    answer: str | None


def get(connection: Connection, project_id: str, key: str) -> KeyRecord | None:
    row = connection.execute(
        select(
            tables.IdempotencyKey.fingerprint,
            tables.IdempotencyKey.object_id,
            tables.IdempotencyKey.answer,
        ).where(tables.IdempotencyKey.project_id == project_id, tables.IdempotencyKey.key == key)
    ).first()
    return None if row is None else KeyRecord(*row)


def add(
    connection: Connection,
    project_id: str,
    key: str,
    fingerprint: str,
    object_id: str,
    now: datetime,
) -> None:
    connection.execute(
        insert(tables.IdempotencyKey).values(
            project_id=project_id,
            key=key,
            fingerprint=fingerprint,
            object_id=object_id,
            created_at=now,
        )
    )


def answer(connection: Connection, object_id: str, text: str) -> None:
    """Keep what was answered first."""
    connection.execute(
        update(tables.IdempotencyKey)
        .where(
            tables.IdempotencyKey.object_id == object_id, tables.IdempotencyKey.answer.is_(None)
        )
        .values(answer=text)
    )


def forget(connection: Connection, object_id: str) -> None:
    """What was being made is gone, and was never answered: its key is free."""
    connection.execute(
        delete(tables.IdempotencyKey).where(
            tables.IdempotencyKey.object_id == object_id, tables.IdempotencyKey.answer.is_(None)
        )
    )
