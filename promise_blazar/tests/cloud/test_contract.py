# SPDX-License-Identifier: Apache-2.0
"""The contract of every cloud adapter, over the real Nova and Placement."""

from collections.abc import Mapping

from promise_blazar.cloud import openstack
from promise_blazar.cloud.contract.compute import Flavor, Server
from promise_blazar.cloud.contract.tenants import Caller
from promise_blazar.tests import base, contract
from promise_blazar.tests.cloud import disturbances, site


class RealContractTest(contract.CloudContract, base.TestCase):
    host_names = ("compute-1", "compute-2")

    def setUp(self) -> None:
        super().setUp()
        conf = site.service_conf()
        self.cloud = openstack.connect(conf)
        tenants = openstack.tenants(conf)
        self.groups = tenants.server_groups
        self.tenant_flavors = tenants.flavors
        self.user = site.user("demo")
        self.tenant = _caller("demo")
        self.stranger = _caller("other")
        self.small_flavor = self.user.flavor_id("m1.tiny")

    def start_server(self, flavor: str, hints: Mapping[str, object]) -> Server:
        (server_id,) = self.user.boot(flavor, hints)
        self.user.settled(server_id)
        server = self.cloud.servers.find(server_id)
        assert server is not None
        return server

    def soft_delete(self, server: Server) -> None:
        disturbances.soft_delete(server.id)

    def tenant_flavor(self, flavor_id: str) -> Flavor | None:
        found = self.user.nova("GET", f"/flavors/{flavor_id}")
        if found is None:
            return None
        flavor = found["flavor"]
        return Flavor(
            flavor["id"],
            flavor["name"],
            flavor["vcpus"],
            flavor["ram"],
            flavor["disk"],
            flavor["extra_specs"],
        )

    def image_exists(self, name: str) -> bool:
        image = next(iter(self.user.connection.image.images(name=name)), None)
        if image is None:
            return False
        self.addCleanup(self.user.connection.image.delete_image, image.id)
        return True


def _caller(name: str) -> Caller:
    user = site.user(name)
    return Caller(user.token, user.id, user.project_id)
