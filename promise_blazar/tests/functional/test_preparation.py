# SPDX-License-Identifier: Apache-2.0
"""Preparation when it is due: what starts later is promised without OpenStack."""

from unittest import mock

import sqlalchemy

from promise_blazar.db import tables
from promise_blazar.manager.workflow import lease_queue
from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE
from promise_blazar.tests.functional.cases import UpdateCase

TOGETHER = {**INSTANCE, "affinity": True}
HOUR = 3600


class PreparationCase(UpdateCase):
    def tomorrow(self, *reservations, start=24 * 60, **more):
        lease = self.lease(
            *reservations or (HOST, INSTANCE), start=self.minute(start), end=start + 60, **more
        )
        self.assertEqual("PENDING", lease["status"])
        return lease

    def away(self):
        """OpenStack does not answer any call."""
        for call in (
            "nova.aggregate.list",
            "nova.aggregate.create",
            "nova.flavor.create",
            "placement.resource_class.ensure",
        ):
            self.cloud.set_faults(call, fail_next=10_000, status=None)

    def prepared(self, lease):
        """Whether OpenStack has what each reservation needs before it starts."""
        aggregates, flavors = self.aggregates(), self.flavors()
        return [
            each["id"] in aggregates
            and (each["resource_type"] == "physical:host" or each["id"] in flavors)
            for each in lease["reservations"]
        ]

    def row(self, lease, *names):
        engine = sqlalchemy.create_engine(self.url, poolclass=sqlalchemy.NullPool)
        columns = [getattr(tables.Lease, name) for name in names]
        with engine.connect() as connection:
            query = sqlalchemy.select(*columns).where(tables.Lease.id == lease["id"])
            return tuple(connection.execute(query).one())

    def silent(self, work):
        """Some work that makes no call to OpenStack."""
        self.assertEqual(set(), self.calls_of(work))


