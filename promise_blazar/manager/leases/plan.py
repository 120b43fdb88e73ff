# SPDX-License-Identifier: Apache-2.0
"""Plans of updates: what a change means for a lease, and what of it can never be."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from promise_blazar import exceptions
from promise_blazar.capacity.demand.contract import Demand
from promise_blazar.capacity.demand.request import AllocationRequest, Placement
from promise_blazar.clock import Clock
from promise_blazar.context import RequestContext
from promise_blazar.db import bookings, leases
from promise_blazar.db.session import Database
from promise_blazar.manager.contract.messages import LeaseChange
from promise_blazar.manager.leases.revision import (
    Revision,
    by_reservation,
    first_look,
    moved_events,
    revised_details,
)
from promise_blazar.manager.leases.unchanged import without_repetitions
from promise_blazar.manager.leases.validation import Dates, changed_dates
from promise_blazar.manager.provider import Providers
from promise_blazar.manager.queries.private_properties import hidden_from
from promise_blazar.model import lifecycle
from promise_blazar.model.booking import BookedHost
from promise_blazar.model.lease import Lease, Reservation
from promise_blazar.model.states import LeaseStatus
from promise_blazar.model.strides import stride
from promise_blazar.plugins.contract import Plugin, demand_of, spec_of


class WorkedOn(exceptions.InvalidStatus):
    """A manager works on the lease, and will not for long."""


class UpdatePlans:
    """``prepare_ahead``: as the option of this name."""

    def __init__(
        self, database: Database, clock: Clock, providers: Providers, prepare_ahead: timedelta
    ) -> None:
        self._database = database
        self._clock = clock
        self._providers = providers
        self._prepare_ahead = prepare_ahead

    def without_repetitions(self, lease_id: str, change: LeaseChange) -> LeaseChange:
        """The change without what it only repeats."""
        lease, _ = self.load(lease_id)
        plugins = self._providers[lease.provider_id].plugins
        return without_repetitions(change, lease, plugins, self._clock.now())

    def load(self, lease_id: str) -> tuple[Lease, list[BookedHost]]:
        """The lease as it is, and what it has of hosts. Raises ``NotFound``."""
        with self._database.reader() as connection:
            lease = leases.get(connection, lease_id)
            if lease is None:
                raise exceptions.NotFound(object={"lease_id": lease_id})
            return lease, bookings.held_by(connection, [r.id for r in lease.reservations])

    def plan(self, context: RequestContext, lease_id: str, change: LeaseChange) -> Revision:
        """What the change means, and every mistake that shows without a ledger."""
        lease, booked = self.load(lease_id)
        now = self._clock.now()
        dates = changed_dates(lease, change, now)
        if lease.status not in (LeaseStatus.PENDING, LeaseStatus.ACTIVE):
            done = lease.status == LeaseStatus.ERROR
            raise exceptions.InvalidStatus(
                f"Invalid lease status. A lease that is {lease.status} can only be renamed"
                + (" or deleted" if done else "; try again when it is done")
            )
        if lease.owner is not None and not self.has_time(lease, dates.start, now):
            raise WorkedOn(
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
            attempt=lease.attempt + stride(),
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

    def has_time(self, lease: Lease, start: datetime, now: datetime) -> bool:
        """Whether what changes of a lease may be prepared later. Who prepares it now, as it was,
        then finds that he may no longer."""
        waits = lease.status == LeaseStatus.PENDING
        return waits and lifecycle.has_time(start, now, self._prepare_ahead)

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
                        project=lease.project_id,
                    )
                )
        return tuple(revised), tuple(requests), details, tuple(groups)

    def wish(self, lease: Lease) -> tuple[Any, ...]:
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
