# SPDX-License-Identifier: Apache-2.0
"""Changing a lease in every state, and changes that OpenStack refuses."""

from promise_blazar.tests.functional.base import HOST, INSTANCE
from promise_blazar.tests.functional.cases import UpdateCase


class TestStates(UpdateCase):
    """A name can be changed in every state, and all else only while nothing is under way."""

    def setUp(self):
        super().setUp()
        self.meanwhile = None

    def wait_for_the_cloud(self, seconds):
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()

    def renamed(self, lease, status):
        """Renames a lease of this status, and tries what is not allowed in it."""
        self.assertEqual(status, self.show(lease)["status"])
        self.assertEqual(status, self.updated(lease, name=f"while {status}")["status"])
        self.assertEqual(f"while {status}", self.show(lease)["name"])
        with self.nothing_changes():
            text = self.refused(409, self.update(lease, name="x", end_date=self.minute(50)))
            self.assertIn(status, text)
            self.refused(409, self.update(lease, **self.change(lease, max=3)))

    def test_creating(self):
        def meanwhile():
            (lease,) = self.call("GET", "/v1/leases").json["leases"]
            self.renamed(lease, "CREATING")

        self.meanwhile = meanwhile
        self.cloud.set_faults("nova.aggregate.create", latency_ms=1)
        lease = self.lease(HOST)
        self.assertEqual(("while CREATING", "PENDING"), (lease["name"], lease["status"]))

    def test_starting(self):
        lease = self.lease(HOST)
        self.cloud.set_faults("nova.aggregate.add_host", fail_next=1)
        self.pass_time()
        self.renamed(lease, "STARTING")
        self.pass_time(60)
        self.assertEqual("ACTIVE", self.show(lease)["status"])

    def test_updating(self):
        lease = self.active(HOST)
        self.cloud.set_faults("nova.aggregate.add_host", fail_next=1)
        self.assertEqual("UPDATING", self.updated(lease, **self.change(lease, max=2))["status"])
        self.renamed(lease, "UPDATING")
        self.pass_time(60)
        lease = self.show(lease)
        self.assertEqual("ACTIVE", lease["status"])
        self.assertEqual(2, len(self.aggregates()[lease["reservations"][0]["id"]]))

    def test_terminating_and_terminated(self):
        lease = self.active(HOST)
        self.boot(reservation=lease["reservations"][0]["id"])
        self.cloud.set_server_delete_seconds(100)
        self.updated(lease, end_date="now")
        self.pass_time()
        self.renamed_after_its_end(lease, "TERMINATING")
        self.pass_time(100)
        self.renamed_after_its_end(lease, "TERMINATED")

    def renamed_after_its_end(self, lease, status):
        self.assertEqual(status, self.show(lease)["status"])
        self.assertEqual(status, self.updated(lease, name=f"while {status}")["status"])
        with self.nothing_changes():
            answer = self.update(lease, end_date=self.minute(50))
            self.assertIn(answer.status_code, (400, 409))

    def test_deleting(self):
        lease = self.active(HOST)
        self.boot(reservation=lease["reservations"][0]["id"])
        self.cloud.set_server_delete_seconds(100)
        self.delete(lease)
        self.pass_time()
        self.renamed(lease, "DELETING")
        self.pass_time(100)
        self.assertEqual(404, self.update(lease, name="late").status_code)

    def test_error(self):
        lease = self.lease(HOST)
        self.cloud.set_faults("nova.aggregate.add_host", fail_next=3, status=409)
        for _ in range(3):
            self.pass_time(60)
        self.renamed(lease, "ERROR")
        self.assertEqual("error", self.show(lease)["reservations"][0]["status"])
        self.active({**HOST, "min": 3, "max": 3})
        self.assertEqual(204, self.delete(lease).status_code)
        self.pass_time()
        self.assertEqual(404, self.update(lease, name="late").status_code)


class TestGrowthThatOpenStackRefuses(UpdateCase):
    def test_a_running_lease_keeps_what_it_has(self):
        """A host that cannot be added is no reason to take the others away."""
        lease = self.active(HOST)
        (reservation,) = lease["reservations"]
        server = self.boot(reservation=reservation["id"])
        self.cloud.set_faults("nova.aggregate.add_host", fail_next=1000, status=409)
        self.updated(lease, **self.change(lease, min=2, max=2))
        for _ in range(6):
            self.pass_time(60)
        lease = self.show(lease)
        self.assertEqual("UPDATING", lease["status"])
        self.assertIn("nova.aggregate.add_host", lease["status_reason"])
        self.assertEqual("ACTIVE", self.cloud.get_server(server["id"]).status)
        self.cloud.clear_faults()
        self.pass_time(60)
        lease = self.show(lease)
        self.assertEqual(("ACTIVE", None), (lease["status"], lease["status_reason"]))
        self.assertEqual(2, len(self.aggregates()[reservation["id"]]))

    def test_the_lease_ends_all_the_same(self):
        lease = self.active(HOST, end=10)
        self.cloud.set_faults("nova.aggregate.add_host", fail_next=1000, status=503)
        self.updated(lease, **self.change(lease, min=2, max=2))
        self.assertEqual("UPDATING", self.show(lease)["status"])
        self.pass_time(600)
        self.cloud.clear_faults()
        self.pass_time(60)
        self.pass_time(1)
        self.assertEqual("TERMINATED", self.show(lease)["status"])
        self.assertEqual(["freepool"], list(self.aggregates()))

    def test_a_group_that_cannot_be_made_is_made_by_the_next_try(self):
        lease = self.lease({**INSTANCE, "affinity": True}, start=self.minute(10))
        self.cloud.set_faults("nova.server_group.create", fail_next=1)
        change = self.change(lease, affinity=False)
        self.refused(503, self.update(lease, **change))
        after = self.updated(lease, **change)
        self.assertEqual([after["reservations"][0]["server_group_id"]], self.groups())

    def test_an_operator_makes_no_group_that_the_tenant_could_not_use(self):
        lease = self.lease(INSTANCE, start=self.minute(10))
        change = self.change(lease, affinity=False)
        answer = self.update(lease, token="admin:admin", **change)
        self.assertEqual(200, answer.status_code, answer.text)
        self.assertEqual([], self.groups())
        self.updated(lease, name="mine")
        ((_, project, *_),) = self.cloud_objects()["server_groups"]
        self.assertEqual("demo", project)
