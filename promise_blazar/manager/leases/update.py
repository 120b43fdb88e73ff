# SPDX-License-Identifier: Apache-2.0
"""Update of a lease: all of the change in one transaction, or none of it."""

import logging
from collections.abc import Mapping
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from promise_blazar import deadline, exceptions
from promise_blazar.capacity.demand.contract import Demand
from promise_blazar.capacity.demand.request import AllocationRequest, Placement
from promise_blazar.clock import Clock
from promise_blazar.context import RequestContext
from promise_blazar.db import bookings, leases
from promise_blazar.db.session import Connection, Database
from promise_blazar.manager.contract.messages import LeaseChange, LeaseView
from promise_blazar.manager.leases.private_properties import hidden_from
from promise_blazar.manager.leases.revision import (
    Revision,
    by_reservation,
    first_look,
    moved_events,
    revised_details,
)
from promise_blazar.manager.leases.unchanged import without_repetitions
from promise_blazar.manager.leases.validation import Dates, changed_dates
from promise_blazar.manager.ledger.changes import KnownRules, RevisedLease
from promise_blazar.manager.ledger.store import LedgerStore, Refused
from promise_blazar.manager.ledger.writer import Changed
from promise_blazar.manager.provider import Providers
from promise_blazar.manager.queries.views import lease_view, refusal
from promise_blazar.manager.workflow.engine import Engine
from promise_blazar.model import lifecycle
from promise_blazar.model.booking import BookedHost
from promise_blazar.model.lease import Lease, Reservation
from promise_blazar.model.manager import PREPARED_LATER
from promise_blazar.model.states import LeaseStatus, Preparation
from promise_blazar.plugins.contract import Plugin, demand_of, spec_of
from promise_blazar.waiters import Patience

LOG = logging.getLogger(__name__)

#: Times that a change is understood anew, where only the engine has touched the lease since.
MOST_TRIES = 5


@dataclass(frozen=True, slots=True)
class UpdateSettings:
    """``prepare_ahead``: as the option of this name. ``patience``: of requests, for OpenStack."""

    prepare_ahead: timedelta
    patience: Patience


class _WorkedOn(exceptions.InvalidStatus):
    """Not for long."""


