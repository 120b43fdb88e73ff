# SPDX-License-Identifier: Apache-2.0
"""Late servers: those of a reservation that come to what it had after its release.

A boot that Nova had let in before the door was closed may name its host, or even take its room,
when everything was looked at and found empty. So what was released is looked at for a while yet.
Only servers that were recorded for the reservation are deleted.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from promise_blazar import exceptions
from promise_blazar.clock import Clock
from promise_blazar.db import former
from promise_blazar.db.session import Database
from promise_blazar.manager.provider import ProviderRuntime
from promise_blazar.manager.workflow.work import former_context
from promise_blazar.model.lease import FormerReservation

LOG = logging.getLogger(__name__)

#: How long after its release a reservation is looked at; the look that comes next is the last.
LOOK_FOR = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class LateServers:
    """``servers``: reservations by the ids of their late servers; ``looked_at``: where they were
    looked for."""

    servers: Mapping[str, str]
    looked_at: tuple[FormerReservation, ...]


class LateServerWatch:
    def __init__(self, database: Database, clock: Clock, provider: ProviderRuntime) -> None:
        self._database = database
        self._clock = clock
        self._provider = provider

    def look(self) -> LateServers:
        """Nothing is changed. Raises ``CloudError``, ``Unavailable``."""
        with self._database.reader() as connection:
            kept = tuple(former.listed(connection, self._provider.id))
        found = {}
        for each in kept:
            plugin = self._provider.plugins.get(each.resource_type)
            late = () if plugin is None else plugin.late_servers(former_context(plugin, each))
            found.update(dict.fromkeys(late, each.uuid))
        return LateServers(found, kept)

    def remove(self, late: LateServers) -> None:
        """Delete what was found, and let go of what was looked at for long enough."""
        for server, reservation in late.servers.items():
            LOG.warning("Server %s came to reservation %s after its end", server, reservation)
            try:
                self._provider.cloud.servers.delete(server)
            except exceptions.CloudError as error:
                LOG.warning("Late server %s: %s; again later", server, error)
        until = self._clock.now() - LOOK_FOR
        over = [
            each.uuid
            for each in late.looked_at
            if each.released_at <= until and each.uuid not in late.servers.values()
        ]
        if over:
            with self._database.writer() as connection:
                former.forget(connection, over)
