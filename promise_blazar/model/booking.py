# SPDX-License-Identifier: Apache-2.0
"""Bookings: units of resources promised to reservations in windows.

``start`` and ``end`` are microseconds since 1970 and half-open, as in the ledger.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

#: The bundle of a booking that takes the whole host, where a number is needed.
WHOLE: Final = -1


@dataclass(frozen=True, slots=True)
class NewBooking:
    """A booking to be written. ``bundle_id`` None: the whole host."""

    reservation_id: int
    host_id: int
    bundle_id: int | None
    units: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class BookedHost:
    """What a reservation holds on a host, with the names that OpenStack knows the host by.

    ``start``: since when.
    """

    reservation_id: int
    host_id: int
    hypervisor: str
    service_host: str
    hypervisor_uuid: str
    units: int
    start: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """Which reservation holds which host, over the window of its lease (aware UTC)."""

    host_id: int
    reservation_uuid: str
    lease_id: str
    start: datetime
    end: datetime
