# SPDX-License-Identifier: Apache-2.0
"""What becomes of a lease when its claim is let go of: settled, tried again, or given up."""

import dataclasses
import logging
from collections.abc import Mapping
from datetime import timedelta

from promise_blazar import times
from promise_blazar.clock import Clock
from promise_blazar.db import bookings, leases
from promise_blazar.db.session import Connection, Database
from promise_blazar.manager.ledger.store import LedgerStore
from promise_blazar.manager.ownership.heartbeat import WorkOwnership, update_owned
from promise_blazar.model import lifecycle
from promise_blazar.model.lease import Lease
from promise_blazar.model.states import EventStatus, EventType, LeaseStatus

LOG = logging.getLogger(__name__)

#: The longest pause between two tries of a failing step.
LONGEST_DELAY = 60.0


@dataclasses.dataclass(frozen=True, slots=True)
class RetryPolicy:
    """``start_attempts``: refusals of a step before the lease goes to ERROR. Others: seconds.

    ``start_wait``: for hosts that OpenStack has not let go of, before others are taken.
    """

    start_attempts: int = 3
    start_wait: float = 600
    retry_delay: float = 2
    poll_interval: float = 1


class RetryableFailure(str):
    """Trouble, in words, that passes by itself."""

    __slots__ = ()


class Results:
    def __init__(
        self, database: Database, ledger_store: LedgerStore, clock: Clock, patience: RetryPolicy
    ) -> None:
        self._database = database
        self._ledger = ledger_store
        self._clock = clock
        self._patience = patience

    def settle(
        self,
        ownership: WorkOwnership,
        lease: Lease,
        status: LeaseStatus,
        done: tuple[EventType, ...] = (),
        failed: tuple[EventType, ...] = (),
        reason: str | None = None,
    ) -> None:
        """The lease is in a stable state, and nobody's, until its next event."""
        now = self._clock.now()
        with self._database.writer() as connection:
            update_owned(
                connection,
                ownership,
                {
                    "status": status,
                    "owner": None,
                    "failures": 0,
                    "reason": reason,
                    "look_at": lifecycle.next_look(lease, status, (*done, *failed)),
                    "updated_at": now,
                },
            )
            for event_type in done:
                leases.set_event(
                    connection,
                    lease.id,
                    event_type,
                    {"status": EventStatus.DONE, "updated_at": now},
                )
            for event_type in failed:
                leases.set_event(
                    connection,
                    lease.id,
                    event_type,
                    {"status": EventStatus.ERROR, "updated_at": now},
                )

    def later(self, ownership: WorkOwnership, lease: Lease, refused: Mapping[int, str]) -> None:
        """Try again after a pause that grows with the failures."""
        delay = min(LONGEST_DELAY, self._patience.retry_delay * 2 ** min(lease.failures, 10))
        words = f"{in_words(refused)}; trying again in {delay:g} s"
        LOG.warning("Lease %s, %s: %s", lease.id, lease.status, words)
        self.look_again(ownership, lease, words, delay, lease.failures + 1)

    def look_again(
        self,
        ownership: WorkOwnership,
        lease: Lease,
        reason: str,
        delay: float | None = None,
        failures: int = 0,
    ) -> None:
        delay = self._patience.poll_interval if delay is None else delay
        now = self._clock.now()
        look_at = now + timedelta(seconds=delay)
        if now < lease.end:
            # Trouble with a step does not put off the end.
            look_at = min(look_at, lease.end)
        values = {"owner": None, "look_at": look_at, "reason": reason, "failures": failures}
        with self._database.writer() as connection:
            update_owned(connection, ownership, values)

    def give_up(self, ownership: WorkOwnership, lease: Lease, refused: Mapping[int, str]) -> None:
        """The lease is in ERROR; what the failed reservations held is taken back next."""
        now = self._clock.now()
        words = f"{in_words(refused)}; its resources are taken back, delete the lease"
        LOG.error("Lease %s failed, %s: %s", lease.id, lease.status, words)

        def write(connection: Connection, generation: int) -> None:
            update_owned(
                connection,
                ownership,
                {
                    "status": LeaseStatus.ERROR,
                    "owner": None,
                    "failures": 0,
                    "reason": words,
                    "degraded": True,
                    "look_at": now,
                    "updated_at": now,
                },
            )
            bookings.give_up(connection, generation, list(refused), times.to_micros(now))
            for number in refused:
                leases.set_reservation(connection, number, {"status": "error", "updated_at": now})
            leases.set_event(
                connection,
                lease.id,
                EventType.START,
                {"status": EventStatus.ERROR, "updated_at": now},
            )

        self._ledger.change(write)

    def exhausted(self, lease: Lease, refused: Mapping[int, str]) -> bool:
        """Is it pointless to go on trying? Never, while OpenStack just does not answer."""
        lasting = not any(isinstance(words, RetryableFailure) for words in refused.values())
        return lasting and lease.failures + 1 >= self._patience.start_attempts


def in_words(troubles: Mapping[int, str]) -> str:
    """The troubles of several reservations, each once."""
    return "; ".join(dict.fromkeys(troubles.values()))