@databases.on_each_database
class TestLater(PreparationCase):
    def test_it_is_made_changed_and_deleted_without_openstack(self):
        before = self.cloud_objects()
        lease = self.tomorrow()

        def change():
            host, slots = lease["reservations"]
            after = self.updated(
                lease,
                end_date=self.minute(26 * 60),
                reservations=[
                    {"id": host["id"], "min": 2, "max": 2},
                    {"id": slots["id"], "amount": 3, "vcpus": 1},
                ],
            )
            self.assertEqual("PENDING", after["status"])
            self.assertEqual(
                [2, 3], [r.get("max", r.get("amount")) for r in after["reservations"]]
            )
            self.assertIsNone(after["reservations"][1]["aggregate_id"])

        def delete():
            self.assertEqual(204, self.delete(lease).status_code)

        self.silent(change)
        self.silent(delete)
        self.refused(404, self.delete(lease))
        self.assertEqual([], self.promises())
        self.silent(self.tomorrow)
        self.assertEqual(before, self.cloud_objects())

    def test_it_is_prepared_when_nothing_is_more_urgent(self):
        lease = self.tomorrow()
        self.assertEqual([False, False], self.prepared(lease))
        self.pass_time()
        self.assertEqual([True, True], self.prepared(lease))
        shown = self.show(lease)
        self.assertEqual("PENDING", shown["status"])
        self.assertIsNotNone(shown["reservations"][1]["aggregate_id"])
        self.pass_time(24 * HOUR)
        self.assertEqual("ACTIVE", self.show(lease)["status"])

    def test_those_that_start_first_come_first(self):
        last = self.tomorrow(HOST, start=3000)
        self.clock.advance(1)
        first, made = self.tomorrow(HOST, start=2000), []
        create = self.cloud.aggregates.ensure

        def ensure(name, *arguments):
            made.append(name)
            return create(name, *arguments)

        self.cloud.aggregates.ensure = ensure
        self.pass_time()
        self.assertEqual([each["reservations"][0]["id"] for each in (first, last)], made)

    def test_while_openstack_is_away_it_waits_and_starts_on_time(self):
        self.away()
        lease = self.tomorrow()
        self.pass_time()
        shown = self.show(lease)
        self.assertEqual("PENDING", shown["status"])
        self.assertIn("not prepared yet", shown["status_reason"])
        self.updated(lease, **self.change(lease, 1, amount=1))
        others = self.tomorrow(HOST)
        self.assertEqual(204, self.delete(others).status_code)
        self.refused(404, self.delete(others))
        for _ in range(24):
            self.pass_time(HOUR - 1)
        self.assertEqual("PENDING", self.show(lease)["status"])
        self.cloud.clear_faults()
        self.pass_time(24)
        shown = self.show(lease)
        self.assertEqual(("ACTIVE", None), (shown["status"], shown["status_reason"]))
        self.assertEqual(1, sum(self.slots(lease["reservations"][1]["id"]).values()))

    def test_what_was_refused_is_tried_until_the_start_and_then_as_often_as_any_start(self):
        self.cloud.set_faults("nova.flavor.create", fail_next=10_000, status=409)
        lease = self.tomorrow(HOST, INSTANCE)
        # Many times more often than a start is tried.
        for _ in range(12):
            self.pass_time(2 * HOUR)
        self.assertEqual("STARTING", self.show(lease)["status"])
        for _ in range(2):
            self.pass_time(60)
        shown = self.show(lease)
        self.assertEqual("ERROR", shown["status"])
        self.assertEqual("active", shown["reservations"][0]["status"])
        self.assertEqual("error", shown["reservations"][1]["status"])

    def test_one_that_openstack_refuses_does_not_keep_the_others_from_it(self):
        self.cloud.set_faults("nova.flavor.create", fail_next=10_000, status=409)
        refused, other = self.tomorrow(INSTANCE), self.tomorrow(HOST, start=3000)
        for _ in range(3):
            self.pass_time(60)
        self.assertEqual([[False], [True]], [self.prepared(refused), self.prepared(other)])

    def test_nobody_repairs_what_is_not_prepared_yet(self):
        lease = self.tomorrow()
        self.assertTrue(self.service.reconcile.run().clean)
        self.assertEqual([False, False], self.prepared(lease))

    def test_one_that_nobody_prepared_is_prepared_by_its_start(self):
        lease = self.tomorrow()
        self.clock.advance(24 * HOUR)
        self.pass_time()
        self.assertEqual("ACTIVE", self.show(lease)["status"])
        self.assertEqual("ACTIVE", self.boot(lease["reservations"][1]["id"])["status"])

    def test_within_its_time_ahead_it_is_as_urgent_as_what_is_due(self):
        lease = self.tomorrow()
        self.clock.advance(24 * HOUR - 600)
        with self.mock_ahead():
            self.pass_time()
        self.assertEqual([True, True], self.prepared(lease))

    def mock_ahead(self):
        return mock.patch.object(lease_queue.UnhurriedQueue, "due", return_value=[])


