# SPDX-License-Identifier: Apache-2.0
"""The tables.

A row that capacity decisions read (hosts, bookings) carries the ``generation`` of its provider
at which it last changed, and is tombstoned rather than deleted, so that every manager can catch
up with what changed since it last looked (architecture, section 4).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from promise_blazar.db.types import BigId, Instant, LongText

# SQLite gives a deleted row's number to the next row unless told not to; MariaDB's other
# engines know no transactions, and its other collations no difference between k and K.
_OPTIONS = {
    "sqlite_autoincrement": True,
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}


class Base(DeclarativeBase):
    __table_args__: Any = _OPTIONS


class Provider(Base):
    """An OpenStack cloud. Its generation counts the changes of what it has promised.

    ``purged_generation``: tombstones up to here are gone; who has seen less must load anew.
    """

    __tablename__ = "providers"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    generation: Mapped[int] = mapped_column(BigInteger, default=0)
    purged_generation: Mapped[int] = mapped_column(BigInteger, default=0)


class Host(Base):
    """A compute host that is lent.

    ``state``: ``adding``, ``ready`` or ``removing``; what was begun with OpenStack and may have
    to be resumed. ``tombstone``: 0, or the host's own id once it is gone, so that its name is
    free again.
    """

    __tablename__ = "hosts"
    __table_args__ = (
        UniqueConstraint("provider_id", "hypervisor_hostname", "tombstone"),
        Index("hosts_changed", "provider_id", "generation"),
        _OPTIONS,
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    provider_id: Mapped[int] = mapped_column(ForeignKey("providers.id"))
    hypervisor_uuid: Mapped[str] = mapped_column(String(36))
    hypervisor_hostname: Mapped[str] = mapped_column(String(255))
    service_host: Mapped[str] = mapped_column(String(255))
    hypervisor_type: Mapped[str] = mapped_column(String(255))
    hypervisor_version: Mapped[int] = mapped_column(BigInteger)
    cpu_info: Mapped[str] = mapped_column(Text)
    zone: Mapped[str] = mapped_column(String(255))
    vcpus: Mapped[int] = mapped_column(BigInteger)
    memory_mb: Mapped[int] = mapped_column(BigInteger)
    local_gb: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16))
    reservable: Mapped[bool]
    tombstone: Mapped[int] = mapped_column(BigInteger, default=0)
    generation: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime | None] = mapped_column(Instant)


class HostInventory(Base):
    """What Placement says the host has, per resource class."""

    __tablename__ = "host_inventories"

    host_id: Mapped[int] = mapped_column(
        ForeignKey("hosts.id", ondelete="CASCADE"), primary_key=True
    )
    resource_class: Mapped[str] = mapped_column(String(255), primary_key=True)
    total: Mapped[int] = mapped_column(BigInteger)
    reserved: Mapped[int] = mapped_column(BigInteger)
    allocation_ratio: Mapped[float]


class ResourceProperty(Base):
    """The name of a capability; a private one is hidden from tenants."""

    __tablename__ = "resource_properties"
    __table_args__ = (UniqueConstraint("resource_type", "name"), _OPTIONS)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    resource_type: Mapped[str] = mapped_column(String(66))
    name: Mapped[str] = mapped_column(String(64))
    private: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime | None] = mapped_column(Instant)


class HostCapability(Base):
    """What an operator says about a host, for property queries."""

    __tablename__ = "host_capabilities"

    host_id: Mapped[int] = mapped_column(
        ForeignKey("hosts.id", ondelete="CASCADE"), primary_key=True
    )
    property_id: Mapped[str] = mapped_column(
        ForeignKey("resource_properties.id"), primary_key=True
    )
    value: Mapped[str] = mapped_column(Text)


class Bundle(Base):
    """The amounts of one booked unit, named by their canonical text and never changed.

    ``DISK_GB=20,MEMORY_MB=4096,VCPU=2``: classes in alphabetical order.
    """

    __tablename__ = "bundles"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    text: Mapped[str] = mapped_column(String(700), unique=True)


class Lease(Base):
    """A lease, and who works on it.

    ``owner``: the manager that acts for it now, under ``attempt``; whoever raises the attempt
    takes the right to act away from it. ``look_at``: when it next needs attention.
    ``failures``: of the present step, in a row. ``reason``: the last trouble, in words.
    ``revision``: counts the transactions that changed the lease or what hangs on it, so that
    who has seen it at one revision knows whether there is anything new to see.
    """

    __tablename__ = "leases"
    __table_args__ = (
        Index("leases_of_project", "project_id", "created_at"),
        Index("leases_due", "look_at"),
        Index("leases_owned", "owner"),
        _OPTIONS,
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    provider_id: Mapped[int] = mapped_column(ForeignKey("providers.id"))
    name: Mapped[str] = mapped_column(String(80))
    user_id: Mapped[str] = mapped_column(String(255))
    project_id: Mapped[str] = mapped_column(String(255))
    start: Mapped[datetime] = mapped_column(Instant)
    end: Mapped[datetime] = mapped_column(Instant)
    status: Mapped[str] = mapped_column(String(16))
    degraded: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str | None] = mapped_column(Text)
    owner: Mapped[str | None] = mapped_column(String(36))
    attempt: Mapped[int] = mapped_column(BigInteger, default=0)
    failures: Mapped[int] = mapped_column(default=0)
    revision: Mapped[int] = mapped_column(BigInteger, default=0)
    look_at: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime | None] = mapped_column(Instant)


class Reservation(Base):
    """``id`` is for the ledger, ``uuid`` for everybody else."""

    __tablename__ = "reservations"
    __table_args__ = (Index("reservations_of_lease", "lease_id"), _OPTIONS)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uuid: Mapped[str] = mapped_column(String(36), unique=True)
    lease_id: Mapped[str] = mapped_column(ForeignKey("leases.id", ondelete="CASCADE"))
    resource_id: Mapped[str] = mapped_column(String(36))
    resource_type: Mapped[str] = mapped_column(String(66))
    status: Mapped[str] = mapped_column(String(16))
    missing_resources: Mapped[bool] = mapped_column(default=False)
    resources_changed: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime | None] = mapped_column(Instant)


class HostReservation(Base):
    """What a physical:host reservation asks for, and what was made for it."""

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


class ReservationServer(Base):
    """A server that the end of a reservation has to take along, by its id and no other way."""

    __tablename__ = "reservation_servers"

    reservation_id: Mapped[int] = mapped_column(
        ForeignKey("reservations.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    server_id: Mapped[str] = mapped_column(String(36), primary_key=True)


class Booking(Base):
    """Units of a bundle (none: the whole host) promised to a reservation in a window.

    ``reservation_id`` outlives the reservation: tombstones are read when it is gone.
    ``released``: OpenStack has let go of it. ``start``, ``end``: microseconds.
    """

    __tablename__ = "bookings"
    __table_args__ = (
        Index("bookings_changed", "provider_id", "generation"),
        Index("bookings_of_reservation", "reservation_id"),
        Index("bookings_of_host", "host_id", "end"),
        _OPTIONS,
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    provider_id: Mapped[int] = mapped_column(ForeignKey("providers.id"))
    reservation_id: Mapped[int] = mapped_column(BigInteger)
    host_id: Mapped[int] = mapped_column(BigInteger)
    bundle_id: Mapped[int | None] = mapped_column(BigInteger)
    units: Mapped[int] = mapped_column(BigInteger)
    start: Mapped[int] = mapped_column(BigInteger)
    end: Mapped[int] = mapped_column(BigInteger)
    released: Mapped[bool] = mapped_column(default=False)
    deleted: Mapped[bool] = mapped_column(default=False)
    generation: Mapped[int] = mapped_column(BigInteger)


class Event(Base):
    __tablename__ = "events"
    __table_args__ = (UniqueConstraint("lease_id", "event_type"), _OPTIONS)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    lease_id: Mapped[str] = mapped_column(ForeignKey("leases.id", ondelete="CASCADE"))
    event_type: Mapped[str] = mapped_column(String(66))
    time: Mapped[datetime] = mapped_column(Instant)
    status: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime | None] = mapped_column(Instant)


class IdempotencyKey(Base):
    """What a create with this key made; gone with what it made."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("idempotency_of_object", "object_id"), _OPTIONS)

    project_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    object_id: Mapped[str] = mapped_column(String(36))
    answer: Mapped[str | None] = mapped_column(LongText)
    created_at: Mapped[datetime] = mapped_column(Instant)


class DepartedReservation(Base):
    """A reservation whose lease was removed; what turns up of it in OpenStack is a leftover.

    Without this, what other lease services on the same cloud made could not be told apart.
    """

    __tablename__ = "departed_reservations"
    __table_args__ = (Index("departed_by_age", "removed_at"), _OPTIONS)

    uuid: Mapped[str] = mapped_column(String(36), primary_key=True)
    resource_type: Mapped[str] = mapped_column(String(66))
    removed_at: Mapped[datetime] = mapped_column(Instant)


class ManagerProcess(Base):
    """A running manager; it is alive as long as ``beat`` moves."""

    __tablename__ = "managers"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    beat: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[datetime] = mapped_column(Instant)