class LeaseUpdates:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        providers: Providers,
        engine: Engine,
        settings: UpdateSettings,
    ) -> None:
        self._database = database
        self._clock = clock
        self._providers = providers
        self._engine = engine
        self._settings = settings

    def update(
        self,
        context: RequestContext,
        lease_id: str,
        change: LeaseChange,
        wait: float | None = None,
    ) -> None:
        """See ``interface.Manager.update_lease``."""
        change = self._other(lease_id, change)
        if _renames(change):
            self._rename(lease_id, change)
            return
        with self._settings.patience.granted(wait) as seconds:
            for _ in range(MOST_TRIES):
                revision = self._plan_soon(context, lease_id, change, seconds)
                try:
                    if revision.groups and change.groups is not None:
                        self._ledger(revision).rehearse(revision.requests, revision.numbers)
                        raise exceptions.GroupsWanted(groups=[*map(list, revision.groups)])
                    self._commit(revision, seconds)
                    return
                except Refused as refused:
                    raise refusal(refused.explanation, revision.keys) from None
                except Changed:
                    lease, _ = self._load(lease_id)
                    if self._wish(lease) != self._wish(revision.before):
                        raise
        raise exceptions.Busy(retry_after=1)

    def rehearse(self, context: RequestContext, lease_id: str, change: LeaseChange) -> LeaseView:
        """The same checks; what the lease would be, and nothing made of it."""
        change = self._other(lease_id, change)
        if _renames(change):
            lease, _ = self._load(lease_id)
            renamed = replace(lease, name=change.name or lease.name)
            return lease_view(renamed, self._providers[lease.provider_id].plugins)
        revision = self._plan(context, lease_id, change)
        try:
            self._ledger(revision).rehearse(revision.requests, revision.numbers)
        except Refused as refused:
            raise refusal(refused.explanation, revision.keys) from None
        before = revision.before
        shown = replace(
            revision.after,
            updated_at=before.updated_at,
            reason=before.reason,
            operator_reason=before.operator_reason,
        )
        return lease_view(shown, self._providers[shown.provider_id].plugins)

    def _ledger(self, revision: Revision) -> LedgerStore:
        return self._providers[revision.before.provider_id].ledger

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

        def write(connection: Connection) -> bool:
            found = leases.set_lease(connection, lease_id, values)
            deadline.check()
            return found

        if change.name is not None and not self._database.transact(write):
            raise exceptions.NotFound(object={"lease_id": lease_id})

    def _plan_soon(
        self, context: RequestContext, lease_id: str, change: LeaseChange, seconds: float
    ) -> Revision:
        """The plan, when nobody works on the lease any more, within so many seconds."""
        try:
            return self._plan(context, lease_id, change)
        except _WorkedOn:
            if seconds <= 0:
                raise
        self._engine.progress.wait(lease_id, lambda: self._idle(lease_id), seconds)
        return self._plan(context, lease_id, change)

    def _idle(self, lease_id: str) -> bool:
        return self._load(lease_id)[0].owner is None

    def _plan(self, context: RequestContext, lease_id: str, change: LeaseChange) -> Revision:
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
        if lease.owner is not None and not self._has_time(lease, dates.start, now):
            raise _WorkedOn(
                "Invalid lease status. The lease is being worked on; try again in a moment"
            )
        reservations, requests, details, groups = self._revise(
            context, lease, change, dates, booked
        )
        waiting = lease.status == LeaseStatus.PENDING
        after = replace(
            lease,
            name=change.name or lease.name,
            start=dates.start,
            end=dates.end,
            attempt=lease.attempt + 1,
            updated_at=now,
            # What its start waited for may be another's affair now.
            reason=None if waiting else lease.reason,
            operator_reason=None if waiting else lease.operator_reason,
            look_at=first_look(lease, dates),
            reservations=reservations,
            events=moved_events(lease, dates, now),
        )
        grouped = bool(groups or change.groups)
        return Revision(lease, after, tuple(booked), requests, details, groups, grouped)

    def _has_time(self, lease: Lease, start: datetime, now: datetime) -> bool:
        """Whether what changes of a lease may be prepared later. Who prepares it now, as it was,
        then finds that he may no longer."""
        ahead = self._settings.prepare_ahead
        return lease.status == LeaseStatus.PENDING and lifecycle.has_time(start, now, ahead)

    def _revise(
        self,
        context: RequestContext,
        lease: Lease,
        change: LeaseChange,
        dates: Dates,
        booked: list[BookedHost],
    ) -> tuple[
        tuple[Reservation, ...],
        tuple[AllocationRequest, ...],
        Mapping[str, Mapping[str, Any]],
        tuple[tuple[str, str], ...],
    ]:
        """The reservations as they are to be, what they ask for that they do not have, what is to
        be written of their details, and the groups that they want."""
        running = lifecycle.started(lease)
        # Inside the old window everything is promised already, and a shrink always fits.
        grows = dates.start < lease.start or dates.end > lease.end
        changes = by_reservation(lease, change.reservations)
        made = {(each.reservation_id, each.policy): each.group_id for each in change.groups or ()}
        revised, requests, groups = [], [], []
        details: dict[str, Mapping[str, Any]] = {}
        for record in lease.reservations:
            plugin = self._plugin(lease, record)
            asked = changes.get(record.uuid)
            if asked is not None and asked.resource_type not in (None, record.resource_type):
                raise exceptions.CannotUpdate(param="resource_type")
            old = spec_of(plugin, record.details)
            new = old if asked is None else plugin.revise(old, asked.values, running)
            if new != old:
                details[record.uuid], wanted = revised_details(plugin, record, old, new, made)
                groups += [] if wanted is None else [(record.uuid, wanted)]
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
        return tuple(revised), tuple(requests), details, tuple(groups)

    def _wish(self, lease: Lease) -> tuple[Any, ...]:
        """What the lease is by its owner's wish; the rest of it is the engine's."""
        specs = [
            (each.uuid, spec_of(self._plugin(lease, each), each.details))
            for each in lease.reservations
        ]
        return (lease.status, lease.start, lease.end, specs)

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

    def _commit(self, revision: Revision, seconds: float) -> None:
        before, after = revision.before, revision.after
        now = after.updated_at or self._clock.now()
        if self._has_time(before, after.start, now):
            try:
                self._promise(revision)
                return
            except exceptions.Unavailable as error:
                # A manager lives that would not prepare it at its start.
                if error.facts.get("what") != "manager" or before.owner is not None:
                    raise
        running = lifecycle.started(before)
        unprepared = not running and before.preparation != Preparation.DONE
        to_realise = bool(revision.details) or unprepared or (running and bool(revision.requests))
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
        with self._engine.holding(after.id):
            self._ledger(revision).commit(
                revision.requests,
                RevisedLease(before, after, revision.details, since),
                revision.numbers,
            )
            LOG.info("Lease %s is updated", after.id)
            future = self._engine.submit(ownership, after) if to_realise else None
        if future is not None:
            try:
                future.result(timeout=seconds)
            except NotYet:
                LOG.info("Lease %s: the update goes on in the background", after.id)
        self._engine.wake()

    def _promise(self, revision: Revision) -> None:
        """Change a lease that has time: nothing is asked of OpenStack yet."""
        before, after = revision.before, revision.after
        knowing = None
        if revision.details and before.preparation == Preparation.DONE:
            knowing = KnownRules(PREPARED_LATER, self._engine.dead())
        if knowing is not None or revision.grouped:
            # What there is of it has to change; or a server group is the first that there is.
            after = replace(after, preparation=Preparation.BEGUN)
        if after.preparation != Preparation.DONE:
            by = lifecycle.prepare_by(after.start, self._settings.prepare_ahead)
            after = replace(after, failures=0, look_at=by)
        with self._engine.idle_gate.request():
            self._ledger(revision).commit(
                revision.requests,
                RevisedLease(before, after, revision.details, {}, knowing),
                revision.numbers,
            )
        LOG.info("Lease %s is updated", after.id)
        self._engine.wake()


def _renames(change: LeaseChange) -> bool:
    """Whether it changes the name and nothing else."""
    return replace(change, groups=None) == LeaseChange(name=change.name)
