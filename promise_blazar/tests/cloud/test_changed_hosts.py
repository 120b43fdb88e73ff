# SPDX-License-Identifier: Apache-2.0
"""Lent hosts that become others, on the real Nova and Placement."""

from typing import Any

from promise_blazar.tests.cloud import clients, disturbances, site, soundness
from promise_blazar.tests.cloud.base import ONE_HOST, ONE_SLOT, LeaseTest, on

COMPUTE = "compute-1"
NOT_ENOUGH = "Not enough hosts"


class ChangedHostTest(LeaseTest):
    def test_d29_a_host_is_lent_as_placement_counts_it_now(self) -> None:
        there = {**ONE_SLOT, "vcpus": 2, "resource_properties": on(COMPUTE)}
        (provider,) = self.admin.placement(f"/resource_providers?name={COMPUTE}")[
            "resource_providers"
        ]
        path = f"/resource_providers/{provider['uuid']}/inventories"
        before = self.admin.placement(path)["inventories"]["VCPU"]
        # Its compute would soon put its inventory right.
        with disturbances.standing_still("nova-compute-1"):
            self.set_inventory(path, {**before, "reserved": before["total"] - 1})
            self.addCleanup(soundness.put_right)
            self.addCleanup(self.set_inventory, path, before)
            said = [line for line in soundness.faults() if "its VCPU is" in line]
            self.assertEqual(1, len(said), said)
            soundness.put_right()
            self.assertEqual([], soundness.faults())
            with self.assertRaisesRegex(clients.Refused, NOT_ENOUGH):
                self.pending(there)
            self.set_inventory(path, before)
            soundness.put_right()
            self.end(self.pending(there)["id"])
        self.assert_as_before()

    def test_a_host_that_was_disabled_when_it_was_lent_is_offered_when_it_is_enabled(self) -> None:
        there = {**ONE_HOST, "hypervisor_properties": on(COMPUTE)}
        (host,) = (h for h in self.operator.hosts() if h["hypervisor_hostname"] == COMPUTE)
        self.operator.give_back(host["id"])
        with disturbances.disabled(COMPUTE):
            self.operator.lend(COMPUTE)
            soundness.put_right()
            with self.assertRaisesRegex(clients.Refused, NOT_ENOUGH):
                self.pending(there)
        soundness.put_right()
        self.end(self.lease(30, there)["id"])
        self.assert_as_before()

    def set_inventory(self, path: str, inventory: dict[str, Any]) -> None:
        generation = self.admin.placement(path)["resource_provider_generation"]
        body = {**inventory, "resource_provider_generation": generation}
        self.admin.connection.session.put(
            f"{path}/VCPU", json=body, endpoint_filter=site.PLACEMENT, microversion="1.37"
        )
