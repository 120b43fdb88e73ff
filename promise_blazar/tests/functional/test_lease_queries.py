# SPDX-License-Identifier: Apache-2.0
"""A list for one who knows some of it: everything is named, and only what is new is shown."""

from unittest import mock

from promise_blazar.context import RequestContext
from promise_blazar.manager.queries import leases as lease_queries
from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import INSTANCE, ServiceTestCase

ALICE = RequestContext("alice", "demo", "req-1")


@databases.on_each_database
class TestViewing(ServiceTestCase):
    def test_few_and_many_that_are_new(self):
        # Made at one instant, they are in the order of their ids.
        starts = (10, 20, 30)
        ids = sorted(self.lease(INSTANCE, start=self.minute(n), end=60)["id"] for n in starts)
        self.lease(INSTANCE, start=self.minute(10), end=60, token="eve:other")
        everything = self.service.list_leases(ALICE, "demo")
        self.assertEqual(tuple(ids), everything.ids)
        known = {view.id: view.revision for view in everything.changed}
        for most in (0, 1, 200):
            with self.subTest(most), mock.patch.object(lease_queries, "_FEW", most):
                self.assertEqual((), self.service.list_leases(ALICE, "demo", known).changed)
                found = self.service.list_leases(ALICE, "demo", {**known, ids[1]: -1})
                self.assertEqual(tuple(ids), found.ids)
                self.assertIn(ids[1], [view.id for view in found.changed])
                self.assertEqual(most == 0, len(found.changed) > 1)

    def test_one_that_went_is_not_named(self):
        lease, other = (self.lease(INSTANCE, start=self.minute(10), end=60) for _ in range(2))
        known = {v.id: v.revision for v in self.service.list_leases(ALICE, "demo").changed}
        self.delete(lease)
        self.pass_time()
        found = self.service.list_leases(ALICE, "demo", known)
        self.assertEqual(((other["id"],), ()), (found.ids, found.changed))

    def test_one_that_goes_meanwhile_is_not_named_without_being_shown(self):
        leases = [self.lease(INSTANCE, start=self.minute(10), end=60) for _ in range(2)]
        known = {lease["id"]: -1 for lease in leases}
        these = lease_queries.leases.these

        def just_removed(connection, ids):
            self.delete(leases[0])
            self.pass_time()
            return these(connection, ids)

        with mock.patch.object(lease_queries.leases, "these", just_removed):
            found = self.service.list_leases(ALICE, "demo", known)
        self.assertIn(leases[1]["id"], found.ids)
        self.assertEqual(list(found.ids), [view.id for view in found.changed])
