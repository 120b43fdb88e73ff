# SPDX-License-Identifier: Apache-2.0
"""Records for tests of what writes them."""

import uuid

from promise_blazar import times
from promise_blazar.model.lease import Event, Lease, Reservation
from promise_blazar.model.states import EventStatus, EventType, LeaseStatus, ReservationStatus


def new_lease(begin, end, now):
    """One of a whole host, as it is before it is committed."""
    reservation = Reservation(
        id=0,
        uuid=str(uuid.uuid4()),
        resource_id=str(uuid.uuid4()),
        resource_type="physical:host",
        status=ReservationStatus.PENDING,
        missing_resources=False,
        resources_changed=False,
        created_at=now,
        updated_at=None,
        closed_at=None,
        details={
            "count_min": 1,
            "count_max": 1,
            "hypervisor_properties": "",
            "resource_properties": "",
            "before_end": "",
        },
    )
    start, end = times.from_micros(begin), times.from_micros(end)
    return Lease(
        id=str(uuid.uuid4()),
        provider_id=1,
        name="one",
        user_id="alice",
        project_id="demo",
        start=start,
        end=end,
        status=LeaseStatus.PENDING,
        degraded=False,
        reason=None,
        operator_reason=None,
        owner=None,
        attempt=1,
        failures=0,
        revision=0,
        look_at=start,
        created_at=now,
        updated_at=None,
        reservations=(reservation,),
        events=(Event(str(uuid.uuid4()), EventType.END, end, EventStatus.UNDONE, now, None),),
    )
