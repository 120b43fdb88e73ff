# SPDX-License-Identifier: Apache-2.0
"""The ledger: bookings, and the bundles of amounts that they are units of."""

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from promise_blazar.db.tables.base import OPTIONS, Base
from promise_blazar.db.types import BigId


class Bundle(Base):
    """The amounts of one booked unit, named by their canonical text and never changed.

    ``DISK_GB=20,MEMORY_MB=4096,VCPU=2``: classes in alphabetical order.
    """

    __tablename__ = "bundles"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    text: Mapped[str] = mapped_column(String(700), unique=True)


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
        Index("bookings_held", "host_id", "released", "end", "start"),
        OPTIONS,
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
