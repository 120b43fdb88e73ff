# SPDX-License-Identifier: Apache-2.0
"""What a dead manager left in OpenStack: whatever it was about to do, all of it is found again."""

from promise_blazar.tests.functional.base import HOST
from promise_blazar.tests.functional.cases import TOGETHER
from promise_blazar.tests.functional.concurrency import audit
from promise_blazar.tests.functional.concurrency.test_work_ownership import TwoManagers


class TestLeftovers(TwoManagers):
    hosts = registered = 2
    # Creates wait for what is prepared, whenever they start.
    options = {**TwoManagers.options, "manager__prepare_ahead": 86_400}  # noqa: RUF012

    def setUp(self):
        super().setUp()
        self.mine = self.api.application
        self.before = self.world()

    def world(self):
        """All that leases make in OpenStack, but for child providers, which stay."""
        objects = self.cloud_objects()
        kept = ("inventories", "flavors", "flavor_access", "server_groups", "resource_classes")
        return self.aggregates(), {name: objects[name] for name in kept}

    def revive(self):
        self.api.application = self.mine
        self.rival_works(1, beside=[self.service])

    def dies_calling(self, call, step):
        """And users speak to the other one from now on."""
        self.when_calling(call, lambda: None)
        self.dies(step)
        self.cloud.clear_faults()
        self.api.application = self.rivals_api

    def gone(self):
        """The one lease is deleted, as often as asked, and nothing of it is left."""
        (lease,) = audit.rows(self.url, "leases")
        for _ in range(2):
            self.assertEqual(204, self.delete(lease).status_code)
        self.rival_works(12)
        self.assertEqual([], self.status())
        self.refused(404, self.delete(lease))
        self.assertEqual([], self.promises())
        self.assertEqual(self.before, self.world())

    def test_d19_a_lease_whose_manager_died_in_any_state_can_be_deleted(self):
        def start():
            self.lease(HOST)
            return self.service.engine.run_due

        def end():
            lease = self.active(HOST)
            self.updated(lease, end_date="now")
            return lambda: self.pass_time(1)

        def grow():
            lease = self.active(HOST)
            grown = {"id": lease["reservations"][0]["id"], "min": 2, "max": 2}
            return lambda: self.update(lease, reservations=[grown])

        table = [
            (start, "nova.aggregate.remove_host", "STARTING"),
            (end, "nova.aggregate.remove_host", "TERMINATING"),
            (grow, "nova.aggregate.remove_host", "UPDATING"),
        ]
        for arrange, call, left in table:
            self.revive()
            self.dies_calling(call, arrange())
            self.assertEqual([left], self.status())
            self.gone()

    def test_d20_whatever_a_create_had_made_is_found_though_its_maker_died(self):
        """Carried on with, or deleted: what was made was nowhere on record yet."""
        body = self.body(HOST, TOGETHER, start=self.minute(60), end=90)

        def create():
            return self.call("POST", "/v1/leases", body)

        calls = self.calls_of(create)
        self.assertIn("nova.flavor.create", calls)
        self.gone()
        # The group is made by the API, when the manager has answered.
        for call in sorted(calls - {"nova.server_group.create"}):
            for carried_on in (False, True):
                self.revive()
                self.dies_calling(call, create)
                self.assertEqual(["CREATING"], self.status())
                if carried_on:
                    self.rival_works(12)
                    self.assertEqual(["PENDING"], self.status())
                self.gone()

    def test_d20_a_host_half_lent_is_finished_or_taken_back(self):
        def take_back():
            path = f"/v1/os-hosts/{self.registered_hosts()['compute-2']['id']}"
            answer = self.call("DELETE", path, token="admin:admin")
            self.assertEqual(204, answer.status_code, answer.text)

        def lend():
            return self.call("POST", "/v1/os-hosts", {"name": "compute-2"}, "admin:admin")

        take_back()
        before = self.world()
        for call in (
            "placement.provider.create",
            "nova.aggregate.list",
            "nova.aggregate.add_host",
        ):
            for finished in (False, True):
                self.revive()
                self.dies_calling(call, lend)
                found = self.registered_hosts()["compute-2"]
                self.assertIs(False, found["reservable"])
                both = self.body({**HOST, "min": 2, "max": 2})
                self.refused(409, self.call("POST", "/v1/leases?dry_run=1", both))
                if finished:
                    answer = lend()
                    self.assertEqual(
                        (201, found["id"]), (answer.status_code, answer.json["host"]["id"])
                    )
                    self.assertIn("compute-2", self.aggregates()["freepool"])
                take_back()
                self.assertEqual(before, self.world())
