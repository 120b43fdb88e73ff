# SPDX-License-Identifier: Apache-2.0
"""Adjustments of the capacity on offer, and whose promises were broken by them."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from promise_blazar.db.tables.base import OPTIONS, Base
from promise_blazar.db.types import BigId, Instant


class Adjustment(Base):
    """An adjustment; ``zone`` None: of the whole provider. ``start``, ``end``: microseconds.

    ``source_id``: what it is carved out of. Only ``deleted``, ``generation`` and ``marking`` ever
    change. ``marking``: whose promises that breaks is still to be put on record, if it breaks any.
    """

    __tablename__ = "adjustments"
    __table_args__ = (Index("adjustments_changed", "provider_id", "generation"), OPTIONS)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uuid: Mapped[str] = mapped_column(String(36), unique=True)
    provider_id: Mapped[int] = mapped_column(ForeignKey("providers.id"))
    zone: Mapped[str | None] = mapped_column(String(255))
    start: Mapped[int] = mapped_column(BigInteger)
    end: Mapped[int] = mapped_column(BigInteger)
    source_id: Mapped[int | None] = mapped_column(BigInteger)
    deleted: Mapped[bool] = mapped_column(default=False)
    marking: Mapped[bool] = mapped_column(default=False)
    generation: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(Instant)


class AdjustedAmount(Base):
    """How much an adjustment adds of a resource class; negative: takes away."""

    __tablename__ = "adjustment_amounts"

    adjustment_id: Mapped[int] = mapped_column(
        ForeignKey("adjustments.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    resource_class: Mapped[str] = mapped_column(String(255), primary_key=True)
    amount: Mapped[int] = mapped_column(BigInteger)


class AdjustmentProject(Base):
    """A project that may use a carve-out."""

    __tablename__ = "adjustment_projects"

    adjustment_id: Mapped[int] = mapped_column(
        ForeignKey("adjustments.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    project_id: Mapped[str] = mapped_column(String(255), primary_key=True)


class AffectedReservation(Base):
    """A reservation whose promise was broken when an adjustment was made, or taken back.

    ``adjustment_id`` outlives the adjustment. The row goes when what was short is there again.
    """

    __tablename__ = "affected_reservations"
    __table_args__ = (Index("affected_by_adjustment", "adjustment_id"), OPTIONS)

    reservation_id: Mapped[int] = mapped_column(
        ForeignKey("reservations.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    adjustment_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    provider_id: Mapped[int] = mapped_column(BigInteger)
