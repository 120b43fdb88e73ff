# SPDX-License-Identifier: Apache-2.0
"""Heartbeats of the managers that run: a row each, alive as long as its counter moves."""

import json
from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from promise_blazar.db import tables
from promise_blazar.model.manager import ManagerIdentity

#: The types that managers of the release before this know, which do not say so.
_FIRST_TYPES = frozenset({"physical:host", "virtual:instance"})


def register(
    connection: Connection, manager_id: str, identity: ManagerIdentity, now: datetime
) -> None:
    """A manager that begins to be."""
    connection.execute(
        insert(tables.ManagerProcess).values(
            id=manager_id,
            host=identity.host,
            beat=0,
            started_at=now,
            rules=identity.rules,
            rpc_version=identity.rpc_version,
            resource_types=json.dumps(sorted(identity.resource_types)),
        )
    )


def known_types(connection: Connection, dead: Collection[str]) -> frozenset[str]:
    """The resource types that some manager knows which is not one of the dead."""
    rows = connection.execute(
        select(tables.ManagerProcess.resource_types).where(tables.ManagerProcess.id.not_in(dead))
    )
    told = (_FIRST_TYPES if text is None else json.loads(text) for text in rows.scalars())
    return frozenset().union(*told)


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
