# SPDX-License-Identifier: Apache-2.0
"""Validation of requests for leases: every mistake that shows without a ledger."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from promise_blazar import exceptions, times
from promise_blazar.capacity.demand.request import Window
from promise_blazar.manager.contract.messages import EventRequest, LeaseChange, LeaseRequest
from promise_blazar.model import lifecycle
from promise_blazar.model.lease import ClientEvent, Event, Lease
from promise_blazar.model.states import EventStatus, EventType, LeaseStatus


@dataclass(frozen=True, slots=True)
class Dates:
    """``warning``: when the before_end event happens; None, if it never does."""

    start: datetime
    end: datetime
    warning: datetime | None

    @property
    def whole(self) -> Window:
        """As asked for; a lease that ends as it starts still takes its instant."""
        start = times.to_micros(self.start)
        return Window(start, max(times.to_micros(self.end), start + 1))


def new_dates(request: LeaseRequest, now: datetime, lead: timedelta) -> Dates:
    """The dates of a new lease. Raises ``BadInput``, ``OutsideLease``."""
    start = times.parse(request.start, now)
    end = times.parse(request.end, now)
    if start < times.floor_minute(now):
        raise exceptions.BadInput("Start date must be later than current date")
    if end <= start:
        raise exceptions.BadInput("End date must be later than start date.")
    if request.before_end is not None:
        return Dates(start, end, _inside(times.parse(request.before_end, now), start, end))
    warning = lifecycle.default_warning(start, end, lead) if lead else None
    return Dates(start, end, warning)


def changed_dates(lease: Lease, change: LeaseChange, now: datetime) -> Dates:
    """The dates of a lease after a change. Raises ``BadInput``, ``OutsideLease``."""
    minute = times.floor_minute(now)
    if lease.status == LeaseStatus.TERMINATED or lease.end < minute:
        raise exceptions.BadInput("Terminated leases can only be renamed")
    start = lease.start if change.start is None else times.parse(change.start, now)
    end = lease.end if change.end is None else times.parse(change.end, now)
    # Clients send whole minutes, also of dates that they only mean to keep.
    if start == times.floor_minute(lease.start):
        start = lease.start
    if start != lease.start:
        if lifecycle.started(lease) or lease.start < minute:
            raise exceptions.BadInput("Cannot modify the start date of already started leases")
        if start < minute:
            raise exceptions.BadInput("Start date must be later than current date")
    if end < minute or end < start or (end == start and not lifecycle.started(lease)):
        raise exceptions.BadInput("End date must be later than current and start date")
    event = lease.event(EventType.BEFORE_END)
    if change.before_end is not None:
        return Dates(start, end, _inside(times.parse(change.before_end, now), start, end))
    if event is None:
        return Dates(start, end, None)
    return Dates(start, end, lifecycle.moved_warning(lease.end, event.time, start, end))


def new_event(event_type: EventType, instant: datetime, now: datetime) -> Event:
    """An event that is still to come."""
    return Event(str(uuid.uuid4()), event_type, instant, EventStatus.UNDONE, now, None)


def _inside(instant: datetime, start: datetime, end: datetime) -> datetime:
    if not start < instant < end:
        raise exceptions.OutsideLease()
    return instant


def client_events(
    requests: Iterable[EventRequest], dates: Dates, now: datetime
) -> tuple[ClientEvent, ...]:
    """What a client wants kept with a new lease.

    The service's own events may be repeated as they will be shown. Raises ``BadInput`` for others
    of their types, ``InvalidDate``.
    """
    own = {
        EventType.START: dates.start,
        EventType.END: dates.end,
        EventType.BEFORE_END: dates.warning,
    }
    found = []
    for each in requests:
        time = times.parse(each.time, now)
        if each.event_type not in own:
            found.append(ClientEvent(str(uuid.uuid4()), each.event_type, time))
        elif own[EventType(each.event_type)] != time:
            raise exceptions.BadInput(
                f"{each.event_type} is an event of the service's own, at the time that "
                "start_date, end_date and before_end_date say"
            )
    return tuple(found)
