# SPDX-License-Identifier: Apache-2.0
"""Requests that were decided: what arrives again under the id of one makes nothing."""

from datetime import datetime

from oslo_db import exception as db_exception
from sqlalchemy import Connection, insert, select

from promise_blazar.db import tables

#: Raised by ``add`` for a request that was decided before.
Taken = db_exception.DBDuplicateEntry


def add(connection: Connection, request_id: str, now: datetime) -> None:
    """It is decided by this transaction."""
    connection.execute(insert(tables.SettledRequest).values(id=request_id, settled_at=now))


def there(connection: Connection, request_id: str) -> bool:
    """Whether it was decided."""
    table = tables.SettledRequest
    return connection.execute(select(table.id).where(table.id == request_id)).first() is not None
