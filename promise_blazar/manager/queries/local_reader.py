# SPDX-License-Identifier: Apache-2.0
"""Local reader: a manager for API processes that have the database to read for themselves.

A question over the bus wakes the broker, a manager and two of its threads before the same
statements are sent to the same database. So they are sent at once; and what there is can be
seen while the broker, or every manager, is away. What changes anything is a manager's.
"""

import dataclasses
import functools
import logging
from collections.abc import Mapping
from typing import Any, cast

from promise_blazar import exceptions
from promise_blazar.clock import Clock
from promise_blazar.db import leases, migrate, providers
from promise_blazar.db.session import Database
from promise_blazar.manager.contract.interface import Asking, Manager, Reader
from promise_blazar.manager.contract.messages import ManagerHealth
from promise_blazar.manager.queries.reader import DatabaseReader, database_reader
from promise_blazar.plugins.contract import ResourceType

LOG = logging.getLogger(__name__)

_READS = tuple(name for name in vars(Reader) if not name.startswith("_"))
#: What a manager is asked for: to change anything, and whatever takes a ledger.
_MANAGERS = tuple(
    name
    for name in (*vars(Manager), *vars(Asking))
    if not name.startswith("_") and name != "health"
)
#: Seconds until a database that could not be read is tried again.
_LOOK_AGAIN = 30.0


def local_reader(
    manager: Manager, database: Database, kinds: Mapping[str, ResourceType], clock: Clock
) -> Manager:
    """``manager``, whose ``interface.Reader`` part is answered from the database itself.

    An account that may do nothing but SELECT is enough. Until the database was read once, which
    it cannot be in the midst of an upgrade or where a firewall is in the way, ``manager`` is
    asked.
    """
    return cast(Manager, _LocalReader(manager, database, kinds, clock))


class _LocalReader:
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
        self._reading: DatabaseReader | None = None
        self._look_at = clock.monotonic()
        for name in _MANAGERS:
            setattr(self, name, getattr(manager, name))
        for name in _READS:
            setattr(self, name, functools.partial(self._read, name))

    def health(self) -> ManagerHealth:
        found = self._manager.health()
        if self._reading is None:
            return found  # a manager answers everything
        try:
            self._database.ping()
        except exceptions.PromiseBlazarError:
            words = "The API does not reach its database"
            return dataclasses.replace(found, problems=(*found.problems, words))
        return found

    def _read(self, call: str, *positional: Any, **named: Any) -> Any:
        reader = self._reading or self._begin()
        return getattr(reader, call)(*positional, **named)

    def _begin(self) -> Reader:
        """Who answers, while the database was never read. Threads that come at once may all
        try."""
        if self._clock.monotonic() < self._look_at:
            return self._manager
        try:
            self._reading = self._own()
        except Exception as error:  # noqa: BLE001 - named in the log
            # Whatever is wrong, a manager has a database that works, or says why not.
            self._look_at = self._clock.monotonic() + _LOOK_AGAIN
            LOG.warning("%s; managers are asked instead of this process's own database", error)
            return self._manager
        return self._reading

    def _own(self) -> DatabaseReader:
        """Raises what keeps the database from being read."""
        at, needed = migrate.version(self._database), migrate.latest()
        if at != needed:
            raise RuntimeError(f"its tables are at {at}, and this release reads {needed}")
        with self._database.reader() as connection:
            provider_id = providers.find(connection, providers.DEFAULT)
            leases.get(connection, "")  # an account that may not read is found out here
        if provider_id is None:
            raise RuntimeError("its tables are being made just now")
        return database_reader(self._database, provider_id, self._kinds, self._clock)
