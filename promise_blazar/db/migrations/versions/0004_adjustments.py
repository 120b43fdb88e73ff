# SPDX-License-Identifier: Apache-2.0
"""Adjustments of the capacity on offer, and whose promises were broken by them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OPTIONS = {
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mysql_engine": "InnoDB",
    "sqlite_autoincrement": True,
}

_NEW_TABLES = {
    "adjustments": (
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("provider_id", _BIG_ID, nullable=False),
        sa.Column("zone", sa.String(length=255), nullable=True),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("marking", sa.Boolean(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("uuid"),
    ),
    "adjustment_amounts": (
        sa.Column("adjustment_id", _BIG_ID, autoincrement=False, nullable=False),
        sa.Column("resource_class", sa.String(length=255), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["adjustment_id"], ["adjustments.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("adjustment_id", "resource_class"),
    ),
    "adjustment_projects": (
        sa.Column("adjustment_id", _BIG_ID, autoincrement=False, nullable=False),
        sa.Column("project_id", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(["adjustment_id"], ["adjustments.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("adjustment_id", "project_id"),
    ),
    "affected_reservations": (
        sa.Column("reservation_id", _BIG_ID, autoincrement=False, nullable=False),
        sa.Column("adjustment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["reservation_id"], ["reservations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("reservation_id", "adjustment_id"),
    ),
}

_NEW_INDEXES = (
    ("adjustments", "adjustments_changed", ["provider_id", "generation"]),
    ("affected_reservations", "affected_by_adjustment", ["adjustment_id"]),
)


def upgrade() -> None:
    # MariaDB commits each change by itself: what an attempt that was cut off has made is there.
    there = sa.inspect(op.get_bind())
    for table, columns in _NEW_TABLES.items():
        if not there.has_table(table):
            op.create_table(table, *columns, **_OPTIONS)
    there = sa.inspect(op.get_bind())
    for table, name, columns in _NEW_INDEXES:
        if name not in {each["name"] for each in there.get_indexes(table)}:
            op.create_index(name, table, columns, unique=False)
