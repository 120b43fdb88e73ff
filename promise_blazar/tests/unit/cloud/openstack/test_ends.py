# SPDX-License-Identifier: Apache-2.0
"""What an end asks of Nova and Placement: doors, those who hold something, those on their way."""

from promise_blazar import exceptions
from promise_blazar.tests.unit.cloud.openstack.case import (
    COMPUTE,
    PLACEMENT,
    AdapterTest,
    server,
)
from promise_blazar.tests.unit.cloud.openstack.services import Answer

_PROVIDERS = f"{PLACEMENT}/resource_providers"
_INVENTORIES = f"{_PROVIDERS}/child/inventories"
_SLOTS = {"total": 3, "reserved": 0, "allocation_ratio": 1.0}
_BUSY = Answer(409, {"conflictingRequest": {"code": 409, "message": "not in this state"}})


class EndsTest(AdapterTest):
    def setUp(self) -> None:
        super().setUp()
        child = {"uuid": "child", "name": "blazar_h", "parent_provider_uuid": "h"}
        self.services.lay("GET", _PROVIDERS, Answer(200, {"resource_providers": [child]}))

    def inventories(self, **found: object) -> Answer:
        return Answer(200, {"resource_provider_generation": 1, "inventories": found})

    def test_c2_slots_are_all_reserved_and_others_left_alone(self) -> None:
        before = self.inventories(CUSTOM_A=_SLOTS, CUSTOM_B=_SLOTS)
        closed = {**_SLOTS, "reserved": 3}
        self.services.lay(
            "GET", _INVENTORIES, before, self.inventories(CUSTOM_A=closed, CUSTOM_B=_SLOTS)
        )
        self.services.lay("PUT", _INVENTORIES, Answer(200, {}))
        providers = self.cloud.resource_providers
        self.assertTrue(providers.close_inventory("blazar_h", "CUSTOM_A"))
        (put,) = self.services.seen("PUT", _INVENTORIES)
        self.assertEqual({"CUSTOM_A": closed, "CUSTOM_B": _SLOTS}, put.body["inventories"])
        self.assertFalse(providers.close_inventory("blazar_h", "CUSTOM_A"))
        self.assertFalse(providers.close_inventory("blazar_h", "CUSTOM_C"))
        self.assertEqual(1, len(self.services.seen("PUT", _INVENTORIES)))

    def test_c3_who_holds_a_class_is_told(self) -> None:
        held = {
            "one": {"resources": {"CUSTOM_A": 1}},
            "two": {"resources": {"CUSTOM_B": 1}},
        }
        path = f"{_PROVIDERS}/child/allocations"
        self.services.lay("GET", path, Answer(200, {"allocations": held}))
        holders = self.cloud.resource_providers.holders
        self.assertEqual(["one"], holders("blazar_h", "CUSTOM_A"))
        self.services.lay("GET", _PROVIDERS, Answer(200, {"resource_providers": []}))
        self.assertEqual([], holders("blazar_h", "CUSTOM_A"))

    def test_c4_who_names_no_host_yet_is_told(self) -> None:
        late = {**server("late", "BUILD"), "OS-EXT-SRV-ATTR:host": None}
        found = {"servers": [late, server("there", "BUILD")]}
        self.services.lay("GET", f"{COMPUTE}/servers/detail", Answer(200, found))
        building = self.cloud.servers.building("demo")
        self.assertEqual(["late"], [each.id for each in building])
        (asked,) = self.services.seen("GET", f"{COMPUTE}/servers/detail")
        self.assertEqual(
            {"all_tenants": "1", "project_id": "demo", "status": "BUILD"}, asked.query
        )

    def test_c2_whose_move_holds_something_is_told(self) -> None:
        moves = [
            {"id": 1, "uuid": "move-1", "instance_uuid": "s-1", "status": "finished"},
            {"id": 2, "uuid": "move-2", "instance_uuid": "s-2", "status": "finished"},
        ]
        self.services.lay("GET", f"{COMPUTE}/os-migrations", Answer(200, {"migrations": moves}))
        self.services.lay("GET", f"{COMPUTE}/servers/s-1", Answer(200, {"server": server("s-1")}))
        found = self.cloud.servers.moving(["move-1", "other"])
        self.assertEqual(["s-1"], [each.id for each in found])

    def test_c2_who_has_access_is_told(self) -> None:
        path = f"{COMPUTE}/flavors/r/os-flavor-access"
        access = [{"flavor_id": "r", "tenant_id": name} for name in ("demo", "other")]
        self.services.lay("GET", path, Answer(200, {"flavor_access": access}), Answer(404, {}))
        self.assertEqual(["demo", "other"], self.cloud.flavors.granted("r"))
        self.assertEqual([], self.cloud.flavors.granted("r"))

    def test_c8_only_what_is_up_and_enabled_is_in_service(self) -> None:
        states = (("up", "enabled"), ("down", "enabled"), ("up", "disabled"))
        services = [
            {"host": f"h{number}", "state": state, "status": status, "zone": "nova"}
            for number, (state, status) in enumerate(states)
        ]
        self.services.lay("GET", f"{COMPUTE}/os-services", Answer(200, {"services": services}))
        self.assertEqual({"h0"}, self.cloud.hypervisors.in_service())

    def test_a_snapshot_is_refused_for_good_only_where_none_can_be_made(self) -> None:
        images = self.cloud.servers._images  # noqa: SLF001 - what Glance says is another test's
        images.of_occasion = lambda server_id, occasion: None  # type: ignore[method-assign]
        snapshot = self.cloud.servers.snapshot
        server_id = "00000000-0000-0000-0000-000000000001"
        path = f"{COMPUTE}/servers/{server_id}"
        self.services.lay("POST", f"{path}/action", _BUSY)
        for status, task, passes in (
            ("ERROR", None, False),
            ("ACTIVE", None, True),
            ("ACTIVE", "image_snapshot", True),
            ("BUILD", None, True),
        ):
            shown = {**server(server_id, status), "OS-EXT-STS:task_state": task}
            self.services.lay("GET", path, Answer(200, {"server": shown}))
            with self.assertRaises(exceptions.CloudError) as caught:
                snapshot(server_id, "name", "now")
            self.assertEqual(passes, isinstance(caught.exception, exceptions.CloudUnavailable))
