# SPDX-License-Identifier: Apache-2.0
"""Nova as the service calls it: each step of a method is one call, by its name.

What a call does is in the modules beside this one; which method makes which calls is in one table
(``promise_blazar.cloud.simulated.cloud``).
"""

import sqlite3
from collections.abc import Collection, Mapping, Sequence

from promise_blazar.cloud.contract.compute import Aggregate, Flavor, Hypervisor, Server
from promise_blazar.cloud.contract.tenants import Caller, FlavorContent
from promise_blazar.cloud.simulated.calls import Calls
from promise_blazar.cloud.simulated.compute import (
    aggregates,
    flavors,
    hypervisors,
    server_groups,
    servers,
)
from promise_blazar.cloud.simulated.refusals import missing
from promise_blazar.cloud.simulated.world import World
from promise_blazar.model.flavors import amounts as of_flavor


class Hypervisors:
    """``contract.compute.Hypervisors``."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def get(self, name: str) -> Hypervisor:
        found = self._calls.read("nova.hypervisor.show", lambda db: hypervisors.every(db, name))
        if not found:
            raise missing("hypervisor", name)
        return found[0]

    def list(self, uuids: Collection[str] | None = None) -> Sequence[Hypervisor]:
        found = self._calls.read("nova.hypervisor.list", hypervisors.every)
        return [each for each in found if uuids is None or each.uuid in uuids]

    def in_service(self) -> frozenset[str]:
        return self._calls.read("nova.service.list", hypervisors.in_service)


class Aggregates:
    """``contract.compute.Aggregates``."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def list(self) -> Sequence[Aggregate]:
        return self._calls.read("nova.aggregate.list", aggregates.every)

    def get(self, aggregate_id: int) -> Aggregate:
        return self._calls.read("nova.aggregate.show", lambda db: aggregates.one(db, aggregate_id))

    def ensure(
        self,
        name: str,
        zone: str | None,
        metadata: Mapping[str, str],
        number: int | None = None,
    ) -> Aggregate:
        wanted = {**metadata, aggregates.ZONE_KEY: zone} if zone else dict(metadata)
        found = None
        if number is not None:
            found = self._calls.read("nova.aggregate.show", lambda db: aggregates.named(db, name))
        if found is None:
            found = self._calls.read("nova.aggregate.list", lambda db: aggregates.named(db, name))
        if found is None:
            # Of two that make it at once, the later is given the earlier's.
            found = self._calls.write(
                "nova.aggregate.create", lambda db: aggregates.ensure(db, name, wanted)
            )
        changes = {
            key: value for key, value in metadata.items() if found.metadata.get(key) != value
        }
        if zone and found.zone != zone:
            changes[aggregates.ZONE_KEY] = zone
        if not changes:
            return found
        self.set_metadata(found.id, changes)
        return self.get(found.id)

    def set_metadata(self, aggregate_id: int, metadata: Mapping[str, str | None]) -> None:
        self._calls.write(
            "nova.aggregate.set_metadata",
            lambda db: aggregates.set_metadata(db, aggregate_id, metadata),
        )

    def add_host(self, aggregate_id: int, service_host: str) -> None:
        self._calls.write(
            "nova.aggregate.add_host",
            lambda db: aggregates.add_host(db, aggregate_id, service_host),
        )

    def remove_host(self, aggregate_id: int, service_host: str) -> None:
        self._calls.write(
            "nova.aggregate.remove_host",
            lambda db: aggregates.remove_host(db, aggregate_id, service_host),
        )

    def delete(self, aggregate_id: int) -> None:
        hosts = self._calls.read(
            "nova.aggregate.show", lambda db: aggregates.members(db, aggregate_id)
        )
        for host in hosts:
            self.remove_host(aggregate_id, host)
        self._calls.write("nova.aggregate.delete", lambda db: aggregates.delete(db, aggregate_id))


