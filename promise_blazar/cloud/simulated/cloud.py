# SPDX-License-Identifier: Apache-2.0
"""How does the service see the simulated cloud? By ``promise_blazar.cloud.contract.cloud``.

Every call announces itself, then waits for the injected latency, then meets its injected fault,
if there are any, and then is one transaction. The names, for fences and for faults:

====================================  =========================================================
``nova.hypervisor.show`` ``.list``    hypervisor, hypervisors
``nova.aggregate.list`` ``.show``     aggregates, aggregate; ensure_aggregate looks first
``nova.aggregate.create``             ensure_aggregate, where there was none
``nova.aggregate.set_metadata``       set_aggregate_metadata; ensure_aggregate, where it differs
``nova.aggregate.add_host``           add_to_aggregate
``nova.aggregate.remove_host``        remove_from_aggregate; delete_aggregate, for each member
``nova.aggregate.delete``             delete_aggregate
``nova.flavor.create`` ``.delete``    ensure_flavor, delete_flavor
``nova.flavor.list``                  flavors_named
``nova.flavor.grant`` ``.revoke``     grant_flavor, revoke_flavor
``nova.server.show`` ``.list``        server; servers_on_host, servers_of_flavor
``nova.server.delete`` ``.snapshot``  delete_server, snapshot_server
``nova.server_group.create``          ensure_group
``nova.server_group.list``            server_groups_named
``nova.server_group.delete``          delete_server_group
``placement.resource_class.ensure``   ensure_resource_class
``placement.resource_class.delete``   delete_resource_class
``placement.resource_class.list``     resource_classes
``placement.allocation.list``         consumers
``placement.provider.create``         ensure_child_provider
``placement.inventory.show``          child_inventory
``placement.inventory.set``           ensure_child_inventory
====================================  =========================================================
"""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from promise_blazar.clock import Clock, SystemClock
from promise_blazar.cloud import fence
from promise_blazar.cloud.contract.cloud import Aggregate, Flavor, Hypervisor, Server
from promise_blazar.cloud.contract.server_groups import Caller
from promise_blazar.cloud.simulated import aggregates, faults, flavors, placement, servers
from promise_blazar.cloud.simulated.refusals import Refused, error, missing
from promise_blazar.cloud.simulated.tenants import Tenants
from promise_blazar.cloud.simulated.world import World

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]


