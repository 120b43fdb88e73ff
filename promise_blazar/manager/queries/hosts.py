# SPDX-License-Identifier: Apache-2.0
"""Lent hosts as they are shown: capabilities, properties, and who holds them when."""

from collections.abc import Mapping

from promise_blazar import exceptions, times
from promise_blazar.clock import Clock
from promise_blazar.db import bookings, hosts
from promise_blazar.db.session import ReadHandle
from promise_blazar.manager.contract.messages import (
    AllocationView,
    HostAllocations,
    HostView,
    PropertyView,
)
from promise_blazar.manager.queries.views import host_view
from promise_blazar.model.host import Host, ResourceProperty


class HostQueries:
    """Reads only; see ``interface.Reader`` for what each answers."""

    def __init__(self, database: ReadHandle, provider_id: int, clock: Clock) -> None:
        self._database = database
        self._provider_id = provider_id
        self._clock = clock

    def host(self, host_id: str) -> Host:
        """Raises ``NotFound``."""
        found = None
        if host_id.isdecimal() and len(host_id) < 19:
            with self._database.reader() as connection:
                found = hosts.get(connection, self._provider_id, int(host_id))
        if found is None:
            raise exceptions.NotFound(object={"host_id": host_id})
        return found

    def get(self, host_id: str) -> HostView:
        return host_view(self.host(host_id))

    def listed(self) -> tuple[HostView, ...]:
        with self._database.reader() as connection:
            return tuple(map(host_view, hosts.listed(connection, self._provider_id)))

    def allocations(
        self, host_id: str | None, lease_id: str | None, reservation_id: str | None
    ) -> tuple[HostAllocations, ...]:
        only = None if host_id is None else self.host(host_id)
        unfiltered = lease_id is None and reservation_id is None
        with self._database.reader() as connection:
            shown = [only] if only is not None else hosts.listed(connection, self._provider_id)
            found = bookings.allocations(
                connection,
                self._provider_id,
                host_id=None if only is None else only.id,
                lease_id=lease_id,
                reservation_uuid=reservation_id,
                ending_after=times.to_micros(self._clock.now()) if unfiltered else None,
            )
        by_host: dict[int, list[AllocationView]] = {host.id: [] for host in shown}
        for item in found:
            if item.host_id in by_host:
                view = AllocationView(item.reservation_uuid, item.lease_id, item.start, item.end)
                by_host[item.host_id].append(view)
        return tuple(HostAllocations(str(host), tuple(views)) for host, views in by_host.items())

    def properties(self, include_private: bool) -> tuple[PropertyView, ...]:
        """Those that some host has a value of; of a name without any, the privacy is kept."""
        return tuple(
            view
            for view in self._properties()
            if view.values and (include_private or not view.private)
        )

    def property_named(self, name: str) -> PropertyView:
        """Raises ``NotFound``."""
        for view in self._properties():
            if view.name == name:
                return view
        raise exceptions.NotFound(object={"resource_property": name})

    def _properties(self) -> tuple[PropertyView, ...]:
        with self._database.reader() as connection:
            values = hosts.property_values(connection, self._provider_id)
            return tuple(_property_view(item, values) for item in hosts.properties(connection))


def _property_view(item: ResourceProperty, values: Mapping[str, list[str]]) -> PropertyView:
    return PropertyView(
        item.id,
        item.resource_type,
        item.name,
        item.private,
        tuple(values.get(item.id, ())),
        item.created_at,
        item.updated_at,
    )
