# SPDX-License-Identifier: Apache-2.0
"""Documents of v1, from what the manager answers.

Clients parse the dates of leases, reservations and events with ``%f``.
"""

import functools
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from promise_blazar import exceptions
from promise_blazar.api.http import errors
from promise_blazar.api.http.dependencies import dependencies
from promise_blazar.api.http.dialect import ErrorBody, Problem
from promise_blazar.manager.contract.messages import (
    AllocationView,
    EventView,
    HostAllocations,
    HostView,
    LeaseView,
    PropertyView,
    ReservationView,
)

#: What a refusal tells beside its sentence, and what it tells where it knows nothing.
_REFUSAL_FACTS: dict[str, Any] = {"reasons": [], "fits": {}, "alternatives": []}

#: Instants that are written again and again: what belongs to a lease shares most of them.
_remembered = functools.lru_cache(4096)


@_remembered
def date(instant: datetime) -> str:
    """An instant in UTC, always with six digits of a second, never with an offset."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


@_remembered
def stamp(instant: datetime | None) -> str | None:
    """The instant at which a row was written, as Blazar shows it: to the second."""
    if instant is None:
        return None
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(" ", timespec="seconds")


def lease(view: LeaseView) -> dict[str, Any]:
    """The document of a lease; its ids are null in what a dry run shows."""
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


def host(view: HostView, hidden: Collection[str] = ()) -> dict[str, Any]:
    """The document of a host, whose extra capabilities stand flat beside the rest.

    ``hidden``: names of those that are left out. A dashboard shows every key it does not know as
    one of them: nothing else may be added here.
    """
    shown = {name: value for name, value in view.capabilities.items() if name not in hidden}
    return {**shown, **host_columns(view)}


def host_columns(view: HostView) -> dict[str, Any]:
    """What every host has."""
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


#: The keys of that.
HOST_COLUMNS = frozenset(
    host_columns(HostView("", "", "", "", 0, 0, 0, 0, "", "", reservable=True))
)


def allocations(view: HostAllocations) -> dict[str, Any]:
    """The document of a host's reservations."""
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
    """The document of a property among others; without ``detail``, its name alone."""
    if not detail:
        return {"property": view.name}
    return {"property": view.name, "private": view.private, "values": list(view.values)}


def property_alone(view: PropertyView) -> dict[str, Any]:
    """The document of a property whose privacy was set."""
    return {
        "id": view.id,
        "resource_type": view.resource_type,
        "property_name": view.name,
        "private": view.private,
        "created_at": stamp(view.created_at),
        "updated_at": stamp(view.updated_at),
    }


def error_body(problem: Problem) -> ErrorBody:
    """Blazar's three keys; of a refusal also ``reasons``, ``fits`` and ``alternatives``."""
    if not isinstance(problem.error, exceptions.NotEnoughHosts):
        return ErrorBody(errors.body(problem.status, problem.message))
    status = dependencies().conf.api.refusal_status
    document = errors.body(status, problem.message)
    # As Blazar names what it has refused, and not what has failed.
    document["error_name"] = status
    facts = problem.error.facts
    document |= {name: facts.get(name, none) for name, none in _REFUSAL_FACTS.items()}
    return ErrorBody(document, status=status)
