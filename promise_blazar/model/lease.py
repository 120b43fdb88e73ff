# SPDX-License-Identifier: Apache-2.0
"""Leases with their reservations and events, as they are on record.

Instants are aware UTC. What a resource type asks for and what was made for it lies in
``details``, by the names of its specification's and its state's fields.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from promise_blazar.model import reason as reasons
from promise_blazar.model.states import (
    EventStatus,
    EventType,
    LeaseStatus,
    Preparation,
    ReservationStatus,
)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to a lease at a time. At most one of each type belongs to it.

    ``id``: a UUID.
    """

    id: str
    event_type: EventType
    time: datetime
    status: EventStatus
    created_at: datetime
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClientEvent:
    """An event that a client wants kept with a lease; nothing is ever done for it.

    ``id``: a UUID. Of one type there may be several.
    """

    id: str
    event_type: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Reservation:
    """Resources of one type, for the window of their lease.

    ``id`` is a number for the ledger, ``uuid`` what everybody else calls it. ``resource_id`` is
    Blazar's, and a UUID too. ``hidden_properties``: names of private properties that its queries
    ask for and must not see. ``closed_at``: since when nobody can boot on what it had.
    """

    id: int
    uuid: str
    resource_id: str
    resource_type: str
    status: ReservationStatus
    missing_resources: bool
    resources_changed: bool
    created_at: datetime
    updated_at: datetime | None
    closed_at: datetime | None = None
    hidden_properties: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FormerReservation:
    """A reservation that was released a short while ago, and what it had.

    ``hosts``: the fields of its allocations, by OpenStack's names; ``servers``: ids of those that
    were recorded for it.
    """

    uuid: str
    resource_type: str
    project_id: str
    details: Mapping[str, Any]
    hosts: tuple[tuple[Any, ...], ...]
    servers: frozenset[str]
    released_at: datetime


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease over ``[start, end)``, and who works on it.

    ``id``: a UUID; ``owner``: the manager that acts for it now, under ``attempt``; ``failures``:
    of the present step, in a row; ``reason``, ``operator_reason``: the last trouble, as on record;
    ``revision``: grows with every change; ``look_at``: when it next needs attention, None: never;
    ``preparation``: how far OpenStack has what it needs before it starts.
    """

    id: str
    provider_id: int
    name: str
    user_id: str
    project_id: str
    start: datetime
    end: datetime
    status: LeaseStatus
    degraded: bool
    reason: str | None
    operator_reason: str | None
    owner: str | None
    attempt: int
    failures: int
    revision: int
    look_at: datetime | None
    created_at: datetime
    updated_at: datetime | None
    client_events: tuple[ClientEvent, ...] = ()
    preparation: Preparation = Preparation.DONE
    reservations: tuple[Reservation, ...] = ()
    events: tuple[Event, ...] = ()

    @property
    def status_reason(self) -> str | None:
        """The last trouble as tenants are told."""
        return reasons.told(self.reason, self.operator_reason)

    @property
    def trouble(self) -> str | None:
        """The last trouble as operators are told."""
        return reasons.known(self.reason, self.operator_reason)

    def event(self, event_type: EventType) -> Event | None:
        """The event of this type, if the lease has one."""
        return next((e for e in self.events if e.event_type == event_type), None)
