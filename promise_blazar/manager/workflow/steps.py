# SPDX-License-Identifier: Apache-2.0
"""Steps of leases: what is done in each status in which there is something to do.

Every handler may be cut off anywhere and is then simply run again, by this manager or another:
the plugins look at what there is, and each change of our own records is a compare-and-set on the
attempt of the ownership. No call to OpenStack is made inside a transaction.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from promise_blazar.clock import Clock
from promise_blazar.db import leases
from promise_blazar.db.session import Database
from promise_blazar.manager.ledger.changes import RemovedLease
from promise_blazar.manager.ownership.work import Superseded, WorkOwnership
from promise_blazar.manager.provider import Providers
from promise_blazar.manager.workflow.host_states import out_of_service_reason
from promise_blazar.manager.workflow.pace import Pace
from promise_blazar.manager.workflow.rebooking import Rebooking
from promise_blazar.manager.workflow.reservation_steps import ReservationSteps
from promise_blazar.manager.workflow.results import LeaseResults, RetryPolicy
from promise_blazar.manager.workflow.work import (
    CombinedResult,
    LeaseWork,
    in_words,
    troubles_in_words,
)
from promise_blazar.model import lifecycle
from promise_blazar.model import reason as reasons
from promise_blazar.model.lease import Lease, Reservation
from promise_blazar.model.reason import Reason
from promise_blazar.model.states import (
    EventStatus,
    EventType,
    LeaseStatus,
    Preparation,
    ReservationStatus,
)
from promise_blazar.plugins.contract import Failed, StepResult

LOG = logging.getLogger(__name__)


class LeaseSteps:
    """``pace``: of preparations that have time."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        providers: Providers,
        rebooking: Rebooking,
        policy: RetryPolicy,
    ) -> None:
        self._database = database
        self._clock = clock
        self._providers = providers
        self._rebooking = rebooking
        self._results = LeaseResults(database, clock, policy)
        self._reservations = ReservationSteps(database, clock, rebooking, policy.settle_seconds)
        self._start_wait = timedelta(seconds=policy.start_wait)
        self.pace = Pace(clock)

    def carry_on(self, ownership: WorkOwnership, lease: Lease | None = None) -> None:
        """Do what the lease needs, then let go of it.

        ``lease``: as it was just committed, where the caller has it. Raises ``Superseded``,
        ``Unavailable``.
        """
        work = self._work(ownership, lease)
        handlers: Mapping[LeaseStatus, Callable[[LeaseWork], None]] = {
            LeaseStatus.CREATING: self._prepare,
            LeaseStatus.PENDING: self._prepare_ahead,
            LeaseStatus.STARTING: self._start,
            LeaseStatus.ACTIVE: self._warn,
            LeaseStatus.UPDATING: self._realise,
            LeaseStatus.TERMINATING: self._end,
            LeaseStatus.DELETING: self._delete,
            LeaseStatus.ERROR: self._clean,
        }
        handlers[work.lease.status](work)

    def repair(self, ownership: WorkOwnership) -> None:
        """Put back what a prepared or running lease should have in OpenStack."""
        work = self._work(ownership, None)
        result = self._reservations.each(work, _waiting(work.lease), self._reservations.repair)
        reason = None
        if result.troubles:
            reason = troubles_in_words(result.troubles).after("repair failed: ")
        self._settle(work, work.lease.status, reason=reason)

    def record_blocked_reason(self, lease_id: str) -> None:
        """Let a start that nobody begins with, as hosts are not free yet, say so."""
        with self._database.reader() as connection:
            lease = leases.get(connection, lease_id)
        if lease is None or lease.status != LeaseStatus.PENDING:
            return
        blocked = self._blocked(lease)
        if blocked:
            values = reasons.columns(_waits_for(blocked))
            with self._database.writer() as connection:
                leases.set_lease(
                    connection, lease.id, values, attempt=lease.attempt, status=LeaseStatus.PENDING
                )

    def _work(self, ownership: WorkOwnership, lease: Lease | None) -> LeaseWork:
        if lease is None:
            with self._database.reader() as connection:
                lease = leases.get(connection, ownership.lease_id)
        if lease is None or lease.attempt != ownership.attempt:
            raise Superseded(f"lease {ownership.lease_id} has moved on")
        return LeaseWork(lease, ownership, self._providers[lease.provider_id])

    # The states

    def _prepare(self, work: LeaseWork) -> None:
        result = self._reservations.each(work, work.lease.reservations, self._reservations.prepare)
        if result.done:
            self._results.settle(work, LeaseStatus.PENDING)
        else:
            self._go_on_or_give_up(work, result)

    def _prepare_ahead(self, work: LeaseWork) -> None:
        """What OpenStack refuses or does not answer is tried again until the start."""
        result = self._reservations.each(work, work.lease.reservations, self._reservations.prepare)
        if result.done:
            self.pace.went_well()
            self._results.settle(work, LeaseStatus.PENDING)
        else:
            self.pace.failed()
            self._results.prepare_later(work, result)

    def _start(self, work: LeaseWork) -> None:
        lease, now = work.lease, self._clock.now()
        if now >= lease.end:
            over = Failed(Reason("the lease was over", "the lease was over"))
            self._results.give_up(work, {r.id: over for r in _waiting(lease)})
            return
        blocked = self._blocked(lease)
        if blocked and now < lease.start + self._start_wait:
            self._results.look_again(work, _waits_for(blocked))
            return

        def start(work: LeaseWork, reservation: Reservation) -> StepResult:
            avoid = blocked.get(reservation.id, frozenset())
            shun = self._rebooking.out_of_service(work.provider, [reservation.id])
            if lease.preparation != Preparation.DONE:
                return self._reservations.ensure(work, reservation, avoid, shun)
            return self._reservations.hand_over(work, reservation, avoid, shun)

        result = self._reservations.each(work, _waiting(lease), start)
        if result.done:
            LOG.info("Lease %s has started", lease.id)
            done = (EventType.START, *self._warn_at_once(work))
            self._settle(work, LeaseStatus.ACTIVE, done=done)
        else:
            self._go_on_or_give_up(work, result)

    def _warn_at_once(self, work: LeaseWork) -> tuple[EventType, ...]:
        """The warning of a lease so short that it is due at its start, as far as that succeeds.

        Else it would be ACTIVE, and worked on once more at that very moment, when those who
        waited for it change it.
        """
        event = work.lease.event(EventType.BEFORE_END)
        if event is None or event.status != EventStatus.UNDONE or event.time > self._clock.now():
            return ()
        result = self._reservations.each(work, work.lease.reservations, self._reservations.warn)
        return (EventType.BEFORE_END,) if result.done else ()

    def _warn(self, work: LeaseWork) -> None:
        result = self._reservations.each(work, work.lease.reservations, self._reservations.warn)
        warned = (EventType.BEFORE_END,)
        if result.done:
            self._settle(work, LeaseStatus.ACTIVE, done=warned)
        elif result.troubles and self._results.exhausted(work, result.troubles):
            reason = troubles_in_words(result.troubles)
            LOG.error("Lease %s: before_end failed: %s", work.lease.id, reason.operator)
            self._settle(work, LeaseStatus.ACTIVE, failed=warned, reason=reason)
        else:
            self._go_on(work, result)

    def _realise(self, work: LeaseWork) -> None:
        running = lifecycle.started(work.lease)
        result = self._reservations.each(work, work.lease.reservations, self._reservations.ensure)
        if result.done or (running and self._clock.now() >= work.lease.end):
            self._settle(work, LeaseStatus.ACTIVE if running else LeaseStatus.PENDING)
        elif running:
            # What could not be added is no reason to take away what is in use.
            self._go_on(work, result)
        else:
            self._go_on_or_give_up(work, result)

    def _end(self, work: LeaseWork) -> None:
        if self._take_back(work, work.lease.reservations):
            LOG.info("Lease %s has ended", work.lease.id)
            begun = (e for e in work.lease.events if e.status == EventStatus.IN_PROGRESS)
            done = tuple(event.event_type for event in begun)
            self._results.settle(work, LeaseStatus.TERMINATED, done=done, degraded=False)

    def _clean(self, work: LeaseWork) -> None:
        """After a failure: take back what had been handed over before it."""
        reservations = work.lease.reservations
        broken = [r for r in reservations if r.status == ReservationStatus.ERROR]
        told, known = work.lease.status_reason, work.lease.trouble
        why = None if told is None else Reason(told, known or told).alone()
        result = self._reservations.take_back(work, broken)
        if result.done:
            self._results.settle(work, LeaseStatus.ERROR, reason=why)
        else:
            self._go_on(work, result, why)

    def _delete(self, work: LeaseWork) -> None:
        if self._take_back(work, work.lease.reservations):
            work.provider.ledger.record(
                RemovedLease(work.lease, work.ownership, self._clock.now())
            )
            LOG.info("Lease %s is gone", work.lease.id)

    # What they have in common

    def _settle(
        self,
        work: LeaseWork,
        status: LeaseStatus,
        done: tuple[EventType, ...] = (),
        failed: tuple[EventType, ...] = (),
        reason: Reason | None = None,
    ) -> None:
        """Settled, and degraded where hosts of a running lease are out of service."""
        lease = work.lease
        if status != LeaseStatus.ACTIVE:
            self._results.settle(work, status, done, failed, reason)
            return
        numbers = [each.id for each in lease.reservations]
        down = self._rebooking.known_out_of_service(numbers)
        if down:
            LOG.warning("Lease %s: %s are out of service", lease.id, ", ".join(sorted(down)))
        words = reason or (out_of_service_reason(down) if down else None)
        self._results.settle(work, status, done, failed, words, degraded=bool(down))

    def _take_back(self, work: LeaseWork, reservations: Iterable[Reservation]) -> bool:
        """True: nothing is left. Otherwise the lease is looked at again."""
        result = self._reservations.take_back(work, reservations)
        if not result.done:
            self._go_on(work, result)
        return result.done

    def _go_on_or_give_up(self, work: LeaseWork, result: CombinedResult) -> None:
        if result.troubles and self._results.exhausted(work, result.troubles):
            self._results.give_up(work, result.troubles)
        else:
            self._go_on(work, result)

    def _go_on(
        self, work: LeaseWork, result: CombinedResult, beside: Reason | None = None
    ) -> None:
        """``beside``: why the lease has failed before."""
        if result.troubles:
            self._results.try_again(work, result.troubles, beside)
        else:
            words = in_words(wait.reason for wait in result.waiting)
            words = words if beside is None else beside.beside(words)
            known = [wait.seconds for wait in result.waiting if wait.seconds is not None]
            pause = max(known) if len(known) == len(result.waiting) else None
            self._results.look_again(work, words, pause)

    def _blocked(self, lease: Lease) -> dict[int, frozenset[str]]:
        """The names of hosts, by reservation, that others have not let go of."""
        provider = self._providers[lease.provider_id]
        return {
            reservation.id: hosts
            for reservation in _waiting(lease)
            if (hosts := self._rebooking.blocked(provider, lease, reservation))
        }


def _waiting(lease: Lease) -> tuple[Reservation, ...]:
    held = (ReservationStatus.PENDING, ReservationStatus.ACTIVE)
    return tuple(each for each in lease.reservations if each.status in held)


def _waits_for(blocked: Mapping[int, frozenset[str]]) -> Reason:
    names = sorted(frozenset().union(*blocked.values()))
    tenant = "hosts to be let go of by those before"
    return Reason(tenant, f"{tenant}: {', '.join(names)}")
