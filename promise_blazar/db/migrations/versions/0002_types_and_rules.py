# SPDX-License-Identifier: Apache-2.0
"""Specifications of types from elsewhere; what managers of mixed releases tell each other."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_LONG_TEXT = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
_OPTIONS = {
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mysql_engine": "InnoDB",
    "sqlite_autoincrement": True,
}


def upgrade() -> None:
    # MariaDB commits each change by itself: what an attempt that was cut off has made is there.
    there = sa.inspect(op.get_bind())
    if not there.has_table("reservation_specs"):
        op.create_table(
            "reservation_specs",
            sa.Column("reservation_id", _BIG_ID, autoincrement=False, nullable=False),
            sa.Column("spec", _LONG_TEXT, nullable=False),
            sa.Column("state", _LONG_TEXT, nullable=False),
            sa.ForeignKeyConstraint(["reservation_id"], ["reservations.id"], ondelete="CASCADE"),
            sa.PrimaryKeyConstraint("reservation_id"),
            **_OPTIONS,
        )
    # The release before does not know these: a new provider's, or manager's, row of it has none.
    for table, column in (
        ("providers", sa.Column("rules", sa.Integer(), nullable=False, server_default="0")),
        ("managers", sa.Column("rules", sa.Integer(), nullable=True)),
        ("managers", sa.Column("rpc_version", sa.String(length=16), nullable=True)),
        ("managers", sa.Column("resource_types", sa.Text(), nullable=True)),
    ):
        if column.name not in {each["name"] for each in there.get_columns(table)}:
            op.add_column(table, column)
