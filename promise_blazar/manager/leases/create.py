# SPDX-License-Identifier: Apache-2.0
"""Creation of a lease: decided, committed, prepared; and undone when OpenStack refuses it."""

import logging
import uuid
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from promise_blazar import exceptions
from promise_blazar.capacity.demand.request import AllocationRequest
from promise_blazar.capacity.resource_query import Query
from promise_blazar.clock import Clock
from promise_blazar.context import RequestContext
from promise_blazar.db import idempotency, leases
from promise_blazar.db.session import Database
from promise_blazar.manager.contract.messages import IdempotencyKey, LeaseRequest, LeaseView
from promise_blazar.manager.idempotency import Answers
from promise_blazar.manager.leases.delete import begin_deletion
from promise_blazar.manager.leases.private_properties import hidden_from
from promise_blazar.manager.leases.validation import Dates, client_events, new_dates, new_event
from promise_blazar.manager.ledger.changes import NewLease
from promise_blazar.manager.ledger.store import Refused
from promise_blazar.manager.provider import ProviderRuntime, Providers
from promise_blazar.manager.queries.views import lease_view, refusal
from promise_blazar.manager.workflow.engine import Engine
from promise_blazar.manager.workflow.lease_queue import SOON
from promise_blazar.manager.workflow.results import trouble_in
from promise_blazar.model.lease import Event, Lease, Reservation
from promise_blazar.model.states import EventType, LeaseStatus, ReservationStatus
from promise_blazar.plugins.contract import demand_of, fields_of

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CreationSettings:
    """``warning_lead``: of the before_end event. ``prepare_wait``, ``ownership_seconds``: seconds,
    as the options of these names."""

    warning_lead: timedelta
    prepare_wait: float
    ownership_seconds: float


