# SPDX-License-Identifier: Apache-2.0
"""Purge of what is long over, so that the database does not grow with history."""

import logging
from datetime import timedelta

from promise_blazar.clock import Clock
from promise_blazar.db import purge
from promise_blazar.db.session import Database

LOG = logging.getLogger(__name__)

#: Seconds between two runs. Every manager runs; the work is done once.
PERIOD = 3600.0
#: How long the repetition of a request is answered as the first was.
KEY_LIFE = timedelta(days=1)
#: How long after a reservation is gone what turns up of it is known to be a leftover.
LEFTOVER_LIFE = timedelta(days=90)
#: Generations that a manager may fall behind before it has to load anew.
KEEP = 10_000


class Purge:
    def __init__(self, database: Database, clock: Clock, provider_id: int) -> None:
        self._database = database
        self._provider_id = provider_id
        self._clock = clock

    def run(self, keep: int = KEEP) -> None:
        """Raises ``Unavailable``, ``LostRace``: the next run makes up for it."""
        with self._database.writer() as connection:
            gone = purge.tombstones(connection, self._provider_id, keep)
        with self._database.writer() as connection:
            keys = purge.keys(connection, self._clock.now() - KEY_LIFE)
            purge.departed(connection, self._clock.now() - LEFTOVER_LIFE)
        if gone or keys:
            LOG.info("Purged %d tombstones and %d idempotency keys", gone, keys)
