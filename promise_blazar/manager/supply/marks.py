# SPDX-License-Identifier: Apache-2.0
"""Marks of those whose promises an adjustment breaks: on record, and on their leases.

An adjustment is committed by itself, and says that its marks are to be made; so nobody who decides
waits for thousands of leases to be written. Whoever is cut off before all are made leaves the rest
to the next look, which works out anew whom it still affects.
"""

from functools import partial
from typing import Final

from promise_blazar.db import adjustments, affected, providers
from promise_blazar.db.session import Connection, Database
from promise_blazar.manager.ledger.supply_rules import Judgement
from promise_blazar.manager.provider import ProviderRuntime
from promise_blazar.model.adjustment import Adjustment
from promise_blazar.model.reason import Reason

#: Reservations that are marked in one transaction, which keeps everybody else from deciding.
_AT_ONCE: Final = 200
#: Those that are marked while the adjustment's maker waits; the job has time.
AT_FIRST: Final = 2_000


class Marks:
    def __init__(self, database: Database, provider: ProviderRuntime) -> None:
        self._database = database
        self._provider = provider

    def run(self) -> None:
        """Make what is left to be made. Raises ``Busy``, ``Unavailable``."""
        with self._database.reader() as connection:
            found = adjustments.to_mark(connection, self._provider.id)
        for each in found:
            self._make(each, self._provider.ledger.effect(each))

    def make(self, adjustment: str, judgement: Judgement | None = None) -> None:
        """Make the first of one adjustment, given by its uuid: all, if they are not too many.

        ``judgement``: None where it is not known. Raises ``Busy``, ``Unavailable``.
        """
        with self._database.reader() as connection:
            found = adjustments.any_of(connection, adjustment)
            if found is None or not adjustments.is_to_mark(connection, found):
                return
        known = self._provider.ledger.effect(found) if judgement is None else judgement
        self._make(found, known, AT_FIRST)

    def _make(self, found: Adjustment, judgement: Judgement, most: int | None = None) -> None:
        numbers = sorted(judgement.affected)
        reason = judgement.reason(found)
        for first in range(0, len(numbers[:most]), _AT_ONCE):
            some = numbers[:most][first : first + _AT_ONCE]
            work = partial(self._some, found=found, reservations=some, reason=reason)
            if not self._database.transact(work):
                return
        if most is None or len(numbers) <= most:
            self._database.transact(partial(adjustments.marked, found=found))

    def _some(
        self,
        connection: Connection,
        found: Adjustment,
        reservations: list[int],
        reason: Reason,
    ) -> bool:
        """False: what is to be marked is another's affair by now."""
        providers.lock(connection, self._provider.id)
        if not adjustments.is_to_mark(connection, found):
            return False
        affected.mark(connection, found, reservations, reason)
        return True