class LeaseCreation:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        providers: Providers,
        engine: Engine,
        answers: Answers,
        settings: CreationSettings,
    ) -> None:
        self._database = database
        self._clock = clock
        self._providers = providers
        self._engine = engine
        self._answers = answers
        self._settings = settings

    def create(
        self,
        context: RequestContext,
        request: LeaseRequest,
        key: IdempotencyKey | None,
        dry_run: bool,
    ) -> LeaseView:
        """See ``interface.Manager.create_lease``."""
        if key is not None and dry_run:
            self._answers.check(context, key)
        elif key is not None:
            answer = self._answers.given(context, key, LeaseView, self._present)
            if answer is not None:
                return answer
        now = self._clock.now()
        provider = self._providers.default
        dates = new_dates(request, now, self._settings.warning_lead)
        lease = self._lease(context, request, provider, dates, now)
        requests = _requests(lease, provider, dates)
        if dry_run:
            return _rehearse(lease, provider, requests)
        ownership = self._engine.new_ownership(lease.id, lease.attempt)
        with self._engine.holding(lease.id):
            hurried = self._settings.prepare_wait > 0 or lease.start - now < SOON
            if lease.reservations and hurried:
                lease = replace(lease, owner=ownership.owner)
            elif lease.reservations:
                # Nobody waits: the engine comes to it, in the order of starts.
                lease = replace(lease, look_at=lease.start - SOON)
            lease = self._commit(provider, lease, requests, key)
            LOG.info("Lease %s of project %s is admitted", lease.id, context.project_id)
            future = None
            if lease.reservations and hurried:
                future = self._engine.submit(ownership, lease)
        view = lease_view(self._prepared(lease, provider, future), provider.plugins)
        if key is not None and not view.groups_wanted:
            self._answers.keep(lease.id, view)
        self._engine.wake()
        return view

    def _lease(
        self,
        context: RequestContext,
        request: LeaseRequest,
        provider: ProviderRuntime,
        dates: Dates,
        now: datetime,
    ) -> Lease:
        """The lease as it is to be committed. Raises ``BadInput`` for what it can never be."""
        specs: list[Any] = []
        queries: list[Query] = []
        for item in request.reservations:
            plugin = provider.plugin_for(item.resource_type)
            specs.append(plugin.parse(item.values))
            queries += plugin.demand(specs[-1]).where
        hidden = hidden_from(context, self._database, queries)
        reservations = []
        for item, spec in zip(request.reservations, specs, strict=True):
            reservations.append(
                Reservation(
                    id=0,
                    uuid=str(uuid.uuid4()),
                    resource_id=str(uuid.uuid4()),
                    resource_type=item.resource_type,
                    status=ReservationStatus.PENDING,
                    missing_resources=False,
                    resources_changed=False,
                    created_at=now,
                    updated_at=None,
                    hidden_properties=hidden,
                    details=fields_of(spec),
                )
            )
        # A lease without reservations has nothing to prepare. The others are this manager's from
        # their first moment; should it die, another looks at them.
        until_taken_over = now + timedelta(seconds=self._settings.ownership_seconds)
        return Lease(
            id=str(uuid.uuid4()),
            provider_id=provider.id,
            name=request.name,
            user_id=context.user_id,
            project_id=context.project_id,
            start=dates.start,
            end=dates.end,
            status=LeaseStatus.CREATING if reservations else LeaseStatus.PENDING,
            degraded=False,
            reason=None,
            owner=None,
            attempt=1,
            failures=0,
            revision=0,
            look_at=until_taken_over if reservations else dates.start,
            created_at=now,
            updated_at=None,
            client_events=client_events(request.events, dates, now),
            reservations=tuple(reservations),
            events=_events(dates, now),
        )

    def _commit(
        self,
        provider: ProviderRuntime,
        lease: Lease,
        requests: list[AllocationRequest],
        key: IdempotencyKey | None,
    ) -> Lease:
        try:
            committed = provider.ledger.commit(requests, NewLease(lease, key))
        except Refused as refused:
            raise refusal(refused.explanation) from None
        except idempotency.Taken:
            # Another request with this key was committed while this one was being decided.
            raise exceptions.RequestInFlight() from None
        assert committed is not None  # noqa: S101 - a new lease always is
        return committed

    def _prepared(
        self, lease: Lease, provider: ProviderRuntime, future: "Future[None] | None"
    ) -> Lease:
        """The lease after a while of waiting for OpenStack; what it refuses then is undone.

        Raises ``CloudError``.
        """
        answered = future is not None
        if future is not None:
            try:
                future.result(timeout=self._settings.prepare_wait)
            except NotYet:
                answered = False
        found = self._load(lease.id)
        mine = answered and found.attempt == lease.attempt
        refused = found.status == LeaseStatus.ERROR or found.failures > 0
        if not mine or not refused or found.status not in _UNPREPARED:
            # Prepared; or this manager was stopped in between, and the work goes on.
            return found
        # Nobody knows of this lease yet: it never was. What was made of it is removed by the
        # engine, as for any deleted lease, however long OpenStack stays away.
        if begin_deletion(provider.ledger, found, self._clock.now()):
            self._engine.wake()
            trouble = trouble_in(found.reason)
            raise exceptions.CloudError(
                f"Nothing was made: OpenStack could not prepare the lease ({trouble})",
                call="prepare",
                detail=trouble,
            )
        return self._load(lease.id)

    def _load(self, lease_id: str) -> Lease:
        with self._database.reader() as connection:
            lease = leases.get(connection, lease_id)
        if lease is None:
            raise exceptions.NotFound(object={"lease_id": lease_id})
        return lease

    def _present(self, lease_id: str) -> LeaseView | None:
        with self._database.reader() as connection:
            lease = leases.get(connection, lease_id)
        if lease is None:
            return None
        if lease.status in (LeaseStatus.CREATING, LeaseStatus.DELETING):
            raise exceptions.RequestInFlight()
        return lease_view(lease, self._providers[lease.provider_id].plugins)


_UNPREPARED = (LeaseStatus.CREATING, LeaseStatus.ERROR)


def _requests(lease: Lease, provider: ProviderRuntime, dates: Dates) -> list[AllocationRequest]:
    requests = []
    for position, reservation in enumerate(lease.reservations):
        plugin = provider.plugins[reservation.resource_type]
        demand = demand_of(plugin, reservation)
        # Where several orders are as good, the keys decide: so the same request has one answer.
        requests.append(AllocationRequest(str(position), demand, dates.whole))
    return requests


def _rehearse(
    lease: Lease, provider: ProviderRuntime, requests: list[AllocationRequest]
) -> LeaseView:
    """The same checks and the same shape; nothing is made, and nothing has an id."""
    try:
        provider.ledger.rehearse(requests)
    except Refused as refused:
        raise refusal(refused.explanation) from None
    nameless = replace(
        lease,
        id="",
        status=LeaseStatus.PENDING,
        reservations=tuple(replace(each, uuid="", resource_id="") for each in lease.reservations),
    )
    view = lease_view(nameless, provider.plugins)
    return replace(
        view,
        created_at=None,
        reservations=tuple(replace(each, created_at=None) for each in view.reservations),
        events=tuple(replace(each, id="", created_at=None) for each in view.events),
        groups_wanted=(),
    )


def _events(dates: Dates, now: datetime) -> tuple[Event, ...]:
    events = [
        new_event(EventType.START, dates.start, now),
        new_event(EventType.END, dates.end, now),
    ]
    if dates.warning is not None:
        events.append(new_event(EventType.BEFORE_END, dates.warning, now))
    return tuple(events)
