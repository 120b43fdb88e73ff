# SPDX-License-Identifier: Apache-2.0
"""Leases that are deleted, on the real Nova, in whatever state they are."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from promise_blazar.tests.cloud import clients, disturbances, site, soundness
from promise_blazar.tests.cloud.base import (
    ONE_HOST,
    ONE_SLOT,
    LeaseTest,
    after,
    on,
    reservation_of,
)

_IN_GROUP = {**ONE_SLOT, "affinity": True}
_NOT_FOUND = 404


class DeletionTest(LeaseTest):
    def test_a_lease_that_waits_lasts_or_is_over(self) -> None:
        pending = self.pending(ONE_HOST, _IN_GROUP)
        self.assertEqual("PENDING", pending["status"])
        active = self.lease(30, ONE_HOST, _IN_GROUP)
        by_type = {each["resource_type"]: each["id"] for each in active["reservations"]}
        servers = [
            *self.boot(self.demo, self.tiny, reservation=by_type["physical:host"]),
            *self.boot(self.demo, by_type["virtual:instance"]),
        ]
        over = self.lease(30, ONE_HOST)
        self.reservations.update(over["id"], end_date="now")
        self.reservations.wait_status(over["id"], "TERMINATED")

        for lease in (pending, active, over):
            self.reservations.delete(lease["id"])
        self.assertIsNone(self.reservations.lease(over["id"]), "nothing was left to take back")
        for lease in (pending, active):
            self.reservations.wait_gone(lease["id"])
            self.assert_not_found(lease["id"])
        for server in servers:
            self.admin.wait_gone(server["id"])
        self.assert_as_before()

    def test_a_lease_that_is_being_created(self) -> None:
        """By somebody else of the project, while OpenStack does not answer."""

        def begun() -> list[dict[str, Any]]:
            return [each for each in self.reservations.leases() if each["status"] == "CREATING"]

        for wanted in ((ONE_HOST,), (_IN_GROUP,)):
            with disturbances.standing_still("nova-api"), ThreadPoolExecutor() as pool:
                ask = self.reservations.create
                asked = pool.submit(ask, "begun", after(60), *wanted, start=after(5))
                (lease,) = site.eventually("a lease is CREATING", begun)
                self.reservations.delete(lease["id"])
                self.assertEqual("DELETING", self.status(lease))
                with contextlib.suppress(clients.Refused):
                    self.assertEqual("DELETING", asked.result()["status"])
            self.reservations.wait_gone(lease["id"])
            self.assert_not_found(lease["id"])
            # Nova may have carried out what it had not answered.
            soundness.put_right()
            self.assert_as_before()

    def test_a_lease_that_starts(self) -> None:
        """At whatever step: one host more is there to be moved for each."""
        for count in range(1, len(self.hosts) + 1):
            lease = self.create("now", after(30), {**ONE_HOST, "min": count, "max": count})
            self.reservations.delete(lease["id"])
            self.reservations.wait_gone(lease["id"])
        self.assert_as_before()

    def test_a_lease_whose_step_nova_does_not_answer(self) -> None:
        starting = self.pending({**ONE_HOST, "hypervisor_properties": on("compute-1")})
        changing = self.lease(30, {**_IN_GROUP, "resource_properties": on("compute-2")})
        (server,) = self.boot(self.demo, reservation_of(changing))
        ending = self.lease(30, {**ONE_HOST, "hypervisor_properties": on("compute-3")})
        (other,) = self.boot(self.demo, self.tiny, reservation=reservation_of(ending))
        with disturbances.standing_still("nova-api"):
            self.reservations.update(starting["id"], start_date="now", end_date=after(30))
            self.reservations.update(ending["id"], end_date="now")
            with ThreadPoolExecutor() as pool:
                grown = pool.submit(
                    self.reservations.update,
                    changing["id"],
                    reservations=[{"id": reservation_of(changing), "amount": 2}],
                )
                for lease, status in (
                    (starting, "STARTING"),
                    (changing, "UPDATING"),
                    (ending, "TERMINATING"),
                ):
                    self.reservations.wait_status(lease["id"], status)
                self.assertEqual("UPDATING", grown.result()["status"])
            deleted = (starting, changing, ending)
            for lease in deleted:
                self.reservations.delete(lease["id"])
            for lease in deleted:
                self.assertEqual("DELETING", self.status(lease))
                self.reservations.delete(lease["id"])
        for lease in deleted:
            self.reservations.wait_gone(lease["id"])
            self.assert_not_found(lease["id"])
        for gone in (server, other):
            self.admin.wait_gone(gone["id"])
        self.assert_as_before()

    def status(self, lease: dict[str, Any]) -> str | None:
        found = self.reservations.lease(lease["id"])
        return None if found is None else str(found["status"])

    def assert_not_found(self, lease_id: str) -> None:
        with self.assertRaises(clients.Refused) as caught:
            self.reservations.delete(lease_id)
        self.assertEqual(_NOT_FOUND, caught.exception.kwargs["code"])
