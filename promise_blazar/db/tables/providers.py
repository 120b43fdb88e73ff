# SPDX-License-Identifier: Apache-2.0
"""Providers: the row that every change of what is promised goes through."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from promise_blazar.db.tables.base import OPTIONS, Base
from promise_blazar.db.types import BigId, Instant


class Provider(Base):
    """An OpenStack cloud. Its generation counts the changes of what it has promised.

    ``purged_generation``: tombstones up to here are gone; who has seen less must load anew.
    ``rules``: those that a manager must know to decide what is promised here.
    """

    __tablename__ = "providers"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    generation: Mapped[int] = mapped_column(BigInteger, default=0)
    purged_generation: Mapped[int] = mapped_column(BigInteger, default=0)
    rules: Mapped[int] = mapped_column(default=0, server_default="0")


class Generation(Base):
    """A generation that was reached, and when; ``stamp``: random.

    A database that went back and on has the generation again, with another stamp.
    """

    __tablename__ = "generations"
    __table_args__ = (Index("generations_by_age", "provider_id", "at"), OPTIONS)

    provider_id: Mapped[int] = mapped_column(
        ForeignKey("providers.id"), primary_key=True, autoincrement=False
    )
    generation: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    stamp: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(Instant)