class SimulatedCloud(Tenants):
    """A ``Cloud`` and its ``ServerGroups``; with ``Tenants``, what its users do with it.

    The file at ``path`` is made with ``hosts`` hosts if there is none. ``sleep`` is how an
    injected latency passes.
    """

    def __init__(
        self,
        path: str | Path,
        hosts: int = 8,
        clock: Clock | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(World(Path(path), hosts, clock or SystemClock()))
        self._sleep = sleep

    def close(self) -> None:
        """Let go of the file. No call may be under way."""
        self._world.close()

    # Hypervisors

    def hypervisor(self, name: str) -> Hypervisor:
        found = self._look("nova.hypervisor.show", lambda db: aggregates.hypervisors(db, name))
        if not found:
            raise missing("hypervisor", name)
        return found[0]

    def hypervisors(self, uuids: Collection[str] | None = None) -> Sequence[Hypervisor]:
        found = self._look("nova.hypervisor.list", aggregates.hypervisors)
        return [each for each in found if uuids is None or each.uuid in uuids]

    # Aggregates

    def aggregates(self) -> Sequence[Aggregate]:
        return self._look("nova.aggregate.list", aggregates.every)

    def aggregate(self, aggregate_id: int) -> Aggregate:
        return self._look("nova.aggregate.show", lambda db: aggregates.one(db, aggregate_id))

    def ensure_aggregate(
        self,
        name: str,
        zone: str | None,
        metadata: Mapping[str, str],
        number: int | None = None,
    ) -> Aggregate:
        wanted = {**metadata, aggregates.ZONE_KEY: zone} if zone else dict(metadata)
        found = None
        if number is not None:
            found = self._look("nova.aggregate.show", lambda db: aggregates.named(db, name))
        if found is None:
            found = self._look("nova.aggregate.list", lambda db: aggregates.named(db, name))
        if found is None:
            # Of two that make it at once, the later is given the earlier's.
            found = self._change(
                "nova.aggregate.create", lambda db: aggregates.ensure(db, name, wanted)
            )
        changes = {
            key: value for key, value in metadata.items() if found.metadata.get(key) != value
        }
        if zone and found.zone != zone:
            changes[aggregates.ZONE_KEY] = zone
        if not changes:
            return found
        self.set_aggregate_metadata(found.id, changes)
        return self.aggregate(found.id)

    def set_aggregate_metadata(
        self, aggregate_id: int, metadata: Mapping[str, str | None]
    ) -> None:
        self._change(
            "nova.aggregate.set_metadata",
            lambda db: aggregates.set_metadata(db, aggregate_id, metadata),
        )

    def add_to_aggregate(self, aggregate_id: int, service_host: str) -> None:
        self._change(
            "nova.aggregate.add_host",
            lambda db: aggregates.add_host(db, aggregate_id, service_host),
        )

    def remove_from_aggregate(self, aggregate_id: int, service_host: str) -> None:
        self._change(
            "nova.aggregate.remove_host",
            lambda db: aggregates.remove_host(db, aggregate_id, service_host),
        )

    def delete_aggregate(self, aggregate_id: int) -> None:
        hosts = self._look("nova.aggregate.show", lambda db: aggregates.members(db, aggregate_id))
        for host in hosts:
            self.remove_from_aggregate(aggregate_id, host)
        self._change("nova.aggregate.delete", lambda db: aggregates.delete(db, aggregate_id))

    # Flavors

    def ensure_flavor(self, flavor: Flavor) -> None:
        self._change("nova.flavor.create", lambda db: flavors.ensure(db, flavor))

    def delete_flavor(self, flavor_id: str) -> None:
        self._change("nova.flavor.delete", lambda db: flavors.delete(db, flavor_id))

    def flavors_named(self, prefix: str) -> Sequence[str]:
        return self._look("nova.flavor.list", lambda db: flavors.named(db, prefix))

    def grant_flavor(self, flavor_id: str, project_id: str) -> None:
        self._change("nova.flavor.grant", lambda db: flavors.grant(db, flavor_id, project_id))

    def revoke_flavor(self, flavor_id: str, project_id: str) -> None:
        self._change("nova.flavor.revoke", lambda db: flavors.revoke(db, flavor_id, project_id))

    # Servers

    def server(self, server_id: str) -> Server | None:
        found = self._look("nova.server.show", lambda db: servers.one(db, server_id))
        return found.server if found else None

    def servers_on_host(self, service_host: str) -> Sequence[Server]:
        found = self._look("nova.server.list", lambda db: servers.on_host(db, service_host))
        return [stored.server for stored in found]

    def servers_of_flavor(self, flavor_id: str) -> Sequence[Server]:
        found = self._look("nova.server.list", lambda db: servers.of_flavor(db, flavor_id))
        return [stored.server for stored in found]

    def delete_server(self, server_id: str) -> None:
        self._change("nova.server.delete", lambda db: self._let_go(db, server_id))

    def snapshot_server(self, server_id: str, image_name: str, occasion: str) -> None:
        self._change(
            "nova.server.snapshot",
            lambda db: servers.snapshot(db, server_id, image_name, occasion),
        )

    # Server groups

    def ensure_group(self, caller: Caller, name: str, policy: str) -> str:
        return self._change(
            "nova.server_group.create",
            lambda db: servers.ensure_group(db, caller.project_id, name, policy),
        )

    def delete_server_group(self, group_id: str) -> None:
        self._change("nova.server_group.delete", lambda db: servers.delete_group(db, group_id))

    def server_groups(self, prefix: str) -> Mapping[str, str]:
        return self._look("nova.server_group.list", lambda db: servers.groups(db, prefix))

    def server_groups_named(self, name: str) -> Sequence[str]:
        return self._look("nova.server_group.list", lambda db: servers.groups_named(db, name))

    # Placement

    def ensure_resource_class(self, name: str) -> None:
        self._change(
            "placement.resource_class.ensure", lambda db: placement.ensure_class(db, name)
        )

    def delete_resource_class(self, name: str) -> None:
        self._change(
            "placement.resource_class.delete", lambda db: placement.delete_class(db, name)
        )

    def resource_classes(self, prefix: str) -> Sequence[str]:
        return self._look(
            "placement.resource_class.list", lambda db: placement.classes(db, prefix)
        )

    def consumers(self, hypervisor_uuid: str) -> Sequence[str]:
        return self._look(
            "placement.allocation.list", lambda db: placement.consumers(db, hypervisor_uuid)
        )

    def ensure_child_provider(self, parent_uuid: str, name: str) -> str:
        return self._change(
            "placement.provider.create", lambda db: placement.ensure_child(db, parent_uuid, name)
        )

    def child_inventory(self, name: str) -> Mapping[str, int]:
        return self._look("placement.inventory.show", lambda db: placement.totals(db, name))

    def ensure_child_inventory(self, name: str, resource_class: str, total: int) -> None:
        self._change(
            "placement.inventory.set",
            lambda db: placement.ensure_inventory(db, name, resource_class, total),
        )

    # One call

    def _look(self, call: str, work: Work[T]) -> T:
        with self._call(call), self._world.reading() as db:
            return work(db)

    def _change(self, call: str, work: Work[T]) -> T:
        with self._call(call), self._world.writing() as db:
            return work(db)

    @contextlib.contextmanager
    def _call(self, call: str) -> Iterator[None]:
        """Announce the call, let it suffer what it must, and give its errors their names."""
        fence.announce(call)
        try:
            fault = faults.strike(self._world, call)
            if fault and fault.latency_ms:
                self._sleep(fault.latency_ms / 1000)
            failing = fault if fault and fault.fail_next else None
            if failing and not failing.after:
                raise error(call, failing.status, "an injected fault, before the work")
            yield
            if failing:
                raise error(call, failing.status, "an injected fault, after the work")
        except Refused as refused:
            raise error(call, refused.status, refused.detail) from None
        except sqlite3.OperationalError as trouble:  # locked for too long, a full disk
            raise error(call, None, str(trouble)) from trouble
