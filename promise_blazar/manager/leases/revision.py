# SPDX-License-Identifier: Apache-2.0
"""Revision of a lease: what a change means for its reservations and events, at this time."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from promise_blazar import exceptions
from promise_blazar.capacity.demand.request import AllocationRequest
from promise_blazar.manager.contract.messages import ReservationChange
from promise_blazar.manager.leases.validation import Dates, new_event
from promise_blazar.model.booking import BookedHost
from promise_blazar.model.lease import Event, Lease, Reservation
from promise_blazar.model.states import EventStatus, EventType, LeaseStatus
from promise_blazar.plugins.contract import Plugin, fields_of, state_of


@dataclass(frozen=True, slots=True)
class Revision:
    """A change that is understood, at this time.

    ``before``, ``after``: the lease; ``requests``: for those reservations that do not keep
    exactly what they have; ``groups``: pairs of a reservation's id and the policy of the server
    group that it comes to want, and was not given; ``grouped``: whether it wants any, given or
    not.
    """

    before: Lease
    after: Lease
    booked: tuple[BookedHost, ...]
    requests: tuple[AllocationRequest, ...]
    details: Mapping[str, Mapping[str, Any]]
    groups: tuple[tuple[str, str], ...]
    grouped: bool

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of requests, of all reservations, in their order."""
        return tuple(each.uuid for each in self.before.reservations)

    @property
    def numbers(self) -> frozenset[int]:
        """Of those that are asked for anew; what the others hold counts like anybody's."""
        asked = {request.key for request in self.requests}
        return frozenset(each.id for each in self.before.reservations if each.uuid in asked)


def revised_details(
    plugin: Plugin, record: Reservation, old: object, new: object, made: Mapping[Any, str]
) -> tuple[Mapping[str, Any], str | None]:
    """The fields of another specification, and of the state where that becomes another; and the
    policy of the server group that is wanted then, and is not among those ``made``."""
    state = state_of(plugin, record.details)
    revised = plugin.revised_state(old, new, state)
    policy = plugin.missing_group(new, revised)
    if policy is not None and policy == plugin.missing_group(old, state):
        policy = None  # it was wanted before, and whoever comes next makes it
    if policy is not None and (record.uuid, policy) in made:
        revised = plugin.with_group(revised, made[record.uuid, policy])
        policy = None
    # Written whole: a server group may be recorded between our look and our commit.
    return {**fields_of(new), **({} if revised is state else fields_of(revised))}, policy


def moved_events(lease: Lease, dates: Dates, now: datetime) -> tuple[Event, ...]:
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


def by_reservation(
    lease: Lease, changes: tuple[ReservationChange, ...]
) -> dict[str, ReservationChange]:
    """The changes by their reservations' ids. Raises ``BadInput`` for ids that are not there."""
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


def first_look(lease: Lease, dates: Dates) -> datetime:
    """When the lease wants attention next: the engine finds out for what, and looks again."""
    if lease.status == LeaseStatus.PENDING:
        return dates.start
    return dates.end if dates.warning is None else min(dates.warning, dates.end)
