# SPDX-License-Identifier: Apache-2.0
"""Migration of a database to the schema of this release."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, inspect

from promise_blazar.db import providers, tables
from promise_blazar.db.session import Database


class Foreign(ValueError):
    """A database that holds somebody else's tables; the message says what to do."""


def sync(database: Database, revision: str = "head") -> None:
    """Run what is missing; safe to repeat. Only ever adds (expand-only migrations)."""
    with database.writer() as connection:
        command.upgrade(_config(connection), revision)
        if providers.find(connection, providers.DEFAULT) is None:
            connection.execute(
                insert(tables.Provider).values(
                    name=providers.DEFAULT, generation=0, purged_generation=0
                )
            )


def version(database: Database) -> str | None:
    """The revision the database is at; None before the first ``sync``."""
    with database.reader() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def latest() -> str | None:
    """The revision of this release."""
    return ScriptDirectory.from_config(_config(None)).get_current_head()


def is_later(database: Database) -> bool:
    """Whether a later release has been at it: its revision is none of this one's.

    Raises ``Foreign``.
    """
    at = version(database)
    scripts = ScriptDirectory.from_config(_config(None)).walk_revisions()
    if at is None or at in {each.revision for each in scripts}:
        return False
    with database.reader() as connection:
        if not inspect(connection).has_table(tables.Provider.__tablename__):
            raise Foreign(
                f"The database is another service's (its revision is {at}): let [database] "
                "connection name an empty one"
            )
    return True


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", "promise_blazar.db:migrations")
    config.attributes["connection"] = connection
    return config
