# SPDX-License-Identifier: Apache-2.0
"""Views of our records: what the outside sees of them."""

from collections.abc import Mapping, Sequence

from promise_blazar import exceptions, times
from promise_blazar.capacity.explanation import Explanation
from promise_blazar.manager.contract.messages import (
    EventView,
    GroupWanted,
    HostView,
    LeaseView,
    ReservationView,
)
from promise_blazar.model.host import Host
from promise_blazar.model.lease import Lease
from promise_blazar.model.states import EventStatus, ReservationStatus
from promise_blazar.plugins.contract import ResourceType, spec_of, state_of


def lease_view(lease: Lease, kinds: Mapping[str, ResourceType]) -> LeaseView:
    """``kinds``: the resource types that are known here; of others only what all types have is
    shown."""
    reservations = []
    groups = []
    for record in lease.reservations:
        kind = kinds.get(record.resource_type)
        values, policy = {}, None
        if kind is not None:
            spec, state = spec_of(kind, record.details), state_of(kind, record.details)
            values = kind.show(record.uuid, spec, state)
            policy = kind.missing_group(spec, state)
        reservations.append(
            ReservationView(
                id=record.uuid,
                resource_id=record.resource_id,
                resource_type=record.resource_type,
                status=record.status,
                missing_resources=record.missing_resources,
                resources_changed=record.resources_changed,
                values=values,
                created_at=record.created_at,
                updated_at=record.updated_at,
            )
        )
        if policy is not None and record.status != ReservationStatus.DELETED:
            groups.append(GroupWanted(record.uuid, policy))
    return LeaseView(
        id=lease.id,
        name=lease.name,
        user_id=lease.user_id,
        project_id=lease.project_id,
        start=lease.start,
        end=lease.end,
        status=lease.status,
        degraded=lease.degraded,
        status_reason=lease.status_reason,
        reservations=tuple(reservations),
        events=_events(lease),
        groups_wanted=tuple(groups),
        created_at=lease.created_at,
        updated_at=lease.updated_at,
        revision=lease.revision,
    )


def _events(lease: Lease) -> tuple[EventView, ...]:
    """All events of a lease in the order of their times."""
    ours = [
        EventView(e.id, e.event_type, e.time, e.status, e.created_at, e.updated_at)
        for e in lease.events
    ]
    theirs = [
        EventView(e.id, e.event_type, e.time, EventStatus.UNDONE, lease.created_at)
        for e in lease.client_events
    ]
    if theirs:
        ours = sorted(ours + theirs, key=lambda event: (event.time, event.event_type))
    return tuple(ours)


def host_view(host: Host) -> HostView:
    return HostView(
        id=str(host.id),
        hypervisor_hostname=host.hypervisor_hostname,
        service_name=host.service_host,
        hypervisor_type=host.hypervisor_type,
        hypervisor_version=host.hypervisor_version,
        vcpus=host.vcpus,
        memory_mb=host.memory_mb,
        local_gb=host.local_gb,
        cpu_info=host.cpu_info,
        availability_zone=host.zone,
        reservable=host.reservable,
        capabilities=dict(host.capabilities),
        created_at=host.created_at,
        updated_at=host.updated_at,
    )


def refusal(explanation: Explanation, keys: Sequence[str] = ()) -> exceptions.NotEnoughHosts:
    """A refusal as the error that says why, how much would fit, and when.

    ``keys``: of the reservations, in the order in which the client knows them; none where the keys
    are their places. The message begins with Blazar's words, which clients look for.
    """
    place = keys.index(explanation.key) if keys else int(explanation.key)
    which = f"reservations[{place}]: " if max(explanation.of, len(keys)) > 1 else ""
    words = f"{exceptions.NotEnoughHosts.sentence}: {which}{explanation.text}"
    # A window that no date can express is none.
    alternatives = [each for each in explanation.alternatives if each.end <= times.LATEST]
    for window in alternatives[:1]:
        words += f"; it would fit from {_minute(window.start)} to {_minute(window.end)} UTC"
    return exceptions.NotEnoughHosts(
        words,
        reasons=[
            {
                "check": reason.check,
                "reservation": place,
                "hosts": reason.hosts,
                "text": reason.text,
                "window": None
                if reason.window is None
                else {
                    "start": _instant(reason.window.start),
                    "end": _instant(reason.window.end),
                },
            }
            for reason in explanation.reasons
        ],
        fits=dict(explanation.fits),
        alternatives=[
            {"start_date": _minute(window.start), "end_date": _minute(window.end)}
            for window in alternatives
        ],
    )


def _instant(micros: int) -> str:
    """What never ends, ends with the calendar."""
    return times.from_micros(min(micros, times.LATEST)).isoformat()


def _minute(micros: int) -> str:
    return times.from_micros(micros).strftime(times.MINUTE_FORMAT)
