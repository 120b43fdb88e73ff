# SPDX-License-Identifier: Apache-2.0
"""Relief of reservations that adjustments have affected, when what was short is there again.

What an adjustment's maker left unmarked is marked first.
"""

import logging
from functools import partial

from promise_blazar.capacity.adjusting import still_short
from promise_blazar.capacity.ledger import OPEN
from promise_blazar.db import adjustments, affected, providers
from promise_blazar.db.session import Connection, Database
from promise_blazar.manager.provider import ProviderRuntime
from promise_blazar.manager.supply.marks import Marks

LOG = logging.getLogger(__name__)

#: Seconds between two looks: hosts come, and leases end, without anybody's adjusting anything.
PERIOD = 60.0


class Relief:
    def __init__(self, database: Database, provider: ProviderRuntime) -> None:
        self._database = database
        self._provider = provider

    def run(self) -> None:
        """Make the marks that are left to be made, and take them from those that have what they
        were promised. Raises ``Busy``, ``Unavailable``."""
        Marks(self._database, self._provider).run()
        self.relieve()

    def relieve(self) -> None:
        """Take the mark from those alone. Raises as ``run`` does."""
        with self._database.reader() as connection:
            pairs = affected.pairs(connection, self._provider.id)
        if not pairs:
            return
        numbers = frozenset(reservation for reservation, _ in pairs)
        short, generation = self._provider.ledger.ask(
            lambda ledger, now: ledger.excerpt(now, OPEN, now),
            lambda found, _: (still_short(found.ledger, numbers, found.now), found.generation),
            whose=None,
        )
        gone = [pair for pair in pairs if pair[0] not in short]
        if not gone:
            return
        relieved = self._database.transact(partial(self._relieve, gone=gone, seen=generation))
        if relieved:
            LOG.info("%d reservations have again what they were promised", len(gone))

    def _relieve(self, connection: Connection, gone: list[tuple[int, int]], seen: int) -> bool:
        """False: what is on offer has changed since; the next look makes up for it."""
        providers.lock(connection, self._provider.id)
        if adjustments.newest_generation(connection, self._provider.id) > seen:
            return False
        theirs = affected.in_order(connection, sorted({reservation for reservation, _ in gone}))
        affected.relieve(connection, gone)
        affected.recover(connection, sorted({each.lease_id for each in theirs}))
        return True
