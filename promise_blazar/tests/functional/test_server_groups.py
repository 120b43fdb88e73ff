# SPDX-License-Identifier: Apache-2.0
"""Server groups of leases that change: made before the change, for what is wanted then."""

from promise_blazar import exceptions
from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import INSTANCE
from promise_blazar.tests.functional.cases import TOGETHER, UpdateCase


@databases.on_each_database
class TestServerGroups(UpdateCase):
    def setUp(self):
        super().setUp()
        self.meanwhile = None

    def wait_for_the_cloud(self, seconds):
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            self.cloud.clear_faults()
            meanwhile()

    def policies(self):
        """Of the groups that there are, by their ids."""
        return {row[0]: row[3] for row in self.cloud_objects()["server_groups"]}

    def test_d7_without_its_group_a_change_is_not_made(self):
        for start in (self.minute(10), self.minute(60)):
            lease = self.lease(INSTANCE, start=start, end=90)
            self.pass_time()
            for status, code in ((409, 502), (None, 503)):
                self.cloud.set_faults("nova.server_group.create", fail_next=1, status=status)
                with self.nothing_changes():
                    self.refused(code, self.update(lease, **self.change(lease, affinity=True)))
            after = self.updated(lease, **self.change(lease, affinity=True))
            group = after["reservations"][0]["server_group_id"]
            self.assertEqual("affinity", self.policies()[group])

    def test_d7_a_change_that_is_refused_leaves_no_group(self):
        lease = self.lease(INSTANCE, start=self.minute(10))
        change = self.change(lease, affinity=True, amount=3)
        self.cloud.set_faults("nova.server_group.create", latency_ms=1)
        self.meanwhile = lambda: self.lease(
            {**INSTANCE, "vcpus": 14, "amount": 6}, start=self.minute(10)
        )
        self.refused(409, self.update(lease, **change))
        self.assertEqual({}, self.policies())
        self.assertIsNone(self.show(lease)["reservations"][0]["affinity"])

    def test_d7_one_that_has_no_room_asks_for_none(self):
        lease = self.lease(INSTANCE, start=self.minute(10))

        def change():
            self.refused(409, self.update(lease, **self.change(lease, affinity=False, amount=99)))

        self.assertEqual(set(), self.calls_of(change))

    def test_d8_a_group_is_recorded_for_what_it_was_made_for(self):
        """Between the making of a lease and of its group, another request changes its mind."""
        changed = []

        def meanwhile():
            (lease,) = self.call("GET", "/v1/leases").json["leases"]
            changed.append(self.updated(lease, **self.change(lease, affinity=False)))

        self.meanwhile = meanwhile
        self.cloud.set_faults("nova.server_group.create", latency_ms=1)
        lease = self.lease({**TOGETHER, "amount": 2}, start=self.minute(60), end=90)
        (reservation,) = self.show(lease)["reservations"]
        self.assertIs(False, reservation["affinity"])
        self.assertEqual(
            changed[0]["reservations"][0]["server_group_id"], reservation["server_group_id"]
        )
        self.assertEqual({reservation["server_group_id"]: "anti-affinity"}, self.policies())

    def test_d8_one_of_another_policy_is_refused(self):
        lease = self.lease({**INSTANCE, "affinity": True})
        number = lease["reservations"][0]["id"]
        with self.nothing_changes():
            for policy in ("anti-affinity", "affinity"):
                self.assertRaises(
                    exceptions.Conflict,
                    self.service.set_server_group,
                    None,
                    number,
                    "another",
                    policy,
                )

    def test_groups_of_two_changes_before_it_is_prepared_go_with_the_lease(self):
        lease = self.lease(TOGETHER, start=self.minute(60), end=90)
        for affinity in (False, True, "None"):
            self.updated(lease, **self.change(lease, affinity=affinity))
        self.delete(lease)
        self.pass_time()
        self.service.reconcile.run()
        self.assertEqual({}, self.policies())
