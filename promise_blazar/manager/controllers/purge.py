# SPDX-License-Identifier: Apache-2.0
"""Purge of what is long over, so that the database does not grow with history."""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from promise_blazar.clock import Clock
from promise_blazar.db import purge
from promise_blazar.db.session import Connection, Database

LOG = logging.getLogger(__name__)

#: Seconds between two runs.
PERIOD = 3600.0
#: Rows that go in one transaction.
AT_ONCE = 1_000
#: How long the repetition of a request is answered as the first was.
KEY_LIFE = timedelta(days=1)
#: How long a message that arrives again makes nothing: far longer than any is good for, so that
#: the clocks of managers may differ by hours.
REQUEST_LIFE = timedelta(days=1)
#: How long after a reservation is gone what turns up of it is known to be a leftover.
LEFTOVER_LIFE = timedelta(days=90)
#: How long what was released is kept where no comparison with OpenStack looks at it again.
FORMER_LIFE = timedelta(days=1)
#: How long a manager may look at nothing before it has to load anew.
TOMBSTONE_LIFE = timedelta(hours=1)


class Purge:
    """``archive_life``: how long a lease stays in the archive; None: for ever. ``stopping``: says
    whether to leave the rest to the next run."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        provider_id: int,
        archive_life: timedelta | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._database = database
        self._provider_id = provider_id
        self._clock = clock
        self._archive_life = archive_life
        self._stopping = stopping

    def run(self, keep: timedelta = TOMBSTONE_LIFE) -> None:
        """``keep``: the age up to which tombstones stay. Raises ``Unavailable``, ``Busy``: the
        next run makes up for it."""
        now = self._clock.now()
        provider_id = self._provider_id
        gone = False
        declared = self._database.transact(
            lambda connection: purge.declare(connection, provider_id, now - keep)
        )
        if declared is not None:
            gone = self._tombstones(declared)
            self._all(lambda c: purge.adjustments(c, provider_id, declared, AT_ONCE))
            self._all(lambda c: purge.stamps(c, provider_id, declared, AT_ONCE))
        keys = self._all(lambda c: purge.keys(c, now - KEY_LIFE, AT_ONCE))
        self._all(lambda c: purge.settled(c, now - REQUEST_LIFE, AT_ONCE))
        self._all(lambda c: purge.departed(c, now - LEFTOVER_LIFE, AT_ONCE))
        self._all(lambda c: purge.former(c, now - FORMER_LIFE, AT_ONCE))
        leases = 0
        if self._archive_life is not None:
            before = now - self._archive_life
            leases = self._all(lambda c: purge.archived(c, before, AT_ONCE))
        if gone or keys or leases:
            LOG.info(
                "Purged tombstones until generation %s, %d keys and %d archived leases",
                declared,
                keys,
                leases,
            )

    def _tombstones(self, declared: int) -> bool:
        """Those up to this generation, batch after batch; whether there were any."""
        with self._database.reader() as connection:
            first = after = purge.first_stamp(connection, self._provider_id)
        while not self._stopping():
            come_to = self._database.transact(
                partial(
                    purge.tombstones,
                    provider_id=self._provider_id,
                    after=after,
                    declared=declared,
                    most=AT_ONCE,
                )
            )
            if come_to is None:
                break
            after = come_to
        return after > first

    def _all(self, batch: Callable[[Connection], int]) -> int:
        """Batch after batch until there is nothing left; how much it was."""
        total = 0
        while not self._stopping():
            count = self._database.transact(batch)
            total += count
            if not count:
                break
        return total
