# SPDX-License-Identifier: Apache-2.0
"""One world in one file, for every thread and process that opens it."""

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

from promise_blazar.cloud.simulated import SimulatedCloud
from promise_blazar.tests.unit.cloud.simulated_case import SimulatedCase

_BOOT = """
import sys
from promise_blazar.cloud.simulated import SimulatedCloud
cloud = SimulatedCloud(sys.argv[1], hosts=2)
for _ in range(20):
    cloud.create_server("demo", "x", "m1.large")
cloud.close()
"""


class WorldTest(SimulatedCase):
    def test_what_is_there_at_first(self) -> None:
        hosts = self.cloud.list_hosts()
        self.assertEqual(["compute-1", "compute-2", "compute-3"], [host.name for host in hosts])
        first = hosts[0]
        self.assertEqual(("up", (), ()), (first.state, first.aggregates, first.servers))
        self.assertEqual((32, 131072, 2000), (first.vcpus, first.memory_mb, first.disk_gb))
        self.assertEqual(
            [
                ("m1.tiny", 1, 512, 1),
                ("m1.small", 1, 2048, 20),
                ("m1.medium", 2, 4096, 40),
                ("m1.large", 4, 8192, 80),
            ],
            [
                (flavor.name, flavor.vcpus, flavor.memory_mb, flavor.disk_gb)
                for flavor in self.cloud.list_flavors("demo")
            ],
        )
        self.assertTrue(self.cloud.image_exists("tiny"))
        self.assertEqual((), tuple(self.cloud.aggregates.list()))

    def test_the_world_outlives_those_who_look_at_it(self) -> None:
        aggregate = self.lend("r", "compute-2")
        server = self.cloud.create_server("demo", "s", "m1.tiny", {"reservation": "r"})
        self.cloud.close()
        again = SimulatedCloud(self.path, hosts=99)
        self.addCleanup(again.close)
        self.assertEqual(3, len(again.list_hosts()))
        self.assertEqual(("compute-2",), again.aggregates.get(aggregate.id).hosts)
        self.assertEqual([server], again.list_servers())

    def test_a_change_is_seen_by_others_at_once(self) -> None:
        other = self.open()
        aggregate = self.cloud.aggregates.ensure("a", None, {})
        other.aggregates.add_host(aggregate.id, "compute-1")
        self.assertEqual(("compute-1",), self.cloud.aggregates.get(aggregate.id).hosts)

    def test_nothing_is_left_beside_the_file(self) -> None:
        self.cloud.close()
        self.assertEqual([self.path], list(self.path.parent.iterdir()))

    def test_a_file_of_another_layout_is_refused(self) -> None:
        path = self.path.with_name("other.sqlite")
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA user_version = 99")
        db.close()
        with self.assertRaisesRegex(ValueError, "layout 99"):
            SimulatedCloud(path)

    def test_processes_that_start_together_make_one_world(self) -> None:
        path = self.path.with_name("together.sqlite")
        command = [sys.executable, "-c", _BOOT, str(path)]
        running = [subprocess.Popen(command) for _ in range(2)]
        self.assertEqual([0, 0], [process.wait() for process in running])
        cloud = SimulatedCloud(path)
        self.addCleanup(cloud.close)
        hosts = cloud.list_hosts()
        # 131072 MB hold 16 servers of 8192, so of 40 servers 32 fit, however they raced.
        self.assertEqual([16, 16], [len(host.servers) for host in hosts])
        self.assertEqual(40, len(cloud.list_servers()))
        self.assertEqual([], list(Path(path.parent).glob("together.sqlite.*")))

    def test_threads_share_it(self) -> None:
        def boot() -> None:
            for _ in range(5):
                self.cloud.create_server("demo", "s", "m1.tiny")

        threads = [threading.Thread(target=boot) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        servers = self.cloud.list_servers()
        self.assertEqual({"ACTIVE"}, {server.status for server in servers})
        self.assertEqual(40, len({server.id for server in servers}))


class SlowDeletionTest(SimulatedCase):
    def test_a_server_that_goes_slowly_is_there_until_it_is_gone(self) -> None:
        self.cloud.set_server_delete_seconds(10)
        lent = self.lend("r", "compute-1")
        server = self.cloud.create_server("demo", "s", "m1.tiny", {"reservation": "r"})
        self.cloud.servers.delete(server.id)
        self.clock.advance(6)
        self.cloud.servers.delete(server.id)  # asking again does not put it off
        self.clock.advance(3.9)
        self.assertEqual(
            [server.id], [found.id for found in self.cloud.servers.on_host("compute-1")]
        )
        self.clock.advance(0.1)
        self.assertEqual([], list(self.cloud.servers.on_host("compute-1")))
        self.assertIsNone(self.cloud.servers.find(server.id))
        self.cloud.aggregates.delete(lent.id)

    def test_it_holds_its_resources_until_then(self) -> None:
        self.cloud.set_server_delete_seconds(10)
        self.lend("r", "compute-1")
        whole = self.make_flavor(memory_mb=131072)
        first = self.cloud.create_server("demo", "s", whole, {"reservation": "r"})
        self.cloud.remove_server(first.id, "demo")
        second = self.cloud.create_server("demo", "s", whole, {"reservation": "r"})
        self.clock.advance(10)
        third = self.cloud.create_server("demo", "s", whole, {"reservation": "r"})
        self.assertEqual(
            ["ACTIVE", "ERROR", "ACTIVE"],
            [server.status for server in (first, second, third)],
        )
