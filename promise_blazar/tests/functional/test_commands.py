# SPDX-License-Identifier: Apache-2.0
"""The commands, as processes: they serve, they stop when told, they go on where they were."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from promise_blazar import exceptions
from promise_blazar.clock import SystemClock
from promise_blazar.cloud.simulated import SimulatedCloud
from promise_blazar.context import RequestContext
from promise_blazar.db import migrate
from promise_blazar.db.session import Database
from promise_blazar.manager import composition
from promise_blazar.manager.contract.messages import HostRequest, LeaseRequest, ReservationRequest
from promise_blazar.tests import base
from promise_blazar.tests.examples.types import OURS, WITH_NODES
from promise_blazar.tests.functional.base import HOST, configuration

#: A hang guard, not an expectation.
PATIENCE = 60.0
BIN = Path(sys.executable).parent
CONTEXT = RequestContext("alice", "demo", "req-1")


class CommandTestCase(base.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def configured(self, text):
        path = self.directory / "promise-blazar.conf"
        path.write_text(text)
        return f"--config-file={path}"

    def run_command(self, name, *arguments, **environment):
        return subprocess.run(
            [BIN / name, *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env=os.environ | environment,
        )

    def start(self, name, *arguments):
        log = self.enterContext(open(self.directory / f"{name}.log", "a+"))
        process = subprocess.Popen(
            [BIN / name, *arguments], stdout=subprocess.PIPE, stderr=log, text=True
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait, PATIENCE)
        self.addCleanup(process.kill)
        return process

    def request(self, url, token, verb="GET", body=None):
        request = urllib.request.Request(
            url,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Auth-Token": token, "Content-Type": "application/json"},
            method=verb,
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def answers(self, url):
        """What it says, or None while nobody listens."""
        try:
            return self.request(url, "a:demo")
        except OSError:
            return None

    def eventually(self, question):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            answer = question()
            if answer:
                return answer
            time.sleep(0.05)
        return self.fail("it never happened")

    def free_port(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            return listener.getsockname()[1]


class TestStandalone(CommandTestCase):
    def standalone(self):
        process = self.start(
            "promise-blazar-standalone",
            "--bind=127.0.0.1:0",
            f"--state-dir={self.directory / 'state'}",
            "--simulated-hosts=2",
        )
        line = process.stdout.readline()
        self.assertRegex(line, r"^promise-blazar ready at http://127\.0\.0\.1:\d+$")
        return process, line.split()[-1]

    def stop(self, process):
        process.terminate()
        self.assertEqual(0, process.wait(PATIENCE))

    def test_it_ends_when_told_and_goes_on_where_it_was(self):
        process, url = self.standalone()
        status, _ = self.request(f"{url}/v1/os-hosts", "admin:x", "POST", {"name": "compute-2"})
        self.assertEqual(201, status)
        body = {
            "name": "n",
            "start_date": "now",
            "end_date": "2999-01-01 00:00",
            "reservations": [HOST],
        }
        status, made = self.request(f"{url}/v1/leases", "a:demo", "POST", body)
        self.assertEqual(201, status)
        self.stop(process)

        process, url = self.standalone()

        lease = f"{url}/v1/leases/{made['lease']['id']}"
        self.eventually(lambda: self.request(lease, "a:demo")[1]["lease"]["status"] == "ACTIVE")
        hosts = self.request(f"{url}/simulated/hosts", "admin:x")[1]["hosts"]
        reservation = made["lease"]["reservations"][0]["id"]
        self.assertEqual([reservation], hosts[1]["aggregates"])
        self.stop(process)

    def test_it_ends_when_told_as_it_wakes_up(self):
        # Another thread than the main one gets the signal then, mostly.
        for _ in range(2):
            process, _ = self.standalone()
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED)
            process.send_signal(signal.SIGCONT)
            self.stop(process)

    def refusal(self, *arguments):
        """What it says, in one line, when it does not begin."""
        ended = self.run_command("promise-blazar-standalone", "--bind=127.0.0.1:0", *arguments)
        self.assertNotEqual(0, ended.returncode)
        self.assertNotIn("Traceback", ended.stderr)
        return ended.stderr

    def test_h8_what_it_cannot_begin_with_is_said_in_words(self):
        kept = f"--state-dir={self.directory / 'state'}"
        nowhere = "--state-dir=/dev/null/state"
        self.assertIn("nothing can be kept in /dev/null/state", self.refusal(nowhere))
        self.assertIn("at least 1", self.refusal(kept, "--simulated-hosts=0"))
        missing = self.refusal(kept, f"--config-file={self.directory / 'none.conf'}")
        self.assertIn("none.conf", missing)

    def test_g5_at_the_start_of_a_standalone_service(self):
        conf = self.configured(
            "[DEFAULT]\ncleaning_time = 5\n[enforcement]\nenabled_filters = x\n"
        )
        name, state = "promise-blazar-standalone", self.directory / "state"
        process = self.start(name, "--bind=127.0.0.1:0", f"--state-dir={state}", conf)
        self.assertIn("ready", process.stdout.readline())
        log = (self.directory / f"{name}.log").read_text()
        self.assertIn("[DEFAULT] cleaning_time has no effect", log)
        self.assertIn("[enforcement] enabled_filters has no effect", log)

    def test_e4_a_real_cloud_needs_a_word_for_believing_everybody(self):
        kept = f"--state-dir={self.directory / 'state'}"
        conf = self.configured("[cloud]\ndriver = openstack\n")
        self.assertIn("set [api] auth_strategy to keystone", self.refusal(kept, conf))

    def test_an_address_that_is_taken_is_said_in_words(self):
        _, url = self.standalone()
        second = self.run_command(
            "promise-blazar-standalone",
            f"--bind={url.removeprefix('http://')}",
            f"--state-dir={self.directory / 'other'}",
        )
        self.assertEqual(1, second.returncode)
        self.assertIn("cannot listen on", second.stderr)


class TestApi(CommandTestCase):
    def test_d36_the_api_command_serves_until_told_to_stop(self):
        port = self.free_port()
        conf = self.configured(
            "[DEFAULT]\ntransport_url = fake://\n"
            f"[api]\nauth_strategy = noauth\nbind_port = {port}\nhealth_timeout = 0.5\n"
            "[cloud]\ndriver = simulated\n"
            f"simulated_state = {self.directory / 'cloud.sqlite'}\n"
        )
        process = self.start("promise-blazar-api", conf)
        status, document = self.eventually(lambda: self.answers(f"http://127.0.0.1:{port}/"))
        self.assertEqual((300, "v1.0"), (status, document["versions"][0]["id"]))
        # No manager is there to answer: that is said, and the process lives on.
        self.assertEqual(503, self.request(f"http://127.0.0.1:{port}/healthcheck", "")[0])
        self.assertIsNone(process.poll())
        process.terminate()
        self.assertEqual(0, process.wait(PATIENCE))

    def test_an_api_that_never_saw_the_broker_refuses(self):
        port = self.free_port()
        conf = self.configured(
            f"[DEFAULT]\ntransport_url = rabbit://u:p@127.0.0.1:{self.free_port()}/\n"
            "rpc_response_timeout = 600\n"
            f"[api]\nauth_strategy = noauth\nbind_port = {port}\nhealth_timeout = 0.5\n"
            "[cloud]\ndriver = simulated\n"
            f"simulated_state = {self.directory / 'cloud.sqlite'}\n"
        )
        process = self.start("promise-blazar-api", conf)
        url = f"http://127.0.0.1:{port}"
        self.eventually(lambda: self.answers(url))
        # The second finds the first one's attempt under way.
        for _ in range(2):
            status, answer = self.request(f"{url}/v1/leases", "a:demo")
            self.assertEqual(503, status)
            self.assertIn("broker is away", answer["error_message"])
        process.terminate()
        self.assertEqual(0, process.wait(PATIENCE))

    def test_an_api_with_a_database_shows_what_there_is_without_a_broker(self):
        port = self.free_port()
        conf = self.configured(
            f"[DEFAULT]\ntransport_url = rabbit://u:p@127.0.0.1:{self.free_port()}/\n"
            f"[database]\nconnection = sqlite:///{self.directory / 'db.sqlite'}\n"
            f"[api]\nauth_strategy = noauth\nbind_port = {port}\n"
            "[cloud]\ndriver = simulated\n"
            f"simulated_state = {self.directory / 'cloud.sqlite'}\n"
        )
        self.run_command("promise-blazar-manage", conf, "db", "sync")
        process = self.start("promise-blazar-api", conf)
        url = f"http://127.0.0.1:{port}"
        self.eventually(lambda: self.answers(url))
        self.assertEqual((200, {"leases": []}), self.request(f"{url}/v1/leases", "a:demo"))
        self.assertEqual(503, self.request(f"{url}/healthcheck", "")[0])
        process.terminate()
        self.assertEqual(0, process.wait(PATIENCE))


class TestManager(CommandTestCase):
    def test_a_manager_that_never_saw_the_broker_starts_leases_and_ends_when_told(self):
        path = self.directory / "cloud.sqlite"
        conf = self.configured(
            f"[DEFAULT]\ntransport_url = rabbit://u:p@127.0.0.1:{self.free_port()}/\n"
            f"[database]\nconnection = sqlite:///{self.directory / 'db.sqlite'}\n"
            f"[cloud]\ndriver = simulated\nsimulated_state = {path}\n"
        )
        self.run_command("promise-blazar-manage", conf, "db", "sync")
        database = Database(f"sqlite:///{self.directory / 'db.sqlite'}")
        self.addCleanup(database.dispose)
        cloud = SimulatedCloud(path, 1)
        self.addCleanup(cloud.close)
        front = composition.manager(configuration(), database, cloud, SystemClock())
        front.heartbeat.register()
        front.create_host(CONTEXT, HostRequest("compute-1"))
        host = ReservationRequest(HOST["resource_type"], HOST)
        request = LeaseRequest("n", "now", "2999-01-01 00:00", None, (host,))
        lease = front.create_lease(CONTEXT, request)
        front.stop()
        process = self.start("promise-blazar-manager", conf)
        self.eventually(lambda: front.get_lease(CONTEXT, lease.id).status == "ACTIVE")
        process.terminate()
        self.assertEqual(0, process.wait(PATIENCE))


class TestManage(CommandTestCase):
    def test_the_schema_is_made_once_and_checked(self):
        conf = self.configured(
            f"[database]\nconnection = sqlite:///{self.directory / 'db.sqlite'}\n"
            "[cloud]\ndriver = simulated\n"
            f"simulated_state = {self.directory / 'cloud.sqlite'}\n"
        )
        before = self.run_command("promise-blazar-status", conf, "upgrade", "check")
        self.assertEqual(2, before.returncode, before.stdout + before.stderr)
        self.assertIn("db sync", before.stdout)
        for _ in range(2):
            synced = self.run_command("promise-blazar-manage", conf, "db", "sync")
            self.assertEqual(0, synced.returncode, synced.stderr)
        version = self.run_command("promise-blazar-manage", conf, "db", "version")
        self.assertEqual(migrate.latest(), version.stdout.strip())
        after = self.run_command("promise-blazar-status", conf, "upgrade", "check")
        self.assertEqual(0, after.returncode, after.stdout + after.stderr)

    def test_d25_an_operator_finds_what_is_wrong_and_puts_it_right(self):
        path = self.directory / "cloud.sqlite"
        conf = self.configured(
            f"[database]\nconnection = sqlite:///{self.directory / 'db.sqlite'}\n"
            f"[cloud]\ndriver = simulated\nsimulated_state = {path}\n"
        )

        def manage(*arguments):
            done = self.run_command("promise-blazar-manage", conf, *arguments)
            return done.returncode, done.stdout

        manage("db", "sync")
        self.assertEqual((0, ""), manage("audit"))
        self.assertEqual((0, ""), manage("lease", "stuck"))
        database = Database(f"sqlite:///{self.directory / 'db.sqlite'}")
        self.addCleanup(database.dispose)
        cloud = SimulatedCloud(path)
        self.addCleanup(cloud.close)
        service = composition.manager(configuration(), database, cloud, SystemClock())
        service.heartbeat.start()
        self.addCleanup(service.stop)
        service.create_host(CONTEXT, HostRequest("compute-1"))
        cloud.set_faults(call="nova.aggregate.add_host", fail_next=1)
        host = ReservationRequest(HOST["resource_type"], HOST)
        request = LeaseRequest("n", "now", "2999-01-01 00:00", None, (host,))
        lease = service.create_lease(CONTEXT, request)
        service.engine.run_due()

        status, printed = manage("lease", "stuck")
        self.assertEqual(1, status)
        self.assertIn(f"{lease.id} STARTING of project demo: OpenStack did not answer", printed)
        self.assertEqual(0, manage("lease", "retry", lease.id)[0])
        service.engine.run_due()
        self.assertEqual("ACTIVE", service.get_lease(CONTEXT, lease.id).status)
        self.assertEqual((0, ""), manage("lease", "stuck"))
        self.assertEqual(1, manage("lease", "retry", "nobody")[0])

        reservation = lease.reservations[0].id
        cloud.aggregates.delete(cloud.aggregates.ensure(reservation, None, {}).id)
        self.assertEqual((1, f"lease {lease.id}: its aggregate is missing\n"), manage("audit"))
        self.assertEqual(0, manage("audit", "--fix")[0])
        self.assertEqual((0, ""), manage("audit"))

    def test_an_operator_forgets_a_lease_that_no_manager_can_end(self):
        path = self.directory / "cloud.sqlite"
        conf = self.configured(
            f"[database]\nconnection = sqlite:///{self.directory / 'db.sqlite'}\n"
            f"[cloud]\ndriver = simulated\nsimulated_state = {path}\n"
        )
        self.run_command("promise-blazar-manage", conf, "db", "sync")
        database = Database(f"sqlite:///{self.directory / 'db.sqlite'}")
        self.addCleanup(database.dispose)
        cloud = SimulatedCloud(path)
        self.addCleanup(cloud.close)

        def manager(*types):
            service = composition.manager(configuration(), database, cloud, SystemClock(), *types)
            service.heartbeat.register()
            return service

        knowing = manager(WITH_NODES)
        knowing.create_host(CONTEXT, HostRequest("compute-1"))
        nodes = ReservationRequest("bare:node", {"nodes": 1})
        request = LeaseRequest("n", "now", "2999-01-01 00:00", None, (nodes,))
        lease = knowing.create_lease(CONTEXT, request)
        knowing.engine.run_due()
        knowing.stop()
        ours = manager(OURS)
        self.addCleanup(ours.stop)
        ours.delete_lease(CONTEXT, lease.id)
        ours.engine.run_due()

        def manage(*arguments):
            done = self.run_command("promise-blazar-manage", conf, *arguments)
            return done.returncode, done.stdout

        self.assertEqual(1, manage("lease", "forget", "--released", "nobody")[0])
        self.assertEqual(2, manage("lease", "forget", lease.id)[0])
        self.assertEqual("DELETING", ours.get_lease(CONTEXT, lease.id).status)
        self.assertEqual(0, manage("lease", "forget", "--released", lease.id)[0])
        self.assertRaises(exceptions.NotFound, ours.get_lease, CONTEXT, lease.id)
        self.assertEqual((0, ""), manage("lease", "stuck"))

    def test_a_manager_without_a_schema_says_what_to_do(self):
        conf = self.configured(
            "[DEFAULT]\ntransport_url = fake://\n"
            f"[database]\nconnection = sqlite:///{self.directory / 'db.sqlite'}\n"
            "[cloud]\ndriver = simulated\n"
            f"simulated_state = {self.directory / 'cloud.sqlite'}\n"
        )
        ended = self.run_command("promise-blazar-manager", conf)
        self.assertEqual(1, ended.returncode)
        self.assertIn("promise-blazar-manage db sync", ended.stderr)
