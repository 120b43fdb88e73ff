# SPDX-License-Identifier: Apache-2.0
"""Pages of leases: the ids of those that meet conditions, in an order, from a place in it on."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from promise_blazar.db import tables

#: Whatever leases can be in the order of, by the words of the API.
ORDERS = {
    "created_at": tables.Lease.created_at,
    "end_date": tables.Lease.end,
    "id": tables.Lease.id,
    "name": tables.Lease.name,
    "start_date": tables.Lease.start,
    "status": tables.Lease.status,
}


def of_project(provider_id: int, project_id: str | None) -> ColumnElement[bool]:
    """Leases of a project, or of all (None)."""
    provider = tables.Lease.provider_id == provider_id
    return provider if project_id is None else provider & (tables.Lease.project_id == project_id)


def meeting(
    name: str | None, status: str | None, start: datetime | None, end: datetime | None
) -> ColumnElement[bool]:
    """Leases of this name and state, whose windows overlap this one; None: whichever."""
    conditions = [tables.Lease.id.is_not(None)]
    if name is not None:
        conditions.append(tables.Lease.name == name)
    if status is not None:
        conditions.append(tables.Lease.status == status)
    if start is not None:
        conditions.append(tables.Lease.end > start)
    if end is not None:
        conditions.append(tables.Lease.start < end)
    return and_(*conditions)


def place(
    connection: Connection, leases: ColumnElement[bool], order: str, lease_id: str
) -> tuple[Any, str] | None:
    """Where a lease stands in the order; None: it is not one of these."""
    row = connection.execute(
        select(ORDERS[order], tables.Lease.id).where(leases, tables.Lease.id == lease_id)
    ).first()
    return None if row is None else (row[0], row[1])


def ids(
    connection: Connection,
    leases: ColumnElement[bool],
    order: str,
    descending: bool,
    after: tuple[Any, str] | None,
    most: int | None,
) -> list[str]:
    """The ids of these leases, the first behind a place in the order; None: from its beginning."""
    # SELECT id FROM leases WHERE ... AND (start > :s OR start = :s AND id > :id)
    #  ORDER BY start, id LIMIT :most
    key, tie = ORDERS[order], tables.Lease.id
    query = select(tie).where(leases)
    if after is not None:
        value, lease_id = after
        behind = (key < value, tie < lease_id) if descending else (key > value, tie > lease_id)
        query = query.where(or_(behind[0], and_(key == value, behind[1])))
    query = query.order_by(key.desc(), tie.desc()) if descending else query.order_by(key, tie)
    return list(connection.execute(query.limit(most)).scalars())
