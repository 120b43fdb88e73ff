# SPDX-License-Identifier: Apache-2.0
"""Archive: leases that ended long ago become one row each, as they were last shown."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from promise_blazar.clock import Clock
from promise_blazar.db import archive, purge
from promise_blazar.db.session import Connection, Database
from promise_blazar.manager.provider import ProviderRuntime
from promise_blazar.manager.queries.views import lease_view

LOG = logging.getLogger(__name__)

#: Seconds between two runs.
PERIOD = 3600.0
#: Leases that are archived in one transaction.
AT_ONCE = 100
#: Rows of the ledger that are removed in one.
BOOKINGS_AT_ONCE = 1_000


class Archive:
    """``keep``: the age of their ends at which leases are archived. ``stopping``: says whether to
    leave the rest to the next run.

    What a lease had in the ledger goes first, some rows at a time and without the provider's
    row: it is past and released, so no manager counts it. Then the lease itself, with all that
    hangs on it. A run that was cut off in between is made up for by the next.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        provider: ProviderRuntime,
        keep: timedelta,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._database = database
        self._clock = clock
        self._provider = provider
        self._keep = keep
        self._stopping = stopping

    def run(self) -> None:
        """Raises ``Unavailable``, ``Busy``: the next run makes up for it."""
        now = self._clock.now()
        total = 0
        while not self._stopping():
            with self._database.reader() as connection:
                ids = archive.over(connection, self._provider.id, now - self._keep, AT_ONCE)
            if not ids:
                break
            self._drop_bookings(ids)
            if self._stopping():
                break
            total += self._archive(ids, now)
        if total:
            LOG.info("Archived %d leases", total)

    def _drop_bookings(self, ids: Sequence[str]) -> None:
        def work(connection: Connection) -> int:
            rows = archive.bookings_of(connection, ids, BOOKINGS_AT_ONCE)
            return purge.bookings(connection, rows)

        while not self._stopping() and self._database.transact(work):
            pass

    def _archive(self, ids: Sequence[str], now: datetime) -> int:
        def work(connection: Connection) -> int:
            found = {
                lease.id: (
                    lease.project_id,
                    msgspec.json.encode(lease_view(lease, self._provider.plugins)).decode(),
                )
                for lease in archive.hold(connection, ids)
            }
            archive.store(connection, found, now)
            return len(found)

        return self._database.transact(work)
