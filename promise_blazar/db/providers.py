# SPDX-License-Identifier: Apache-2.0
"""The generation of a provider: the one gate for changes of what is promised.

Every move of the generation is written down in ``generations`` with a random stamp. A database
that went back, by a failover or a restore, and then went on has the same generations again with
other stamps; so whoever has seen a generation can tell whether this is still that history.
"""

import logging
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, ScalarSelect, bindparam, exists, insert, select, update

from promise_blazar import exceptions
from promise_blazar.db import heartbeats, tables
from promise_blazar.model.manager import RULES
from promise_blazar.model.words import agreeing

LOG = logging.getLogger(__name__)

#: The provider that the service's own configuration describes.
DEFAULT = "default"
#: Seconds after which a request that met a manager of an earlier release may meet another.
RETRY_AFTER = 5
#: Bits of a stamp: a positive BIGINT.
_STAMP_BITS = 62


@dataclass(frozen=True, slots=True)
class Mark:
    """A generation of one history.

    ``stamp`` None: it is the beginning, or a release wrote it that knew no stamps.
    """

    generation: int
    stamp: int | None


@dataclass(frozen=True, slots=True)
class Head:
    """``mark``: the newest generation. ``purged``: tombstones up to this generation are gone.
    ``rules``: those in force. ``continues``: what was seen before can be followed on from."""

    mark: Mark
    purged: int
    rules: int
    continues: bool

    @property
    def generation(self) -> int:
        return self.mark.generation


def find(connection: Connection, name: str) -> int | None:
    return connection.execute(
        select(tables.Provider.id).where(tables.Provider.name == name)
    ).scalar()


def names(connection: Connection) -> dict[int, str]:
    """By id."""
    rows = connection.execute(select(tables.Provider.id, tables.Provider.name))
    return {row.id: row.name for row in rows}


def _stamp(generation: object) -> ScalarSelect[int]:
    stamps = tables.Generation.__table__.alias()
    return (
        select(stamps.c.stamp)
        .where(stamps.c.provider_id == tables.Provider.id, stamps.c.generation == generation)
        .correlate(tables.Provider)
        .scalar_subquery()
    )


# SELECT generation, purged_generation, rules,
#   (SELECT stamp FROM generations WHERE ... generation = providers.generation),
#   (SELECT stamp FROM generations WHERE ... generation = :seen) FROM providers WHERE id = :p
_HEAD = select(
    tables.Provider.generation,
    tables.Provider.purged_generation,
    tables.Provider.rules,
    _stamp(tables.Provider.generation),
    _stamp(bindparam("seen")),
).where(tables.Provider.id == bindparam("provider"))
# SELECT generation FROM providers WHERE id = :p FOR UPDATE
_LOCK = (
    select(tables.Provider.generation)
    .where(tables.Provider.id == bindparam("provider"))
    .with_for_update()
)


def head(connection: Connection, provider_id: int, seen: Mark | None = None) -> Head:
    """The head, and whether it continues from what was ``seen``; from nothing it does.

    Raises ``Unavailable`` where rules are in force that this release does not know.
    """
    asked = {"provider": provider_id, "seen": -1 if seen is None else seen.generation}
    generation, purged, rules, stamp, stamp_of_seen = connection.execute(_HEAD, asked).one()
    if rules > RULES:
        raise exceptions.Unavailable(
            "The manager that was asked is of an earlier release than those that decide here "
            f"now: it knows rules {RULES}, and {rules} are in force. Nothing was changed; "
            "ask again, or upgrade it",
            what="manager",
            retry_after=RETRY_AFTER,
        )
    continues = seen is None or (
        purged <= seen.generation <= generation and stamp_of_seen == seen.stamp
    )
    return Head(Mark(generation, stamp), purged, rules, continues)


def lock(connection: Connection, provider_id: int, seen: Mark | None = None) -> Head:
    """The head, held until the transaction ends. Must be its first statement; raises as above."""
    connection.execute(_LOCK, {"provider": provider_id})
    # A statement of its own: one that has waited for the row sees the stamps of before.
    return head(connection, provider_id, seen)


