# SPDX-License-Identifier: Apache-2.0
"""Changes of supply, decided and committed under the concurrency rule as bookings are.

What an adjustment breaks is worked out on a copy, so that nobody who books waits for it, and is
committed if nothing has moved meanwhile. Where others decide all the time it is worked out once
more while nobody else can: administrators change the capacity on offer a few times a day.
"""

import contextlib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from promise_blazar import deadline
from promise_blazar.capacity.budget import Budget, OutOfTime
from promise_blazar.capacity.ledger import OPEN, Ledger
from promise_blazar.db import adjustments, idempotency, providers, settled
from promise_blazar.db.session import MOST_RACES, Connection, Database, LostRace
from promise_blazar.manager.ledger import replica
from promise_blazar.manager.ledger.access import LedgerAccess
from promise_blazar.manager.ledger.changes import DroppedAdjustment, NewAdjustment, SupplyChange
from promise_blazar.manager.ledger.deciding import Decisions
from promise_blazar.manager.ledger.explaining import Questions
from promise_blazar.manager.ledger.supply_rules import Judgement, effect, judged
from promise_blazar.manager.ledger.turns import OWN
from promise_blazar.model.adjustment import Adjustment

#: Times that it is worked out on a copy.
_TRIES: Final = 3


class SupplyDecisions:
    def __init__(
        self,
        database: Database,
        access: LedgerAccess,
        decisions: Decisions,
        questions: Questions,
    ) -> None:
        self._database = database
        self._access = access
        self._decisions = decisions
        self._questions = questions

    def rehearse(self, change: SupplyChange) -> Judgement:
        """The judgement, and nothing of it done: a question, that nobody who decides waits for.

        Raises ``OutOfTime``, what ``judged`` raises, and ``Unavailable`` as ``commit`` does.
        """
        if isinstance(change, NewAdjustment) and change.knowing is not None:
            with self._database.reader() as connection:
                providers.check_rules(
                    connection,
                    change.adjustment.provider_id,
                    change.knowing.rules,
                    change.knowing.dead,
                )
        return self._questions.ask(
            future,
            lambda found, _: judged(found.ledger, change, found.now, self._owners),
            change.project_id if isinstance(change, NewAdjustment) else "",
        )

    def commit(self, change: SupplyChange) -> Judgement:
        """The judgement of a change that is committed; or, where it breaks promises and nobody
        forces it, of one that is not.

        Raises ``OutOfTime``, what ``judged`` raises, ``db.idempotency.Taken``, and ``Unavailable``
        past the request's deadline.
        """
        budget = self._access.budget()
        if isinstance(change, NewAdjustment) and change.adjustment.source is not None:
            self._access.learn_owners(budget)
        for _ in range(MOST_RACES):
            try:
                with self._decisions.long.mine(budget):
                    found = self._on_a_copy(change, budget)
                    return self._under_the_row(change, budget) if found is None else found
            except LostRace:
                continue
        raise OutOfTime

    def committed(self, change: SupplyChange) -> Judgement | None:
        """What a change whose commit had no answer has done, if it was committed after all."""
        with self._database.reader() as connection:
            found = adjustments.any_of(connection, change.adjustment.uuid)
            gone = found is None or found.deleted
            if gone == isinstance(change, NewAdjustment):
                return None
            if found is None or not adjustments.is_to_mark(connection, found):
                return Judgement()
        with contextlib.suppress(OutOfTime):
            return self.effect(found)
        return Judgement()

    def effect(self, adjustment: Adjustment) -> Judgement:
        """What an adjustment that was made, or taken back, does to promises now. Raises
        ``OutOfTime``."""
        return self._questions.ask(
            future,
            lambda found, _: effect(found.ledger, adjustment, found.now, self._owners),
            OWN,
        )

    def _owners(self, reservations: Sequence[int]) -> Mapping[int, str]:
        return self._access.replica.owners(reservations) if reservations else {}

    def _on_a_copy(self, change: SupplyChange, budget: Budget) -> Judgement | None:
        """None: each time something had moved."""
        access = self._access
        for _ in range(_TRIES):
            found = access.snapshot(access.beside(budget), future)
            judgement = judged(found.ledger, change, found.now, self._owners)
            if judgement.affected and not change.force:
                return judgement
            with access.turn(budget):
                seen = access.replica.catch_up()
                if seen.generation != found.generation:
                    continue
                with self._database.writer() as connection:
                    if self._decisions.moved_on(connection, seen):
                        _write(connection, seen.generation + 1, change, judgement)
                        return judgement
        return None

    def _under_the_row(self, change: SupplyChange, budget: Budget) -> Judgement:
        access = self._access
        with access.turn(budget), self._database.writer() as connection:
            self._decisions.locked(connection)
            judgement = judged(
                access.replica.ledger,
                change,
                access.now(),
                partial(replica.owners, connection),
            )
            if change.force or not judgement.affected:
                generation = self._decisions.advanced(connection)
                _write(connection, generation, change, judgement)
            return judgement


def future(ledger: Ledger, now: int) -> Ledger:
    """A copy with what counts from now on."""
    return ledger.excerpt(now, OPEN, now)


def _write(
    connection: Connection,
    generation: int,
    change: SupplyChange,
    judgement: Judgement,
) -> None:
    """Whose promises it breaks is put on record afterwards (``supply.marks``): they are many."""
    marking = bool(judgement.affected)
    match change:
        case NewAdjustment():
            _add(connection, generation, change, marking)
        case DroppedAdjustment():
            if not adjustments.drop(connection, generation, change.adjustment.id, marking):
                raise LostRace
            if change.message is not None:
                settled.add(connection, change.message, change.at)
    deadline.check()


def _add(connection: Connection, generation: int, change: NewAdjustment, marking: bool) -> None:
    new, key = change.adjustment, change.key
    if change.knowing is not None:
        providers.require_rules(
            connection, new.provider_id, change.knowing.rules, change.knowing.dead
        )
    if change.once:
        settled.add(connection, new.uuid, new.created_at)
    adjustments.add(connection, new, generation, marking)
    if key is not None:
        idempotency.add(
            connection, change.project_id, key.key, key.fingerprint, new.uuid, new.created_at
        )
