# SPDX-License-Identifier: Apache-2.0
"""The simulated cloud, as the service sees it (``promise_blazar.cloud.contract.cloud``).

Every call announces itself, then waits for the injected latency, then meets its injected fault,
if there are any, and then is one transaction (``calls``). The names, for fences and for faults:

====================================  =========================================================
``nova.hypervisor.show`` ``.list``    hypervisors.get, hypervisors.list
``nova.service.list``                 hypervisors.in_service
``nova.aggregate.list`` ``.show``     aggregates.list, aggregates.get; aggregates.ensure and
                                      aggregates.delete look first
``nova.aggregate.create``             aggregates.ensure, where there was none
``nova.aggregate.set_metadata``       aggregates.set_metadata; aggregates.ensure, where it differs
``nova.aggregate.add_host``           aggregates.add_host
``nova.aggregate.remove_host``        aggregates.remove_host; aggregates.delete, for each member
``nova.aggregate.delete``             aggregates.delete
``nova.flavor.create`` ``.delete``    flavors.ensure, flavors.delete
``nova.flavor.list``                  flavors.with_prefix
``nova.flavor.grant`` ``.revoke``     flavors.grant, flavors.revoke
``nova.flavor.access``                flavors.granted
``nova.flavor.show``                  flavors.find
``nova.server.show`` ``.list``        servers.find; servers.on_host, .of_flavor, .building
``nova.migration.list``               servers.moving
``nova.server.delete`` ``.snapshot``  servers.delete, servers.snapshot
``nova.server_group.create``          server_groups.ensure, server_groups.make
``nova.server_group.list``            server_groups.with_prefix, server_groups.named
``nova.server_group.delete``          server_groups.delete, server_groups.remove
``placement.resource_class.ensure``   resource_classes.ensure
``placement.resource_class.delete``   resource_classes.delete
``placement.resource_class.list``     resource_classes.with_prefix
``placement.allocation.list``         resource_providers.consumers, .holders
``placement.provider.create``         resource_providers.ensure_child
``placement.inventory.show``          resource_providers.inventory
``placement.inventory.set``           resource_providers.ensure_inventory, .close_inventory
====================================  =========================================================
"""

import time
from collections.abc import Callable
from pathlib import Path

from promise_blazar.clock import Clock, SystemClock
from promise_blazar.cloud.simulated.calls import Calls
from promise_blazar.cloud.simulated.compute.service import (
    Aggregates,
    Flavors,
    Hypervisors,
    ServerGroups,
    Servers,
)
from promise_blazar.cloud.simulated.placement.service import ResourceClasses, ResourceProviders
from promise_blazar.cloud.simulated.tenants import Tenants
from promise_blazar.cloud.simulated.world import World


class SimulatedCloud(Tenants):
    """A ``Cloud``, and a ``TenantCloud``; with ``Tenants``, what its users do.

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
        world = World(Path(path), hosts, clock or SystemClock())
        super().__init__(world)
        calls = Calls(world, sleep)
        self.hypervisors = Hypervisors(calls)
        self.aggregates = Aggregates(calls)
        self.flavors = Flavors(calls)
        self.servers = Servers(calls, world)
        self.server_groups = ServerGroups(calls)
        self.resource_classes = ResourceClasses(calls)
        self.resource_providers = ResourceProviders(calls)

    def close(self) -> None:
        """Let go of the file. No call may be under way."""
        self._world.close()
