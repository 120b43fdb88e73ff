# SPDX-License-Identifier: Apache-2.0
"""The life of a lease: what is to be done for it now, and when it wants attention again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from promise_blazar.model.lease import Lease
from promise_blazar.model.states import STABLE, EventStatus, EventType, LeaseStatus, Preparation

#: Of events that are still to come, or under way.
_OPEN = (EventStatus.UNDONE, EventStatus.IN_PROGRESS)
#: The events that a lease in a stable state waits for.
_WANTED = {
    LeaseStatus.PENDING: frozenset({EventType.START, EventType.END}),
    LeaseStatus.ACTIVE: frozenset({EventType.BEFORE_END, EventType.END}),
    LeaseStatus.ERROR: frozenset({EventType.END}),
}


@dataclass(frozen=True, slots=True)
class NextStep:
    """What a lease that somebody has taken needs now: the status to work in, and the events
    that this begins."""

    status: LeaseStatus
    begins: tuple[EventType, ...] = ()


def started(lease: Lease) -> bool:
    """Whether anything of the lease was handed over, or begun to be."""
    event = lease.event(EventType.START)
    return event is not None and event.status != EventStatus.UNDONE


def next_step(lease: Lease, now: datetime, ahead: bool = False) -> NextStep | None:
    """What is to be done for a lease now; None: nothing yet.

    ``ahead``: what has time may be done as well, which is to prepare it.
    """
    if lease.status not in STABLE:
        return NextStep(lease.status)
    if lease.status == LeaseStatus.TERMINATED:
        return None
    due = {e.event_type for e in lease.events if e.status in _OPEN and e.time <= now}
    if EventType.END in due:
        # A start or warning that nobody was there for is over with the lease itself.
        return NextStep(LeaseStatus.TERMINATING, tuple(sorted(due)))
    if lease.status == LeaseStatus.PENDING and EventType.START in due:
        return NextStep(LeaseStatus.STARTING, (EventType.START,))
    if lease.status == LeaseStatus.ACTIVE and EventType.BEFORE_END in due:
        return NextStep(LeaseStatus.ACTIVE, (EventType.BEFORE_END,))
    looked_for = lease.look_at is not None and lease.look_at <= now
    if lease.status == LeaseStatus.PENDING and lease.preparation != Preparation.DONE:
        return NextStep(LeaseStatus.PENDING) if ahead or looked_for else None
    if lease.status == LeaseStatus.ERROR and looked_for:
        return NextStep(LeaseStatus.ERROR)
    return None


def next_look(
    lease: Lease, status: LeaseStatus, begun: Iterable[EventType] = ()
) -> datetime | None:
    """When a lease that is now in this stable state wants attention again.

    ``begun``: events that are no longer to come.
    """
    wanted = _WANTED.get(status, frozenset())
    times = [
        event.time
        for event in lease.events
        if event.event_type in wanted - set(begun) and event.status in _OPEN
    ]
    return min(times, default=None)


def has_time(start: datetime, now: datetime, ahead: timedelta) -> bool:
    """Whether a lease that starts then need not be prepared yet."""
    return start - now > ahead


def prepare_by(start: datetime, ahead: timedelta) -> datetime:
    """From when on to prepare a lease that starts then is as urgent as what is due."""
    return start - ahead


def default_warning(start: datetime, end: datetime, lead: timedelta) -> datetime:
    """When the before_end event happens if the client does not say: ``lead`` before the end, and
    not before the start."""
    return max(start, end - lead)


def moved_warning(
    old_end: datetime, old_time: datetime, start: datetime, end: datetime
) -> datetime:
    """The before_end event of a lease whose end moved: as long before the end as it was."""
    return max(start, end - (old_end - old_time))
