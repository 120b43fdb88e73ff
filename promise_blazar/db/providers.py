# SPDX-License-Identifier: Apache-2.0
"""The generation of a provider: the one gate for changes of what is promised."""

from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from promise_blazar.db import tables

#: The provider that the service's own configuration describes.
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Head:
    """``purged``: tombstones up to this generation are gone."""

    generation: int
    purged: int


def find(connection: Connection, name: str) -> int | None:
    return connection.execute(
        select(tables.Provider.id).where(tables.Provider.name == name)
    ).scalar()


def head(connection: Connection, provider_id: int) -> Head:
    # SELECT generation, purged_generation FROM providers WHERE id = :p
    row = connection.execute(
        select(tables.Provider.generation, tables.Provider.purged_generation).where(
            tables.Provider.id == provider_id
        )
    ).one()
    return Head(row.generation, row.purged_generation)


def lock(connection: Connection, provider_id: int) -> Head:
    """The head, held until the transaction ends. Must be its first statement."""
    row = connection.execute(
        select(tables.Provider.generation, tables.Provider.purged_generation)
        .where(tables.Provider.id == provider_id)
        .with_for_update()
    ).one()
    return Head(row.generation, row.purged_generation)


def advance_from(connection: Connection, provider_id: int, generation: int) -> bool:
    """Move on from this generation; False if somebody else already has."""
    # UPDATE providers SET generation = :g + 1 WHERE id = :p AND generation = :g
    return (
        connection.execute(
            update(tables.Provider)
            .where(tables.Provider.id == provider_id, tables.Provider.generation == generation)
            .values(generation=generation + 1)
        ).rowcount
        == 1
    )


def advance(connection: Connection, provider_id: int) -> int:
    """Move on, whatever the generation is; the new one. Must be the first statement."""
    connection.execute(
        update(tables.Provider)
        .where(tables.Provider.id == provider_id)
        .values(generation=tables.Provider.generation + 1)
    )
    return head(connection, provider_id).generation
