# SPDX-License-Identifier: Apache-2.0
"""The tables, a file for each area.

A row that capacity decisions read (hosts, bookings, adjustments) carries the ``generation`` of its
provider at which it last changed, and is tombstoned rather than deleted, so that every manager can
catch up with what changed since it last looked (architecture, section 4).
"""

from promise_blazar.db.tables.adjustments import (
    AdjustedAmount,
    Adjustment,
    AdjustmentProject,
    AffectedReservation,
)
from promise_blazar.db.tables.archive import ArchivedLease
from promise_blazar.db.tables.base import Base
from promise_blazar.db.tables.bookings import Booking, Bundle
from promise_blazar.db.tables.hosts import Host, HostCapability, HostInventory, ResourceProperty
from promise_blazar.db.tables.jobs import Job
from promise_blazar.db.tables.leases import (
    DepartedReservation,
    Event,
    FormerReservation,
    Lease,
    Reservation,
    ReservationServer,
)
from promise_blazar.db.tables.processes import IdempotencyKey, ManagerProcess, SettledRequest
from promise_blazar.db.tables.providers import Generation, Provider
from promise_blazar.db.tables.specs import (
    SPEC_TABLES,
    HostReservation,
    InstanceReservation,
    SpecJson,
)

__all__ = [
    "SPEC_TABLES",
    "AdjustedAmount",
    "Adjustment",
    "AdjustmentProject",
    "AffectedReservation",
    "ArchivedLease",
    "Base",
    "Booking",
    "Bundle",
    "DepartedReservation",
    "Event",
    "FormerReservation",
    "Generation",
    "Host",
    "HostCapability",
    "HostInventory",
    "HostReservation",
    "IdempotencyKey",
    "InstanceReservation",
    "Job",
    "Lease",
    "ManagerProcess",
    "Provider",
    "Reservation",
    "ReservationServer",
    "ResourceProperty",
    "SettledRequest",
    "SpecJson",
]
