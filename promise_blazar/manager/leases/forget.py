# SPDX-License-Identifier: Apache-2.0
"""Forgetting of a lease that no manager can end, on an administrator's word."""

from promise_blazar import exceptions
from promise_blazar.clock import Clock
from promise_blazar.db import leases
from promise_blazar.db.session import Database
from promise_blazar.manager.ledger.changes import ForgottenLease
from promise_blazar.manager.provider import Providers
from promise_blazar.manager.workflow.unknown_types import REASON
from promise_blazar.model.states import LeaseStatus


class LeaseForgetting:
    def __init__(self, database: Database, clock: Clock, providers: Providers) -> None:
        self._database = database
        self._clock = clock
        self._providers = providers

    def forget(self, lease_id: str) -> None:
        """Take it that OpenStack has nothing of the lease any more, and finish it.

        Raises ``NotFound``; ``InvalidStatus`` for one that is not over, or that a manager ends.
        """
        with self._database.reader() as connection:
            lease = leases.get(connection, lease_id)
        if lease is None:
            raise exceptions.NotFound(object={"lease_id": lease_id})
        stuck = lease.trouble is not None and lease.trouble.startswith(REASON)
        if (
            not stuck
            or lease.owner is not None
            or lease.status not in (LeaseStatus.TERMINATING, LeaseStatus.DELETING)
        ):
            raise exceptions.InvalidStatus(
                f"Lease {lease_id} is {lease.status}, and not one that no manager can end: only "
                "what is over, or deleted, and of a type that no manager knows can be forgotten; "
                "delete it first"
            )
        change = ForgottenLease(lease, self._clock.now())
        if not self._providers[lease.provider_id].ledger.record(change):
            raise exceptions.InvalidStatus(
                f"Lease {lease_id} has changed in the meantime; look at it again"
            )
