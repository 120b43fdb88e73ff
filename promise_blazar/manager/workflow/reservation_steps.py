# SPDX-License-Identifier: Apache-2.0
"""Steps of single reservations: prepared, handed over, warned, taken back.

Each runs a step of the resource type and records what came of it, by compare-and-set on the
attempt of the ownership. No call to OpenStack is made inside a transaction.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
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
from promise_blazar.model.lease import FormerReservation, Reservation
from promise_blazar.model.reason import Reason
from promise_blazar.model.states import EventType, LeaseStatus, ReservationStatus
from promise_blazar.plugins.contract import (
    Done,
    Failed,
    Plugin,
    StepContext,
    StepResult,
    Waiting,
    changed_fields,
    fields_of,
)

Step = Callable[[LeaseWork, Reservation], StepResult]
Context = StepContext[Any, Any]


class ReservationSteps:
    """``settle_seconds``: between closing a reservation and the look that may release it."""

    def __init__(
        self, database: Database, clock: Clock, rebooking: Rebooking, settle_seconds: float
    ) -> None:
        self._database = database
        self._clock = clock
        self._rebooking = rebooking
        self._settle = timedelta(seconds=settle_seconds)

    def each(
        self, work: LeaseWork, reservations: Iterable[Reservation], step: Step
    ) -> CombinedResult:
        """Run a step for each, side by side; one that fails keeps no other from its own."""
        asked = list(reservations)
        results = parallel.each(lambda reservation: _result(step, work, reservation), asked)
        troubles: dict[int, Failed] = {}
        waiting: list[Waiting] = []
        for reservation, result in zip(asked, results, strict=True):
            match result:
                case Failed() as failed:
                    troubles[reservation.id] = failed
                case Waiting() as wait:
                    waiting.append(wait)
        return CombinedResult(troubles, tuple(waiting))

    def take_back(self, work: LeaseWork, reservations: Iterable[Reservation]) -> CombinedResult:
        """Everything of these reservations, each as far as it goes. Done: nothing is left."""
        held = [each for each in reservations if each.status != ReservationStatus.DELETED]
        return self.each(work, held, self._end)

    def ensure(
        self,
        work: LeaseWork,
        reservation: Reservation,
        avoid: frozenset[str] = frozenset(),
        shun: frozenset[str] = frozenset(),
    ) -> StepResult:
        """As a reservation should be: prepared, and handed over once its lease has started.

        ``avoid``, ``shun``: as of ``hand_over``.
        """
        start = partial(self.hand_over, avoid=avoid, shun=shun)
        return self._ensure(work, reservation, start)

    def repair(self, work: LeaseWork, reservation: Reservation) -> StepResult:
        """``ensure`` on the hosts that it has, and on no others: its servers may be there."""
        return self._ensure(work, reservation, self._start)

    def _ensure(self, work: LeaseWork, reservation: Reservation, start: Step) -> StepResult:
        result = self.prepare(work, reservation)
        if not isinstance(result, Done) or not lifecycle.started(work.lease):
            return result
        if result.state is not None:
            details = {**reservation.details, **fields_of(result.state)}
            reservation = dataclasses.replace(reservation, details=details)
        return start(work, reservation)

    def prepare(self, work: LeaseWork, reservation: Reservation) -> StepResult:
        context = self._context(work, reservation)
        work.provider.remembered.reservation(reservation.uuid, reservation.resource_type)
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
        self,
        work: LeaseWork,
        reservation: Reservation,
        avoid: frozenset[str] = frozenset(),
        shun: frozenset[str] = frozenset(),
    ) -> StepResult:
        """Start it, on other hosts where its own cannot be had.

        Names of hypervisors: ``avoid``, that cannot be had, as is known already; ``shun``, that
        are out of service, and better than none.
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
            result = self._start(work, reservation, shun)
            if not isinstance(result, Failed) or not result.avoid:
                return result
            # Nothing of ours is there yet. Each turn leaves more hosts aside.
            refused = self._rebooking.rebook(
                work, reservation, occupied | result.avoid, result.reason
            )
            if result.avoid <= shun:
                # Whatever it has now is the best that there is.
                shun = frozenset()
            elif refused is not None:
                return refused
            else:
                occupied |= result.avoid

    def _start(
        self, work: LeaseWork, reservation: Reservation, shun: frozenset[str] = frozenset()
    ) -> StepResult:
        context = dataclasses.replace(self._context(work, reservation), shun=shun)
        result = work.plugin(reservation).start(context)
        if isinstance(result, Done):
            values = {"status": ReservationStatus.ACTIVE, "updated_at": self._clock.now()}
            self._write(work, reservation, values)
        return result

    def warn(self, work: LeaseWork, reservation: Reservation) -> StepResult:
        event = work.lease.event(EventType.BEFORE_END)
        # An update may put off a warning that was given already: then it is another.
        occasion = "" if event is None else event.time.isoformat()
        context = dataclasses.replace(self._context(work, reservation), occasion=occasion)
        return work.plugin(reservation).before_end(context)

    def _end(self, work: LeaseWork, reservation: Reservation) -> StepResult:
        plugin, context = work.plugin(reservation), self._context(work, reservation)
        # What was never handed over has no door.
        if lifecycle.started(work.lease):
            result = self._vacate(work, reservation, plugin, context)
            if not isinstance(result, Done):
                return result
        result = plugin.end(context)
        if isinstance(result, Done):
            failed = work.lease.status == LeaseStatus.ERROR
            status = ReservationStatus.ERROR if failed else ReservationStatus.DELETED
            work.provider.ledger.record(
                ReleasedReservation(
                    reservation.id,
                    status,
                    work.ownership,
                    self._clock.now(),
                    self._former(work, reservation, context),
                )
            )
        return result

    def _vacate(
        self, work: LeaseWork, reservation: Reservation, plugin: Plugin, context: Context
    ) -> StepResult:
        """Close the door, then delete the servers. ``Done``: none was there when all had settled.

        What was let in at the last moment arrives within ``settle_seconds``; so nothing is
        released by a look that is younger than that. Nobody can put that off by coming again.
        """
        kept = [context.state]

        def keep(state: Any) -> None:
            changed = changed_fields(kept[-1], state)
            with self._database.writer() as connection:
                update_owned(connection, work.ownership)
                specs.change(connection, reservation.resource_type, reservation.id, changed)
            kept.append(state)

        opened = plugin.close(dataclasses.replace(context, keep=keep))
        looked_at, closed_at = self._clock.now(), reservation.closed_at
        if opened or closed_at is None or closed_at > looked_at:
            closed_at = looked_at
            self._write(work, reservation, {"closed_at": closed_at})
        result = plugin.clear(dataclasses.replace(context, state=kept[-1]))
        rest = (closed_at + self._settle - looked_at).total_seconds()
        if isinstance(result, Done) and rest > 0:
            return Waiting(Reason("what was closed to settle", "what was closed to settle"), rest)
        return result

    def _former(
        self, work: LeaseWork, reservation: Reservation, context: Context
    ) -> FormerReservation | None:
        """What is looked at again, as a server that was let in at the last moment may yet come."""
        with self._database.reader() as connection:
            servers = leases.servers(connection, reservation.id)
        if not servers:
            return None
        hosts = tuple(dataclasses.astuple(each) for each in context.allocations)
        return FormerReservation(
            reservation.uuid,
            reservation.resource_type,
            work.lease.project_id,
            reservation.details,
            hosts,
            servers,
            self._clock.now(),
        )

    def _write(self, work: LeaseWork, reservation: Reservation, values: Mapping[str, Any]) -> None:
        with self._database.writer() as connection:
            update_owned(connection, work.ownership)
            leases.set_reservation(connection, reservation.id, values)

    def _context(self, work: LeaseWork, reservation: Reservation) -> Context:
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
        running = reservation.status == ReservationStatus.ACTIVE
        return dataclasses.replace(context, servers=servers, record=record, running=running)


def _result(step: Step, work: LeaseWork, reservation: Reservation) -> StepResult:
    """What came of a step; the cloud's errors are failures of it, which another try may mend."""
    try:
        return step(work, reservation)
    except exceptions.CloudUnavailable as error:
        return Failed(Reason(error.public, error.message), retryable=True)
    except (exceptions.CloudError, exceptions.NotFound) as error:
        # What OpenStack does not know is something of its own.
        tenant = error.public if "call" in error.facts else "OpenStack refused"
        return Failed(Reason(tenant, error.message))
