# SPDX-License-Identifier: Apache-2.0
"""Create a lease: decide, commit, prepare; and undo it when OpenStack will not have it."""

import logging
import uuid
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from promise_blazar import exceptions
from promise_blazar.capacity.admission import Plan
from promise_blazar.capacity.demand.request import AllocationRequest
from promise_blazar.clock import Clock
from promise_blazar.context import RequestContext
from promise_blazar.db import bookings, idempotency, leases
from promise_blazar.db.session import Connection, Database
from promise_blazar.manager.contract.messages import (
    EventView,
    IdempotencyKey,
    LeaseRequest,
    LeaseView,
    ReservationView,
)
from promise_blazar.manager.idempotency import Answers
from promise_blazar.manager.leases.delete import LeaseDeletion
from promise_blazar.manager.leases.validation import (
    Dates,
    new_dates,
    new_event,
    plugin_for,
)
from promise_blazar.manager.ledger.store import LedgerStore, Refused
from promise_blazar.manager.ownership.heartbeat import Heartbeat, WorkOwnership
from promise_blazar.manager.queries.leases import LeaseQueries
from promise_blazar.manager.queries.views import lease_view, refusal
from promise_blazar.manager.workflow.engine import Engine
from promise_blazar.model.booking import NewBooking
from promise_blazar.model.states import EventStatus, EventType, LeaseStatus
from promise_blazar.plugins.contract import ExternalState, Plugin, bundle_of, columns

LOG = logging.getLogger(__name__)

