# SPDX-License-Identifier: Apache-2.0
"""Capabilities of lent hosts: what operators say, as far as nobody was promised otherwise."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from promise_blazar import exceptions, times
from promise_blazar.capacity.resource_query import Query
from promise_blazar.clock import Clock
from promise_blazar.db import bookings, hosts, leases
from promise_blazar.db.session import Connection, Database
from promise_blazar.manager.contract.messages import HostView, PropertyView
from promise_blazar.manager.provider import ProviderRuntime
from promise_blazar.manager.queries.hosts import HostQueries
from promise_blazar.model.host import Host
from promise_blazar.plugins.contract import demand_of


class HostCapabilities:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        provider: ProviderRuntime,
        host_queries: HostQueries,
    ) -> None:
        self._database = database
        self._clock = clock
        self._provider = provider
        self._host_queries = host_queries

    def update(self, host_id: str, capabilities: Mapping[str, str | None]) -> HostView:
        """See ``interface.Manager.update_host``."""
        host = self._host_queries.host(host_id)
        changed = {
            name: value
            for name, value in capabilities.items()
            if host.capabilities.get(name) != value
        }

        def write(connection: Connection, generation: int) -> None:
            now = self._clock.now()
            needed = self._needed_by(connection, host, changed, times.to_micros(now))
            if needed:
                names = sorted(frozenset().union(*needed.values()))
                raise exceptions.Conflict(
                    f"Host {host.id} is promised to reservations {', '.join(needed)}, which "
                    f"would not accept it with another {', '.join(names)}",
                    reservations=list(needed),
                )
            describe(connection, host.id, changed, now)
            hosts.set_host(connection, host.id, {"generation": generation, "updated_at": now})

        if changed:
            self._provider.ledger.change(write)
        return self._host_queries.get(host_id)

    def _needed_by(
        self,
        connection: Connection,
        host: Host,
        changed: Mapping[str, str | None],
        now: int,
    ) -> dict[str, frozenset[str]]:
        """The reservations on this host that the change would break, and by which names."""
        found: dict[str, frozenset[str]] = {}
        allocations = bookings.allocations(
            connection, self._provider.id, host_id=host.id, ending_after=now
        )
        held = {item.reservation_uuid for item in allocations}
        leased = list(dict.fromkeys(item.lease_id for item in allocations))
        for lease in leases.these(connection, leased):
            for record in lease.reservations:
                plugin = self._provider.plugins.get(record.resource_type)
                if record.uuid not in held or plugin is None:
                    continue
                where = demand_of(plugin, record).where
                broken = frozenset().union(*(_breaks(query, host, changed) for query in where))
                if broken:
                    found[record.uuid] = broken
        return found

    def set_property(self, name: str, private: bool) -> PropertyView:
        def write(connection: Connection) -> None:
            found = [item for item in hosts.properties(connection) if item.name == name]
            if not found:
                raise exceptions.NotFound(object={"resource_property": name})
            values = {"private": private, "updated_at": self._clock.now()}
            hosts.set_property(connection, found[0].id, values)

        self._database.transact(write)
        return self._host_queries.property_named(name)


def _breaks(query: Query, host: Host, changed: Mapping[str, str | None]) -> frozenset[str]:
    """The changes that make a query refuse the host: each that does so alone, else all it sees."""

    def accepts(*names: str) -> bool:
        made = {name: changed[name] for name in names}
        capabilities = {k: v for k, v in {**host.capabilities, **made}.items() if v is not None}
        return query.matches(replace(host, capabilities=capabilities).properties)

    seen = query.keys & changed.keys()
    if not seen or accepts(*changed) or not accepts():
        return frozenset()
    return frozenset(name for name in seen if not accepts(name)) or seen


def describe(
    connection: Connection,
    host_id: int,
    capabilities: Mapping[str, str | None],
    now: datetime,
) -> None:
    """Set these capabilities of a host; None removes one. New names become known."""
    known = {item.name: item.id for item in hosts.properties(connection)}
    for name, value in capabilities.items():
        if name not in known and value is not None:
            known[name] = str(uuid.uuid4())
            new: dict[str, Any] = {
                "id": known[name],
                "resource_type": hosts.RESOURCE_TYPE,
                "name": name,
                "private": False,
                "created_at": now,
            }
            hosts.add_property(connection, new)
        if name in known:
            hosts.set_capability(connection, host_id, known[name], value)
