# SPDX-License-Identifier: Apache-2.0
"""Update of a lease: all of the change in one transaction, or none of it."""

import logging
from collections.abc import Mapping
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from promise_blazar import exceptions
from promise_blazar.capacity.demand.contract import Demand
from promise_blazar.capacity.demand.request import AllocationRequest, Placement
from promise_blazar.clock import Clock
from promise_blazar.context import RequestContext
from promise_blazar.db import bookings, leases
from promise_blazar.db.session import Database
from promise_blazar.manager.contract.messages import LeaseChange, LeaseView, ReservationChange
from promise_blazar.manager.leases.private_properties import hidden_from
from promise_blazar.manager.leases.unchanged import without_repetitions
from promise_blazar.manager.leases.validation import Dates, changed_dates, new_event
from promise_blazar.manager.ledger.changes import RevisedLease
from promise_blazar.manager.ledger.store import Refused
from promise_blazar.manager.provider import Providers
from promise_blazar.manager.queries.views import lease_view, refusal
from promise_blazar.manager.workflow.engine import Engine
from promise_blazar.model import lifecycle
from promise_blazar.model.booking import BookedHost
from promise_blazar.model.lease import Event, Lease, Reservation
from promise_blazar.model.states import EventStatus, EventType, LeaseStatus
from promise_blazar.plugins.contract import Plugin, demand_of, fields_of, spec_of, state_of

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Revision:
    """A change that is understood, at this time.

    ``before``, ``after``: the lease; ``requests``: for those reservations that do not keep
    exactly what they have.
    """

    before: Lease
    after: Lease
    booked: tuple[BookedHost, ...]
    requests: tuple[AllocationRequest, ...]
    details: Mapping[str, Mapping[str, Any]]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of requests, of all reservations, in their order."""
        return tuple(each.uuid for each in self.before.reservations)

    @property
    def numbers(self) -> frozenset[int]:
        """Of those that are asked for anew; what the others hold counts like anybody's."""
        asked = {request.key for request in self.requests}
        return frozenset(each.id for each in self.before.reservations if each.uuid in asked)


