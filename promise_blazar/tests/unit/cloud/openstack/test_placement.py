# SPDX-License-Identifier: Apache-2.0
"""Placement's generations, and hosts that come back with another identity."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from promise_blazar import exceptions
from promise_blazar.cloud import fence
from promise_blazar.cloud.openstack.serialize import KeyedLock
from promise_blazar.tests.unit.cloud.openstack.case import COMPUTE, PLACEMENT, AdapterTest
from promise_blazar.tests.unit.cloud.openstack.services import Answer, Request

_PROVIDERS = f"{PLACEMENT}/resource_providers"
_INVENTORIES = f"{_PROVIDERS}/child/inventories"
_CLASS = f"{PLACEMENT}/resource_classes/CUSTOM_A"
_LOST = Answer(409, {"errors": [{"detail": "x", "code": "placement.concurrent_update"}]})
_IN_USE = Answer(409, {"errors": [{"detail": "in use", "code": "placement.inventory.inuse"}]})


class PlacementTest(AdapterTest):
    def setUp(self) -> None:
        super().setUp()
        child = {"uuid": "child", "name": "blazar_h", "parent_provider_uuid": "old"}
        self.services.lay("GET", _PROVIDERS, Answer(200, {"resource_providers": [child]}))
        self.services.lay(
            "GET",
            _INVENTORIES,
            Answer(200, {"resource_provider_generation": 1, "inventories": {"CUSTOM_A": {}}}),
            Answer(200, {"resource_provider_generation": 2, "inventories": {}}),
        )

    def test_a_class_that_placement_wrongly_takes_for_there_is_made_again(self) -> None:
        missing = Answer(404, {"errors": [{"detail": "no such class"}]})
        self.services.lay("PUT", _CLASS, Answer(204), Answer(201))
        self.services.lay("GET", _CLASS, missing)
        self.cloud.resource_classes.ensure("CUSTOM_A")
        self.assertEqual(2, len(self.services.seen("PUT", _CLASS)))
        self.services.lay("PUT", _CLASS, Answer(204))
        with self.assertRaises(exceptions.CloudUnavailable):
            self.cloud.resource_classes.ensure("CUSTOM_A")
        self.services.lay("GET", _CLASS, Answer(200, {"name": "CUSTOM_A"}))
        self.cloud.resource_classes.ensure("CUSTOM_A")

    def test_a_lost_race_is_run_again_with_what_is_there_now(self) -> None:
        self.services.lay("PUT", _INVENTORIES, _LOST, Answer(200, {}))
        self.cloud.resource_providers.ensure_inventory("blazar_h", "CUSTOM_B", 3)
        first, second = (request.body for request in self.services.seen("PUT", _INVENTORIES))
        self.assertEqual(1, first["resource_provider_generation"])
        self.assertEqual({"CUSTOM_A", "CUSTOM_B"}, set(first["inventories"]))
        self.assertEqual(2, second["resource_provider_generation"])
        self.assertEqual({"CUSTOM_B"}, set(second["inventories"]))
        self.assertEqual(3, second["inventories"]["CUSTOM_B"]["total"])

    def test_races_lost_again_and_again_are_given_up(self) -> None:
        self.services.lay("PUT", _INVENTORIES, _LOST)
        with self.assertRaises(exceptions.CloudUnavailable):
            self.cloud.resource_providers.ensure_inventory("blazar_h", "CUSTOM_B", 3)
        self.assertEqual(5, len(self.services.seen("PUT", _INVENTORIES)))

    def test_a_deadlock_in_placements_database_is_a_race_too(self) -> None:
        deadlock = Answer(500, {"errors": [{"detail": "Deadlock found", "code": "x"}]})
        self.services.lay("PUT", _INVENTORIES, deadlock, Answer(200, {}))
        self.cloud.resource_providers.ensure_inventory("blazar_h", "CUSTOM_B", 3)
        self.assertEqual(2, len(self.services.seen("PUT", _INVENTORIES)))

    def test_a_placement_that_is_away_is_not_asked_again(self) -> None:
        self.services.lay("PUT", _INVENTORIES, Answer(503, {}))
        with self.assertRaises(exceptions.CloudUnavailable):
            self.cloud.resource_providers.ensure_inventory("blazar_h", "CUSTOM_B", 3)
        self.assertEqual(1, len(self.services.seen("PUT", _INVENTORIES)))

    def test_what_is_in_use_is_refused_at_once(self) -> None:
        self.services.lay("PUT", _INVENTORIES, _IN_USE)
        with self.assertRaises(exceptions.CloudError) as caught:
            self.cloud.resource_providers.ensure_inventory("blazar_h", "CUSTOM_A", 0)
        self.assertEqual((409, "in use"), self.facts(caught.exception))
        self.assertEqual(1, len(self.services.seen("PUT", _INVENTORIES)))

    def test_the_child_of_a_host_that_was_set_up_anew_moves_to_it(self) -> None:
        self.services.lay("PUT", f"{_PROVIDERS}/child", Answer(200, {}))
        self.assertEqual("child", self.cloud.resource_providers.ensure_child("new", "blazar_h"))
        (moved,) = self.services.seen("PUT", f"{_PROVIDERS}/child")
        self.assertEqual({"name": "blazar_h", "parent_provider_uuid": "new"}, moved.body)

    def test_a_child_that_is_known_is_not_looked_up_again(self) -> None:
        self.services.lay("PUT", _INVENTORIES, Answer(200, {}))
        for _ in range(2):
            self.cloud.resource_providers.ensure_child("old", "blazar_h")
            self.cloud.resource_providers.ensure_inventory("blazar_h", "CUSTOM_B", 3)
        self.assertEqual(1, len(self.services.seen("GET", _PROVIDERS)))

    def test_a_known_child_that_was_removed_and_made_anew_is_found_again(self) -> None:
        self.cloud.resource_providers.ensure_child("old", "blazar_h")
        anew = {"uuid": "anew", "name": "blazar_h", "parent_provider_uuid": "old"}
        self.services.lay("GET", _PROVIDERS, Answer(200, {"resource_providers": [anew]}))
        self.services.lay("GET", _INVENTORIES, Answer(404, {"errors": [{"detail": "gone"}]}))
        there = Answer(200, {"resource_provider_generation": 1, "inventories": {}})
        self.services.lay("GET", f"{_PROVIDERS}/anew/inventories", there)
        self.services.lay("PUT", f"{_PROVIDERS}/anew/inventories", Answer(200, {}))
        self.cloud.resource_providers.ensure_inventory("blazar_h", "CUSTOM_B", 3)
        (sent,) = self.services.seen("PUT", f"{_PROVIDERS}/anew/inventories")
        self.assertEqual(3, sent.body["inventories"]["CUSTOM_B"]["total"])

    def test_changes_of_one_provider_do_not_meet(self) -> None:
        # A busy machine may be slower than anybody's patience.
        self.cloud.resource_providers._host_locks = KeyedLock(60)  # noqa: SLF001
        under_way, met = threading.Lock(), []

        def change(request: Request) -> Answer:
            met.append(not under_way.acquire(blocking=False))
            time.sleep(0.02)  # as Placement takes its time
            under_way.release()
            return Answer(200, {})

        self.services.lay("PUT", _INVENTORIES, change)
        with ThreadPoolExecutor(4) as pool:
            for number in range(4):
                pool.submit(
                    self.cloud.resource_providers.ensure_inventory,
                    "blazar_h",
                    f"CUSTOM_{number}",
                    1,
                )
        self.assertEqual([False] * 4, met)

    def facts(self, error: exceptions.CloudError) -> tuple[object, object]:
        return error.facts["status"], error.facts["detail"]


class HypervisorTest(AdapterTest):
    def test_the_fence_holds_in_the_threads_that_fetch_inventories(self) -> None:
        nodes = [
            {
                "id": f"node-{number}",
                "hypervisor_hostname": f"compute-{number}",
                "service": {"host": f"compute-{number}"},
                "cpu_info": "",
                "hypervisor_type": "fake",
                "hypervisor_version": 1,
                "vcpus": 1,
                "memory_mb": 1,
                "local_gb": 1,
                "state": "up",
                "status": "enabled",
            }
            for number in range(20)
        ]
        self.services.lay(
            "GET", f"{COMPUTE}/os-hypervisors/detail", Answer(200, {"hypervisors": nodes})
        )
        self.services.lay("GET", f"{COMPUTE}/os-services", Answer(200, {"services": []}))
        for node in nodes:
            inventory = {"VCPU": {"total": 8, "reserved": 1, "allocation_ratio": 4.0}}
            self.services.lay(
                "GET",
                f"{_PROVIDERS}/{node['id']}/inventories",
                Answer(200, {"resource_provider_generation": 1, "inventories": inventory}),
            )
        asked: list[tuple[str, str]] = []

        def ask(call: str) -> None:
            asked.append((call, threading.current_thread().name))

        with fence.fenced(ask):
            found = self.cloud.hypervisors.list()
        self.assertEqual([8] * 20, [each.inventory["VCPU"].total for each in found])
        elsewhere = [call for call, name in asked if name.startswith("inventories")]
        self.assertEqual(["placement.inventory.show"] * 20, elsewhere)
        # No service of theirs was listed: they are not up, wherever they may be.
        self.assertFalse(any(each.up for each in found))
