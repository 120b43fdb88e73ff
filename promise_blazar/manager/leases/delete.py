# SPDX-License-Identifier: Apache-2.0
"""Delete a lease, whatever state it is in."""

from promise_blazar import times
from promise_blazar.clock import Clock
from promise_blazar.db import bookings, idempotency, leases
from promise_blazar.db.session import Connection, Database
from promise_blazar.manager.ledger.store import LedgerStore
from promise_blazar.manager.workflow.engine import Engine
from promise_blazar.model import lifecycle
from promise_blazar.model.lease import Lease
from promise_blazar.model.states import LeaseStatus


class LeaseDeletion:
    def __init__(
        self, database: Database, ledger_store: LedgerStore, engine: Engine, clock: Clock
    ) -> None:
        self._database = database
        self._ledger = ledger_store
        self._engine = engine
        self._clock = clock

    def delete(self, lease_id: str, only_attempt: int | None = None) -> bool:
        """Everything of the lease is given up now, and taken back from now on.

        ``only_attempt``: only if the lease is still at this one. False: nothing was done.
        """
        while True:
            with self._database.reader() as connection:
                lease = leases.get(connection, lease_id)
            if lease is None or (only_attempt is not None and lease.attempt != only_attempt):
                return False
            if lease.status == LeaseStatus.DELETING or self._begin_deletion(lease):
                self._engine.wake()
                return True

    def _begin_deletion(self, lease: Lease) -> bool:
        now = self._clock.now()
        numbers = [reservation.id for reservation in lease.reservations]
        finished = lease.status == LeaseStatus.TERMINATED or not numbers

        def write(connection: Connection, generation: int) -> bool:
            # A higher attempt takes the right to act from whoever works on the lease now; who
            # deletes it begins when the other has let go, or is dead.
            values = {
                "status": LeaseStatus.DELETING,
                "attempt": lease.attempt + 1,
                "failures": 0,
                "look_at": now,
                "updated_at": now,
            }
            if not leases.set_lease(
                connection, lease.id, values, attempt=lease.attempt, status=lease.status
            ):
                return False
            idempotency.forget(connection, lease.id)
            if finished:
                bookings.drop(connection, generation, numbers)
                leases.remove(connection, lease.id, now)
            elif lifecycle.started(lease):
                bookings.give_up(connection, generation, numbers, times.to_micros(now))
            else:
                bookings.drop(connection, generation, numbers)
            return True

        return self._ledger.change(write)
