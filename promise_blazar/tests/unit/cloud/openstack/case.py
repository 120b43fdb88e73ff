# SPDX-License-Identifier: Apache-2.0
"""A test case with the adapter, and the services that it talks to."""

import json

from promise_blazar.cloud import openstack
from promise_blazar.tests import base
from promise_blazar.tests.unit.cloud.openstack.services import SERVICE_PROJECT, Services

COMPUTE = f"/compute/{SERVICE_PROJECT}"
PLACEMENT = "/placement"


class AdapterTest(base.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.services = Services()
        self.addCleanup(self.services.stop)
        self.cloud = openstack.connect(self.services.conf())


def server(server_id: str, status: str = "ACTIVE") -> dict[str, object]:
    """As both microversions show it together."""
    return {
        "id": server_id,
        "name": server_id,
        "tenant_id": "demo",
        "status": status,
        "OS-EXT-SRV-ATTR:host": "compute-1",
        "flavor": {"id": "f", "extra_specs": json.loads('{"a": "b"}')},
    }