#: A lease that starts within this time is prepared at once, even if nobody waits for it.
SOON = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A reservation of the request, understood. ``key``: of its ask."""

    key: str
    uuid: str
    plugin: Plugin
    spec: Any


@dataclass(frozen=True, slots=True)
class CreationSettings:
    """``warning_lead``: of the before_end event. ``ownership_seconds``: as of ``Presence``."""

    warning_lead: timedelta
    prepare_wait: float
    ownership_seconds: float


class LeaseCreation:
    def __init__(
        self,
        database: Database,
        ledger_store: LedgerStore,
        plugins: Mapping[str, Plugin],
        deletion: LeaseDeletion,
        engine: Engine,
        heartbeat: Heartbeat,
        clock: Clock,
        answers: Answers,
        lease_queries: LeaseQueries,
        settings: CreationSettings,
    ) -> None:
        self._database = database
        self._ledger = ledger_store
        self._plugins = plugins
        self._deletion = deletion
        self._engine = engine
        self._heartbeat = heartbeat
        self._clock = clock
        self._answers = answers
        self._lease_queries = lease_queries
        self._settings = settings

    def create(
        self,
        context: RequestContext,
        request: LeaseRequest,
        key: IdempotencyKey | None,
        dry_run: bool,
    ) -> LeaseView:
        """See ``interface.Manager.create_lease``."""
        if key is not None and not dry_run:
            answer = self._answers.given(context, key, LeaseView, self._present)
            if answer is not None:
                return answer
        now = self._clock.now()
        dates = new_dates(request, now, self._settings.warning_lead)
        wanted = []
        for number, item in enumerate(request.reservations):
            plugin = plugin_for(self._plugins, item.resource_type)
            spec = plugin.parse(item.values)
            wanted.append(_Wanted(str(number), str(uuid.uuid4()), plugin, spec))
        window = dates.whole
        asks = [
            AllocationRequest(want.key, want.plugin.demand(want.spec), window) for want in wanted
        ]
        if dry_run:
            return self._rehearse(context, request, dates, wanted, asks)
        lease_id = str(uuid.uuid4())
        with self._engine.holding(lease_id):
            ownership = self._commit(context, request, key, dates, wanted, asks, lease_id, now)
            LOG.info("Lease %s of project %s is admitted", lease_id, context.project_id)
            priority = self._settings.prepare_wait > 0 or dates.start - now < SOON
            future = self._engine.submit(ownership, priority) if wanted else None
        if future is not None:
            self._prepare(ownership, future)
        view = self._lease_queries.get(lease_id)
        if key is not None and not view.groups_wanted:
            self._answers.keep(lease_id, view)
        self._engine.wake()
        return view

    def _commit(
        self,
        context: RequestContext,
        request: LeaseRequest,
        key: IdempotencyKey | None,
        dates: Dates,
        wanted: list[_Wanted],
        asks: list[AllocationRequest],
        lease_id: str,
        now: datetime,
    ) -> WorkOwnership:
        ownership = WorkOwnership(lease_id, 1, self._heartbeat.id)
        bundles = {}
        for want in wanted:
            amounts = bundle_of(want.plugin, want.spec)
            bundles[want.key] = None if amounts is None else self._ledger.bundle(amounts)

        def write(connection: Connection, plan: Plan, generation: int) -> WorkOwnership:
            self._write_lease(connection, context, request, dates, ownership, bool(wanted), now)
            if key is not None:
                idempotency.add(
                    connection, context.project_id, key.key, key.fingerprint, lease_id, now
                )
            new = []
            # From now on, which is later than the request and not earlier than the decision.
            window = dates.window(self._clock.now())
            for want in wanted:
                number = self._write_reservation(connection, lease_id, want, now)
                new += [
                    NewBooking(
                        number,
                        placement.host,
                        bundles[want.key],
                        placement.units,
                        window.start,
                        window.end,
                    )
                    for placement in plan.placements[want.key]
                ]
            bookings.add(connection, self._ledger.provider_id, generation, new)
            return ownership

        def done(connection: Connection) -> WorkOwnership | None:
            return ownership if leases.exists(connection, lease_id) else None

        try:
            return self._ledger.decide(asks, write, done=done)
        except Refused as refused:
            raise refusal(refused.explanation) from None
        except idempotency.Taken:
            # Another request with this key was committed while this one was being decided.
            raise exceptions.RequestInFlight() from None

    def _write_lease(
        self,
        connection: Connection,
        context: RequestContext,
        request: LeaseRequest,
        dates: Dates,
        ownership: WorkOwnership,
        to_prepare: bool,
        now: datetime,
    ) -> None:
        # A lease without reservations has nothing to prepare. The others are this manager's
        # from their first moment; should it die, another looks at them.
        until_taken_over = now + timedelta(seconds=self._settings.ownership_seconds)
        leases.add(
            connection,
            {
                "id": ownership.lease_id,
                "provider_id": self._ledger.provider_id,
                "name": request.name,
                "user_id": context.user_id,
                "project_id": context.project_id,
                "start": dates.start,
                "end": dates.end,
                "status": LeaseStatus.CREATING if to_prepare else LeaseStatus.PENDING,
                "degraded": False,
                "owner": ownership.owner if to_prepare else None,
                "attempt": ownership.attempt,
                "failures": 0,
                "look_at": until_taken_over if to_prepare else dates.start,
                "created_at": now,
            },
        )
        leases.add_events(
            connection,
            [
                new_event(ownership.lease_id, event_type, instant, now)
                for event_type, instant in _events(dates)
            ],
        )

    def _write_reservation(
        self, connection: Connection, lease_id: str, want: _Wanted, now: datetime
    ) -> int:
        return leases.add_reservation(
            connection,
            {
                "uuid": want.uuid,
                "lease_id": lease_id,
                "resource_id": str(uuid.uuid4()),
                "resource_type": want.plugin.resource_type,
                "status": "pending",
                "missing_resources": False,
                "resources_changed": False,
                "created_at": now,
            },
            columns(want.spec),
        )

    def _prepare(self, ownership: WorkOwnership, future: "Future[None]") -> None:
        """Wait a while for OpenStack; what it refuses in that time is undone."""
        try:
            future.result(timeout=self._settings.prepare_wait)
        except NotYet:
            return
        with self._database.reader() as connection:
            lease = leases.get(connection, ownership.lease_id)
        if lease is None or lease.attempt != ownership.attempt:
            return
        if lease.status not in (LeaseStatus.CREATING, LeaseStatus.ERROR) or lease.reason is None:
            # Prepared; or this manager was stopped in between, and the work goes on.
            return
        # Nobody knows of this lease yet: it never was. What was made of it is removed by the
        # engine, as for any deleted lease, however long OpenStack stays away.
        if self._deletion.delete(ownership.lease_id, only_attempt=ownership.attempt):
            raise exceptions.CloudError(
                f"OpenStack could not prepare the lease: {lease.reason}",
                call="prepare",
                detail=lease.reason,
            )

    def _rehearse(
        self,
        context: RequestContext,
        request: LeaseRequest,
        dates: Dates,
        wanted: list[_Wanted],
        asks: list[AllocationRequest],
    ) -> LeaseView:
        """The same checks and the same shape; nothing is made."""
        try:
            self._ledger.rehearse(asks)
        except Refused as refused:
            raise refusal(refused.explanation) from None
        return LeaseView(
            id="",
            name=request.name,
            user_id=context.user_id,
            project_id=context.project_id,
            start=dates.start,
            end=dates.end,
            status=LeaseStatus.PENDING,
            degraded=False,
            reservations=tuple(
                ReservationView(
                    id="",
                    resource_id="",
                    resource_type=want.plugin.resource_type,
                    status="pending",
                    missing_resources=False,
                    resources_changed=False,
                    values=want.plugin.show("", want.spec, ExternalState()),
                )
                for want in wanted
            ),
            events=tuple(
                EventView("", event_type, instant, EventStatus.UNDONE)
                for event_type, instant in _events(dates)
            ),
        )

    def _present(self, lease_id: str) -> LeaseView | None:
        with self._database.reader() as connection:
            lease = leases.get(connection, lease_id)
        if lease is None:
            return None
        if lease.status in (LeaseStatus.CREATING, LeaseStatus.DELETING):
            raise exceptions.RequestInFlight()
        return lease_view(lease, self._plugins)

    def group_made(self, lease_id: str) -> None:
        """With its last server group a lease is complete, and so is the answer to its create."""
        view = self._lease_queries.get(lease_id)
        if not view.groups_wanted:
            self._answers.keep(lease_id, view)


def _events(dates: Dates) -> list[tuple[EventType, datetime]]:
    events = [(EventType.START, dates.start), (EventType.END, dates.end)]
    if dates.warning is not None:
        events.append((EventType.BEFORE_END, dates.warning))
    return events
