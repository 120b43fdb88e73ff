# SPDX-License-Identifier: Apache-2.0
"""A manager for an API process with a database of its own: what it only wants to know it reads.

A question over the bus wakes the broker, a manager and two of its threads before the same
statements are sent to the same database. So they are sent at once; and what there is can be
seen while the broker, or every manager, is away. What changes anything is a manager's.
"""

import functools
import logging
import threading
from collections.abc import Mapping
from typing import Any, cast

from promise_blazar import exceptions
from promise_blazar.clock import Clock
from promise_blazar.db import migrate, providers
from promise_blazar.db.engine import Database
from promise_blazar.manager.interface import Manager, Reader
from promise_blazar.manager.messages import ManagerHealth
from promise_blazar.manager.reading import Reading
from promise_blazar.plugins.base import ResourceType

LOG = logging.getLogger(__name__)

_READS = tuple(name for name in vars(Reader) if not name.startswith("_"))
_CHANGES = tuple(name for name in vars(Manager) if not name.startswith("_") and name != "health")


def nearby(
    manager: Manager, database: Database, kinds: Mapping[str, ResourceType], clock: Clock
) -> Manager:
    """``manager``, whose ``interface.Reader`` part is answered from the database itself.

    An account that may do nothing but SELECT is enough. While the tables are not those of this
    release, which is so in the midst of an upgrade, ``manager`` is asked.
    """
    return cast(Manager, _Nearby(manager, database, kinds, clock))


class _Nearby:
    def __init__(
        self,
        manager: Manager,
        database: Database,
        kinds: Mapping[str, ResourceType],
        clock: Clock,
    ) -> None:
        self._manager = manager
        self._database = database
        self._kinds = kinds
        self._clock = clock
        self._lock = threading.Lock()
        self._reading: Reading | None = None
        self._warned = False
        for name in _CHANGES:
            setattr(self, name, getattr(manager, name))
        for name in _READS:
            setattr(self, name, functools.partial(self._read, name))

    def health(self) -> ManagerHealth:
        found = self._manager.health()
        try:
            self._database.ping()
        except exceptions.Unavailable:
            return ManagerHealth(
                found.manager_id, (*found.problems, "The API does not reach its database")
            )
        return found

    def _read(self, call: str, *positional: Any, **named: Any) -> Any:
        reader = self._reading or self._begin()
        return getattr(reader, call)(*positional, **named)

    def _begin(self) -> Reader:
        """Who answers, while the tables have not been looked at. Raises ``Unavailable``."""
        with self._lock:
            if self._reading is not None:
                return self._reading
            at, needed = migrate.version(self._database), migrate.latest()
            if at != needed:
                if not self._warned:
                    LOG.warning(
                        "The tables are at %s, this release reads %s: managers are asked for "
                        "everything until promise-blazar-manage db sync has run",
                        at,
                        needed,
                    )
                self._warned = True
                return self._manager
            with self._database.reader() as connection:
                provider_id = providers.find(connection, providers.DEFAULT)
            if provider_id is None:
                raise exceptions.Unavailable(what="database", retry_after=2)  # being made just now
            self._reading = Reading(self._database, provider_id, self._kinds, self._clock)
            return self._reading
