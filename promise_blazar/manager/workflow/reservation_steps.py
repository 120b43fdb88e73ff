# SPDX-License-Identifier: Apache-2.0
"""Steps of single reservations: prepared, handed over, warned, taken back.

Each runs a step of the resource type and records what came of it, by compare-and-set on the
attempt of the ownership. No call to OpenStack is made inside a transaction.
"""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

from promise_blazar import exceptions
from promise_blazar.clock import Clock
from promise_blazar.cloud import parallel
from promise_blazar.db import bookings, leases, specs
from promise_blazar.db.session import Database
from promise_blazar.manager.ledger.changes import ReleasedReservation
from promise_blazar.manager.ownership.work import update_owned
from promise_blazar.manager.workflow.rebooking import Rebooking
from promise_blazar.manager.workflow.work import CombinedResult, LeaseWork, context_of
from promise_blazar.model import lifecycle
from promise_blazar.model.lease import Reservation
from promise_blazar.model.states import EventType, LeaseStatus, ReservationStatus
from promise_blazar.plugins.contract import (
    Done,
    Failed,
    Reason,
    StepContext,
    StepResult,
    Waiting,
    changed_fields,
    fields_of,
)

Step = Callable[[LeaseWork, Reservation], StepResult]


class ReservationSteps:
    def __init__(self, database: Database, clock: Clock, rebooking: Rebooking) -> None:
        self._database = database
        self._clock = clock
        self._rebooking = rebooking

    def each(
        self, work: LeaseWork, reservations: Iterable[Reservation], step: Step
    ) -> CombinedResult:
        """Run a step for each, side by side; one that fails keeps no other from its own."""
        asked = list(reservations)
        results = parallel.each(lambda reservation: _result(step, work, reservation), asked)
        troubles: dict[int, Failed] = {}
        waiting: list[Reason] = []
        for reservation, result in zip(asked, results, strict=True):
            match result:
                case Failed() as failed:
                    troubles[reservation.id] = failed
                case Waiting(reason):
                    waiting.append(reason)
        return CombinedResult(troubles, tuple(waiting))

    def take_back(self, work: LeaseWork, reservations: Iterable[Reservation]) -> CombinedResult:
        """Everything of these reservations, each as far as it goes. Done: nothing is left."""
        held = [each for each in reservations if each.status != ReservationStatus.DELETED]
        return self.each(work, held, self._end)

    def ensure(
        self, work: LeaseWork, reservation: Reservation, avoid: frozenset[str] = frozenset()
    ) -> StepResult:
        """As a reservation should be: prepared, and handed over once its lease has started.

        ``avoid``: as of ``hand_over``.
        """
        result = self.prepare(work, reservation)
        if not isinstance(result, Done) or not lifecycle.started(work.lease):
            return result
        if result.state is not None:
            details = {**reservation.details, **fields_of(result.state)}
            reservation = dataclasses.replace(reservation, details=details)
        return self.hand_over(work, reservation, avoid)

    def prepare(self, work: LeaseWork, reservation: Reservation) -> StepResult:
        context = self._context(work, reservation)
        result = work.plugin(reservation).prepare(context)
        if isinstance(result, Done) and result.state is not None:
            # Only what changed: the API may be recording a server group at this moment.
            changed = changed_fields(context.state, result.state)
            if changed:
                with self._database.writer() as connection:
                    update_owned(connection, work.ownership)
                    specs.change(connection, reservation.resource_type, reservation.id, changed)
        return result

    def hand_over(
        self, work: LeaseWork, reservation: Reservation, avoid: frozenset[str] = frozenset()
    ) -> StepResult:
        """Start it, on other hosts where its own cannot be had.

        ``avoid``: names of hypervisors that cannot be had, as is known already.
        """
        if avoid:
            names = ", ".join(sorted(avoid))
            why = Reason(
                "hosts were not let go of in time", f"OpenStack did not let go of {names} in time"
            )
            refused = self._rebooking.rebook(work, reservation, avoid, why)
            if refused is not None:
                return refused
        occupied = frozenset[str]()
        while True:
            result = work.plugin(reservation).start(self._context(work, reservation))
            if not isinstance(result, Failed) or not result.avoid:
                break
            # Nothing of ours is there yet. Each turn leaves more hosts aside.
            occupied |= result.avoid
            refused = self._rebooking.rebook(work, reservation, occupied, result.reason)
            if refused is not None:
                return refused
        if isinstance(result, Done):
            self._set_status(work, reservation, ReservationStatus.ACTIVE)
        return result

    def warn(self, work: LeaseWork, reservation: Reservation) -> StepResult:
        event = work.lease.event(EventType.BEFORE_END)
        # An update may put off a warning that was given already: then it is another.
        occasion = "" if event is None else event.time.isoformat()
        context = dataclasses.replace(self._context(work, reservation), occasion=occasion)
        return work.plugin(reservation).before_end(context)

    def _end(self, work: LeaseWork, reservation: Reservation) -> StepResult:
        result = work.plugin(reservation).end(self._context(work, reservation))
        if isinstance(result, Done):
            failed = work.lease.status == LeaseStatus.ERROR
            status = ReservationStatus.ERROR if failed else ReservationStatus.DELETED
            work.provider.ledger.record(
                ReleasedReservation(reservation.id, status, work.ownership, self._clock.now())
            )
        return result

    def _set_status(
        self, work: LeaseWork, reservation: Reservation, status: ReservationStatus
    ) -> None:
        values = {"status": status, "updated_at": self._clock.now()}
        with self._database.writer() as connection:
            update_owned(connection, work.ownership)
            leases.set_reservation(connection, reservation.id, values)

    def _context(self, work: LeaseWork, reservation: Reservation) -> StepContext[Any, Any]:
        with self._database.reader() as connection:
            booked = bookings.held_by(connection, [reservation.id])
            servers = leases.servers(connection, reservation.id)

        def record(server_ids: Iterable[str]) -> None:
            new = frozenset(server_ids) - servers
            if new:
                with self._database.writer() as connection:
                    update_owned(connection, work.ownership)
                    leases.record_servers(connection, reservation.id, new)

        context = context_of(work.plugin(reservation), work.lease, reservation, booked)
        return dataclasses.replace(context, servers=servers, record=record)


def _result(step: Step, work: LeaseWork, reservation: Reservation) -> StepResult:
    """What came of a step; the cloud's errors are failures of it, which another try may mend."""
    try:
        return step(work, reservation)
    except exceptions.CloudUnavailable as error:
        return Failed(Reason("OpenStack did not answer", error.message), retryable=True)
    except (exceptions.CloudError, exceptions.NotFound) as error:
        return Failed(Reason("OpenStack refused", str(error)))
