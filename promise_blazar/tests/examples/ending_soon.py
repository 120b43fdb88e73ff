# SPDX-License-Identifier: Apache-2.0
"""Ending soon: a controller that says which running leases end within the hour.

The query would go to ``promise_blazar/db/leases.py``, since SQL is written in ``db`` only. It
stands here so that the example is one file.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from promise_blazar.clock import Clock
from promise_blazar.db import tables
from promise_blazar.db.session import Connection, ReadHandle
from promise_blazar.model.states import LeaseStatus

LOG = logging.getLogger(__name__)

#: Seconds between two runs.
PERIOD = 600.0
#: How far a run looks ahead.
AHEAD = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Ending:
    """A running lease, and when it ends (aware UTC)."""

    lease_id: str
    project_id: str
    end: datetime


def ending_before(connection: Connection, provider_id: int, limit: datetime) -> list[Ending]:
    """The running leases that end before this instant, the next one first.

    By the index on ``look_at``, which no running lease has later than its end, and no lease has
    that is over: so the cost depends on what is running, never on history.
    """
    # SELECT id, project_id, end FROM leases WHERE provider_id = :p AND status = 'ACTIVE'
    # AND look_at < :limit AND end < :limit ORDER BY end
    lease = tables.Lease
    rows = connection.execute(
        sa.select(lease.id, lease.project_id, lease.end)
        .where(lease.provider_id == provider_id, lease.status == LeaseStatus.ACTIVE)
        .where(lease.look_at < limit, lease.end < limit)
        .order_by(lease.end)
    )
    return [Ending(*row) for row in rows]


class EndingSoon:
    """Reads only, so it gets a handle that cannot write."""

    def __init__(self, database: ReadHandle, clock: Clock, provider_id: int) -> None:
        self._database = database
        self._clock = clock
        self._provider_id = provider_id

    def run(self) -> tuple[Ending, ...]:
        """One look. Raises ``Unavailable``, ``Busy``: the next run makes up for it."""
        limit = self._clock.now() + AHEAD
        with self._database.reader() as connection:
            found = ending_before(connection, self._provider_id, limit)
        if found:
            LOG.info("%d leases end before %s", len(found), limit.isoformat())
        for each in found:
            LOG.debug("Lease %s of project %s ends soon", each.lease_id, each.project_id)
        return tuple(found)
