# SPDX-License-Identifier: Apache-2.0
"""Flavors: private, of exactly the shape asked for, seen by those they are granted to."""

import dataclasses

from promise_blazar import exceptions
from promise_blazar.cloud.contract.compute import Flavor
from promise_blazar.tests.contract.base import THREADS, ContractCase


class FlavorContract(ContractCase):
    def flavor(self) -> Flavor:
        self.addCleanup(self.cloud.flavors.delete, self.reservation)
        return Flavor(self.reservation, f"contract:{self.unique}", 2, 512, 3, {"a:b": "1"})

    def test_a_flavor_is_seen_by_whom_it_is_granted_to(self) -> None:
        flavor = self.flavor()
        project = self.tenant.project_id
        for _ in range(2):
            self.cloud.flavors.ensure(flavor)
        self.assertIsNone(self.tenant_flavor(flavor.id))
        for _ in range(2):
            self.cloud.flavors.grant(flavor.id, project)
            self.assertEqual(flavor, self.tenant_flavor(flavor.id))
        self.cloud.flavors.ensure(flavor)
        self.assertEqual(flavor, self.tenant_flavor(flavor.id))
        for _ in range(2):
            self.cloud.flavors.revoke(flavor.id, project)
            self.assertIsNone(self.tenant_flavor(flavor.id))

    def test_who_has_access_is_told(self) -> None:
        flavor = self.flavor()
        self.cloud.flavors.ensure(flavor)
        self.assertEqual([], list(self.cloud.flavors.granted(flavor.id)))
        projects = [self.tenant.project_id, self.stranger.project_id]
        for project in projects:
            self.cloud.flavors.grant(flavor.id, project)
        self.assertCountEqual(projects, self.cloud.flavors.granted(flavor.id))
        self.cloud.flavors.revoke(flavor.id, self.tenant.project_id)
        self.assertEqual([self.stranger.project_id], list(self.cloud.flavors.granted(flavor.id)))

    def test_a_flavor_of_another_shape_is_replaced(self) -> None:
        flavor = self.flavor()
        self.cloud.flavors.ensure(flavor)
        for wanted in (
            dataclasses.replace(flavor, vcpus=1),
            dataclasses.replace(flavor, memory_mb=1024),
            dataclasses.replace(flavor, disk_gb=0),
            dataclasses.replace(flavor, name=f"renamed:{self.unique}"),
        ):
            with self.subTest(wanted):
                self.cloud.flavors.ensure(wanted)
                self.cloud.flavors.grant(flavor.id, self.tenant.project_id)
                self.assertEqual(wanted, self.tenant_flavor(flavor.id))

    def test_other_extra_specs_leave_the_grants_alone(self) -> None:
        flavor = self.flavor()
        self.cloud.flavors.ensure(flavor)
        self.cloud.flavors.grant(flavor.id, self.tenant.project_id)
        wanted = dataclasses.replace(flavor, extra_specs={"c:d": "2"})
        self.cloud.flavors.ensure(wanted)
        self.assertEqual(wanted, self.tenant_flavor(flavor.id))

    def test_private_flavors_are_found_by_how_their_names_begin(self) -> None:
        flavor = self.flavor()
        self.assertNotIn(flavor.id, self.cloud.flavors.with_prefix(flavor.name))
        self.cloud.flavors.ensure(flavor)
        self.assertEqual([flavor.id], list(self.cloud.flavors.with_prefix(flavor.name)))
        self.assertIn(flavor.id, self.cloud.flavors.with_prefix("contract:"))
        self.assertNotIn(flavor.id, self.cloud.flavors.with_prefix("reservation:"))

    def test_a_flavor_goes(self) -> None:
        flavor = self.flavor()
        self.cloud.flavors.ensure(flavor)
        self.cloud.flavors.grant(flavor.id, self.tenant.project_id)
        for _ in range(2):
            self.cloud.flavors.delete(flavor.id)
            self.assertIsNone(self.tenant_flavor(flavor.id))

    def test_unknown_flavors(self) -> None:
        with self.assertRaises(exceptions.NotFound):
            self.cloud.flavors.grant(self.reservation, self.tenant.project_id)
        self.cloud.flavors.revoke(self.reservation, self.tenant.project_id)
        self.assertEqual([], list(self.cloud.flavors.granted(self.reservation)))
        self.cloud.flavors.delete(self.reservation)

    def test_another_flavors_name_is_refused(self) -> None:
        flavor = self.flavor()
        self.cloud.flavors.ensure(flavor)
        other = dataclasses.replace(flavor, id=f"{self.unique}-other")
        self.addCleanup(self.cloud.flavors.delete, other.id)
        self.refused(409, lambda: self.cloud.flavors.ensure(other))

    def test_many_make_a_flavor_at_once(self) -> None:
        flavor = self.flavor()
        self.at_once(*[lambda: self.cloud.flavors.ensure(flavor)] * THREADS)
        self.cloud.flavors.grant(flavor.id, self.tenant.project_id)
        self.assertEqual(flavor, self.tenant_flavor(flavor.id))

    def test_a_tenant_finds_by_id_and_by_name_what_it_may_use(self) -> None:
        flavor = self.flavor()
        self.cloud.flavors.ensure(flavor)
        for text in (flavor.id, flavor.name):
            with self.assertRaises(exceptions.NotFound):
                self.tenant_flavors.find(self.tenant, text)
        self.cloud.flavors.grant(flavor.id, self.tenant.project_id)
        for text in (flavor.id, flavor.name):
            found = self.tenant_flavors.find(self.tenant, text)
            self.assertEqual((flavor.id, flavor.name), (found.id, found.name))
            self.assertEqual({"VCPU": 2, "MEMORY_MB": 512, "DISK_GB": 3}, dict(found.amounts))
            with self.assertRaises(exceptions.NotFound):
                self.tenant_flavors.find(self.stranger, text)

    def test_what_a_flavor_takes_is_in_its_extra_specs(self) -> None:
        specs = {"resources:VCPU": "0", "resources:CUSTOM_GPU": "2"}
        flavor = dataclasses.replace(self.flavor(), extra_specs=specs)
        self.cloud.flavors.ensure(flavor)
        self.cloud.flavors.grant(flavor.id, self.tenant.project_id)
        found = self.tenant_flavors.find(self.tenant, flavor.id)
        amounts = {"MEMORY_MB": 512, "DISK_GB": 3, "CUSTOM_GPU": 2}
        self.assertEqual(amounts, dict(found.amounts))
