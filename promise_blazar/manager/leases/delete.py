# SPDX-License-Identifier: Apache-2.0
"""Deletion of a lease, whatever state it is in."""

from datetime import datetime

from promise_blazar.clock import Clock
from promise_blazar.db import leases
from promise_blazar.db.session import Database
from promise_blazar.manager.ledger.changes import DeletedLease
from promise_blazar.manager.ledger.store import LedgerStore
from promise_blazar.manager.provider import Providers
from promise_blazar.manager.workflow.engine import Engine
from promise_blazar.model.lease import Lease
from promise_blazar.model.states import LeaseStatus
from promise_blazar.waiters import Patience


class LeaseDeletion:
    """``patience``: of requests, until all is free."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        providers: Providers,
        engine: Engine,
        patience: Patience,
    ) -> None:
        self._database = database
        self._clock = clock
        self._providers = providers
        self._engine = engine
        self._patience = patience

    def delete(self, lease_id: str, wait: float | None = None) -> bool:
        """Everything of the lease is given up now, and taken back, which is waited for.

        ``wait``: as of ``interface.Manager``. False: there is no such lease.
        """
        if not self._begin(lease_id):
            return False
        with self._patience.granted(wait) as seconds:
            if seconds > 0:
                self._engine.progress.wait(lease_id, lambda: self._gone(lease_id), seconds)
        return True

    def _begin(self, lease_id: str) -> bool:
        while True:
            with self._database.reader() as connection:
                lease = leases.get(connection, lease_id)
            if lease is None:
                return False
            ledger = self._providers[lease.provider_id].ledger
            if lease.status == LeaseStatus.DELETING or begin_deletion(
                ledger, lease, self._clock.now()
            ):
                self._engine.wake()
                return True

    def _gone(self, lease_id: str) -> bool:
        with self._database.reader() as connection:
            return not leases.exists(connection, lease_id)


def begin_deletion(ledger: LedgerStore, lease: Lease, now: datetime) -> bool:
    """Give up what the lease holds. False: it has changed since it was read, and nothing was
    done."""
    return ledger.record(DeletedLease(lease, now))
