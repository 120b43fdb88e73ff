# SPDX-License-Identifier: Apache-2.0
"""Our own commands, with tokens, a catalog and projects of the real Keystone."""

from typing import Any

from promise_blazar.tests.cloud.base import LeaseTest
from promise_blazar.tests.cloud.clients import openstack, run

_HOST = ("--reservation", "physical:host")


class ShellTest(LeaseTest):
    def adjusted(self, *words: str) -> dict[str, Any]:
        """An adjustment that the admin makes; deleted after the test."""
        made = openstack("admin", "reservation", "capacity", "adjustment", "create", *words)
        delete = ("reservation", "capacity", "adjustment", "delete", "--force")
        self.addCleanup(run, "admin", *delete, made["id"])
        return dict(made)

    def test_ask_then_book(self) -> None:
        asked = openstack(
            "demo", "reservation", "capacity", "show", "--duration", "1h", "--flavor", "m1.tiny"
        )
        self.assertGreater(asked["fits"]["count"], 0)
        self.assertEqual(0, asked["capacity"]["VCPU"]["reserved"])
        slots = openstack("demo", "reservation", "slot", "find", *_HOST, "--duration", "1h")
        self.assertEqual(1, len(slots))

        booked = openstack(
            "demo", "reservation", "lease", "book", "asked", *_HOST, "--duration", "1h", "--wait"
        )
        self.addCleanup(self.end, booked["id"])
        self.assertEqual("ACTIVE", booked["status"])
        self.assertEqual(self.demo.project_id, booked["project_id"])
        rows = openstack("demo", "reservation", "capacity", "timeline", "--duration", "2h")
        booked_first, *_, free_last = (
            row["Reserved"] for row in rows if row["Resource Class"] == "VCPU"
        )
        self.assertGreater(booked_first, 0)
        self.assertEqual(0, free_last)
        self.end(booked["id"])
        self.assert_as_before()

    def test_projects_go_by_their_names(self) -> None:
        source = self.adjusted("--resource", "CUSTOM_LICENCE=10")
        apart = ("--source", source["id"], "--project", "other")
        made = self.adjusted("--resource", "CUSTOM_LICENCE=4", *apart)
        self.assertEqual([self.other.project_id], made["project_ids"])
        question = ("reservation", "capacity", "show", "--resource-class", "CUSTOM_LICENCE")
        for user, words, total in (
            ("demo", (), 6),
            ("other", (), 10),
            ("admin", (), 10),
            ("admin", ("--project", "demo"), 6),
        ):
            found = openstack(user, *question, *words)["capacity"]["CUSTOM_LICENCE"]
            self.assertEqual(total, found["total"], (user, words))