def advance_from(connection: Connection, provider_id: int, seen: Mark, now: datetime) -> bool:
    """Move on from this generation, whose rules are known; False if somebody else already has,
    or the database has another history."""
    stamps = tables.Generation
    same = exists().where(stamps.provider_id == provider_id, stamps.generation == seen.generation)
    # UPDATE providers SET generation = :g + 1 WHERE id = :p AND generation = :g
    #   AND EXISTS (SELECT * FROM generations WHERE ... generation = :g AND stamp = :s)
    moved = connection.execute(
        update(tables.Provider)
        .where(
            tables.Provider.id == provider_id,
            tables.Provider.generation == seen.generation,
            ~same if seen.stamp is None else same.where(stamps.stamp == seen.stamp),
        )
        .values(generation=seen.generation + 1)
    ).rowcount
    if moved == 1:
        _write_down(connection, provider_id, seen.generation + 1, now)
    return moved == 1


def advance(connection: Connection, provider_id: int, now: datetime) -> int:
    """Move on, whatever the generation is; the new one. Must be the first statement.

    Raises as ``head``, and the transaction must not be committed then.
    """
    connection.execute(
        update(tables.Provider)
        .where(tables.Provider.id == provider_id)
        .values(generation=tables.Provider.generation + 1)
    )
    generation = head(connection, provider_id).generation
    _write_down(connection, provider_id, generation, now)
    return generation


def _write_down(connection: Connection, provider_id: int, generation: int, now: datetime) -> None:
    connection.execute(
        insert(tables.Generation).values(
            provider_id=provider_id,
            generation=generation,
            stamp=secrets.randbits(_STAMP_BITS),
            at=now,
        )
    )


def adopt_rules(connection: Connection, provider_id: int, dead: Collection[str]) -> bool:
    """Put the rules of this release in force, if every manager knows them; whether they are.

    ``dead`` as of ``require_rules``. The transaction has moved the generation.
    """
    return _behind(connection, provider_id, RULES, dead) == 0


def require_rules(
    connection: Connection, provider_id: int, rules: int, dead: Collection[str]
) -> None:
    """From this transaction on, who decides on the provider's capacity must know these rules.

    For the first write that needs them, in its transaction, which has moved the generation: a
    decision on the generation before is then too late, and reads the rules. ``dead``: managers
    that are known to be dead; any other on record is taken for alive. Raises ``Unavailable`` while
    one of those does not know the rules.
    """
    _demand(_behind(connection, provider_id, rules, dead))


def check_rules(
    connection: Connection, provider_id: int, rules: int, dead: Collection[str]
) -> None:
    """Raises ``Unavailable`` as ``require_rules`` does, which puts them in force."""
    _demand(len(_without(connection, provider_id, rules, dead)))


def _demand(behind: int) -> None:
    if behind:
        raise exceptions.Unavailable(
            f"Not yet: {behind} of the managers that run {agreeing(behind, 'is', 'are')} of an "
            "earlier release, which does not know what this needs. Nothing was changed; ask "
            "again when all are upgraded",
            what="manager",
            retry_after=RETRY_AFTER,
        )


def _behind(connection: Connection, provider_id: int, rules: int, dead: Collection[str]) -> int:
    """How many managers keep these rules from being put in force; they are where it is none."""
    behind = _without(connection, provider_id, rules, dead)
    if behind:
        LOG.warning(
            "Rules %d wait until these are upgraded: %s", rules, ", ".join(map(str, behind))
        )
        return len(behind)
    table = tables.Provider
    connection.execute(
        update(table).where(table.id == provider_id, table.rules < rules).values(rules=rules)
    )
    return 0


def _without(
    connection: Connection, provider_id: int, rules: int, dead: Collection[str]
) -> Sequence[heartbeats.Beat]:
    """The managers that keep these rules from being put in force; none where they are."""
    in_force = connection.execute(
        select(tables.Provider.rules).where(tables.Provider.id == provider_id)
    ).scalar_one()
    return [] if in_force >= rules else heartbeats.without_rules(connection, rules, dead)
