# SPDX-License-Identifier: Apache-2.0
"""Leases of resource types that no manager that runs knows: ended without touching OpenStack.

Nobody can take back what such a lease has in OpenStack. When it is over, or deleted, what it holds
in the ledger is given up and stays unreleased, and the lease says why, until a manager that knows
the type comes along and ends it in earnest, or an administrator says that nothing is left.
"""

import logging

from promise_blazar.clock import Clock
from promise_blazar.db import heartbeats, leases, work_queue
from promise_blazar.db.session import Database
from promise_blazar.manager.ledger.changes import AbandonedLease
from promise_blazar.manager.ownership.heartbeat import Heartbeat
from promise_blazar.manager.provider import Providers
from promise_blazar.model import reason as reasons
from promise_blazar.model.lease import Lease
from promise_blazar.model.reason import Reason
from promise_blazar.model.states import EventType, LeaseStatus

LOG = logging.getLogger(__name__)

#: Leases that are looked at in one go.
_AT_ONCE = 100
#: How the reasons of such leases begin.
REASON = "No manager that runs knows the resource type"


class UnknownTypes:
    def __init__(
        self, database: Database, clock: Clock, providers: Providers, heartbeat: Heartbeat
    ) -> None:
        self._database = database
        self._clock = clock
        self._providers = providers
        self._heartbeat = heartbeat

    def run(self) -> None:
        """Let those that want attention say why they get none, and abandon those that are over."""
        now = self._clock.now()
        dead = self._heartbeat.dead()
        with self._database.reader() as connection:
            known = heartbeats.known_types(connection, dead)
            known |= self._providers.default.plugins.keys()
            waiting = work_queue.of_unknown_types(
                connection, now, list(dead), known, REASON, _AT_ONCE
            )
            found = leases.these(connection, waiting) if waiting else ()
        for lease in found:
            self._attend(lease, known)

    def _attend(self, lease: Lease, known: frozenset[str]) -> None:
        now = self._clock.now()
        missing = sorted({each.resource_type for each in lease.reservations} - known)
        tenant = f"{REASON} {', '.join(missing)}"
        reason = Reason(tenant, f"{tenant}; what OpenStack has of it stays as it is")
        end = lease.event(EventType.END)
        over = end is not None and end.time <= now and lease.status in _ENDED_BY_TIME
        if over:
            abandoned = AbandonedLease(lease, reason, now)
            if self._providers[lease.provider_id].ledger.record(abandoned):
                LOG.error("Lease %s is over and cannot be ended: %s", lease.id, reason.operator)
            return
        with self._database.writer() as connection:
            leases.set_lease(
                connection,
                lease.id,
                reasons.columns(reason),
                attempt=lease.attempt,
                status=lease.status,
            )
        LOG.error("Lease %s (%s): %s", lease.id, lease.status, reason.operator)


_ENDED_BY_TIME = (LeaseStatus.PENDING, LeaseStatus.ACTIVE, LeaseStatus.ERROR)
