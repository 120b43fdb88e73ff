# SPDX-License-Identifier: Apache-2.0
"""Purposes of leases, in words that their owners choose."""

import sqlalchemy as sa
from alembic import op

from promise_blazar.db import migrate

revision = "9999"
# The newest when this one is written, as a literal. An example is always the newest.
down_revision = migrate.latest()


def upgrade() -> None:
    # NULL: the release before does not know the column, and writes leases without it.
    op.add_column("leases", sa.Column("purpose", sa.String(length=255), nullable=True))
