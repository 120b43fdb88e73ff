# SPDX-License-Identifier: Apache-2.0
"""Wishes for new leases: requests that are understood, before a ledger is asked."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from promise_blazar.capacity.demand.request import AllocationRequest
from promise_blazar.capacity.resource_query import Query
from promise_blazar.clock import Clock
from promise_blazar.context import RequestContext
from promise_blazar.db.session import Database
from promise_blazar.manager.contract.messages import IdempotencyKey, LeaseRequest
from promise_blazar.manager.leases.validation import Dates, client_events, new_dates, new_event
from promise_blazar.manager.provider import ProviderRuntime, Providers
from promise_blazar.manager.queries.private_properties import hidden_from
from promise_blazar.model.lease import Event, Lease, Reservation
from promise_blazar.model.states import EventType, LeaseStatus, Preparation, ReservationStatus
from promise_blazar.model.strides import stride
from promise_blazar.plugins.contract import demand_of, fields_of


@dataclass(frozen=True, slots=True)
class Wish:
    """A request that is understood: the lease as it is to be committed, and what it asks of the
    ledger. ``once``: its id came with it."""

    lease: Lease
    requests: list[AllocationRequest]
    provider: ProviderRuntime
    key: IdempotencyKey | None
    once: bool


class Wishes:
    """What requests for leases come to. ``warning_lead``, ``ownership_seconds``: as of
    ``CreationSettings``."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        providers: Providers,
        warning_lead: timedelta,
        ownership_seconds: float,
    ) -> None:
        self._database = database
        self._clock = clock
        self._providers = providers
        self._warning_lead = warning_lead
        self._ownership_seconds = ownership_seconds

    def understood(
        self, context: RequestContext, request: LeaseRequest, key: IdempotencyKey | None
    ) -> Wish:
        """Raises ``BadInput`` for what it can never be, ``OutsideLease``."""
        now = self._clock.now()
        provider = self._providers.default
        dates = new_dates(request, now, self._warning_lead)
        lease = self._lease(context, request, provider, dates, now)
        requests = _requests(lease, provider, dates)
        return Wish(lease, requests, provider, key, request.id is not None)

    def _lease(
        self,
        context: RequestContext,
        request: LeaseRequest,
        provider: ProviderRuntime,
        dates: Dates,
        now: datetime,
    ) -> Lease:
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
                    uuid=item.id or str(uuid.uuid4()),
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
        until_taken_over = now + timedelta(seconds=self._ownership_seconds)
        return Lease(
            id=request.id or str(uuid.uuid4()),
            provider_id=provider.id,
            name=request.name,
            user_id=context.user_id,
            project_id=context.project_id,
            start=dates.start,
            end=dates.end,
            status=LeaseStatus.CREATING if reservations else LeaseStatus.PENDING,
            degraded=False,
            reason=None,
            operator_reason=None,
            owner=None,
            attempt=stride(),
            failures=0,
            revision=stride(),
            look_at=until_taken_over if reservations else dates.start,
            created_at=now,
            updated_at=None,
            preparation=Preparation.BEGUN if reservations else Preparation.DONE,
            client_events=client_events(request.events, dates, now),
            reservations=tuple(reservations),
            events=_events(dates, now),
        )


def _requests(lease: Lease, provider: ProviderRuntime, dates: Dates) -> list[AllocationRequest]:
    requests = []
    for position, reservation in enumerate(lease.reservations):
        plugin = provider.plugins[reservation.resource_type]
        demand = demand_of(plugin, reservation)
        # Where several orders are as good, the keys decide: so the same request has one answer.
        requests.append(
            AllocationRequest(str(position), demand, dates.whole, project=lease.project_id)
        )
    return requests


def _events(dates: Dates, now: datetime) -> tuple[Event, ...]:
    events = [
        new_event(EventType.START, dates.start, now),
        new_event(EventType.END, dates.end, now),
    ]
    if dates.warning is not None:
        events.append(new_event(EventType.BEFORE_END, dates.warning, now))
    return tuple(sorted(events, key=lambda event: (event.time, event.event_type)))
