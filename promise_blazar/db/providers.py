# SPDX-License-Identifier: Apache-2.0
"""The generation of a provider: the one gate for changes of what is promised."""

import logging
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, Select, select, update

from promise_blazar import exceptions
from promise_blazar.db import heartbeats, tables
from promise_blazar.model.manager import RULES

LOG = logging.getLogger(__name__)

#: The provider that the service's own configuration describes.
DEFAULT = "default"
#: Seconds after which a request that met a manager of an earlier release may meet another.
RETRY_AFTER = 5


@dataclass(frozen=True, slots=True)
class Head:
    """``purged``: tombstones up to this generation are gone. ``rules``: those in force."""

    generation: int
    purged: int
    rules: int


def find(connection: Connection, name: str) -> int | None:
    return connection.execute(
        select(tables.Provider.id).where(tables.Provider.name == name)
    ).scalar()


def head(connection: Connection, provider_id: int) -> Head:
    """Raises ``Unavailable`` where rules are in force that this release does not know."""
    return _known(connection, _select_head(provider_id))


def lock(connection: Connection, provider_id: int) -> Head:
    """The head, held until the transaction ends. Must be its first statement; raises as above."""
    return _known(connection, _select_head(provider_id).with_for_update())


def _select_head(provider_id: int) -> Select[tuple[int, int, int]]:
    # SELECT generation, purged_generation, rules FROM providers WHERE id = :p
    return select(
        tables.Provider.generation, tables.Provider.purged_generation, tables.Provider.rules
    ).where(tables.Provider.id == provider_id)


def _known(connection: Connection, query: Select[tuple[int, int, int]]) -> Head:
    found = Head(*connection.execute(query).one())
    if found.rules > RULES:
        raise exceptions.Unavailable(
            "The manager that was asked is of an earlier release than those that decide here "
            f"now: it knows rules {RULES}, and {found.rules} are in force. Nothing was changed; "
            "ask again, or upgrade it",
            what="manager",
            retry_after=RETRY_AFTER,
        )
    return found


def advance_from(connection: Connection, provider_id: int, generation: int) -> bool:
    """Move on from this generation, whose rules are known; False if somebody else already has."""
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
    """Move on, whatever the generation is; the new one. Must be the first statement.

    Raises as ``head``, and the transaction must not be committed then.
    """
    connection.execute(
        update(tables.Provider)
        .where(tables.Provider.id == provider_id)
        .values(generation=tables.Provider.generation + 1)
    )
    return head(connection, provider_id).generation


def require_rules(
    connection: Connection, provider_id: int, rules: int, dead: Collection[str]
) -> None:
    """From this transaction on, who decides on the provider's capacity must know these rules.

    For the first write that needs them, in its transaction, which has moved the generation: a
    decision on the generation before is then too late, and reads the rules. ``dead``: managers
    that are known to be dead; any other on record is taken for alive. Raises ``Unavailable`` while
    one of those does not know the rules.
    """
    in_force = connection.execute(
        select(tables.Provider.rules).where(tables.Provider.id == provider_id)
    ).scalar_one()
    if in_force >= rules:
        return
    behind = heartbeats.without_rules(connection, rules, dead)
    if behind:
        LOG.warning(
            "Rules %d wait until these are upgraded: %s", rules, ", ".join(map(str, behind))
        )
        raise exceptions.Unavailable(
            f"Not yet: {len(behind)} of the managers that run are of an earlier release, which "
            "does not know what this needs. Nothing was changed; ask again when all are upgraded",
            what="manager",
            retry_after=RETRY_AFTER,
        )
    connection.execute(
        update(tables.Provider).where(tables.Provider.id == provider_id).values(rules=rules)
    )
