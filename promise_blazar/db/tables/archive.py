# SPDX-License-Identifier: Apache-2.0
"""Archive of what ended long ago."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from promise_blazar.db.tables.base import OPTIONS, Base
from promise_blazar.db.types import Instant, LongText


class ArchivedLease(Base):
    """A lease that ended long ago, as it was last shown: ``document``, a JSON object."""

    __tablename__ = "archived_leases"
    __table_args__ = (Index("archived_by_age", "archived_at"), OPTIONS)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    project_id: Mapped[str] = mapped_column(String(255))
    archived_at: Mapped[datetime] = mapped_column(Instant)
    document: Mapped[str] = mapped_column(LongText)
