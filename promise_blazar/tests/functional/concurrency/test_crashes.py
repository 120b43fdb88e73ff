# SPDX-License-Identifier: Apache-2.0
"""A manager process is killed in the middle of a start, and of an end; another carries on."""

import tempfile
from datetime import timedelta
from pathlib import Path

from promise_blazar.clock import SystemClock
from promise_blazar.cloud.simulated import SimulatedCloud
from promise_blazar.db.session import Database
from promise_blazar.manager import composition
from promise_blazar.manager.contract.messages import HostRequest, LeaseChange
from promise_blazar.tests import base, databases
from promise_blazar.tests.functional.base import HOST, INSTANCE, configuration, sync
from promise_blazar.tests.functional.concurrency import audit
from promise_blazar.tests.functional.concurrency.processes import ManagerProcess, eventually
from promise_blazar.tests.functional.concurrency.worker import ALICE, request

#: Dead managers are found soon, and a busy machine's heartbeats are still in time.
OPTIONS = {
    "manager__heartbeat_interval": 0.2,
    "manager__ownership_seconds": 2,
    "manager__poll_interval": 0.1,
    "manager__minutes_before_end_lease": 0,
    "openstack__call_timeout": 0.5,
}
#: Longer than the test takes: a call that has this latency is one that a kill meets.
FOR_EVER_MS = 1_000_000


class CrashTestCase(base.DatabaseTestCase):
    prepare = staticmethod(sync)

    def setUp(self):
        super().setUp()
        self.cloud_file = Path(self.enterContext(tempfile.TemporaryDirectory())) / "cloud.sqlite"
        self.cloud = SimulatedCloud(self.cloud_file, 2)
        self.addCleanup(self.cloud.close)
        self.clock = SystemClock()
        # Takes requests; starts and ends are for the others.
        self.front = composition.manager(
            configuration(manager__ownership_seconds=600, manager__minutes_before_end_lease=0),
            Database(self.url),
            self.cloud,
            self.clock,
        )
        self.front.heartbeat.register()
        self.addCleanup(self.front.stop)
        for name in ("compute-1", "compute-2"):
            self.front.create_host(ALICE, HostRequest(name))
        self.objects = self.everything_made()

    def manager(self):
        started = ManagerProcess(self.url, self.cloud_file, **OPTIONS)
        self.addCleanup(started.stop)
        return started

    def lease(self, values):
        end = (self.clock.now() + timedelta(hours=1)).isoformat()
        return self.front.create_lease(ALICE, request(values, "now", end))

    def look(self, lease):
        return self.front.get_lease(ALICE, lease.id)

    def until(self, lease, status):
        eventually(lambda: self.look(lease).status == status)

    def everything_made(self):
        aggregates = {found.name: sorted(found.hosts) for found in self.cloud.aggregates.list()}
        children = [self.cloud.resource_providers.inventory(f"blazar_compute-{n}") for n in (1, 2)]
        return aggregates, children

    def hang(self, call):
        """Whoever makes this call from now on waits for its answer until it is killed."""
        self.cloud.set_faults(call, latency_ms=FOR_EVER_MS)

    def kill(self, manager, reached):
        """As soon as something has come true."""
        eventually(reached)
        manager.kill()
        self.cloud.clear_faults()

    def server(self, flavor="m1.tiny", hints=None):
        found = self.cloud.create_server("demo", "server", flavor, hints)
        self.assertEqual("ACTIVE", found.status, found.fault)
        return found.id


@databases.on_each_database
class TestHostLease(CrashTestCase):
    def test_it_survives_a_kill_in_its_start_and_one_in_its_end(self):
        self.hang("nova.aggregate.remove_host")
        lease = self.lease(HOST)
        reservation = lease.reservations[0].id
        self.kill(self.manager(), lambda: self.everything_made()[0][reservation])
        # In both pools, so in the middle.
        aggregates, _ = self.everything_made()
        (host,) = aggregates[reservation]
        self.assertIn(host, aggregates["freepool"])
        self.assertEqual("STARTING", self.look(lease).status)

        second = self.manager()
        self.until(lease, "ACTIVE")
        aggregates, _ = self.everything_made()
        self.assertEqual([host], aggregates[reservation])
        self.assertNotIn(host, aggregates["freepool"])
        server = self.server(hints={"reservation": reservation})

        self.hang("nova.aggregate.delete")
        self.front.update_lease(ALICE, lease.id, LeaseChange(end="now"))
        self.kill(second, lambda: not self.everything_made()[0][reservation])
        self.assertEqual("TERMINATING", self.look(lease).status)
        self.assertIn(reservation, self.everything_made()[0])

        self.manager()
        self.until(lease, "TERMINATED")
        self.assertEqual(self.objects, self.everything_made())
        self.assertIsNone(self.cloud.servers.find(server))
        found = self.look(lease)
        self.assertEqual({"DONE"}, {event.status for event in found.events})
        self.assertEqual(["deleted"], [r.status for r in found.reservations])
        self.assertEqual({True}, {bool(r["released"]) for r in audit.rows(self.url, "bookings")})
        self.assertEqual([], audit.faults(self.url))


class TestInstanceLease(CrashTestCase):
    def test_it_survives_a_kill_in_its_start_and_one_in_its_deletion(self):
        self.hang("nova.flavor.grant")
        lease = self.lease(INSTANCE)
        reservation = lease.reservations[0].id
        self.kill(self.manager(), lambda: any(self.everything_made()[1]))
        self.assertEqual("STARTING", self.look(lease).status)

        second = self.manager()
        self.until(lease, "ACTIVE")
        server = self.server(flavor=reservation)

        self.hang("placement.resource_class.delete")
        self.front.delete_lease(ALICE, lease.id)
        self.kill(second, lambda: not any(self.everything_made()[1]))
        self.assertEqual("DELETING", self.look(lease).status)

        self.manager()
        eventually(lambda: not audit.rows(self.url, "leases"))
        self.assertEqual(self.objects, self.everything_made())
        self.assertIsNone(self.cloud.servers.find(server))
        self.assertNotIn(reservation, [f.id for f in self.cloud.list_flavors("demo", True)])
        self.assertEqual([], audit.faults(self.url))
