# SPDX-License-Identifier: Apache-2.0
"""Lend hosts, describe them, and take them back."""

import logging
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from promise_blazar import exceptions, times
from promise_blazar.clock import Clock
from promise_blazar.cloud.protocol import Cloud, Hypervisor
from promise_blazar.context import RequestContext
from promise_blazar.db import bookings, hosts, keys, leases
from promise_blazar.db.engine import Connection, Database
from promise_blazar.db.hosts import HostRecord
from promise_blazar.manager.books import Books
from promise_blazar.manager.idempotency import Answers
from promise_blazar.manager.messages import (
    AllocationView,
    HostAllocations,
    HostRequest,
    HostView,
    IdempotencyKey,
    PropertyView,
)
from promise_blazar.manager.views import host_view
from promise_blazar.plugins.base import Names, Plugin, find_aggregate, spec_of
from promise_blazar.plugins.virtual_instance import child_provider_of

LOG = logging.getLogger(__name__)

#: Before the number of a host, where ids of several kinds of things are kept together.
_KEY = "host-"

ADDING, READY, REMOVING = "adding", "ready", "removing"


class Hosts:
    def __init__(
        self,
        database: Database,
        books: Books,
        plugins: Mapping[str, Plugin],
        cloud: Cloud,
        clock: Clock,
        names: Names,
        answers: Answers,
    ) -> None:
        self._database = database
        self._books = books
        self._plugins = plugins
        self._cloud = cloud
        self._clock = clock
        self._names = names
        self._answers = answers

    # Lending and taking back

    def create(
        self, context: RequestContext, request: HostRequest, key: IdempotencyKey | None
    ) -> HostView:
        """See ``interface.Manager.create_host``.

        The host is on record before OpenStack is touched, and cannot be leased until OpenStack
        has it in the pool; whoever asks again after a crash carries on.
        """
        if key is not None:
            answer = self._answers.given(context, key, HostView, self._present)
            if answer is not None:
                return answer
        hypervisor = self._cloud.hypervisor(request.name)
        servers = self._cloud.servers_on_host(hypervisor.service_host)
        if servers:
            raise _cannot_add(hypervisor, f"it has servers: {', '.join(s.id for s in servers)}")

        def begin(connection: Connection, generation: int) -> int:
            number = self._begin(connection, generation, hypervisor, request.capabilities)
            if key is not None:
                keys.add(
                    connection,
                    context.project_id,
                    key.key,
                    key.fingerprint,
                    _key_object(number),
                    self._clock.now(),
                )
            return number

        try:
            host_id = self._books.change(begin)
        except keys.Taken:
            raise exceptions.RequestInFlight() from None
        try:
            self._cloud.ensure_child_provider(hypervisor.uuid, child_provider_of(hypervisor.name))
            freepool = self._cloud.ensure_aggregate(self._names.freepool, None, {})
            self._cloud.add_to_aggregate(freepool.id, hypervisor.service_host)
        except exceptions.CloudError:
            self._undo(host_id)
            self._answers.forget(_key_object(host_id))
            raise
        self._set_state(host_id, READY, reservable=hypervisor.up)
        LOG.info("Host %s (%s) can be leased", host_id, hypervisor.name)
        view = self.get(str(host_id))
        if key is not None:
            self._answers.keep(_key_object(host_id), view)
        return view

    def _present(self, key_object: str) -> HostView | None:
        with self._database.reader() as connection:
            host = hosts.get(
                connection, self._books.provider_id, int(key_object.removeprefix(_KEY))
            )
        return None if host is None or host.state == ADDING else host_view(host)

    def _begin(
        self,
        connection: Connection,
        generation: int,
        hypervisor: Hypervisor,
        capabilities: Mapping[str, str],
    ) -> int:
        now = self._clock.now()
        values = {
            "hypervisor_uuid": hypervisor.uuid,
            "service_host": hypervisor.service_host,
            "hypervisor_type": hypervisor.type,
            "hypervisor_version": hypervisor.version,
            "cpu_info": hypervisor.cpu_info,
            "zone": hypervisor.zone,
            "vcpus": hypervisor.vcpus,
            "memory_mb": hypervisor.memory_mb,
            "local_gb": hypervisor.disk_gb,
            "state": ADDING,
            "reservable": False,
            "generation": generation,
        }
        known = hosts.named(connection, self._books.provider_id, hypervisor.name)
        if known is None:
            host_id = hosts.add(
                connection,
                {
                    **values,
                    "provider_id": self._books.provider_id,
                    "hypervisor_hostname": hypervisor.name,
                    "tombstone": 0,
                    "created_at": now,
                },
            )
        elif known.state == ADDING:
            host_id = known.id
            hosts.set_host(connection, host_id, {**values, "updated_at": now})
        else:
            raise _cannot_add(hypervisor, f"it is registered already, as host {known.id}")
        inventory = {
            name: (item.total, item.reserved, item.allocation_ratio)
            for name, item in hypervisor.inventory.items()
        }
        hosts.set_inventory(connection, host_id, inventory)
        self._describe(connection, host_id, capabilities, now)
        return host_id

    def _undo(self, host_id: int) -> None:
        """OpenStack would not have it: the host is as before, or left to be removed."""
        self._set_state(host_id, REMOVING, reservable=False)
        try:
            self.delete(str(host_id))
        except exceptions.CloudError as error:
            LOG.error(
                "Host %s is half added; DELETE it when OpenStack is back: %s", host_id, error
            )

    def delete(self, host_id: str) -> None:
        """See ``interface.Manager.delete_host``. What a crash left half removed is removed."""
        host = self._host(host_id)
        if host.state == READY:
            servers = self._cloud.servers_on_host(host.service_host)
            if servers:
                raise _cannot_delete(host, f"it has servers: {', '.join(s.id for s in servers)}")
        self._books.change(
            lambda connection, generation: self._begin_removal(connection, generation, host)
        )
        freepool = find_aggregate(self._cloud, self._names.freepool)
        if freepool is not None:
            self._cloud.remove_from_aggregate(freepool.id, host.service_host)

        def write(connection: Connection, generation: int) -> None:
            values = {"tombstone": host.id, "generation": generation}
            hosts.set_host(connection, host.id, values)

        self._books.change(write)
        LOG.info("Host %s (%s) is not lent any more", host.id, host.hypervisor_hostname)

    def _begin_removal(self, connection: Connection, generation: int, host: HostRecord) -> None:
        # The generation has moved: whoever is deciding on this host now will decide again.
        if bookings.in_use(connection, host.id, times.to_micros(self._clock.now())):
            raise _cannot_delete(host, "it is reserved; delete or wait for its reservations")
        values = {"state": REMOVING, "reservable": False, "generation": generation}
        hosts.set_host(connection, host.id, values)

    def _set_state(self, host_id: int, state: str, reservable: bool) -> None:
        def write(connection: Connection, generation: int) -> None:
            values = {"state": state, "reservable": reservable, "generation": generation}
            hosts.set_host(connection, host_id, values)

        self._books.change(write)

    # Describing

    def update(self, host_id: str, capabilities: Mapping[str, str | None]) -> HostView:
        """See ``interface.Manager.update_host``."""
        host = self._host(host_id)
        changed = {
            name: value
            for name, value in capabilities.items()
            if host.capabilities.get(name) != value
        }

        def write(connection: Connection, generation: int) -> None:
            now = self._clock.now()
            needed = self._needed_by(connection, host, set(changed), times.to_micros(now))
            if needed:
                raise exceptions.Conflict(
                    f"Capabilities {', '.join(sorted(changed))} of host {host.id} are asked for "
                    f"by reservations {', '.join(needed)}",
                    reservations=needed,
                )
            self._describe(connection, host.id, changed, now)
            hosts.set_host(connection, host.id, {"generation": generation, "updated_at": now})

        if changed:
            self._books.change(write)
        return self.get(host_id)

    def _needed_by(
        self, connection: Connection, host: HostRecord, names: set[str], now: int
    ) -> list[str]:
        """The reservations on this host whose queries ask for one of these capabilities."""
        found = []
        allocations = bookings.allocations(
            connection, self._books.provider_id, host_id=host.id, ending_after=now
        )
        for lease_id in dict.fromkeys(item.lease_id for item in allocations):
            lease = leases.get(connection, lease_id)
            held = {item.reservation_uuid for item in allocations if item.lease_id == lease_id}
            for record in lease.reservations if lease is not None else ():
                plugin = self._plugins[record.resource_type]
                where = plugin.demand(spec_of(plugin, record.details)).where
                if record.uuid in held and any(query.keys & names for query in where):
                    found.append(record.uuid)
        return found

    def _describe(
        self,
        connection: Connection,
        host_id: int,
        capabilities: Mapping[str, str | None],
        now: datetime,
    ) -> None:
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

    # Looking

    def get(self, host_id: str) -> HostView:
        return host_view(self._host(host_id))

    def listed(self) -> tuple[HostView, ...]:
        with self._database.reader() as connection:
            return tuple(map(host_view, hosts.listed(connection, self._books.provider_id)))

    def allocations(
        self, host_id: str | None, lease_id: str | None, reservation_id: str | None
    ) -> tuple[HostAllocations, ...]:
        """See ``interface.Manager.list_allocations``."""
        only = None if host_id is None else self._host(host_id)
        unfiltered = lease_id is None and reservation_id is None
        with self._database.reader() as connection:
            provider = self._books.provider_id
            shown = [only] if only is not None else hosts.listed(connection, provider)
            found = bookings.allocations(
                connection,
                provider,
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
        with self._database.reader() as connection:
            values = hosts.property_values(connection, self._books.provider_id)
            return tuple(
                _property_view(item, values)
                for item in hosts.properties(connection)
                if include_private or not item.private
            )

    def set_property(self, name: str, private: bool) -> PropertyView:
        with self._database.writer() as connection:
            found = [item for item in hosts.properties(connection) if item.name == name]
            if not found:
                raise exceptions.NotFound(object={"resource_property": name})
            values = {"private": private, "updated_at": self._clock.now()}
            hosts.set_property(connection, found[0].id, values)
        return next(view for view in self.properties(True) if view.name == name)

    def _host(self, host_id: str) -> HostRecord:
        found = None
        if host_id.isdecimal() and len(host_id) < 19:
            with self._database.reader() as connection:
                found = hosts.get(connection, self._books.provider_id, int(host_id))
        if found is None:
            raise exceptions.NotFound(object={"host_id": host_id})
        return found


def _property_view(item: hosts.PropertyRecord, values: Mapping[str, list[str]]) -> PropertyView:
    return PropertyView(
        item.id,
        item.resource_type,
        item.name,
        item.private,
        tuple(values.get(item.id, ())),
        item.created_at,
        item.updated_at,
    )


def _key_object(host_id: int) -> str:
    return f"{_KEY}{host_id}"


def _cannot_add(hypervisor: Hypervisor, reason: str) -> exceptions.CannotAddHost:
    return exceptions.CannotAddHost(host=hypervisor.name, reason=reason)


def _cannot_delete(host: HostRecord, reason: str) -> exceptions.CannotDeleteHost:
    return exceptions.CannotDeleteHost(host=host.hypervisor_hostname, reason=reason)
