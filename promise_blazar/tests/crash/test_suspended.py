# SPDX-License-Identifier: Apache-2.0
"""A manager process is suspended in the middle of a start, and of an end, and wakes up later.

By then another manager has taken over, the lease is gone, and the next tenant has its host.
"""

import contextlib
import sqlite3
import time

import sqlalchemy

from promise_blazar.tests.functional.base import HOST
from promise_blazar.tests.functional.concurrency import audit
from promise_blazar.tests.functional.concurrency.processes import eventually
from promise_blazar.tests.functional.concurrency.test_crashes import CrashTestCase
from promise_blazar.tests.functional.concurrency.worker import ALICE

#: So long is the call that the manager is suspended in.
SLOW_MS = 5000
EVERYTHING = {**HOST, "min": 2, "max": 2}


class TestSuspended(CrashTestCase):
    def suspend(self, manager):
        """Where it holds no lock: on a file nobody could take that from it."""
        path = sqlalchemy.make_url(self.url).database
        while True:
            manager.suspend()
            with (
                contextlib.suppress(sqlite3.OperationalError),
                contextlib.closing(sqlite3.connect(path, timeout=1)) as db,
            ):
                db.execute("BEGIN IMMEDIATE")
                db.rollback()
                busy, *_ = db.execute("PRAGMA wal_checkpoint").fetchone()
                if not busy:
                    return
            manager.resume()
            time.sleep(0.05)

    def removed(self, lease):
        self.front.delete_lease(ALICE, lease.id)
        eventually(lambda: not audit.rows(self.url, "leases"))

    def check_that_it_does_no_harm(self, sleeper):
        """The next tenant has everything, when the sleeper wakes up."""
        following = self.lease(EVERYTHING)
        self.until(following, "ACTIVE")
        self.server(hints={"reservation": following.reservations[0].id})
        before = self.everything_made(), self.cloud.list_servers()
        sleeper.resume()
        eventually(lambda: "may be taken for dead" in sleeper.log())
        sleeper.stop()  # which waits for what it has under way
        self.assertEqual(before, (self.everything_made(), self.cloud.list_servers()))
        self.assertEqual("ACTIVE", self.look(following).status)
        self.assertEqual([], audit.faults(self.url))

    def test_in_a_start(self):
        self.cloud.set_faults("nova.aggregate.add_host", latency_ms=SLOW_MS)
        lease = self.lease(HOST)
        sleeper = self.manager()
        self.until(lease, "STARTING")
        self.suspend(sleeper)
        self.cloud.clear_faults()
        self.manager()
        self.until(lease, "ACTIVE")
        self.removed(lease)
        self.check_that_it_does_no_harm(sleeper)

    def test_in_an_end(self):
        lease = self.lease(HOST)
        sleeper = self.manager()
        self.until(lease, "ACTIVE")
        server = self.server(hints={"reservation": lease.reservations[0].id})
        self.cloud.set_faults("nova.server.delete", latency_ms=SLOW_MS)
        self.front.delete_lease(ALICE, lease.id)
        eventually(lambda: audit.rows(self.url, "reservation_servers"))
        self.suspend(sleeper)
        self.cloud.clear_faults()
        self.manager()
        eventually(lambda: not audit.rows(self.url, "leases"))
        self.assertIsNone(self.cloud.servers.find(server))
        self.check_that_it_does_no_harm(sleeper)
