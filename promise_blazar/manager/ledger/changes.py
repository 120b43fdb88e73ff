# SPDX-License-Identifier: Apache-2.0
"""Changes of what is promised, as values: what a use case wants committed, all of it or nothing.

A *decision* books hosts, by the plan that admits its requests; each request is of one reservation.
A *record* decides nothing: it gives up, releases or removes what was booked. A change of *supply*
changes what there is to book, and decides whose promises that may break.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from promise_blazar.manager.contract.messages import IdempotencyKey
from promise_blazar.manager.ownership.work import WorkOwnership
from promise_blazar.model.adjustment import Adjustment
from promise_blazar.model.lease import FormerReservation, Lease
from promise_blazar.model.reason import Reason
from promise_blazar.model.states import ReservationStatus


@dataclass(frozen=True, slots=True)
class KnownRules:
    """Rules that a change needs all managers to know. ``dead``: managers that need not."""

    rules: int
    dead: frozenset[str]


@dataclass(frozen=True, slots=True)
class NewLease:
    """A lease to be made; requests are keyed by the positions of its reservations, as text.

    The numbers of its reservations are the database's to give, so they are 0 here. ``once``: its
    id came with the request, which is settled with it.
    """

    lease: Lease
    key: IdempotencyKey | None = None
    once: bool = False
    knowing: KnownRules | None = None


@dataclass(frozen=True, slots=True)
class RevisedLease:
    """A lease as it was read, and as it is to be; requests are keyed by reservation uuids.

    A reservation without a request keeps its hosts, for the new window. ``since``: when bookings
    began that go on, in microseconds by reservation number and host id. ``details``: what is to
    be written of specifications and states, by reservation uuid, even where it seems to be so.
    """

    before: Lease
    after: Lease
    details: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    since: Mapping[tuple[int, int], int] = field(default_factory=dict)
    knowing: KnownRules | None = None


@dataclass(frozen=True, slots=True)
class Rebooked:
    """Other hosts for reservations, given by their numbers under the keys of the requests.

    ``ownership``: of their lease, where it is being worked on. ``since``: as of ``RevisedLease``.
    """

    reservations: Mapping[str, int]
    ownership: WorkOwnership | None = None
    since: Mapping[tuple[int, int], int] = field(default_factory=dict)


Decision = NewLease | RevisedLease | Rebooked


@dataclass(frozen=True, slots=True)
class DeletedLease:
    """A lease that its owner deletes now: whoever works on it may not go on.

    It is gone at once where nothing of it can be in OpenStack.
    """

    lease: Lease
    now: datetime


@dataclass(frozen=True, slots=True)
class RemovedLease:
    """A deleted lease of which nothing is left in OpenStack."""

    lease: Lease
    ownership: WorkOwnership
    now: datetime


@dataclass(frozen=True, slots=True)
class FailedLease:
    """A lease that goes to ERROR; what these of its reservations hold is given up."""

    lease: Lease
    ownership: WorkOwnership
    reservations: Sequence[int]
    reason: Reason
    now: datetime


@dataclass(frozen=True, slots=True)
class ReleasedReservation:
    """A reservation, by its number, of which OpenStack has let go.

    ``former``: what is looked at again for a while.
    """

    reservation: int
    status: ReservationStatus
    ownership: WorkOwnership
    now: datetime
    former: FormerReservation | None = None


@dataclass(frozen=True, slots=True)
class AbandonedLease:
    """A lease that is over and that nobody can end: it stays TERMINATING, unreleased."""

    lease: Lease
    reason: Reason
    now: datetime


@dataclass(frozen=True, slots=True)
class ForgottenLease:
    """An abandoned or deleted lease of which nothing is left, as an administrator says."""

    lease: Lease
    now: datetime


Record = (
    DeletedLease
    | RemovedLease
    | FailedLease
    | ReleasedReservation
    | AbandonedLease
    | ForgottenLease
)


@dataclass(frozen=True, slots=True)
class NewAdjustment:
    """An adjustment to be made; its number is the database's to give, so it is 0 here.

    ``force``: also where it breaks promises. ``once``: its id came with the request, which is
    settled with it.
    """

    adjustment: Adjustment
    force: bool = False
    key: IdempotencyKey | None = None
    project_id: str = ""
    once: bool = False
    knowing: KnownRules | None = None


@dataclass(frozen=True, slots=True)
class DroppedAdjustment:
    """An adjustment to be taken back. ``force``: as of ``NewAdjustment``.

    ``message``: the id of the message that asks for it ``at`` this time, which is settled with it.
    """

    adjustment: Adjustment
    at: datetime
    force: bool = False
    message: str | None = None


SupplyChange = NewAdjustment | DroppedAdjustment
