# SPDX-License-Identifier: Apache-2.0
"""Delete a lease, whatever state it is in."""

from promise_blazar import times
from promise_blazar.clock import Clock
from promise_blazar.db import bookings, keys, leases
from promise_blazar.db.engine import Connection, Database
from promise_blazar.manager import lifecycle as life
from promise_blazar.manager.books import Books
from promise_blazar.manager.engine import Engine


class Deletion:
    def __init__(self, database: Database, books: Books, engine: Engine, clock: Clock) -> None:
        self._database = database
        self._books = books
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
            if lease.status == life.DELETING or self._begin_deletion(lease):
                self._engine.wake()
                return True

    def _begin_deletion(self, lease: leases.LeaseRecord) -> bool:
        now = self._clock.now()
        numbers = [reservation.id for reservation in lease.reservations]
        finished = lease.status == life.TERMINATED or not numbers

        def write(connection: Connection, generation: int) -> bool:
            # A higher attempt takes the right to act from whoever works on the lease now; who
            # deletes it begins when the other has let go, or is dead.
            values = {
                "status": life.DELETING,
                "attempt": lease.attempt + 1,
                "failures": 0,
                "look_at": now,
                "updated_at": now,
            }
            if not leases.set_lease(
                connection, lease.id, values, attempt=lease.attempt, status=lease.status
            ):
                return False
            keys.forget(connection, lease.id)
            if finished:
                bookings.drop(connection, generation, numbers)
                leases.remove(connection, lease.id, now)
            elif life.started(lease):
                bookings.give_up(connection, generation, numbers, times.to_micros(now))
            else:
                bookings.drop(connection, generation, numbers)
            return True

        return self._books.change(write)
