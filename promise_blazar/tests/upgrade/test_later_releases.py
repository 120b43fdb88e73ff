# SPDX-License-Identifier: Apache-2.0
"""Leases of the releases between the first and this one, in every state, under this one."""

from promise_blazar.tests import databases
from promise_blazar.tests.functional.base import HOST, INSTANCE
from promise_blazar.tests.functional.concurrency import audit
from promise_blazar.tests.upgrade import dumps
from promise_blazar.tests.upgrade.base import UPGRADED, UpgradedTestCase
from promise_blazar.tests.upgrade.test_leases import (
    BECOMES,
    BECOMES_BY_NAME,
    LONG,
    SERVERS,
    STEP,
    UNTOUCHED,
)


class LaterReleaseCase(UpgradedTestCase):
    def carry_on(self, seconds):
        for _ in range(seconds // STEP):
            self.pass_time(STEP)

    def test_each_carries_on_from_where_it_was(self):
        expected = {
            name: BECOMES_BY_NAME.get(name, BECOMES.get(lease.status, lease.status))
            for name, lease in self.manifest.leases.items()
        }
        before = self.shown()
        servers = {s.id for s in self.cloud.list_servers() if s.name in SERVERS}
        self.assertEqual(3, len(servers))
        self.carry_on(LONG)
        shown = self.shown()
        becomes = {name: shown[name]["status"] if name in shown else None for name in expected}
        self.assertEqual(expected, becomes)
        self.service.reconcile.run()
        self.pass_time()
        self.assertEqual([], self.service.reconcile.look().lines())
        self.assertEqual([], audit.faults(self.url))
        self.assertEqual([], audit.strayed(self.service.ledger, self.url, self.clock))
        for name in UNTOUCHED:
            self.assertEqual(before[name], shown[name])
        self.assertEqual(servers, {s.id for s in self.cloud.list_servers()})

    def test_running_ones_are_changed_and_new_ones_are_made_and_all_can_go(self):
        self.carry_on(10)
        changed = self.updated(
            self.shown()["active host, not warned"], end_date="2030-01-01 07:00"
        )
        self.assertEqual("2030-01-01T07:00:00.000000", changed["end_date"])
        new = self.lease(HOST, INSTANCE, end=200)
        self.carry_on(10)
        self.assertEqual("ACTIVE", self.show(new)["status"])
        for name, lease in self.shown().items():
            self.assertEqual(204, self.delete(lease, "admin:admin").status_code, name)
        self.carry_on(LONG)
        self.assertEqual({}, self.shown())
        self.assertEqual([], self.cloud.list_servers())
        self.assertEqual(["freepool"], list(self.aggregates()))


@databases.on_each_database
class TestSecondRelease(LaterReleaseCase):
    release = dumps.SECOND
    prepare = UPGRADED[dumps.SECOND]


class TestThirdRelease(LaterReleaseCase):
    database = "sqlite"
    release = dumps.THIRD
    prepare = UPGRADED[dumps.THIRD]


del LaterReleaseCase
