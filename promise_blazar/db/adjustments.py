# SPDX-License-Identifier: Apache-2.0
"""Rows of adjustments, and what changed in them since a generation.

Whoever writes an adjustment has moved the provider's generation first, in the same transaction.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    false,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from promise_blazar.db import tables
from promise_blazar.model.adjustment import Adjustment

#: Whatever adjustments can be in the order of, by the words of the API.
ORDERS = {
    "created_at": tables.Adjustment.created_at,
    "end": tables.Adjustment.end,
    "id": tables.Adjustment.uuid,
    "start": tables.Adjustment.start,
    "zone": func.coalesce(tables.Adjustment.zone, ""),
}
_COLUMNS = (
    tables.Adjustment.id,
    tables.Adjustment.uuid,
    tables.Adjustment.provider_id,
    tables.Adjustment.zone,
    tables.Adjustment.start,
    tables.Adjustment.end,
    tables.Adjustment.source_id,
    tables.Adjustment.deleted,
    tables.Adjustment.generation,
    tables.Adjustment.created_at,
)
#: Numbers that one statement names.
_AT_ONCE = 1_000


def changed(connection: Connection, provider_id: int, generation: int) -> list[Adjustment]:
    """Every adjustment that was made or deleted after this generation, tombstones included."""
    # SELECT ... FROM adjustments WHERE provider_id = :p AND generation > :g
    table = tables.Adjustment
    return _load(connection, (table.provider_id == provider_id) & (table.generation > generation))


def live(connection: Connection, provider_id: int) -> list[Adjustment]:
    """Those that are not deleted, in whatever window."""
    table = tables.Adjustment
    return _load(connection, (table.provider_id == provider_id) & (table.deleted == false()))


def get(connection: Connection, uuid: str) -> Adjustment | None:
    """None: there is none, or it is deleted."""
    found = any_of(connection, uuid)
    return None if found is None or found.deleted else found


def any_of(connection: Connection, uuid: str) -> Adjustment | None:
    """A deleted one too, while its row is there."""
    found = _load(connection, tables.Adjustment.uuid == uuid)
    return found[0] if found else None


def uuids(connection: Connection, numbers: Collection[int]) -> dict[int, str]:
    """By their numbers, of deleted ones too while their rows are there."""
    table = tables.Adjustment
    rows = connection.execute(select(table.id, table.uuid).where(table.id.in_(numbers)))
    return {row.id: row.uuid for row in rows}


def _load(connection: Connection, where: ColumnElement[bool]) -> list[Adjustment]:
    table = tables.Adjustment
    rows = connection.execute(select(*_COLUMNS).where(where).order_by(table.id)).all()
    if not rows:
        return []
    amounts: dict[int, dict[str, int]] = defaultdict(dict)
    amount = tables.AdjustedAmount
    for number, resource_class, units in connection.execute(
        select(amount.adjustment_id, amount.resource_class, amount.amount)
        .join(table, table.id == amount.adjustment_id)
        .where(where)
        .order_by(amount.resource_class)
    ):
        amounts[number][resource_class] = units
    projects: dict[int, list[str]] = defaultdict(list)
    project = tables.AdjustmentProject
    for number, project_id in connection.execute(
        select(project.adjustment_id, project.project_id)
        .join(table, table.id == project.adjustment_id)
        .where(where)
        .order_by(project.project_id)
    ):
        projects[number].append(project_id)
    return [Adjustment(*row, amounts[row.id], tuple(projects[row.id])) for row in rows]


def page(
    connection: Connection,
    where: ColumnElement[bool],
    order: str,
    descending: bool,
    after: tuple[Any, str] | None,
    most: int | None,
) -> list[Adjustment]:
    """Those that meet the condition, the first behind a place in the order; None: from its
    beginning."""
    # SELECT id FROM adjustments WHERE ... AND (start > :s OR start = :s AND uuid > :u)
    #  ORDER BY start, uuid LIMIT :most
    table, key = tables.Adjustment, ORDERS[order]
    query = select(table.id).where(where, table.deleted == false())
    if after is not None:
        value, uuid = after
        behind = (
            (key < value, table.uuid < uuid) if descending else (key > value, table.uuid > uuid)
        )
        query = query.where(or_(behind[0], and_(key == value, behind[1])))
    in_order = (key.desc(), table.uuid.desc()) if descending else (key, table.uuid)
    numbers = list(connection.execute(query.order_by(*in_order).limit(most)).scalars())
    found: dict[int, Adjustment] = {}
    for first in range(0, len(numbers), _AT_ONCE):
        some = numbers[first : first + _AT_ONCE]
        found |= {each.id: each for each in _load(connection, table.id.in_(some))}
    return [found[number] for number in numbers if number in found]


def place(
    connection: Connection, where: ColumnElement[bool], order: str, uuid: str
) -> tuple[Any, str] | None:
    """Where an adjustment stands in the order; None: it is not one of these."""
    table = tables.Adjustment
    row = connection.execute(
        select(ORDERS[order], table.uuid).where(where, table.uuid == uuid)
    ).first()
    return None if row is None else (row[0], row[1])


def meeting(
    provider_id: int,
    zone: str | None,
    start: int | None,
    end: int | None,
    source: str | None,
) -> ColumnElement[bool]:
    """Adjustments of this zone and source, whose windows overlap this one; None: whichever."""
    table = tables.Adjustment
    conditions = [table.provider_id == provider_id]
    if zone is not None:
        conditions.append(table.zone == zone)
    if start is not None:
        conditions.append(table.end > start)
    if end is not None:
        conditions.append(table.start < end)
    if source is not None:
        sources = tables.Adjustment.__table__.alias()
        number = select(sources.c.id).where(sources.c.uuid == source).scalar_subquery()
        conditions.append(table.source_id == number)
    return and_(*conditions)


def add(connection: Connection, new: Adjustment, generation: int, marking: bool) -> int:
    """A new row and all that hangs on it; its number. ``marking``: it breaks promises."""
    number = connection.execute(
        insert(tables.Adjustment).values(
            uuid=new.uuid,
            provider_id=new.provider_id,
            zone=new.zone,
            start=new.start,
            end=new.end,
            source_id=new.source,
            deleted=False,
            marking=marking,
            generation=generation,
            created_at=new.created_at,
        )
    ).inserted_primary_key[0]
    connection.execute(
        insert(tables.AdjustedAmount),
        [
            {"adjustment_id": number, "resource_class": name, "amount": amount}
            for name, amount in sorted(new.amounts.items())
        ],
    )
    if new.projects:
        connection.execute(
            insert(tables.AdjustmentProject),
            [{"adjustment_id": number, "project_id": each} for each in sorted(new.projects)],
        )
    return number


def drop(connection: Connection, generation: int, number: int, marking: bool) -> bool:
    """Tombstone an adjustment. False: it is deleted already. ``marking``: as of ``add``."""
    table = tables.Adjustment
    return (
        connection.execute(
            update(table)
            .where(table.id == number, table.deleted == false())
            .values(deleted=True, marking=marking, generation=generation)
        ).rowcount
        == 1
    )


def to_mark(connection: Connection, provider_id: int) -> list[Adjustment]:
    """Those that are made or deleted, and whom that affects is not all on record."""
    table = tables.Adjustment
    return _load(connection, (table.provider_id == provider_id) & (table.marking == true()))


def is_to_mark(connection: Connection, found: Adjustment) -> bool:
    """Whether that is so still, of what was done to the adjustment at this generation."""
    table = tables.Adjustment
    query = select(table.id).where(*_marking(found))
    return connection.execute(query).first() is not None


def marked(connection: Connection, found: Adjustment) -> None:
    """Whom it affects is on record, as far as was done at this generation."""
    connection.execute(update(tables.Adjustment).where(*_marking(found)).values(marking=False))


def _marking(found: Adjustment) -> tuple[ColumnElement[bool], ...]:
    table = tables.Adjustment
    return (table.id == found.id, table.generation == found.generation, table.marking == true())


def newest_generation(connection: Connection, provider_id: int) -> int:
    """The last at which an adjustment was made or deleted; 0: never, or long ago."""
    table = tables.Adjustment
    query = select(func.max(table.generation)).where(table.provider_id == provider_id)
    return connection.execute(query).scalar() or 0


def owners(connection: Connection, reservations: Sequence[int]) -> dict[int, str]:
    """The projects of reservations, by their numbers; of those that are gone, none."""
    found: dict[int, str] = {}
    table = tables.Reservation
    for first in range(0, len(reservations), _AT_ONCE):
        rows = connection.execute(
            select(table.id, tables.Lease.project_id)
            .join(tables.Lease, tables.Lease.id == table.lease_id)
            .where(table.id.in_(reservations[first : first + _AT_ONCE]))
        )
        found.update((row.id, row.project_id) for row in rows)
    return found
