# SPDX-License-Identifier: Apache-2.0
"""Reservations that were released a short while ago, whose hosts are looked at again."""

import json
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from promise_blazar.db import tables
from promise_blazar.model.lease import FormerReservation


def add(connection: Connection, provider_id: int, former: FormerReservation) -> None:
    """Keep it, instead of what was kept of the same reservation before."""
    forget(connection, [former.uuid])
    document = {
        "project_id": former.project_id,
        "details": dict(former.details),
        "hosts": former.hosts,
        "servers": sorted(former.servers),
    }
    connection.execute(
        insert(tables.FormerReservation).values(
            uuid=former.uuid,
            provider_id=provider_id,
            resource_type=former.resource_type,
            document=json.dumps(document),
            released_at=former.released_at,
        )
    )


def listed(connection: Connection, provider_id: int) -> list[FormerReservation]:
    """All that are kept."""
    query = select(
        tables.FormerReservation.uuid,
        tables.FormerReservation.resource_type,
        tables.FormerReservation.document,
        tables.FormerReservation.released_at,
    ).where(tables.FormerReservation.provider_id == provider_id)
    return [_former(*row) for row in connection.execute(query)]


def forget(connection: Connection, uuids: Collection[str]) -> None:
    """Keep these no longer."""
    connection.execute(
        delete(tables.FormerReservation).where(tables.FormerReservation.uuid.in_(uuids))
    )


def _former(
    uuid: str, resource_type: str, document: str, released_at: datetime
) -> FormerReservation:
    found = json.loads(document)
    return FormerReservation(
        uuid,
        resource_type,
        found["project_id"],
        found["details"],
        tuple(map(tuple, found["hosts"])),
        frozenset(found["servers"]),
        released_at,
    )
