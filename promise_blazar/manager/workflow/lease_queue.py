# SPDX-License-Identifier: Apache-2.0
"""Queues of leases: those that are due, and those that can wait until there is a lull."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from promise_blazar.clock import Clock
from promise_blazar.db import leases, work_queue
from promise_blazar.db.session import Database
from promise_blazar.manager.ownership.heartbeat import Heartbeat
from promise_blazar.manager.ownership.work import WorkOwnership
from promise_blazar.manager.workflow.queue import Taken
from promise_blazar.manager.workflow.steps import LeaseSteps
from promise_blazar.model import lifecycle
from promise_blazar.model.lease import Lease
from promise_blazar.model.states import EventStatus, LeaseStatus, Preparation, move
from promise_blazar.model.strides import stride

#: Between two tries of something that met a fault of ours.
FAULT_PAUSE = timedelta(seconds=10)
#: Statuses in which what OpenStack needs before the start may be made.
_PREPARING = (LeaseStatus.PENDING, LeaseStatus.STARTING)
#: Blocked starts that are given a reason in one go.
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class LeaseQueueSettings:
    """``start_wait``: as of ``RetryPolicy``. ``resource_types``: those that this manager
    knows."""

    start_wait: float
    resource_types: frozenset[str]


class LeaseQueue:
    """A ``queue.WorkQueue`` of the leases that are due."""

    #: Whether those that have time are taken as well.
    ahead = False

    def __init__(
        self,
        database: Database,
        clock: Clock,
        heartbeat: Heartbeat,
        steps: LeaseSteps,
        settings: LeaseQueueSettings,
    ) -> None:
        self._database = database
        self._clock = clock
        self._heartbeat = heartbeat
        self._steps = steps
        self._start_wait = timedelta(seconds=settings.start_wait)
        self._known = settings.resource_types

    def due(self, owners: Sequence[str], most: int) -> list[work_queue.Due]:
        now = self._clock.now()
        with self._database.reader() as connection:
            return work_queue.due(
                connection, now, owners, self._known, now - self._start_wait, most
            )

    def next_look(self, owners: Sequence[str]) -> datetime | None:
        with self._database.reader() as connection:
            return work_queue.next_look(connection, owners, self._known)

    def take(self, due: work_queue.Due) -> Taken | None:
        now = self._clock.now()
        owner = self._heartbeat.id
        with self._database.writer() as connection:
            lease = leases.get(connection, due.id)
            if lease is None:
                return None
            step = lifecycle.next_step(lease, now, self.ahead)
            if step is None:
                if lease.look_at is None or lease.look_at > now:
                    return None  # an update moved the event in between
                # A repair was cut off: what it did not come to, the next reconcile finds.
                cut_off = due.owner is not None
                values = {
                    "look_at": lifecycle.next_look(lease, lease.status),
                    "owner": None,
                    "attempt": due.attempt + (stride() if cut_off else 0),
                }
                leases.set_lease(
                    connection, due.id, values, attempt=due.attempt, status=due.status
                )
                return None
            status = move(lease.status, step.status)
            attempt = work_queue.take(connection, due, owner, status)
            if attempt is None:
                return None
            if step.status in _PREPARING and lease.preparation != Preparation.DONE:
                # From here on OpenStack may have something of it; and should this be cut off,
                # somebody finds it then.
                begun = {"preparation": Preparation.BEGUN, "look_at": now}
                leases.set_lease(connection, due.id, begun)
            for event_type in step.begins:
                event = {"status": EventStatus.IN_PROGRESS, "updated_at": now}
                leases.set_event(connection, due.id, event_type, event)
        return Taken(WorkOwnership(due.id, attempt, owner), None)

    def carry_on(self, taken: Taken) -> None:
        assert isinstance(taken.ownership, WorkOwnership)  # noqa: S101 - of this queue
        self._steps.carry_on(taken.ownership, taken.item)

    def take_for_repair(self, lease: Lease) -> Taken | None:
        """The right to work on a stable lease, outside its own events; None: it has moved on."""
        due = work_queue.Due(lease.id, lease.status, lease.attempt, None)
        owner = self._heartbeat.id
        with self._database.writer() as connection:
            attempt = work_queue.take(connection, due, owner, lease.status)
            if attempt is None:
                return None
            # Should it be cut off, somebody finds it then, and not at the lease's next event.
            leases.set_lease(connection, lease.id, {"look_at": self._clock.now()})
        return Taken(WorkOwnership(lease.id, attempt, owner), None)

    def repair(self, taken: Taken) -> None:
        """As ``carry_on``, for what was taken for a repair."""
        assert isinstance(taken.ownership, WorkOwnership)  # noqa: S101 - of this queue
        self._steps.repair(taken.ownership)

    def let_go(self, ownership: WorkOwnership, postpone: bool) -> None:
        with self._database.writer() as connection:
            if postpone:
                look_at = self._clock.now() + FAULT_PAUSE
                leases.set_lease(
                    connection,
                    ownership.lease_id,
                    {"look_at": look_at},
                    attempt=ownership.attempt,
                )
            work_queue.let_go(connection, ownership.lease_id, ownership.owner)

    def look_around(self) -> None:
        """Let blocked starts say what they wait for."""
        now = self._clock.now()
        with self._database.reader() as connection:
            blocked = work_queue.blocked_without_reason(
                connection, now, self._known, now - self._start_wait, _AT_ONCE
            )
        for lease_id in blocked:
            self._steps.record_blocked_reason(lease_id)


class UnhurriedQueue(LeaseQueue):
    """The leases that have time and are not prepared, in the order of their starts.

    Those that fall due are the other queue's, whatever is still before them here.
    """

    ahead = True

    def due(self, owners: Sequence[str], most: int) -> list[work_queue.Due]:
        if not self._steps.pace.ready():
            return []
        with self._database.reader() as connection:
            return work_queue.to_prepare(connection, self._clock.now(), self._known, most)

    def next_look(self, owners: Sequence[str]) -> datetime | None:
        """None: who makes such a lease wakes the engine, and others see it within a tick."""
        return None

    def look_around(self) -> None:
        """Nothing is blocked here."""
