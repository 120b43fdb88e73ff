# SPDX-License-Identifier: Apache-2.0
"""Results of work on a lease, as they are recorded: settled, tried again, or given up."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from promise_blazar.clock import Clock
from promise_blazar.db import affected, leases
from promise_blazar.db.session import Database
from promise_blazar.manager.ledger.changes import FailedLease
from promise_blazar.manager.ownership.work import Superseded, update_owned
from promise_blazar.manager.workflow.work import (
    CombinedResult,
    LeaseWork,
    Troubles,
    in_words,
    troubles_in_words,
)
from promise_blazar.model import lifecycle
from promise_blazar.model.lease import Lease
from promise_blazar.model.reason import Reason, columns
from promise_blazar.model.states import (
    EventStatus,
    EventType,
    LeaseStatus,
    Preparation,
    ReservationStatus,
    move,
)

LOG = logging.getLogger(__name__)

#: The longest pause between two tries of a failing step, in seconds.
LONGEST_DELAY = 60.0
#: What follows from a trouble, behind it in a reason.
AGAIN = "; trying again in "
GIVEN_UP = "; its resources are taken back, delete the lease"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """``start_attempts``: refusals of a step before the lease goes to ERROR. Others: seconds.

    ``start_wait``: for hosts that OpenStack has not let go of, before others are taken.
    ``prepare_ahead``: before a start, from when on to prepare it is urgent.
    ``settle_seconds``: from closing a reservation to the look that may release it.
    """

    start_attempts: int = 3
    start_wait: float = 600
    retry_delay: float = 2
    poll_interval: float = 1
    prepare_ahead: float = 600
    settle_seconds: float = 2


#: What no reservation is any more in a lease of these statuses.
_UNDONE = {
    LeaseStatus.ACTIVE: (ReservationStatus.PENDING,),
    LeaseStatus.TERMINATED: (ReservationStatus.PENDING, ReservationStatus.ACTIVE),
}


class LeaseResults:
    """Each method ends the work on a lease: it is nobody's afterwards. All raise ``Superseded``
    where somebody else has the lease by now, and write nothing then."""

    def __init__(self, database: Database, clock: Clock, policy: RetryPolicy) -> None:
        self._database = database
        self._clock = clock
        self._policy = policy

    def settle(
        self,
        work: LeaseWork,
        status: LeaseStatus,
        done: tuple[EventType, ...] = (),
        failed: tuple[EventType, ...] = (),
        reason: Reason | None = None,
        degraded: bool | None = None,
    ) -> None:
        """The lease is in a stable state until its next event; ``degraded`` None: as it was.
        One whose capacity was withdrawn is degraded in any case, and says so.

        Raises ``Superseded`` where what was done for its reservations is on record no more, too:
        whoever looks next does it again.
        """
        now = self._clock.now()
        values = {
            "status": move(work.lease.status, status),
            "owner": None,
            "failures": 0,
            **columns(reason),
            "look_at": lifecycle.next_look(work.lease, status, (*done, *failed)),
            "preparation": Preparation.DONE,
            "updated_at": now,
        }
        if degraded is not None:
            values["degraded"] = degraded
        with self._database.writer() as connection:
            update_owned(connection, work.ownership, values)
            affected.say_so(connection, work.lease.id)
            undone = _UNDONE.get(status)
            if undone and leases.has_reservations(connection, work.lease.id, undone):
                raise Superseded(f"lease {work.lease.id}: the database went back meanwhile")
            for events, word in ((done, EventStatus.DONE), (failed, EventStatus.ERROR)):
                for event in events:
                    changed = {"status": word, "updated_at": now}
                    leases.set_event(connection, work.lease.id, event, changed)

    def try_again(self, work: LeaseWork, troubles: Troubles, beside: Reason | None = None) -> None:
        """The step that failed is run again, after a pause that grows with the failures.

        ``beside``: why the lease has failed before, which is what its tenant is told.
        """
        lease = work.lease
        delay = self._delay(lease)
        reason = troubles_in_words(troubles).followed_by(f"{AGAIN}{delay:g} s")
        LOG.warning("Lease %s, %s: %s", lease.id, lease.status, reason.operator)
        told = reason if beside is None else beside.beside(reason)
        self.look_again(work, told, delay, lease.failures + 1)

    def look_again(
        self, work: LeaseWork, reason: Reason, delay: float | None = None, failures: int = 0
    ) -> None:
        """The step is run again after ``delay`` seconds, or the usual pause."""
        delay = self._policy.poll_interval if delay is None else delay
        now = self._clock.now()
        look_at = now + timedelta(seconds=delay)
        if now < work.lease.end:
            # Trouble with a step does not put off the end.
            look_at = min(look_at, work.lease.end)
        values = {
            "owner": None,
            "look_at": look_at,
            **columns(reason),
            "failures": failures,
        }
        with self._database.writer() as connection:
            update_owned(connection, work.ownership, values)

    def prepare_later(self, work: LeaseWork, result: CombinedResult) -> None:
        """A lease that is not prepared yet, and has until its start. Its owner is told why."""
        lease, now = work.lease, self._clock.now()
        found = [failed.reason for failed in result.troubles.values()]
        words = in_words(found or [wait.reason for wait in result.waiting])
        LOG.warning("Lease %s is not prepared yet: %s", lease.id, words.operator)
        ahead = timedelta(seconds=self._policy.prepare_ahead)
        later = max(
            lifecycle.prepare_by(lease.start, ahead), now + timedelta(seconds=self._delay(lease))
        )
        values = {
            "owner": None,
            "look_at": min(later, lease.start),
            **columns(words.after("not prepared yet, which is tried until the start: ")),
            "failures": lease.failures + 1,
        }
        with self._database.writer() as connection:
            update_owned(connection, work.ownership, values)

    def _delay(self, lease: Lease) -> float:
        """Seconds to the next try of a step that failed."""
        doubled: int = 2 ** min(lease.failures, 10)
        return min(LONGEST_DELAY, self._policy.retry_delay * doubled)

    def give_up(self, work: LeaseWork, troubles: Troubles) -> None:
        """The lease is in ERROR; what the failed reservations held is taken back next."""
        lease = work.lease
        reason = troubles_in_words(troubles).followed_by(GIVEN_UP)
        LOG.error("Lease %s failed, %s: %s", lease.id, lease.status, reason.operator)
        work.provider.ledger.record(
            FailedLease(lease, work.ownership, list(troubles), reason, self._clock.now())
        )

    def exhausted(self, work: LeaseWork, troubles: Troubles) -> bool:
        """Is it pointless to go on trying? Never, while OpenStack just does not answer."""
        lasting = not any(failed.retryable for failed in troubles.values())
        return lasting and work.lease.failures + 1 >= self._policy.start_attempts


def trouble_in(reason: str | None) -> str:
    """What went wrong, without what follows from it."""
    return (reason or "").partition(AGAIN)[0].removesuffix(GIVEN_UP)