@databases.on_each_database
class TestChanges(PreparationCase):
    def test_one_that_is_brought_forward_is_prepared_at_once(self):
        lease = self.tomorrow()
        after = self.updated(lease, start_date=self.minute(10))
        self.assertEqual("PENDING", after["status"])
        self.assertEqual([True, True], self.prepared(lease))
        self.assertIsNotNone(after["reservations"][1]["aggregate_id"])

    def test_what_changes_of_one_that_is_prepared_is_made_later(self):
        lease = self.tomorrow(INSTANCE)
        self.pass_time()
        (reservation,) = lease["reservations"]

        def change():
            after = self.updated(lease, **self.change(lease, vcpus=5))
            self.assertEqual("PENDING", after["status"])

        self.silent(change)
        self.assertEqual(2, self.flavor(reservation["id"]).vcpus)
        self.pass_time()
        self.assertEqual(5, self.flavor(reservation["id"]).vcpus)

    def test_that_is_made_by_the_start_if_by_nobody_before(self):
        lease = self.tomorrow(INSTANCE)
        self.pass_time()
        self.updated(lease, **self.change(lease, vcpus=5))
        self.clock.advance(24 * HOUR)
        self.pass_time()
        self.assertEqual("ACTIVE", self.show(lease)["status"])
        self.assertEqual(5, self.flavor(lease["reservations"][0]["id"]).vcpus)

    def test_a_prepared_one_is_deleted_with_all_that_it_has(self):
        before = self.cloud_objects()["flavors"]
        lease = self.tomorrow()
        self.pass_time()
        self.assertEqual(204, self.delete(lease).status_code)
        self.assertEqual("DELETING", self.show(lease)["status"])
        self.pass_time()
        self.refused(404, self.delete(lease))
        self.assertEqual(before, self.cloud_objects()["flavors"])
        self.assertEqual(["freepool"], list(self.aggregates()))

    def test_a_server_group_goes_with_a_lease_that_was_never_prepared(self):
        lease = self.tomorrow(TOGETHER)
        self.assertEqual([lease["reservations"][0]["server_group_id"]], self.groups())
        self.delete(lease)
        self.pass_time()
        self.refused(404, self.delete(lease))
        self.assertEqual([], self.groups())

    def test_a_change_takes_the_lease_from_who_is_preparing_it(self):
        lease = self.tomorrow(INSTANCE)
        self.meanwhile = lambda: self.updated(lease, **self.change(lease, vcpus=5))
        self.cloud.set_faults("nova.aggregate.create", latency_ms=1)
        self.pass_time()
        self.assertEqual(5, self.show(lease)["reservations"][0]["vcpus"])
        self.pass_time()
        self.assertEqual(5, self.flavor(lease["reservations"][0]["id"]).vcpus)

    def test_so_does_a_delete(self):
        lease = self.tomorrow(INSTANCE)
        self.meanwhile = lambda: self.delete(lease)
        self.cloud.set_faults("nova.aggregate.create", latency_ms=1)
        self.pass_time()
        self.pass_time()
        self.refused(404, self.delete(lease))
        self.assertEqual(["freepool"], list(self.aggregates()))

    def setUp(self):
        super().setUp()
        self.meanwhile = None

    def wait_for_the_cloud(self, seconds):
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()


@databases.on_each_database
class TestBesideEarlierReleases(PreparationCase):
    def test_while_a_manager_lives_that_would_not_prepare_it_it_is_prepared_at_once(self):
        engine = sqlalchemy.create_engine(self.url, poolclass=sqlalchemy.NullPool)
        with engine.begin() as connection:
            connection.execute(
                sqlalchemy.insert(tables.ManagerProcess).values(
                    id="old", host="controller-1", beat=0, started_at=self.clock.now(), rules=0
                )
            )
        lease = self.tomorrow()
        self.assertEqual([True, True], self.prepared(lease))
        self.assertEqual(("done",), self.row(lease, "preparation"))
        with engine.begin() as connection:
            connection.execute(
                sqlalchemy.delete(tables.ManagerProcess).where(tables.ManagerProcess.id == "old")
            )
        self.assertEqual([False, False], self.prepared(self.tomorrow(start=3000)))


class TestRefused(PreparationCase):
    options = {"manager__prepare_wait": 0}  # noqa: RUF012 - never changed

    def test_d6_a_lease_that_cannot_be_prepared_holds_nothing(self):
        whole = {**HOST, "min": 2, "max": 2}
        self.cloud.set_faults("nova.flavor.create", fail_next=10_000, status=409)
        lease = self.lease(whole, INSTANCE, start=self.minute(5), end=60)
        for _ in range(40):
            if self.show(lease)["status"] == "ERROR":
                break
            self.pass_time(6)
        shown = self.show(lease)
        self.assertEqual("ERROR", shown["status"])
        self.assertEqual(["error", "error"], [each["status"] for each in shown["reservations"]])
        self.pass_time(60)
        self.assertEqual([], [row for row in self.promises() if not row[-1]])
        self.lease({**HOST, "min": 3, "max": 3}, start=self.minute(7), end=60)

    def test_d3_one_for_which_nobody_waited_is_prepared_in_time(self):
        """Though many others were made before, and start later."""
        for number in range(5):
            self.lease(HOST, start=self.minute(2000 + 100 * number), end=2050 + 100 * number)
        lease = self.lease(HOST, start=self.minute(11), end=60)
        with mock.patch.object(lease_queue.UnhurriedQueue, "due", return_value=[]):
            self.pass_time(60)
            self.assertEqual([True], self.prepared(lease))
