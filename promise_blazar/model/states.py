# SPDX-License-Identifier: Apache-2.0
"""States of leases, reservations, events and hosts, and the moves between those of a lease.

The words are Blazar's: clients read them, and rows keep them. ``move`` is how the product changes
the status of a lease; what the table does not have raises.
"""

from collections.abc import Mapping
from enum import StrEnum


class LeaseStatus(StrEnum):
    """A *stable* lease waits for its next event. A *transitional* one (``...ING``) has work under
    way: whoever takes it carries on from wherever the work was left."""

    CREATING = "CREATING"
    PENDING = "PENDING"
    STARTING = "STARTING"
    ACTIVE = "ACTIVE"
    UPDATING = "UPDATING"
    TERMINATING = "TERMINATING"
    TERMINATED = "TERMINATED"
    DELETING = "DELETING"
    ERROR = "ERROR"


class ReservationStatus(StrEnum):
    """``ACTIVE`` once it was handed over, ``DELETED`` once OpenStack has let go of it."""

    PENDING = "pending"
    ACTIVE = "active"
    DELETED = "deleted"
    ERROR = "error"


class EventType(StrEnum):
    """What happens to a lease at a time of its own."""

    START = "start_lease"
    BEFORE_END = "before_end_lease"
    END = "end_lease"


class EventStatus(StrEnum):
    """``IN_PROGRESS`` while its lease is worked on for it."""

    UNDONE = "UNDONE"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    ERROR = "ERROR"


class Preparation(StrEnum):
    """How far OpenStack has what a lease needs before it starts.

    ``NONE``: it was never asked for anything, so nothing of the lease can be there. ``BEGUN``: it
    was, or what it made has to change. ``DONE``: it has all, or nothing is wanted any more.
    """

    NONE = "none"
    BEGUN = "begun"
    DONE = "done"


class HostState(StrEnum):
    """``ADDING`` and ``REMOVING`` were begun with OpenStack and may have to be resumed."""

    ADDING = "adding"
    READY = "ready"
    REMOVING = "removing"


STABLE = frozenset(
    {LeaseStatus.PENDING, LeaseStatus.ACTIVE, LeaseStatus.TERMINATED, LeaseStatus.ERROR}
)

#: From each status of a lease, those that may follow.
TRANSITIONS: Mapping[LeaseStatus, frozenset[LeaseStatus]] = {
    status: frozenset(LeaseStatus(word) for word in following.split())
    for status, following in {
        LeaseStatus.CREATING: "PENDING DELETING ERROR",
        LeaseStatus.PENDING: "STARTING UPDATING TERMINATING DELETING",
        LeaseStatus.STARTING: "ACTIVE ERROR DELETING",
        LeaseStatus.ACTIVE: "TERMINATING UPDATING DELETING",
        LeaseStatus.UPDATING: "PENDING ACTIVE ERROR DELETING",
        LeaseStatus.TERMINATING: "TERMINATED DELETING",
        LeaseStatus.TERMINATED: "DELETING",
        LeaseStatus.DELETING: "",
        LeaseStatus.ERROR: "TERMINATING DELETING",
    }.items()
}


class IllegalMove(Exception):
    """A lease would go from a status to one that cannot follow: a fault of the product."""


def move(before: LeaseStatus, after: LeaseStatus) -> LeaseStatus:
    """``after``, if it may follow ``before`` or is the same. Raises ``IllegalMove``."""
    # What a later release calls a status can be deleted, and nothing else.
    following = TRANSITIONS.get(before, frozenset({LeaseStatus.DELETING}))
    if after != before and after not in following:
        raise IllegalMove(f"a lease cannot go from {before} to {after}")
    return after
