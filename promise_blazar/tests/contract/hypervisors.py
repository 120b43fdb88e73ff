# SPDX-License-Identifier: Apache-2.0
"""Hypervisors: exact names, Placement's inventory, Nova's zone."""

import uuid

from promise_blazar import exceptions
from promise_blazar.tests.contract.base import ContractCase


class HypervisorContract(ContractCase):
    def test_a_hypervisor_is_found_by_its_exact_name_and_by_its_id(self) -> None:
        every = {hypervisor.name: hypervisor for hypervisor in self.cloud.hypervisors.list()}
        for name in self.host_names:
            found = self.cloud.hypervisors.get(name)
            self.assertEqual(name, found.name)
            self.assertEqual(every[name].uuid, found.uuid)
            self.assertEqual(found.uuid, self.cloud.hypervisors.get(found.uuid).uuid)

    def test_d27_part_of_a_name_is_no_name(self) -> None:
        names = {hypervisor.name for hypervisor in self.cloud.hypervisors.list()}
        part = self.host_names[0][:-1]
        self.assertNotIn(part, names)
        for unknown in (part, "", "%", f"{self.host_names[0]}x", str(uuid.uuid4())):
            with self.subTest(unknown), self.assertRaises(exceptions.NotFound):
                self.cloud.hypervisors.get(unknown)

    def test_a_hypervisor_is_described(self) -> None:
        host = self.host()
        self.assertTrue(host.up)
        self.assertEqual("nova", host.zone)
        self.assertIsInstance(host.cpu_info, str)
        self.assertEqual(host.vcpus, host.inventory["VCPU"].total)
        self.assertEqual(host.memory_mb, host.inventory["MEMORY_MB"].total)
        self.assertGreater(host.inventory["DISK_GB"].total, 0)
        self.assertEqual(4.0, host.inventory["VCPU"].allocation_ratio)

    def test_what_is_in_service_is_told_by_service_host(self) -> None:
        in_service = self.cloud.hypervisors.in_service()
        for number in range(len(self.host_names)):
            self.assertIn(self.host(number).service_host, in_service)
        every = self.cloud.hypervisors.list()
        self.assertLessEqual({host.service_host for host in every if host.up}, in_service)

    def test_what_is_lent_is_not_part_of_the_inventory(self) -> None:
        name = f"CUSTOM_RESERVATION_{self.unique.upper()}"
        child = f"blazar_{self.host_names[0]}"
        self.cloud.resource_classes.ensure(name)
        self.addCleanup(self.cloud.resource_classes.delete, name)
        self.cloud.resource_providers.ensure_child(self.host().uuid, child)
        self.addCleanup(self.cloud.resource_providers.ensure_inventory, child, name, 0)
        self.cloud.resource_providers.ensure_inventory(child, name, 3)
        self.assertNotIn(name, self.host().inventory)

    def test_the_zone_is_that_of_the_hosts_aggregate(self) -> None:
        aggregate = self.lend_host()
        zone = f"blazar_{self.reservation}"
        # Nova's API processes may remember a zone for a while.
        self.eventually(lambda: self.host().zone == zone)
        everywhere = {found.name: found.zone for found in self.cloud.hypervisors.list()}
        self.assertEqual(zone, everywhere[self.host_names[0]])
        self.cloud.aggregates.delete(aggregate.id)
        self.eventually(lambda: self.host().zone == "nova")
