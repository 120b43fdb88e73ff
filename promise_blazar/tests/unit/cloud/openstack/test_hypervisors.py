# SPDX-License-Identifier: Apache-2.0
"""Which hypervisor is meant: Nova finds more names than were asked for, and numbers per cell."""

import uuid

from promise_blazar import exceptions
from promise_blazar.tests.unit.cloud.openstack.case import COMPUTE, PLACEMENT, AdapterTest
from promise_blazar.tests.unit.cloud.openstack.services import Answer, Request

_DETAIL = f"{COMPUTE}/os-hypervisors/detail"


def node(name: str) -> dict[str, object]:
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
        "hypervisor_hostname": name,
        "service": {"host": f"service-of-{name}"},
        "cpu_info": "",
        "hypervisor_type": "fake",
        "hypervisor_version": 1,
        "vcpus": 1,
        "memory_mb": 1,
        "local_gb": 1,
        "state": "up",
        "status": "enabled",
    }


class HypervisorTest(AdapterTest):
    def setUp(self) -> None:
        super().setUp()
        self.nodes = [node(f"compute-{number}") for number in (10, 11, 1, 12)]
        self.services.lay("GET", _DETAIL, self.search)
        self.services.lay("GET", f"{COMPUTE}/os-services", Answer(200, {"services": []}))
        for each in self.nodes:
            path = f"{PLACEMENT}/resource_providers/{each['id']}/inventories"
            nothing = {"resource_provider_generation": 1, "inventories": {}}
            self.services.lay("GET", path, Answer(200, nothing))

    def search(self, request: Request) -> Answer:
        """As Nova: whatever has the text in its name, and 404 if nothing has."""
        text = request.query.get("hypervisor_hostname_pattern", "")
        found = [each for each in self.nodes if text in str(each["hypervisor_hostname"])]
        return Answer(200, {"hypervisors": found}) if found else Answer(404, {})

    def test_d27_of_the_names_that_nova_finds_it_is_the_exact_one(self) -> None:
        self.assertEqual("compute-1", self.cloud.hypervisors.get("compute-1").name)
        self.assertEqual(
            "service-of-compute-10", self.cloud.hypervisors.get("compute-10").service_host
        )
        for name in ("compute", "ompute-1", "compute-", "compute-2"):
            with self.assertRaises(exceptions.NotFound):
                self.cloud.hypervisors.get(name)

    def test_d28_what_looks_like_a_cells_number_is_a_name_and_no_id(self) -> None:
        for number in ("1", "10"):
            with self.assertRaises(exceptions.NotFound):
                self.cloud.hypervisors.get(number)
        self.assertEqual(
            {_DETAIL}, {each.path for each in self.services.requests} - {"/v3/auth/tokens"}
        )

    def test_a_processor_whose_features_come_in_another_order_is_the_same(self) -> None:
        def seen(*features: str) -> str:
            self.nodes[2]["cpu_info"] = {"vendor": "x", "features": list(features), "arch": "y"}
            return self.cloud.hypervisors.get("compute-1").cpu_info

        self.assertEqual(seen("sse", "avx", "aes"), seen("aes", "sse", "avx"))
        self.assertNotEqual(seen("sse"), seen("avx"))

    def test_those_that_are_asked_for(self) -> None:
        wanted = {str(each["id"]) for each in self.nodes[:2]}
        found = self.cloud.hypervisors.list(wanted)
        self.assertEqual(["compute-10", "compute-11"], [each.name for each in found])
        asked = [each for each in self.services.requests if each.path.endswith("/inventories")]
        self.assertEqual(2, len(asked))

    def test_a_cell_that_is_down_is_no_answer(self) -> None:
        down = {"binary": "nova-compute", "host": "service-of-compute-1", "status": "UNKNOWN"}
        self.services.lay("GET", f"{COMPUTE}/os-services", Answer(200, {"services": [down]}))
        with self.assertRaises(exceptions.CloudUnavailable):
            self.cloud.hypervisors.list()
        with self.assertRaises(exceptions.CloudUnavailable):
            self.cloud.hypervisors.get("compute-1")