class Flavors:
    """``contract.compute.Flavors``, and ``contract.tenants.TenantFlavors``."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def ensure(self, flavor: Flavor) -> None:
        self._calls.write("nova.flavor.create", lambda db: flavors.ensure(db, flavor))

    def delete(self, flavor_id: str) -> None:
        self._calls.write("nova.flavor.delete", lambda db: flavors.delete(db, flavor_id))

    def with_prefix(self, prefix: str) -> Sequence[str]:
        return self._calls.read("nova.flavor.list", lambda db: flavors.with_prefix(db, prefix))

    def grant(self, flavor_id: str, project_id: str) -> None:
        self._calls.write("nova.flavor.grant", lambda db: flavors.grant(db, flavor_id, project_id))

    def revoke(self, flavor_id: str, project_id: str) -> None:
        self._calls.write(
            "nova.flavor.revoke", lambda db: flavors.revoke(db, flavor_id, project_id)
        )

    def granted(self, flavor_id: str) -> Sequence[str]:
        return self._calls.read("nova.flavor.access", lambda db: flavors.granted(db, flavor_id))

    def find(self, caller: Caller, flavor: str) -> FlavorContent:
        def of(db: sqlite3.Connection) -> FlavorContent:
            found = flavors.find(db, caller.project_id, flavor, caller.is_admin)
            if found is None:
                raise missing("flavor", flavor)
            amounts = of_flavor(
                found.flavor.vcpus,
                found.flavor.memory_mb,
                found.flavor.disk_gb,
                0,
                found.flavor.extra_specs,
            )
            return FlavorContent(found.flavor.id, found.flavor.name, amounts)

        return self._calls.read("nova.flavor.show", of)


class Servers:
    """``contract.compute.Servers``."""

    def __init__(self, calls: Calls, world: World) -> None:
        self._calls = calls
        self._world = world

    def find(self, server_id: str) -> Server | None:
        found = self._calls.read("nova.server.show", lambda db: servers.one(db, server_id))
        return found.server if found else None

    def on_host(self, service_host: str) -> Sequence[Server]:
        found = self._calls.read("nova.server.list", lambda db: servers.on_host(db, service_host))
        return [stored.server for stored in found]

    def of_flavor(self, flavor_id: str) -> Sequence[Server]:
        found = self._calls.read("nova.server.list", lambda db: servers.of_flavor(db, flavor_id))
        return [stored.server for stored in found]

    def building(self, project_id: str) -> Sequence[Server]:
        found = self._calls.read("nova.server.list", lambda db: servers.building(db, project_id))
        return [stored.server for stored in found]

    def moving(self, consumers: Collection[str]) -> Sequence[Server]:
        """None: no server of this cloud moves."""
        return self._calls.read("nova.migration.list", lambda db: ())

    def delete(self, server_id: str) -> None:
        self._calls.write(
            "nova.server.delete",
            lambda db: servers.delete(db, server_id, self._world.in_seconds),
        )

    def snapshot(self, server_id: str, image_name: str, occasion: str) -> None:
        self._calls.write(
            "nova.server.snapshot",
            lambda db: servers.snapshot(db, server_id, image_name, occasion),
        )


class ServerGroups:
    """``contract.compute.ServerGroups``, and the tenants' (``contract.server_groups``)."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def ensure(self, caller: Caller, name: str, policy: str) -> str:
        return self._calls.write(
            "nova.server_group.create",
            lambda db: server_groups.ensure(db, caller.project_id, name, policy),
        )

    def make(self, caller: Caller, name: str, policy: str) -> str:
        return self._calls.write(
            "nova.server_group.create",
            lambda db: server_groups.make(db, caller.project_id, name, policy),
        )

    def remove(self, caller: Caller, group_id: str) -> None:
        self.delete(group_id)

    def delete(self, group_id: str) -> None:
        self._calls.write(
            "nova.server_group.delete", lambda db: server_groups.delete(db, group_id)
        )

    def with_prefix(self, prefix: str) -> Mapping[str, str]:
        return self._calls.read(
            "nova.server_group.list", lambda db: server_groups.with_prefix(db, prefix)
        )

    def named(self, name: str) -> Sequence[str]:
        return self._calls.read("nova.server_group.list", lambda db: server_groups.named(db, name))
