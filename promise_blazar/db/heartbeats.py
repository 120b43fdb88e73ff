# SPDX-License-Identifier: Apache-2.0
"""Heartbeats of the managers that run: a row each, alive as long as its counter moves."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, inspect, or_, select, update

from promise_blazar.db import tables
from promise_blazar.model.manager import ManagerIdentity

#: The types that managers of the release before this know, which do not say so.
_FIRST_TYPES = frozenset({"physical:host", "virtual:instance"})
#: The version of the calls that they answer.
_FIRST_RPC = "1.0"


@dataclass(frozen=True, slots=True)
class Beat:
    """A manager, by its id and its machine, and the count of its heartbeats."""

    id: str
    host: str
    count: int

    def __str__(self) -> str:
        return f"{self.id} on {self.host}"


@dataclass(frozen=True, slots=True)
class Pulse:
    """The count of a manager's heartbeats, and the longest call to be reckoned with after the last
    one, in seconds; None: it is of a release that names none."""

    count: int
    longest_call: float | None


def register(
    connection: Connection,
    manager_id: str,
    identity: ManagerIdentity,
    now: datetime,
    longest_call: float | None = None,
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
            longest_call=longest_call,
        )
    )


def known_types(connection: Connection, dead: Collection[str]) -> frozenset[str]:
    """The resource types that some manager knows which is not one of the dead."""
    rows = connection.execute(
        select(tables.ManagerProcess.resource_types).where(tables.ManagerProcess.id.not_in(dead))
    )
    told = (_FIRST_TYPES if text is None else json.loads(text) for text in rows.scalars())
    return frozenset().union(*told)


def without_rules(connection: Connection, rules: int, dead: Collection[str]) -> list[Beat]:
    """Managers which do not know these rules, and are not of the dead."""
    table = tables.ManagerProcess
    rows = connection.execute(
        select(table.id, table.host, table.beat)
        .where(table.id.not_in(dead), or_(table.rules.is_(None), table.rules < rules))
        .order_by(table.host, table.id)
    )
    return [Beat(*row) for row in rows]


def of_the_first_release(connection: Connection) -> list[Beat]:
    """Managers of the release that says nothing of rules, whatever revision the schema is at."""
    found = inspect(connection)
    if not found.has_table(tables.ManagerProcess.__tablename__):
        return []
    table = tables.ManagerProcess
    query = select(table.id, table.host, table.beat).order_by(table.host, table.id)
    if any(each["name"] == "rules" for each in found.get_columns(table.__tablename__)):
        query = query.where(table.rules.is_(None))
    return [Beat(*row) for row in connection.execute(query)]


def rpc_versions(connection: Connection, dead: Collection[str]) -> frozenset[str]:
    """Of the calls that managers answer which are not of the dead."""
    rows = connection.execute(
        select(tables.ManagerProcess.rpc_version).where(tables.ManagerProcess.id.not_in(dead))
    )
    return frozenset(_FIRST_RPC if version is None else version for version in rows.scalars())


def beat(connection: Connection, manager_id: str, longest_call: float) -> bool:
    """False: somebody took this manager for dead, and removed it."""
    return (
        connection.execute(
            update(tables.ManagerProcess)
            .where(tables.ManagerProcess.id == manager_id)
            .values(beat=tables.ManagerProcess.beat + 1, longest_call=longest_call)
        ).rowcount
        == 1
    )


def name_longest_call(connection: Connection, manager_id: str, longest_call: float) -> bool:
    """Between two heartbeats. False: the manager was removed."""
    return (
        connection.execute(
            update(tables.ManagerProcess)
            .where(tables.ManagerProcess.id == manager_id)
            .values(longest_call=longest_call)
        ).rowcount
        == 1
    )


def beats(connection: Connection) -> dict[str, Pulse]:
    """By the managers' ids."""
    table = tables.ManagerProcess
    rows = connection.execute(select(table.id, table.beat, table.longest_call))
    return {row.id: Pulse(row.beat, row.longest_call) for row in rows}


def forget_managers(connection: Connection, manager_ids: Iterable[str]) -> None:
    """Forget managers that are dead and own nothing any more."""
    connection.execute(
        delete(tables.ManagerProcess).where(tables.ManagerProcess.id.in_(list(manager_ids)))
    )
