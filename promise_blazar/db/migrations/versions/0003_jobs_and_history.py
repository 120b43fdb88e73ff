# SPDX-License-Identifier: Apache-2.0
"""Jobs, stamps of generations, archives, settled requests, and how far leases are prepared."""

import secrets

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_LONG_TEXT = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
_OPTIONS = {
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mysql_engine": "InnoDB",
    "sqlite_autoincrement": True,
}

_NEW_TABLES = {
    "generations": (
        sa.Column("provider_id", _BIG_ID, autoincrement=False, nullable=False),
        sa.Column("generation", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stamp", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"]),
        sa.PrimaryKeyConstraint("provider_id", "generation"),
    ),
    "jobs": (
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=66), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("provider_id", _BIG_ID, nullable=False),
        sa.Column("look_at", sa.BigInteger(), nullable=True),
        sa.Column("owner", sa.String(length=36), nullable=True),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("provider_id", "kind", "subject"),
    ),
    "settled_requests": (
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    ),
    "former_reservations": (
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("provider_id", _BIG_ID, nullable=False),
        sa.Column("resource_type", sa.String(length=66), nullable=False),
        sa.Column("document", _LONG_TEXT, nullable=False),
        sa.Column("released_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["providers.id"]),
        sa.PrimaryKeyConstraint("uuid"),
    ),
    "archived_leases": (
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=255), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=False),
        sa.Column("document", _LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    ),
}

# Those that the release before writes, which knows nothing of these, need none of them.
_NEW_COLUMNS = (
    ("leases", sa.Column("operator_reason", sa.Text(), nullable=True)),
    (
        "leases",
        sa.Column("preparation", sa.String(length=16), nullable=False, server_default="done"),
    ),
    ("leases", sa.Column("client_events", sa.Text(), nullable=True)),
    ("reservations", sa.Column("closed_at", sa.BigInteger(), nullable=True)),
    ("reservations", sa.Column("hidden_properties", sa.Text(), nullable=True)),
    ("host_reservations", sa.Column("members", sa.Text(), nullable=True)),
    ("hosts", sa.Column("up", sa.Boolean(), nullable=False, server_default=sa.true())),
    ("managers", sa.Column("longest_call", sa.Double(), nullable=True)),
)

_NEW_INDEXES = (
    ("jobs", "jobs_due", ["look_at"]),
    ("archived_leases", "archived_by_age", ["archived_at"]),
    ("leases", "leases_of_provider", ["provider_id", "created_at"]),
    ("generations", "generations_by_age", ["provider_id", "at"]),
    ("idempotency_keys", "idempotency_by_age", ["created_at"]),
    ("leases", "leases_next", ["owner", "look_at"]),
    ("leases", "leases_over", ["status", "end"]),
    ("bookings", "bookings_held", ["host_id", "released", "end", "start"]),
    ("leases", "leases_to_prepare", ["preparation", "failures", "start"]),
    ("settled_requests", "settled_by_age", ["settled_at"]),
    ("former_reservations", "former_by_age", ["released_at"]),
)


_LEASES = sa.table(
    "leases", sa.column("reason", sa.Text()), sa.column("operator_reason", sa.Text())
)
#: What tenants are told of reasons that are on record in words for operators only.
_UNTOLD = "OpenStack has trouble with the lease; its operator knows more"


def upgrade() -> None:
    # MariaDB commits each change by itself: what an attempt that was cut off has made is there.
    there = sa.inspect(op.get_bind())
    for table, columns in _NEW_TABLES.items():
        if not there.has_table(table):
            op.create_table(table, *columns, **_OPTIONS)
    for table, column in _NEW_COLUMNS:
        if column.name not in {each["name"] for each in there.get_columns(table)}:
            op.add_column(table, column)
    there = sa.inspect(op.get_bind())
    for table, name, columns in _NEW_INDEXES:
        if name not in {each["name"] for each in there.get_indexes(table)}:
            op.create_index(name, table, columns, unique=False)
    # MariaDB drops what it made for a foreign key once another index serves it, but not where a
    # restored dump has made it.
    if "provider_id" in {each["name"] for each in sa.inspect(op.get_bind()).get_indexes("leases")}:
        op.drop_index("provider_id", "leases")
    _stamp_what_was_purged()
    # In one statement, so that being cut off before or after it is the same. In this order:
    # MariaDB takes a column that was set before as it is then.
    op.execute(
        _LEASES.update()
        .where(_LEASES.c.reason.is_not(None), _LEASES.c.operator_reason.is_(None))
        .ordered_values((_LEASES.c.operator_reason, _LEASES.c.reason), (_LEASES.c.reason, _UNTOLD))
    )


def _stamp_what_was_purged() -> None:
    """From here on tombstones are purged by the ages of generations: where that begins."""
    generations = sa.table(
        "generations",
        *(sa.column(name) for name in ("provider_id", "generation", "stamp", "at")),
    )
    providers = sa.table("providers", sa.column("id"), sa.column("purged_generation"))
    stamped = sa.exists().where(generations.c.provider_id == providers.c.id)
    found = op.get_bind().execute(
        sa.select(providers.c.id, providers.c.purged_generation).where(~stamped)
    )
    for number, purged in found.all():
        row = {"provider_id": number, "generation": purged, "stamp": secrets.randbits(62), "at": 0}
        op.get_bind().execute(sa.insert(generations).values(row))
