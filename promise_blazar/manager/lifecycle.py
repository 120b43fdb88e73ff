# SPDX-License-Identifier: Apache-2.0
"""The states of a lease, as a table; what is due next, as pure functions.

A *stable* lease waits for its next event. A *transitional* one (``...ING``) has work under way:
whoever claims it carries on from wherever the work was left.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from promise_blazar.db.leases import LeaseRecord

CREATING = "CREATING"
PENDING = "PENDING"
STARTING = "STARTING"
ACTIVE = "ACTIVE"
UPDATING = "UPDATING"
TERMINATING = "TERMINATING"
TERMINATED = "TERMINATED"
DELETING = "DELETING"
ERROR = "ERROR"

STABLE = frozenset({PENDING, ACTIVE, TERMINATED, ERROR})

#: From each state, the states that may follow.
TRANSITIONS = {
    CREATING: {PENDING, DELETING, ERROR},
    PENDING: {STARTING, UPDATING, TERMINATING, DELETING},
    STARTING: {ACTIVE, ERROR, DELETING},
    ACTIVE: {TERMINATING, UPDATING, DELETING},
    UPDATING: {PENDING, ACTIVE, ERROR, DELETING},
    TERMINATING: {TERMINATED, DELETING},
    TERMINATED: {DELETING},
    DELETING: set[str](),
    ERROR: {TERMINATING, DELETING},
}

START = "start_lease"
BEFORE_END = "before_end_lease"
END = "end_lease"

UNDONE = "UNDONE"
IN_PROGRESS = "IN_PROGRESS"
DONE = "DONE"
FAILED = "ERROR"


@dataclass(frozen=True, slots=True)
class Duty:
    """What a claimed lease needs now: the state to work in, and the events that this begins."""

    status: str
    begins: tuple[str, ...] = ()


def started(lease: LeaseRecord) -> bool:
    """Was anything handed over, or begun to be?"""
    event = lease.event(START)
    return event is not None and event.status != UNDONE


def duty(lease: LeaseRecord, now: datetime) -> Duty | None:
    """What is to be done for a lease now; None: nothing yet."""
    if lease.status not in STABLE:
        return Duty(lease.status)
    if lease.status == TERMINATED:
        return None
    due = {
        e.event_type for e in lease.events if e.status in (UNDONE, IN_PROGRESS) and e.time <= now
    }
    if END in due:
        # A start or warning that nobody was there for is over with the lease itself.
        return Duty(TERMINATING, tuple(sorted(due)))
    if lease.status == PENDING and START in due:
        return Duty(STARTING, (START,))
    if lease.status == ACTIVE and BEFORE_END in due:
        return Duty(ACTIVE, (BEFORE_END,))
    if lease.status == ERROR and lease.look_at is not None and lease.look_at <= now:
        return Duty(ERROR)
    return None


def next_look(lease: LeaseRecord, status: str, begun: Iterable[str] = ()) -> datetime | None:
    """When a lease that is now in this stable state wants attention again.

    ``begun``: events that are no longer to come.
    """
    wanted = {PENDING: {START, END}, ACTIVE: {BEFORE_END, END}, ERROR: {END}}.get(status, set())
    times = [
        event.time
        for event in lease.events
        if event.event_type in wanted - set(begun) and event.status in (UNDONE, IN_PROGRESS)
    ]
    return min(times, default=None)


def default_warning(start: datetime, end: datetime, lead: timedelta) -> datetime:
    """When the before_end event happens if the client does not say."""
    return max(start, end - lead)


def moved_warning(
    old_end: datetime, old_time: datetime, start: datetime, end: datetime
) -> datetime:
    """The before_end event of a lease whose end moved: as long before the end as it was."""
    return max(start, end - (old_end - old_time))
