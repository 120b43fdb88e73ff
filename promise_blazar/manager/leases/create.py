# SPDX-License-Identifier: Apache-2.0
"""Creation of a lease: decided and committed; and prepared, if it starts soon."""

import logging
import uuid
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from promise_blazar import deadline, exceptions
from promise_blazar.capacity.demand.request import AllocationRequest
from promise_blazar.capacity.resource_query import Query
from promise_blazar.clock import Clock
from promise_blazar.context import RequestContext
from promise_blazar.db import idempotency, leases, settled
from promise_blazar.db.session import Database
from promise_blazar.manager.contract.messages import IdempotencyKey, LeaseRequest, LeaseView
from promise_blazar.manager.idempotency import Answers
from promise_blazar.manager.leases.delete import begin_deletion
from promise_blazar.manager.leases.private_properties import hidden_from
from promise_blazar.manager.leases.validation import Dates, client_events, new_dates, new_event
from promise_blazar.manager.ledger.changes import KnownRules, NewLease
from promise_blazar.manager.ledger.store import Refused
from promise_blazar.manager.provider import ProviderRuntime, Providers
from promise_blazar.manager.queries.views import lease_view, refusal
from promise_blazar.manager.workflow.engine import Engine
from promise_blazar.manager.workflow.results import trouble_in
from promise_blazar.model import lifecycle
from promise_blazar.model.lease import Event, Lease, Reservation
from promise_blazar.model.manager import PREPARED_LATER
from promise_blazar.model.states import EventType, LeaseStatus, Preparation, ReservationStatus
from promise_blazar.plugins.contract import demand_of, fields_of
from promise_blazar.waiters import Patience

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CreationSettings:
    """``warning_lead``: of the before_end event. ``prepare_ahead``, ``ownership_seconds``: as the
    options of these names. ``patience``: of requests, for what is prepared."""

    warning_lead: timedelta
    prepare_ahead: timedelta
    ownership_seconds: float
    patience: Patience


