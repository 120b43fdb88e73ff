# SPDX-License-Identifier: Apache-2.0
"""Heartbeats of the managers that run: a row each, alive as long as its counter moves."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from promise_blazar.db import tables


def register(connection: Connection, manager_id: str, host: str, now: datetime) -> None:
    connection.execute(
        insert(tables.ManagerProcess).values(id=manager_id, host=host, beat=0, started_at=now)
    )


def beat(connection: Connection, manager_id: str) -> bool:
    """False: somebody took this manager for dead, and removed it."""
    return (
        connection.execute(
            update(tables.ManagerProcess)
            .where(tables.ManagerProcess.id == manager_id)
            .values(beat=tables.ManagerProcess.beat + 1)
        ).rowcount
        == 1
    )


def beats(connection: Connection) -> dict[str, int]:
    return {
        row.id: row.beat
        for row in connection.execute(select(tables.ManagerProcess.id, tables.ManagerProcess.beat))
    }


def forget_managers(connection: Connection, manager_ids: Iterable[str]) -> None:
    """Forget managers that are dead and own nothing any more."""
    connection.execute(
        delete(tables.ManagerProcess).where(tables.ManagerProcess.id.in_(list(manager_ids)))
    )
