# SPDX-License-Identifier: Apache-2.0
"""32 threads in two manager processes: each slot and each host is sold exactly once."""

import tempfile
from collections import Counter
from pathlib import Path

from promise_blazar import exceptions
from promise_blazar.clock import SystemClock
from promise_blazar.cloud.simulated import SimulatedCloud
from promise_blazar.db import leases
from promise_blazar.db.session import Database
from promise_blazar.manager import composition
from promise_blazar.manager.contract.messages import HostRequest
from promise_blazar.tests import base, databases
from promise_blazar.tests.functional.base import (
    HOST,
    INSTANCE,
    ServiceTestCase,
    configuration,
    sync,
)
from promise_blazar.tests.functional.concurrency import audit
from promise_blazar.tests.functional.concurrency.processes import ManagerProcess, eventually
from promise_blazar.tests.functional.concurrency.worker import ALICE, COMING_AND_GOING, request

THREADS = 16  # in each of the two processes
HOSTS = 4
#: Four of them fill the 32 VCPU of a host.
SLOT = INSTANCE | {"amount": 1, "vcpus": 8}
#: Nobody dies here, and the machine may be slow: a late heartbeat is no reason to stop.
OPTIONS = {"manager__poll_interval": 0.1, "manager__ownership_seconds": 120}
RESTLESS = {"CREATING", "STARTING", "UPDATING", "TERMINATING", "DELETING"}


@databases.on_each_database
class TestRaces(base.DatabaseTestCase):
    prepare = staticmethod(sync)

    def setUp(self):
        super().setUp()
        cloud_file = Path(self.enterContext(tempfile.TemporaryDirectory())) / "cloud.sqlite"
        self.cloud = SimulatedCloud(cloud_file, HOSTS + len(COMING_AND_GOING))
        self.addCleanup(self.cloud.close)
        # This one does not act: it asks, and is asked.
        self.observer = composition.manager(
            configuration(), Database(self.url), self.cloud, SystemClock()
        )
        self.observer.heartbeat.register()
        self.addCleanup(self.observer.stop)
        for number in range(HOSTS):
            self.observer.create_host(ALICE, HostRequest(f"compute-{number + 1}", {}))
        self.managers = [ManagerProcess(self.url, cloud_file, **OPTIONS) for _ in range(2)]
        for manager in self.managers:
            self.addCleanup(manager.stop)

    def everybody(self, do, **arguments):
        """Both processes at once; the answers of all threads."""
        for manager in self.managers:
            manager.order(do, **arguments)
        return [answer for manager in self.managers for answer in manager.answer()]

    def assert_sound(self):
        """The rows keep the host rule at every instant, and every manager sees those rows."""
        self.assertEqual([], audit.faults(self.url))
        self.assertEqual([[], []], [manager.ask("strayed") for manager in self.managers])

    def test_d2_the_last_are_sold_exactly_once_and_every_refusal_is_true(self):
        window = {"start": "2035-01-01 00:00", "end": "2035-01-01 01:00"}
        later = {"start": "2035-01-01 01:00", "end": "2035-01-01 02:00"}
        for values, hours, stock in ((SLOT, window, 4 * HOSTS), (HOST, later, HOSTS)):
            answers = self.everybody("race", threads=THREADS, values=values, **hours)
            counted = Counter(answer for answer, _, _ in answers)
            self.assertEqual({"sold": stock, "refused": 2 * THREADS - stock}, counted)
            self.assertRaises(
                exceptions.NotEnoughHosts,
                self.observer.create_lease,
                ALICE,
                request(values, **hours),
                dry_run=True,
            )
        self.assert_sound()

    def test_whatever_happens_at_once_nothing_is_oversold_and_nothing_is_left(self):
        tallies = self.everybody("mix", threads=THREADS, seed=self.database, count=5)
        self.assertEqual([], [error for _, errors in tallies for error in errors])
        total = sum((Counter(tally) for tally, _ in tallies), Counter())
        for operation in ("create", "update", "delete", "add host"):
            self.assertGreater(total[operation], 0, total)
        eventually(self.is_quiet)
        self.assert_sound()

        for lease in self.observer.list_leases(ALICE).changed:
            self.observer.delete_lease(ALICE, lease.id)
        eventually(lambda: not audit.rows(self.url, "leases"))
        left = [row for row in audit.rows(self.url, "bookings") if not row["deleted"]]
        self.assertEqual([], left)
        pool = [host.hypervisor_hostname for host in self.observer.list_hosts(ALICE)]
        (aggregate,) = self.cloud.aggregates.list()
        self.assertEqual(("freepool", sorted(pool)), (aggregate.name, sorted(aggregate.hosts)))
        self.assert_sound()

    def is_quiet(self):
        return not RESTLESS & {row["status"] for row in audit.rows(self.url, "leases")}


@databases.on_each_database
class TestBetweenLookAndCommit(ServiceTestCase):
    """What changes a lease without taking it is not to be lost, nor to stay, by accident."""

    def just_before_the_commit(self, step):
        commit = self.service.ledger.commit

        def late(*arguments):
            self.service.ledger.commit = commit
            step()
            return commit(*arguments)

        self.service.ledger.commit = late

    def test_a_server_group_of_the_old_policy_does_not_stay(self):
        lease = self.lease({**INSTANCE, "amount": 1}, start=self.minute(5))
        (reservation,) = lease["reservations"]
        self.just_before_the_commit(
            lambda: self.service.set_server_group(None, reservation["id"], "of-another-policy")
        )
        changed = {"id": reservation["id"], "affinity": True}
        (after,) = self.updated(lease, reservations=[changed])["reservations"]
        self.assertNotIn(after["server_group_id"], (None, "of-another-policy"))

    def test_what_an_old_start_waited_for_does_not_stay(self):
        lease = self.lease(HOST, start=self.minute(5))

        def blocked():
            with Database(self.url).writer() as connection:
                leases.set_lease(connection, lease["id"], {"reason": "hosts to be let go of"})

        self.just_before_the_commit(blocked)
        self.assertIsNone(self.updated(lease, end_date=self.minute(90))["status_reason"])

    def test_a_new_name_stays(self):
        lease = self.lease(HOST, start=self.minute(5))
        self.just_before_the_commit(lambda: self.updated(lease, name="renamed"))
        self.updated(lease, end_date=self.minute(90))
        self.assertEqual("renamed", self.show(lease)["name"])
