# SPDX-License-Identifier: Apache-2.0
"""Leases with their reservations, events and servers; and reservations that are gone."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from promise_blazar.db.tables.base import OPTIONS, Base
from promise_blazar.db.types import BigId, ClientEvents, Instant, LongText, PropertyNames, Word
from promise_blazar.model.lease import ClientEvent
from promise_blazar.model.states import (
    EventStatus,
    EventType,
    LeaseStatus,
    Preparation,
    ReservationStatus,
)


class Lease(Base):
    """A lease, and who works on it.

    ``owner``: the manager that acts for it now, under ``attempt``; whoever raises the attempt
    takes the right to act away from it. ``look_at``: when it next needs attention.
    ``failures``: of the present step, in a row. ``reason``: the last trouble, in words that name
    nothing of others; ``operator_reason``: the same line, and then words that name everything, see
    ``model.reason``.
    ``preparation``: how far OpenStack has what the lease needs before it starts.
    ``revision``: counts the transactions that changed the lease or what hangs on it, so that
    who has seen it at one revision knows whether there is anything new to see.
    ``client_events``: what clients want kept with it.
    """

    __tablename__ = "leases"
    __table_args__ = (
        Index("leases_of_project", "project_id", "created_at"),
        Index("leases_of_provider", "provider_id", "created_at"),
        Index("leases_due", "look_at"),
        Index("leases_owned", "owner"),
        Index("leases_next", "owner", "look_at"),
        Index("leases_over", "status", "end"),
        Index("leases_to_prepare", "preparation", "failures", "start"),
        OPTIONS,
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    provider_id: Mapped[int] = mapped_column(ForeignKey("providers.id"))
    name: Mapped[str] = mapped_column(String(80))
    user_id: Mapped[str] = mapped_column(String(255))
    project_id: Mapped[str] = mapped_column(String(255))
    start: Mapped[datetime] = mapped_column(Instant)
    end: Mapped[datetime] = mapped_column(Instant)
    status: Mapped[LeaseStatus] = mapped_column(Word(LeaseStatus, 16))
    degraded: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str | None] = mapped_column(Text)
    operator_reason: Mapped[str | None] = mapped_column(Text)
    preparation: Mapped[Preparation] = mapped_column(
        Word(Preparation, 16), default=Preparation.DONE, server_default=Preparation.DONE
    )
    owner: Mapped[str | None] = mapped_column(String(36))
    attempt: Mapped[int] = mapped_column(BigInteger, default=0)
    failures: Mapped[int] = mapped_column(default=0)
    revision: Mapped[int] = mapped_column(BigInteger, default=0)
    look_at: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime | None] = mapped_column(Instant)
    client_events: Mapped[tuple[ClientEvent, ...]] = mapped_column(ClientEvents, nullable=True)


class Reservation(Base):
    """``id`` is for the ledger, ``uuid`` for everybody else.

    ``closed_at``: since when nobody can boot on what it had. ``hidden_properties``: private
    ones that its queries ask for and must not see.
    """

    __tablename__ = "reservations"
    __table_args__ = (Index("reservations_of_lease", "lease_id"), OPTIONS)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uuid: Mapped[str] = mapped_column(String(36), unique=True)
    lease_id: Mapped[str] = mapped_column(ForeignKey("leases.id", ondelete="CASCADE"))
    resource_id: Mapped[str] = mapped_column(String(36))
    resource_type: Mapped[str] = mapped_column(String(66))
    status: Mapped[ReservationStatus] = mapped_column(Word(ReservationStatus, 16))
    missing_resources: Mapped[bool] = mapped_column(default=False)
    resources_changed: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    updated_at: Mapped[datetime | None] = mapped_column(Instant)
    hidden_properties: Mapped[tuple[str, ...]] = mapped_column(PropertyNames, nullable=True)


class ReservationServer(Base):
    """A server that the end of a reservation has to take along, by its id and no other way."""

    __tablename__ = "reservation_servers"

    reservation_id: Mapped[int] = mapped_column(
        ForeignKey("reservations.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    server_id: Mapped[str] = mapped_column(String(36), primary_key=True)


class Event(Base):
    __tablename__ = "events"
    __table_args__ = (UniqueConstraint("lease_id", "event_type"), OPTIONS)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    lease_id: Mapped[str] = mapped_column(ForeignKey("leases.id", ondelete="CASCADE"))
    event_type: Mapped[EventType] = mapped_column(Word(EventType, 66))
    time: Mapped[datetime] = mapped_column(Instant)
    status: Mapped[EventStatus] = mapped_column(Word(EventStatus, 16))
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime | None] = mapped_column(Instant)


class DepartedReservation(Base):
    """A reservation whose lease was removed; what turns up of it in OpenStack is a leftover.

    Without this, what other lease services on the same cloud made could not be told apart.
    """

    __tablename__ = "departed_reservations"
    __table_args__ = (Index("departed_by_age", "removed_at"), OPTIONS)

    uuid: Mapped[str] = mapped_column(String(36), primary_key=True)
    resource_type: Mapped[str] = mapped_column(String(66))
    removed_at: Mapped[datetime] = mapped_column(Instant)


class FormerReservation(Base):
    """A reservation that was released a short while ago: what it had is looked at again.

    ``document``: JSON, with the project, the details, the hosts and the recorded servers.
    """

    __tablename__ = "former_reservations"
    __table_args__ = (Index("former_by_age", "released_at"), OPTIONS)

    uuid: Mapped[str] = mapped_column(String(36), primary_key=True)
    provider_id: Mapped[int] = mapped_column(ForeignKey("providers.id"))
    resource_type: Mapped[str] = mapped_column(String(66))
    document: Mapped[str] = mapped_column(LongText)
    released_at: Mapped[datetime] = mapped_column(Instant)
