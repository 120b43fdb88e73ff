# SPDX-License-Identifier: Apache-2.0
"""Specifications and states of reservations, in a table of their type or as JSON.

A type of ours has a table. One from elsewhere is kept as JSON, so that every process can read it,
also one that does not know the type.
"""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select, update

from promise_blazar.db import tables

#: By name; ``""`` for those types that have none of their own.
TABLES: Mapping[str, type[tables.Base]] = {"": tables.SpecJson, **tables.SPEC_TABLES}


def table_of(resource_type: str) -> str:
    """The name in ``TABLES`` of where this type's specifications are."""
    return resource_type if resource_type in TABLES else ""


def details(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields of specification and state, from a row of any of the tables."""
    if "spec" in row:
        return {**json.loads(row["spec"]), **json.loads(row["state"])}
    return dict(row)


def add(
    connection: Connection, resource_type: str, reservation_id: int, spec: Mapping[str, Any]
) -> None:
    """The specification of a new reservation, of which nothing is made yet."""
    name = table_of(resource_type)
    values = {"spec": json.dumps(dict(spec)), "state": "{}"} if not name else spec
    connection.execute(insert(TABLES[name]), [{"reservation_id": reservation_id, **values}])


def change(
    connection: Connection, resource_type: str, reservation_id: int, values: Mapping[str, Any]
) -> None:
    """Set fields of a specification or a state; the others stay."""
    name = table_of(resource_type)
    table = TABLES[name].__table__
    mine = table.c.reservation_id == reservation_id
    if not name:
        row = connection.execute(select(table).where(mine)).mappings().one()
        spec, state = json.loads(row["spec"]), json.loads(row["state"])
        # A specification has all of its fields from the first.
        for field, value in values.items():
            (spec if field in spec else state)[field] = value
        values = {"spec": json.dumps(spec), "state": json.dumps(state)}
    if values:
        connection.execute(update(table).where(mine).values(**values))
