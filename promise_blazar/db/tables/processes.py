# SPDX-License-Identifier: Apache-2.0
"""Managers that run, keys of requests that were answered, and requests that were decided."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from promise_blazar.db.tables.base import OPTIONS, Base
from promise_blazar.db.types import Instant, LongText


class IdempotencyKey(Base):
    """What a create with this key made; gone with what it made."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        Index("idempotency_of_object", "object_id"),
        Index("idempotency_by_age", "created_at"),
        OPTIONS,
    )

    project_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    object_id: Mapped[str] = mapped_column(String(36))
    answer: Mapped[str | None] = mapped_column(LongText)
    created_at: Mapped[datetime] = mapped_column(Instant)


class SettledRequest(Base):
    """A create that was decided, under the id that its lease has, or would have had; or another
    request, under the id of its message.

    A broker may deliver a message twice: the second time makes nothing, also when the first was
    refused.
    """

    __tablename__ = "settled_requests"
    __table_args__ = (Index("settled_by_age", "settled_at"), OPTIONS)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    settled_at: Mapped[datetime] = mapped_column(Instant)


class ManagerProcess(Base):
    """A running manager; it is alive as long as ``beat`` moves.

    ``rules``: the newest that it knows; ``rpc_version``: of the calls that it answers;
    ``resource_types``: those that it knows, as a JSON list; ``longest_call``: seconds that a call
    of it to OpenStack may take. None: of a release before these.
    """

    __tablename__ = "managers"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    beat: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[datetime] = mapped_column(Instant)
    rules: Mapped[int | None]
    rpc_version: Mapped[str | None] = mapped_column(String(16))
    resource_types: Mapped[str | None] = mapped_column(Text)
    longest_call: Mapped[float | None]
