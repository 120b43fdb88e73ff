# SPDX-License-Identifier: Apache-2.0
"""What is on offer and what is promised of it, beside what Placement says of the same hosts."""

import uuid
from typing import Any

from promise_blazar.tests.cloud.asking import Asker
from promise_blazar.tests.cloud.base import ONE_HOST, ONE_SLOT, LeaseTest, after, soon

_CLASSES = ("VCPU", "MEMORY_MB", "DISK_GB")
_CREATED, _OK, _NO_CONTENT, _CONFLICT = 201, 200, 204, 409


class CapacityTest(LeaseTest):
    def setUp(self) -> None:
        super().setUp()
        self.asker = Asker("admin")

    def ask(self, query: str = "") -> dict[str, dict[str, Any]]:
        """The figures by class, as the administrator sees them."""
        answer = self.asker.insist("GET", f"/capacity?series=false{query}")
        self.assertEqual(_OK, answer.status, answer.text)
        return dict(answer.body["capacity"])

    def figures(self, query: str = "") -> dict[str, tuple[int, int]]:
        """Total and reserved, by class."""
        found = self.ask(query)
        return {name: (found[name]["total"], found[name]["reserved"]) for name in _CLASSES}

    def placement_has(self) -> dict[str, int]:
        """What Placement says that the hosts have, without what is reserved there, and without
        overcommitting any."""
        amounts = dict.fromkeys(_CLASSES, 0)
        for host in self.hosts:
            named = self.admin.placement(f"/resource_providers?name={host}")
            (provider,) = named["resource_providers"]
            path = f"/resource_providers/{provider['uuid']}/inventories"
            found = self.admin.placement(path)["inventories"]
            for name in _CLASSES:
                if name in found:
                    amounts[name] += found[name]["total"] - found[name]["reserved"]
        return amounts

    def adjust(self, **wanted: Any) -> Any:
        """Asked for again and again with one key, until there is an answer."""
        return self.asker.insist("POST", "/capacity/adjustments", wanted, str(uuid.uuid4()))

    def take_back(self, adjustment: str) -> None:
        answer = self.asker.insist("DELETE", f"/capacity/adjustments/{adjustment}?force=true")
        self.assertIn(answer.status, (_OK, _NO_CONTENT, 404), answer.text)

    def test_total_and_reserved_are_what_placement_and_leases_say(self) -> None:
        offered = self.placement_has()
        self.assertEqual({name: (has, 0) for name, has in offered.items()}, self.figures())

        lease = self.lease(30, {**ONE_SLOT, "amount": 2})
        taken = {"VCPU": 2, "MEMORY_MB": 2048, "DISK_GB": 2}
        during = {name: (offered[name], taken[name]) for name in _CLASSES}
        self.assertEqual(during, self.figures())
        servers = self.boot(self.demo, lease["reservations"][0]["id"], 2)
        self.assertEqual(["ACTIVE", "ACTIVE"], [server["status"] for server in servers])
        # Its servers take nothing besides, and what Placement says is the same.
        self.assertEqual(during, self.figures())
        self.assertEqual(offered, self.placement_has())
        whole = self.pending({**ONE_HOST, "min": len(self.hosts), "max": len(self.hosts)})
        tomorrow = f"&start={whole['start_date']}Z&end={whole['end_date']}Z"
        self.assertEqual({n: (has, has) for n, has in offered.items()}, self.figures(tomorrow))

        refused = self.adjust(resources={"VCPU": 1 - offered["VCPU"]})
        self.assertEqual(_CONFLICT, refused.status, refused.text)
        reservations = [each["reservations"][0]["id"] for each in (lease, whole)]
        self.assertEqual(reservations, refused.body["affected"])
        made = self.adjust(resources={"VCPU": 1 - offered["VCPU"]}, end=after(60), force=True)
        self.assertEqual(_CREATED, made.status, made.text)
        self.addCleanup(self.take_back, made.body["id"])
        self.assertEqual((1, 2), self.figures()["VCPU"])
        self.assertEqual(1, self.ask()["VCPU"]["shortfall"])
        self.assertIs(True, self.reservations.lease(lease["id"])["degraded"])
        self.take_back(made.body["id"])
        self.assertEqual(during, self.figures())
        self.assertIs(False, self.reservations.lease(lease["id"])["degraded"])

        self.end(whole["id"])
        self.end(lease["id"])
        self.assertEqual({name: (has, 0) for name, has in offered.items()}, self.figures())
        self.assert_as_before()

    def test_what_is_offered_is_admitted(self) -> None:
        count = len(self.hosts)
        everything = {**ONE_HOST, "min": count, "max": count}
        busy = self.create("now", soon(), everything)
        self.reservations.wait_status(busy["id"], "ACTIVE")
        answer = Asker("demo").insist(
            "POST", "/availability", {"reservations": [ONE_SLOT], "duration": 1800}
        )
        self.assertEqual(_OK, answer.status, answer.text)
        (window,) = answer.body["windows"]
        start, end = (window[each].replace("T", " ")[:16] for each in ("start", "end"))
        self.assertGreaterEqual(start, busy["end_date"].replace("T", " ")[:16])
        lease = self.create(start, end, ONE_SLOT)
        self.end(lease["id"])
        self.end(busy["id"])
        self.assert_as_before()