@dataclass(frozen=True, slots=True)
class _Wish:
    """A request that is understood: the lease as it is to be committed, and what it asks of the
    ledger. ``once``: its id came with it."""

    lease: Lease
    requests: list[AllocationRequest]
    provider: ProviderRuntime
    key: IdempotencyKey | None
    once: bool


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
        wait: float | None,
    ) -> LeaseView:
        """See ``interface.Manager.create_lease``."""
        if dry_run:
            if key is not None:
                self._answers.check(context, key)
            return _rehearse(self._wish(context, request, None))
        return self._answers.once(
            context,
            key,
            LeaseView,
            self._present,
            lambda: self._once(context, request, key, wait),
        )

    def _once(
        self,
        context: RequestContext,
        request: LeaseRequest,
        key: IdempotencyKey | None,
        wait: float | None,
    ) -> LeaseView:
        """The lease made, or none; and once more the same, when the same message comes again."""
        try:
            return self._make(self._wish(context, request, key), wait)
        except (exceptions.Conflict, exceptions.Busy):
            made = None if request.id is None else self._refused_for_good(request.id)
            if made is None:
                raise
            return made

    def _refused_for_good(self, request_id: str) -> LeaseView | None:
        """Let a no stand, whatever becomes free before the message comes again.

        The lease, if it had come before, and was admitted then. Raises ``Conflict`` if it was
        refused then.
        """
        now = self._clock.now()
        try:
            self._database.transact(lambda connection: settled.add(connection, request_id, now))
        except settled.Taken:
            with self._database.reader() as connection:
                lease = leases.get(connection, request_id)
            if lease is None:
                raise exceptions.Conflict("This very request was answered before") from None
            return lease_view(lease, self._providers[lease.provider_id].plugins)
        return None

    def _make(self, wish: _Wish, wait: float | None) -> LeaseView:
        lease, plugins = wish.lease, wish.provider.plugins
        made = self._promised(wish)
        if made is None:
            made = self._made_soon(wish, wait)
        view = lease_view(made, plugins)
        if wish.key is not None and not view.groups_wanted:
            self._answers.keep(lease.id, view)
        self._engine.wake()
        return view

    def _promised(self, wish: _Wish) -> Lease | None:
        """A lease that has time, or nothing to prepare: nothing is asked of OpenStack yet.

        None: it starts soon, or a manager lives that would not prepare it at its start.
        """
        lease, ahead = wish.lease, self._settings.prepare_ahead
        if not lease.reservations:
            with self._engine.idle_gate.request():
                return self._commit(wish, lease)
        if not lifecycle.has_time(lease.start, lease.created_at, ahead):
            return None
        # The server group that the API makes next is something of it in OpenStack.
        groups = lease_view(lease, wish.provider.plugins).groups_wanted
        later = replace(
            lease,
            status=LeaseStatus.PENDING,
            preparation=Preparation.BEGUN if groups else Preparation.NONE,
            look_at=lifecycle.prepare_by(lease.start, ahead),
        )
        try:
            with self._engine.idle_gate.request():
                return self._commit(wish, later, KnownRules(PREPARED_LATER, self._engine.dead()))
        except exceptions.Unavailable as error:
            if error.facts.get("what") != "manager":
                raise
            return None

    def _made_soon(self, wish: _Wish, wait: float | None) -> Lease:
        """A lease that is prepared at once, for which the request waits a while."""
        ownership = self._engine.new_ownership(wish.lease.id, wish.lease.attempt)
        with self._engine.holding(wish.lease.id):
            lease = self._commit(wish, replace(wish.lease, owner=ownership.owner))
            future = self._engine.submit(ownership, lease)
        with self._settings.patience.granted(wait) as seconds:
            return self._prepared(lease, wish.provider, future, seconds)

    def _wish(
        self, context: RequestContext, request: LeaseRequest, key: IdempotencyKey | None
    ) -> _Wish:
        """Raises ``BadInput`` for what it can never be, ``OutsideLease``."""
        now = self._clock.now()
        provider = self._providers.default
        dates = new_dates(request, now, self._settings.warning_lead)
        lease = self._lease(context, request, provider, dates, now)
        requests = _requests(lease, provider, dates)
        return _Wish(lease, requests, provider, key, request.id is not None)

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
        until_taken_over = now + timedelta(seconds=self._settings.ownership_seconds)
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
            attempt=1,
            failures=0,
            revision=0,
            look_at=until_taken_over if reservations else dates.start,
            created_at=now,
            updated_at=None,
            preparation=Preparation.BEGUN if reservations else Preparation.DONE,
            client_events=client_events(request.events, dates, now),
            reservations=tuple(reservations),
            events=_events(dates, now),
        )

    def _commit(self, wish: _Wish, lease: Lease, knowing: KnownRules | None = None) -> Lease:
        try:
            change = NewLease(lease, wish.key, wish.once, knowing)
            committed = wish.provider.ledger.commit(wish.requests, change)
        except Refused as refused:
            raise refusal(refused.explanation) from None
        except idempotency.Taken:
            # Another request with this key was committed while this one was being decided, or the
            # same message.
            raise exceptions.RequestInFlight() from None
        assert committed is not None  # noqa: S101 - a new lease always is
        LOG.info("Lease %s of project %s is admitted", lease.id, lease.project_id)
        return committed

    def _prepared(
        self, lease: Lease, provider: ProviderRuntime, future: "Future[None]", seconds: float
    ) -> Lease:
        """The lease after a while of waiting for OpenStack; what it refuses then is undone.

        Raises ``CloudError``.
        """
        try:
            future.result(timeout=seconds)
            answered = True
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
        with deadline.lifted():
            undone = begin_deletion(provider.ledger, found, self._clock.now())
        if undone:
            self._engine.wake()
            LOG.warning("Lease %s is taken back: %s", lease.id, found.trouble)
            trouble = trouble_in(found.status_reason)
            words = f"Nothing was made: OpenStack could not prepare the lease ({trouble})"
            raise exceptions.CloudError(words, call="prepare", told=words)
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


def _rehearse(wish: _Wish) -> LeaseView:
    """The same checks and the same shape; nothing is made, and nothing has an id."""
    lease, provider = wish.lease, wish.provider
    try:
        provider.ledger.rehearse(wish.requests)
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
    return tuple(sorted(events, key=lambda event: (event.time, event.event_type)))
