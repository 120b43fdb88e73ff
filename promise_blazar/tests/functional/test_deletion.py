# SPDX-License-Identifier: Apache-2.0
"""Deleting a lease in every state, and leases of other projects."""

from promise_blazar.tests.functional.base import HOST, INSTANCE
from promise_blazar.tests.functional.cases import CreationCase


class TestDelete(CreationCase):
    def setUp(self):
        super().setUp()
        self.before = (self.aggregates(), self.cloud.list_flavors("", admin=True))

    def gone(self, lease):
        """Deletes a lease; afterwards nothing of it is left."""
        self.assertEqual(204, self.delete(lease).status_code)
        self.assertEqual(204, self.delete(lease).status_code)
        self.assertEqual("DELETING", self.show(lease)["status"])
        for _ in range(3):
            self.pass_time(60)
        self.refused(404, self.delete(lease))
        self.refused(404, self.call("GET", f"/v1/leases/{lease['id']}"))
        self.nothing_is_left()

    def nothing_is_left(self):
        self.assertEqual([], self.call("GET", "/v1/leases").json["leases"])
        self.assertEqual([], self.promises())
        self.assertEqual(self.before, (self.aggregates(), self.cloud.list_flavors("", admin=True)))
        objects = self.cloud_objects()
        self.assertEqual([], objects["servers"])
        self.assertEqual([], objects["server_groups"])
        self.assertEqual([], [c for (c,) in objects["resource_classes"] if "RESERVATION" in c])

    def test_while_it_waits(self):
        self.gone(self.lease(HOST, {**INSTANCE, "affinity": True}, start=self.minute(10)))

    def test_while_it_runs(self):
        lease = self.active(HOST, {**INSTANCE, "affinity": False})
        host, slots = lease["reservations"]
        self.boot(reservation=host["id"])
        self.boot(slots["id"])
        self.gone(lease)

    def test_while_its_servers_disappear(self):
        lease = self.active(HOST)
        self.boot(reservation=lease["reservations"][0]["id"])
        self.cloud.set_server_delete_seconds(30)
        self.updated(lease, end_date="now")
        self.pass_time(1)
        self.assertEqual("TERMINATING", self.show(lease)["status"])
        self.gone(lease)

    def test_while_it_starts(self):
        lease = self.lease({**HOST, "min": 2, "max": 2})
        self.cloud.set_faults("nova.aggregate.remove_host", fail_next=1)
        self.pass_time()
        self.assertEqual("STARTING", self.show(lease)["status"])
        self.gone(lease)

    def test_while_it_changes(self):
        lease = self.active(INSTANCE)
        self.cloud.set_faults("placement.inventory.set", fail_next=1)
        change = {"id": lease["reservations"][0]["id"], "amount": 4}
        self.assertEqual("UPDATING", self.updated(lease, reservations=[change])["status"])
        self.gone(lease)

    def test_after_it_failed(self):
        lease = self.lease(HOST, INSTANCE)
        self.cloud.set_faults("nova.flavor.grant", fail_next=3, status=409)
        for _ in range(3):
            self.pass_time(60)
        self.assertEqual("ERROR", self.show(lease)["status"])
        self.gone(lease)

    def test_after_its_end(self):
        lease = self.active(HOST, end=1)
        self.pass_time(60)
        self.assertEqual("TERMINATED", self.show(lease)["status"])
        self.assertEqual(204, self.delete(lease).status_code)
        self.refused(404, self.delete(lease))
        self.nothing_is_left()

    def test_a_project_sees_and_touches_its_own_leases_only(self):
        lease = self.lease(HOST)
        path = f"/v1/leases/{lease['id']}"
        missing = self.call(
            "GET", "/v1/leases/00000000-0000-0000-0000-000000000000", token="eve:x"
        )
        with self.nothing_changes():
            for verb, body in (("GET", None), ("PUT", {"name": "mine"}), ("DELETE", None)):
                text = self.refused(404, self.call(verb, path, body, "eve:other"))
                self.assertEqual(
                    missing.json["error_message"].replace("0" * 8, lease["id"][:8])[:20], text[:20]
                )
            self.assertEqual([], self.call("GET", "/v1/leases", token="eve:other").json["leases"])
            for wrong in ("x", "1", lease["id"].upper(), lease["id"] + "0", "%00"):
                for verb, body in (("GET", None), ("PUT", {"name": "x"}), ("DELETE", None)):
                    self.refused(404, self.call(verb, f"/v1/leases/{wrong}", body))
        listed = self.call("GET", "/v1/leases", token="admin:admin").json["leases"]
        self.assertEqual([lease["id"]], [found["id"] for found in listed])
        self.assertEqual(200, self.call("PUT", path, {"name": "x"}, "admin:admin").status_code)
        self.assertEqual(204, self.delete(lease, token="admin:admin").status_code)
