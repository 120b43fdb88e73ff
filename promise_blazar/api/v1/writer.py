# SPDX-License-Identifier: Apache-2.0
"""How v1 shows things. Clients parse the dates of leases, reservations and events with ``%f``."""

import functools
from datetime import UTC, datetime
from typing import Any

from promise_blazar.manager.contract.messages import (
    AllocationView,
    EventView,
    HostAllocations,
    HostView,
    LeaseView,
    PropertyView,
    ReservationView,
)

#: Instants that are written again and again: what belongs to a lease shares most of them.
_remembered = functools.lru_cache(4096)


@_remembered
def date(instant: datetime) -> str:
    """Always six digits of a second, never an offset: UTC."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


@_remembered
def stamp(instant: datetime | None) -> str | None:
    """When a row was written, as Blazar shows it."""
    if instant is None:
        return None
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(" ", timespec="seconds")


def lease(view: LeaseView) -> dict[str, Any]:
    """An id is null in what a dry run shows."""
    lease_id = view.id or None
    return {
        "id": lease_id,
        "name": view.name,
        "user_id": view.user_id,
        "project_id": view.project_id,
        "trust_id": None,
        "start_date": date(view.start),
        "end_date": date(view.end),
        "status": view.status,
        "status_reason": view.status_reason,
        "degraded": view.degraded,
        "reservations": [_reservation(each, lease_id) for each in view.reservations],
        "events": [_event(each, lease_id) for each in view.events],
        "created_at": stamp(view.created_at),
        "updated_at": stamp(view.updated_at),
    }


def _reservation(view: ReservationView, lease_id: str | None) -> dict[str, Any]:
    return {
        **view.values,
        "id": view.id or None,
        "lease_id": lease_id,
        "resource_id": view.resource_id or None,
        "resource_type": view.resource_type,
        "status": view.status,
        "missing_resources": view.missing_resources,
        "resources_changed": view.resources_changed,
        "created_at": stamp(view.created_at),
        "updated_at": stamp(view.updated_at),
    }


def _event(view: EventView, lease_id: str | None) -> dict[str, Any]:
    return {
        "id": view.id or None,
        "lease_id": lease_id,
        "event_type": view.event_type,
        "time": date(view.time),
        "status": view.status,
        "created_at": stamp(view.created_at),
        "updated_at": stamp(view.updated_at),
    }


def host(view: HostView) -> dict[str, Any]:
    """Extra capabilities stand flat beside the rest; a dashboard shows every key it does not
    know as one of them, so nothing else may be added here."""
    return {**view.capabilities, **host_columns(view)}


def host_columns(view: HostView) -> dict[str, Any]:
    return {
        "id": view.id,
        "hypervisor_hostname": view.hypervisor_hostname,
        "service_name": view.service_name,
        "hypervisor_type": view.hypervisor_type,
        "hypervisor_version": view.hypervisor_version,
        "vcpus": view.vcpus,
        "memory_mb": view.memory_mb,
        "local_gb": view.local_gb,
        "cpu_info": view.cpu_info,
        "status": None,
        "availability_zone": view.availability_zone,
        "trust_id": None,
        "reservable": view.reservable,
        "created_at": stamp(view.created_at),
        "updated_at": stamp(view.updated_at),
    }


#: Names that no extra capability can have.
HOST_COLUMNS = frozenset(
    host_columns(HostView("", "", "", "", 0, 0, 0, 0, "", "", reservable=True))
)


def allocations(view: HostAllocations) -> dict[str, Any]:
    return {
        "resource_id": view.host_id,
        "reservations": [_allocation(each) for each in view.reservations],
    }


def _allocation(view: AllocationView) -> dict[str, Any]:
    return {
        "id": view.reservation_id,
        "lease_id": view.lease_id,
        "start_date": date(view.start),
        "end_date": date(view.end),
    }


def property_in_list(view: PropertyView, detail: bool) -> dict[str, Any]:
    if not detail:
        return {"property": view.name}
    return {"property": view.name, "private": view.private, "values": list(view.values)}


def property_alone(view: PropertyView) -> dict[str, Any]:
    return {
        "id": view.id,
        "resource_type": view.resource_type,
        "property_name": view.name,
        "private": view.private,
        "created_at": stamp(view.created_at),
        "updated_at": stamp(view.updated_at),
    }
