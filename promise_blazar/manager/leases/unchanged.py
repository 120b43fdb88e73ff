# SPDX-License-Identifier: Apache-2.0
"""Changes of a lease without what they only repeat.

Clients that keep a description of what they want send back whole leases as they were shown. What
is as it is already is no change of it: no refusal, and no touch of what happened in the meantime.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from promise_blazar import exceptions, times
from promise_blazar.manager.contract.messages import LeaseChange, ReservationChange
from promise_blazar.model import lifecycle
from promise_blazar.model.lease import Lease, Reservation
from promise_blazar.model.states import EventType
from promise_blazar.plugins.contract import Plugin, spec_of

#: Members that every reservation is shown with and that nobody sets.
_SHOWN = frozenset(
    {
        "lease_id",
        "resource_id",
        "status",
        "missing_resources",
        "resources_changed",
        "created_at",
        "updated_at",
    }
)


def without_repetitions(
    change: LeaseChange, lease: Lease, plugins: Mapping[str, Plugin], now: datetime
) -> LeaseChange:
    """What is left to be changed of the lease."""
    start, end = _other(change.start, lease.start, now), _other(change.end, lease.end, now)
    # Clients send whole minutes, also of dates that they only mean to keep.
    if start is not None and times.parse(start, now) == times.floor_minute(lease.start):
        start = None
    before_end = change.before_end
    warning = lease.event(EventType.BEFORE_END)
    if before_end is not None and warning is not None:
        stays = times.parse(before_end, now) == warning.time
        moved = start is not None or end is not None
        first = lease.start if start is None else times.parse(start, now)
        last = lease.end if end is None else times.parse(end, now)
        # Left behind by dates that move, it goes with them, as if nobody had named it.
        if stays and not (moved and first < warning.time < last):
            before_end = None
    return LeaseChange(
        name=None if change.name == lease.name else change.name,
        start=start,
        end=end,
        before_end=before_end,
        reservations=_other_reservations(change.reservations, lease, plugins),
        groups=change.groups,
    )


def _other(wanted: str | None, there: datetime, now: datetime) -> str | None:
    return None if wanted is None or times.parse(wanted, now) == there else wanted


def _other_reservations(
    changes: tuple[ReservationChange, ...], lease: Lease, plugins: Mapping[str, Plugin]
) -> tuple[ReservationChange, ...]:
    named = Counter(each.id for each in changes)
    records = {record.uuid: record for record in lease.reservations}
    running = lifecycle.started(lease)
    return tuple(
        each
        for each in changes
        if named[each.id] > 1
        or each.id not in records
        or not _repeats(each, records[each.id], plugins, running)
    )


def _repeats(
    change: ReservationChange, record: Reservation, plugins: Mapping[str, Plugin], running: bool
) -> bool:
    if change.resource_type not in (None, record.resource_type):
        return False
    plugin = plugins.get(record.resource_type)
    if plugin is None:
        return change.values.keys() <= _SHOWN
    spec = spec_of(plugin, record.details)
    try:
        return bool(plugin.revise(spec, change.values, running) == spec)
    except exceptions.PromiseBlazarError:
        return False  # which is said where the change is made