class LeaseUpdates:
    """``wait``: seconds that a request waits for OpenStack."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        providers: Providers,
        engine: Engine,
        wait: float,
    ) -> None:
        self._database = database
        self._clock = clock
        self._providers = providers
        self._engine = engine
        self._wait = wait

    def update(self, context: RequestContext, lease_id: str, change: LeaseChange) -> None:
        """See ``interface.Manager.update_lease``."""
        change = self._other(lease_id, change)
        if change == LeaseChange(name=change.name):
            self._rename(lease_id, change)
            return
        revision = self._plan(context, lease_id, change)
        try:
            self._commit(revision)
        except Refused as refused:
            raise refusal(refused.explanation, revision.keys) from None

    def rehearse(self, context: RequestContext, lease_id: str, change: LeaseChange) -> LeaseView:
        """The same checks; what the lease would be, and nothing made of it."""
        change = self._other(lease_id, change)
        if change == LeaseChange(name=change.name):
            lease, _ = self._load(lease_id)
            renamed = replace(lease, name=change.name or lease.name)
            return lease_view(renamed, self._providers[lease.provider_id].plugins)
        revision = self._plan(context, lease_id, change)
        provider = self._providers[revision.before.provider_id]
        try:
            provider.ledger.rehearse(revision.requests, revision.numbers)
        except Refused as refused:
            raise refusal(refused.explanation, revision.keys) from None
        shown = replace(
            revision.after, updated_at=revision.before.updated_at, reason=revision.before.reason
        )
        return lease_view(shown, provider.plugins)

    def _other(self, lease_id: str, change: LeaseChange) -> LeaseChange:
        """The change without what it only repeats."""
        lease, _ = self._load(lease_id)
        plugins = self._providers[lease.provider_id].plugins
        return without_repetitions(change, lease, plugins, self._clock.now())

    def _load(self, lease_id: str) -> tuple[Lease, list[BookedHost]]:
        with self._database.reader() as connection:
            lease = leases.get(connection, lease_id)
            if lease is None:
                raise exceptions.NotFound(object={"lease_id": lease_id})
            return lease, bookings.held_by(connection, [r.id for r in lease.reservations])

    def _rename(self, lease_id: str, change: LeaseChange) -> None:
        values = {"name": change.name, "updated_at": self._clock.now()}
        if change.name is not None and not self._database.transact(
            lambda connection: leases.set_lease(connection, lease_id, values)
        ):
            raise exceptions.NotFound(object={"lease_id": lease_id})

    def _plan(self, context: RequestContext, lease_id: str, change: LeaseChange) -> _Revision:
        """What the change means, and every mistake that shows without a ledger."""
        lease, booked = self._load(lease_id)
        now = self._clock.now()
        dates = changed_dates(lease, change, now)
        if lease.status not in (LeaseStatus.PENDING, LeaseStatus.ACTIVE):
            done = lease.status == LeaseStatus.ERROR
            raise exceptions.InvalidStatus(
                f"Invalid lease status. A lease that is {lease.status} can only be renamed"
                + (" or deleted" if done else "; try again when it is done")
            )
        if lease.owner is not None:
            raise exceptions.InvalidStatus(
                "Invalid lease status. The lease is being worked on; try again in a moment"
            )
        reservations, requests, details = self._revise(context, lease, change, dates, booked)
        after = replace(
            lease,
            name=change.name or lease.name,
            start=dates.start,
            end=dates.end,
            attempt=lease.attempt + 1,
            updated_at=now,
            # What its start waited for may be another's affair now.
            reason=None if lease.status == LeaseStatus.PENDING else lease.reason,
            look_at=_first(lease, dates),
            reservations=reservations,
            events=_moved_events(lease, dates, now),
        )
        return _Revision(lease, after, tuple(booked), requests, details)

    def _revise(
        self,
        context: RequestContext,
        lease: Lease,
        change: LeaseChange,
        dates: Dates,
        booked: list[BookedHost],
    ) -> tuple[
        tuple[Reservation, ...], tuple[AllocationRequest, ...], Mapping[str, Mapping[str, Any]]
    ]:
        """The reservations as they are to be, what they ask for that they do not have, and what
        is to be written of their details."""
        running = lifecycle.started(lease)
        # Inside the old window everything is promised already, and a shrink always fits.
        grows = dates.start < lease.start or dates.end > lease.end
        changes = _by_reservation(lease, change.reservations)
        revised, requests = [], []
        details: dict[str, Mapping[str, Any]] = {}
        for record in lease.reservations:
            plugin = self._plugin(lease, record)
            asked = changes.get(record.uuid)
            if asked is not None and asked.resource_type not in (None, record.resource_type):
                raise exceptions.CannotUpdate(param="resource_type")
            old = spec_of(plugin, record.details)
            new = old if asked is None else plugin.revise(old, asked.values, running)
            if new != old:
                details[record.uuid] = _details(plugin, record, old, new)
            changed = {**record.details, **details.get(record.uuid, {})}
            hidden = record.hidden_properties
            if new != old:
                hidden = self._hidden(context, record, plugin.demand(old), plugin.demand(new))
            revised.append(replace(record, details=changed, hidden_properties=hidden))
            if new != old or grows:
                keep = tuple(
                    Placement(each.host_id, each.units)
                    for each in booked
                    if each.reservation_id == record.id
                )
                requests.append(
                    AllocationRequest(
                        record.uuid,
                        demand_of(plugin, revised[-1]),
                        dates.whole,
                        keep,
                        pinned=running,
                    )
                )
        return tuple(revised), tuple(requests), details

    def _hidden(
        self, context: RequestContext, record: Reservation, old: Demand, new: Demand
    ) -> tuple[str, ...]:
        """Of the queries that stay what was hidden, of those that are new what is now."""
        kept = frozenset[str]().union(*(q.keys for q in new.where if q in old.where))
        sent = hidden_from(context, self._database, [q for q in new.where if q not in old.where])
        return tuple(sorted(kept.intersection(record.hidden_properties).union(sent)))

    def _plugin(self, lease: Lease, record: Reservation) -> Plugin:
        plugin = self._providers[lease.provider_id].plugins.get(record.resource_type)
        if plugin is None:
            raise exceptions.CannotUpdate(
                f"Reservation {record.uuid} is of the type {record.resource_type}, which this "
                "manager does not know: the lease can only be renamed or deleted",
                param="reservations",
            )
        return plugin

    def _commit(self, revision: _Revision) -> None:
        before, after = revision.before, revision.after
        running = lifecycle.started(before)
        to_realise = bool(revision.details) or (running and bool(revision.requests))
        ownership = self._engine.new_ownership(after.id, after.attempt)
        if to_realise:
            after = replace(
                after,
                status=LeaseStatus.UPDATING,
                owner=ownership.owner,
                failures=0,
                look_at=after.updated_at,
            )
        since = {(b.reservation_id, b.host_id): b.start for b in revision.booked if running}
        ledger = self._providers[before.provider_id].ledger
        with self._engine.holding(after.id):
            ledger.commit(
                revision.requests,
                RevisedLease(before, after, revision.details, since),
                revision.numbers,
            )
            LOG.info("Lease %s is updated", after.id)
            future = self._engine.submit(ownership, after) if to_realise else None
        if future is not None:
            try:
                future.result(timeout=self._wait)
            except NotYet:
                LOG.info("Lease %s: the update goes on in the background", after.id)
        self._engine.wake()


def _details(plugin: Plugin, record: Reservation, old: object, new: object) -> Mapping[str, Any]:
    """The fields of another specification, and of the state where that becomes another."""
    state = state_of(plugin, record.details)
    revised = plugin.revised_state(old, new, state)
    # Written whole: a server group may be recorded between our look and our commit.
    return {**fields_of(new), **({} if revised is state else fields_of(revised))}


def _moved_events(lease: Lease, dates: Dates, now: datetime) -> tuple[Event, ...]:
    """The events as they will be, in the order of their times."""
    events = {event.event_type: event for event in lease.events}
    for event_type, instant in (
        (EventType.START, dates.start),
        (EventType.END, dates.end),
        (EventType.BEFORE_END, dates.warning),
    ):
        event = events.get(event_type)
        if instant is None or (event is not None and event.time == instant):
            continue
        if event is None:
            events[event_type] = new_event(event_type, instant, now)
            continue
        again = event_type == EventType.BEFORE_END and instant > now
        status = EventStatus.UNDONE if again else event.status
        events[event_type] = replace(event, time=instant, status=status, updated_at=now)
    return tuple(sorted(events.values(), key=lambda event: (event.time, event.event_type)))


def _by_reservation(
    lease: Lease, changes: tuple[ReservationChange, ...]
) -> dict[str, ReservationChange]:
    known = {record.uuid for record in lease.reservations}
    unknown = sorted({change.id for change in changes} - known)
    if unknown:
        raise exceptions.BadInput(
            "Please enter valid reservation IDs. Invalid reservation IDs are: "
            + ", ".join(unknown)
        )
    if len({change.id for change in changes}) < len(changes):
        raise exceptions.BadInput("The same reservation ID is given twice")
    return {change.id: change for change in changes}


def _first(lease: Lease, dates: Dates) -> datetime:
    """When the lease wants attention next: the engine finds out for what, and looks again."""
    if lease.status == LeaseStatus.PENDING:
        return dates.start
    return dates.end if dates.warning is None else min(dates.warning, dates.end)
