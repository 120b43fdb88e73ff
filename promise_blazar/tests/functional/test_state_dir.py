# SPDX-License-Identifier: Apache-2.0
"""What an operator does beside a standalone service, by its state directory alone."""

import contextlib
import json
import sqlite3

from promise_blazar.db import migrate
from promise_blazar.tests.functional.base import HOST
from promise_blazar.tests.functional.test_commands import PATIENCE, CommandTestCase


class TestStateDir(CommandTestCase):
    def manage(self, directory, *arguments):
        return self.run_command("promise-blazar-manage", f"--state-dir={directory}", *arguments)

    def test_h8_manage_reaches_a_standalone_service_that_runs(self):
        state = self.directory / "state"
        process = self.start(
            "promise-blazar-standalone", "--bind=127.0.0.1:0", f"--state-dir={state}"
        )
        url = process.stdout.readline().split()[-1]
        self.request(f"{url}/v1/os-hosts", "admin:x", "POST", {"name": "compute-1"})
        fault = {"call": "nova.aggregate.add_host", "fail_next": 1000, "status": 400}
        self.request(f"{url}/simulated/faults", "admin:x", "PUT", fault)
        body = {
            "name": "n",
            "start_date": "now",
            "end_date": "2999-01-01 00:00",
            "reservations": [HOST],
        }
        lease = self.request(f"{url}/v1/leases", "a:demo", "POST", body)[1]["lease"]["id"]
        stuck = self.eventually(lambda: self.manage(state, "lease", "stuck").stdout)
        self.assertIn(f"{lease} ", stuck)
        self.assertEqual(f"{migrate.latest()}\n", self.manage(state, "db", "version").stdout)
        process.terminate()
        self.assertEqual(0, process.wait(PATIENCE))

    def test_h8_a_directory_of_nobody_is_said_in_one_line_and_left_alone(self):
        empty = self.directory / "empty"
        empty.mkdir()
        for directory in (empty, self.directory / "none", "/dev/null"):
            for command in (("lease", "stuck"), ("db", "sync"), ("audit",)):
                ended = self.manage(directory, *command)
                self.assertEqual(1, ended.returncode)
                self.assertEqual(1, len(ended.stderr.splitlines()), ended.stderr)
                self.assertIn("is not the state directory of a standalone service", ended.stderr)
        self.assertEqual([], list(empty.iterdir()))

    def test_h8_so_does_the_upgrade_check(self):
        state = self.directory / "state"
        self.run_command("promise-blazar-standalone", "--bind=1.2.3.4:1", f"--state-dir={state}")
        home = self.directory / "home" / ".promise-blazar"
        home.mkdir(parents=True)
        (home / "promise-blazar.conf").write_text("[database]\nconnection = nonsense\n")
        words = ("promise-blazar-status", f"--state-dir={state}", "upgrade", "check")
        ended = self.run_command(*words, "--json", HOME=str(home.parent))
        self.assertEqual(0, ended.returncode, ended.stdout + ended.stderr)
        checks = {each["check"]: each["result"] for each in json.loads(ended.stdout)["checks"]}
        self.assertEqual({"Configuration", "Policy", "Schema", "OpenStack"}, checks.keys())
        self.assertEqual({0}, set(checks.values()))
        nobodys = self.run_command(
            "promise-blazar-status", f"--state-dir={home}", "upgrade", "check"
        )
        self.assertEqual(1, nobodys.returncode)
        self.assertIn("is not the state directory of a standalone service", nobodys.stderr)
        self.assertEqual(1, len(nobodys.stderr.splitlines()), nobodys.stderr)

    def test_h8_the_machine_s_own_files_are_not_read(self):
        state = self.directory / "state"
        self.run_command("promise-blazar-standalone", "--bind=1.2.3.4:1", f"--state-dir={state}")
        home = self.directory / "home" / ".promise-blazar"
        home.mkdir(parents=True)
        (home / "promise-blazar.conf").write_text("[database]\nconnection = nonsense\n")
        for words, directory in (((), None), (("--state-dir", str(state)), state)):
            ended = self.run_command(
                "promise-blazar-manage", *words, "db", "version", HOME=str(home.parent)
            )
            self.assertEqual(0 if directory else 1, ended.returncode, ended.stderr)


class TestLaterSchema(CommandTestCase):
    """A database that ``db sync`` of the next release has been at."""

    def setUp(self):
        super().setUp()
        self.file = self.directory / "db.sqlite"
        self.conf = self.configured(
            f"[DEFAULT]\ntransport_url = fake:/\n[database]\nconnection = sqlite:///{self.file}\n"
            f"[cloud]\ndriver = simulated\nsimulated_state = {self.directory / 'cloud.sqlite'}\n"
        )
        self.run_command("promise-blazar-manage", self.conf, "db", "sync")
        with contextlib.closing(sqlite3.connect(self.file)) as db:
            db.execute("UPDATE alembic_version SET version_num = '9999'")
            db.execute("ALTER TABLE leases ADD COLUMN purpose VARCHAR(80)")
            db.commit()

    def test_a_manager_that_died_comes_back(self):
        process = self.start("promise-blazar-manager", self.conf)
        log = self.directory / "promise-blazar-manager.log"
        self.eventually(lambda: "is ready" in log.read_text())
        self.assertIn("at 9999, of a later release", log.read_text())
        process.terminate()
        self.assertEqual(0, process.wait(PATIENCE))

    def test_a_database_of_another_service_is_refused_in_one_line(self):
        with contextlib.closing(sqlite3.connect(self.directory / "theirs.sqlite")) as db:
            db.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
            db.execute("INSERT INTO alembic_version VALUES ('553383923ca0')")
            db.execute("CREATE TABLE computehosts (id VARCHAR(36))")
            db.commit()
        conf = self.configured(
            "[DEFAULT]\ntransport_url = fake:/\n[database]\n"
            f"connection = sqlite:///{self.directory / 'theirs.sqlite'}\n"
        )
        for command in (("manage", "db", "sync"), ("manage", "lease", "stuck"), ("manager",)):
            ended = self.run_command(f"promise-blazar-{command[0]}", conf, *command[1:])
            self.assertEqual(1, ended.returncode)
            self.assertIn("another service's", ended.stderr.splitlines()[-1])
            self.assertNotIn("Traceback", ended.stderr)

    def test_db_sync_leaves_it_alone(self):
        synced = self.run_command("promise-blazar-manage", self.conf, "db", "sync")
        self.assertEqual(0, synced.returncode, synced.stderr)
        self.assertIn("of a later release", synced.stderr)
        version = self.run_command("promise-blazar-manage", self.conf, "db", "version")
        self.assertEqual("9999\n", version.stdout)

    def test_the_upgrade_check_warns(self):
        checked = self.run_command("promise-blazar-status", self.conf, "upgrade", "check")
        self.assertEqual(1, checked.returncode, checked.stdout + checked.stderr)
        self.assertIn("9999", checked.stdout)
