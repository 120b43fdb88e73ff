# SPDX-License-Identifier: Apache-2.0
"""Specifications of reservations: a table for each resource type of ours, JSON for others'."""

from collections.abc import Mapping

from sqlalchemy import BigInteger, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from promise_blazar.db.tables.base import Base
from promise_blazar.db.types import LongText


class SpecJson(Base):
    """What a reservation of a type from elsewhere asks for (``spec``), and what was made for it
    (``state``): JSON objects."""

    __tablename__ = "reservation_specs"

    reservation_id: Mapped[int] = mapped_column(
        ForeignKey("reservations.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    spec: Mapped[str] = mapped_column(LongText)
    state: Mapped[str] = mapped_column(LongText)


class HostReservation(Base):
    """What a physical:host reservation asks for, and what was made for it.

    ``members``: the projects that were let in beside the owner, when the door was closed.
    """

    __tablename__ = "host_reservations"

    reservation_id: Mapped[int] = mapped_column(
        ForeignKey("reservations.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    count_min: Mapped[int]
    count_max: Mapped[int]
    hypervisor_properties: Mapped[str] = mapped_column(Text)
    resource_properties: Mapped[str] = mapped_column(Text)
    before_end: Mapped[str] = mapped_column(String(36))
    aggregate_id: Mapped[int | None]
    members: Mapped[str | None] = mapped_column(Text)


class InstanceReservation(Base):
    """What a virtual:instance reservation asks for, and what was made for it.

    ``stale_group_id``: a server group that an update made useless and that is still there.
    """

    __tablename__ = "instance_reservations"

    reservation_id: Mapped[int] = mapped_column(
        ForeignKey("reservations.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    vcpus: Mapped[int] = mapped_column(BigInteger)
    memory_mb: Mapped[int] = mapped_column(BigInteger)
    disk_gb: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[int] = mapped_column(BigInteger)
    affinity: Mapped[bool | None]
    resource_properties: Mapped[str] = mapped_column(Text)
    aggregate_id: Mapped[int | None]
    server_group_id: Mapped[str | None] = mapped_column(String(36))
    stale_group_id: Mapped[str | None] = mapped_column(String(36))


#: Where the specifications of a resource type are; those of all others are ``SpecJson``.
SPEC_TABLES: Mapping[str, type[Base]] = {
    "physical:host": HostReservation,
    "virtual:instance": InstanceReservation,
}
