# SPDX-License-Identifier: Apache-2.0
"""Requests that were decided: what arrives again under the id of one makes nothing."""

from datetime import datetime

from oslo_db import exception as db_exception
from sqlalchemy import Connection, insert

from promise_blazar.db import tables

#: Raised by ``add`` for a request that was decided before.
Taken = db_exception.DBDuplicateEntry


def add(connection: Connection, request_id: str, now: datetime) -> None:
    """It is decided by this transaction."""
    connection.execute(insert(tables.SettledRequest).values(id=request_id, settled_at=now))
