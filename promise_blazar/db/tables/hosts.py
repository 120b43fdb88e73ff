# SPDX-License-Identifier: Apache-2.0
"""Lent hosts, their inventories, and what operators say of them."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, true
from sqlalchemy.orm import Mapped, mapped_column

from promise_blazar.db.tables.base import OPTIONS, Base
from promise_blazar.db.types import BigId, Instant, Word
from promise_blazar.model.states import HostState


class Host(Base):
    """A compute host that is lent.

    ``state``: ``adding``, ``ready`` or ``removing``; what was begun with OpenStack and may have
    to be resumed. ``up``: it is in service, as Nova said last. ``tombstone``: 0, or the host's
    own id once it is gone, so that its name is free again.
    """

    __tablename__ = "hosts"
    __table_args__ = (
        UniqueConstraint("provider_id", "hypervisor_hostname", "tombstone"),
        Index("hosts_changed", "provider_id", "generation"),
        OPTIONS,
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
    state: Mapped[HostState] = mapped_column(Word(HostState, 16))
    reservable: Mapped[bool]
    up: Mapped[bool] = mapped_column(default=True, server_default=true())
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
    __table_args__ = (UniqueConstraint("resource_type", "name"), OPTIONS)

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
