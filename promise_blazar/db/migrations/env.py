# SPDX-License-Identifier: Apache-2.0
"""Alembic's entry: runs migrations in the transaction that ``migrate.sync`` has begun."""

from alembic import context

from promise_blazar.db.tables import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata
)
context.run_migrations()
