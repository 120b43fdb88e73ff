# SPDX-License-Identifier: Apache-2.0
"""Jobs: durable work that is not a lease."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from promise_blazar.db.tables.base import OPTIONS, Base
from promise_blazar.db.types import Instant


class Job(Base):
    """A piece of work of a ``kind`` on a ``subject``, and who works on it.

    ``owner``, ``attempt``, ``look_at``, ``failures``, ``reason``: as of ``Lease``. A job whose
    work is over is deleted, or has its next ``look_at`` where it recurs.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        UniqueConstraint("provider_id", "kind", "subject"),
        Index("jobs_due", "look_at"),
        OPTIONS,
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(66))
    subject: Mapped[str] = mapped_column(String(255))
    provider_id: Mapped[int] = mapped_column(ForeignKey("providers.id"))
    look_at: Mapped[datetime | None] = mapped_column(Instant)
    owner: Mapped[str | None] = mapped_column(String(36))
    attempt: Mapped[int] = mapped_column(BigInteger, default=0)
    failures: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str | None] = mapped_column(Text)
