# SPDX-License-Identifier: Apache-2.0
"""Messages between the API and a manager: requests one way, views the other.

Plain values that survive JSON (``msgspec`` carries them). Times are aware UTC; where a client
may say "now", the manager, not the API, knows when that is, so such fields are text: ``now``,
or ISO 8601 with an offset. ``values`` holds the keys that belong to the resource type; the
plugin of that type reads and writes them.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ReservationRequest:
    """A reservation to be made. ``id``: as of ``LeaseRequest``."""

    resource_type: str
    values: dict[str, Any]
    id: str | None = None


@dataclass(frozen=True, slots=True)
class EventRequest:
    """An event that is only to be kept with its lease."""

    event_type: str
    time: str


@dataclass(frozen=True, slots=True)
class LeaseRequest:
    """A lease to be made. ``before_end`` None: the configured lead before the end.

    ``id``: the UUID that it is to have, chosen by who sends the request, so that a message which
    arrives twice asks for one lease; None: the manager chooses.
    """

    name: str
    start: str
    end: str
    before_end: str | None = None
    reservations: tuple[ReservationRequest, ...] = ()
    events: tuple[EventRequest, ...] = ()
    id: str | None = None


@dataclass(frozen=True, slots=True)
class ReservationChange:
    """A reservation to be changed. ``values``: only the keys to change. A given ``resource_type``
    must be the same."""

    id: str
    values: dict[str, Any]
    resource_type: str | None = None


@dataclass(frozen=True, slots=True)
class LeaseChange:
    """A lease to be changed. None: as it is.

    ``groups``: the server groups that were made for it. None: who asks can make none, so the lease
    goes without those that it comes to want.
    """

    name: str | None = None
    start: str | None = None
    end: str | None = None
    before_end: str | None = None
    reservations: tuple[ReservationChange, ...] = ()
    groups: tuple["GroupMade", ...] | None = None


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's key for a create. ``fingerprint``: a digest of the request that it was sent
    with."""

    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class EventView:
    """``event_type``: a word of ``model.states``, or what a client calls it. ``status``: a word of
    ``model.states``."""

    id: str
    event_type: str
    time: datetime
    status: str
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReservationView:
    """``id``, ``resource_id``: UUIDs; empty in what a dry run shows. ``status``: a word of
    ``model.states.ReservationStatus``."""

    id: str
    resource_id: str
    resource_type: str
    status: str
    missing_resources: bool
    resources_changed: bool
    values: dict[str, Any]
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LeaseView:
    """A lease as it is shown.

    ``id``: a UUID; empty in what a dry run shows. ``status``: a word of
    ``model.states.LeaseStatus``. ``status_reason``: in words, why the lease is in ERROR or is
    being retried.

    ``groups_wanted``: the reservations whose server group the API still has to make with the
    caller's token (architecture, section 9). ``revision``: grows with every change of the lease.
    ``archived``: it ended long ago and is for administrators alone.
    """

    id: str
    name: str
    user_id: str
    project_id: str
    start: datetime
    end: datetime
    status: str
    degraded: bool
    status_reason: str | None = None
    reservations: tuple[ReservationView, ...] = ()
    events: tuple[EventView, ...] = ()
    groups_wanted: tuple["GroupWanted", ...] = ()
    created_at: datetime | None = None
    updated_at: datetime | None = None
    revision: int = 0
    archived: bool = False


@dataclass(frozen=True, slots=True)
class LeaseList:
    """``ids``: of all, by creation. ``changed``: those that the asker does not know yet, or
    knows at another revision."""

    ids: tuple[str, ...]
    changed: tuple[LeaseView, ...]


@dataclass(frozen=True, slots=True)
class LeaseSelection:
    """Leases out of many: those that meet the conditions, and of these the next ``limit``.

    ``sort``: ``created_at``, ``id``, ``name``, ``status``, ``start_date`` or ``end_date``; what is
    the same there stands in the order of ids. ``marker``: the id of the last lease of the page
    before. ``start``, ``end``: a window that their own overlap; None is open. ``limit`` None: all.
    ``utilization``: what all of them, not only the page, have in that window is asked for too.
    """

    limit: int | None = None
    marker: str | None = None
    sort: str = "created_at"
    descending: bool = False
    name: str | None = None
    status: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    utilization: bool = False


@dataclass(frozen=True, slots=True)
class LeasePage:
    """``more``: whether there are others behind the last of these. ``utilization``: by resource
    class, the most that is promised at one instant of the window; None: it was not asked for."""

    leases: tuple[LeaseView, ...]
    more: bool = False
    utilization: dict[str, int] | None = None


@dataclass(frozen=True, slots=True)
class GroupWanted:
    """A server group that is still to be made. ``policy``: ``affinity`` or ``anti-affinity``."""

    reservation_id: str
    policy: str


@dataclass(frozen=True, slots=True)
class GroupMade:
    """A server group, made with the caller's token for a reservation that wants this policy."""

    reservation_id: str
    policy: str
    group_id: str


@dataclass(frozen=True, slots=True)
class HostRequest:
    """A hypervisor to lend, by its exact name; capabilities are free text by name."""

    name: str
    capabilities: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HostView:
    """A lent host as it is shown. ``memory_mb`` in MiB, ``local_gb`` in GiB."""

    id: str
    hypervisor_hostname: str
    service_name: str
    hypervisor_type: str
    hypervisor_version: int
    vcpus: int
    memory_mb: int
    local_gb: int
    cpu_info: str
    availability_zone: str
    reservable: bool
    capabilities: dict[str, str] = field(default_factory=dict)
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AllocationView:
    """A host's reservation, over ``[start, end)``."""

    reservation_id: str
    lease_id: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class HostAllocations:
    """A lent host, and who has it when."""

    host_id: str
    reservations: tuple[AllocationView, ...] = ()


@dataclass(frozen=True, slots=True)
class PropertyView:
    """The name of a capability, and the values that lent hosts have of it."""

    id: str
    resource_type: str
    name: str
    private: bool
    values: tuple[str, ...] = ()
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ManagerHealth:
    """``manager_id``: of the one that answered. ``problems``: in words; empty when all is well.

    ``rpc_version``: the newest that every living manager answers; those of the first release say
    nothing of it.
    """

    manager_id: str
    problems: tuple[str, ...] = ()
    rpc_version: str = "1.0"
