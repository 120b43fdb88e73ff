# SPDX-License-Identifier: Apache-2.0
"""The contract, over the simulated cloud."""

from collections.abc import Mapping
from pathlib import Path

import fixtures

from promise_blazar.cloud.contract.compute import Flavor, Server
from promise_blazar.cloud.contract.tenants import Caller
from promise_blazar.cloud.simulated import SimulatedCloud
from promise_blazar.tests import base, contract


class SimulatedContractTest(contract.CloudContract, base.TestCase):
    tenant = Caller("alice:demo", "alice", "demo")
    stranger = Caller("oscar:other", "oscar", "other")
    host_names = ("compute-1", "compute-2")
    small_flavor = "m1.tiny"

    def setUp(self) -> None:
        super().setUp()
        directory = Path(self.useFixture(fixtures.TempDir()).path)
        self.simulated = SimulatedCloud(directory / "cloud.sqlite", hosts=12)
        self.cloud = self.simulated
        self.groups = self.simulated.server_groups
        self.tenant_flavors = self.simulated.flavors

    def start_server(self, flavor: str, hints: Mapping[str, object]) -> Server:
        view = self.simulated.create_server(self.tenant.project_id, "contract", flavor, hints)
        server = self.simulated.servers.find(view.id)
        assert server is not None
        return server

    def soft_delete(self, server: Server) -> None:
        self.simulated.set_server_reclaim_seconds(3600)
        self.simulated.remove_server(server.id)

    def tenant_flavor(self, flavor_id: str) -> Flavor | None:
        seen = self.simulated.list_flavors(self.tenant.project_id)
        return next((flavor for flavor in seen if flavor.id == flavor_id), None)

    def image_exists(self, name: str) -> bool:
        return self.simulated.image_exists(name)
