# SPDX-License-Identifier: Apache-2.0
"""``openstack reservation lease book``, typed at a shell."""

import json
import sys
from datetime import UTC, datetime, timedelta

from promise_blazar.tests.functional.shell import ALICE, INSTALLED, ShellTestCase

HOSTS = ("--reservation", "physical:host,min=4")
SLOTS = "virtual:instance,vcpus=2,memory_mb=4096,disk_gb=20,amount=3"
QUERY = 'physical:host,min=1,hypervisor_properties=[">=", "$vcpus", "8"]'


class TestBook(ShellTestCase):
    def leases(self):
        return self.ask("GET", "/v1/leases")["leases"]

    def book(self, *words):
        return self.told(ALICE, "lease", "book", *words)

    def test_a_lease_of_several_types_now(self):
        lease = self.book("mine", "--reservation", QUERY, "--reservation", SLOTS, "--wait")
        self.assertEqual("ACTIVE", lease["status"])
        self.assertEqual("mine", lease["name"])
        self.assertEqual("demo", lease["project_id"])
        begin, end = (datetime.fromisoformat(lease[f"{name}_date"]) for name in ("start", "end"))
        self.assertEqual(timedelta(days=1), end - begin)
        self.assertEqual(UTC.utcoffset(None), begin.utcoffset())
        host, slots = lease["reservations"]
        self.assertEqual(
            ("physical:host", 1, 1), tuple(map(host.get, ("resource_type", "min", "max")))
        )
        self.assertEqual(("virtual:instance", 3), (slots["resource_type"], slots["amount"]))
        (kept,) = self.leases()
        self.assertEqual((lease["id"], "ACTIVE"), (kept["id"], kept["status"]))
        # Blazar's own command shows what ours has made.
        shown = self.told(ALICE, "lease", "show", "mine")
        self.assertEqual(lease["id"], shown["id"])

    def test_a_lease_to_come_in_another_time_zone(self):
        lease = self.book(
            "spring", *HOSTS, "--start", "2040-04-02 09:00", "--end", "+2h",
            "--timezone", "Europe/Berlin", "--before-end", "30m", "--wait",
        )  # fmt: skip
        self.assertEqual("2040-04-02T09:00:00+02:00", lease["start_date"])
        self.assertEqual("2040-04-02T11:00:00+02:00", lease["end_date"])
        self.assertEqual("PENDING", lease["status"])
        (kept,) = self.leases()
        self.assertEqual("2040-04-02T07:00:00.000000", kept["start_date"])
        times = {each["event_type"]: each["time"] for each in kept["events"]}
        self.assertEqual("2040-04-02T08:30:00.000000", times["before_end_lease"])
        printed = self.said(
            ALICE, "lease", "book", "next", *HOSTS, "--start", "2040-04-02 12:00",
            "--timezone", "Europe/Berlin",
        )  # fmt: skip
        self.assertIn("2040-04-02 12:00 CEST", printed)

    def test_a_dry_run_makes_nothing(self):
        words = ("mine", *HOSTS, "--start", "tomorrow 09:00", "--duration", "3h", "--dry-run")
        lease = self.book(*words, "--wait")
        self.assertNotIn("id", lease)
        begin, end = (datetime.fromisoformat(lease[f"{name}_date"]) for name in ("start", "end"))
        self.assertEqual((9, timedelta(hours=3)), (begin.hour, end - begin))
        self.assertEqual(4, lease["reservations"][0]["min"])
        self.assertEqual([], self.leases())

    def test_a_refusal_says_why_and_when(self):
        self.book("first", *HOSTS, "--start", "2040-01-01", "--end", "+1d")
        words = ("lease", "book", "second", *HOSTS, "--start", "2040-01-01 12:00", "--end", "+1d")
        printed, error = self.refused(ALICE, *words)
        self.assertIn("Not enough hosts available", error)
        self.assertRegex(printed, r"\| Reservation +\| Hosts +\| Reason ")
        self.assertIn("4 busy 2040-01-01 12:00 to 2040-01-02 00:00", printed)
        self.assertRegex(printed, r"\| Alternative Start +\| Alternative End ")
        self.assertRegex(printed, r"\| 2040-01-02 00:00 UTC +\| 2040-01-03 00:00 UTC +\|")

        done = self.openstack(ALICE, *words, "-f", "json")
        self.assertEqual(1, done.returncode)
        found = json.loads(done.stdout)
        self.assertEqual(error, found["error"])
        self.assertEqual("busy", found["reasons"][0]["check"])
        self.assertEqual(0, found["fits"]["hosts"])
        self.assertEqual("2040-01-02T00:00:00+00:00", found["alternatives"][0]["start_date"])
        self.assertEqual(1, len(self.leases()))

    def test_the_next_slot_is_booked_where_there_is_no_room(self):
        self.book("first", *HOSTS, "--start", "2040-01-01", "--end", "+1d")
        words = (
            "second", *HOSTS, "--start", "2040-01-01 12:00", "--end", "+6h", "--at-next-slot",
            "--before-end", "1h",
        )  # fmt: skip
        done = self.openstack(ALICE, "lease", "book", *words, "-f", "json", "--dry-run")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn("the next slot starts 2040-01-02 00:00 UTC", done.stderr)
        self.assertEqual(1, len(self.leases()))

        done = self.openstack(ALICE, "lease", "book", *words, "-f", "json")
        lease = json.loads(done.stdout)
        self.assertEqual("2040-01-02T00:00:00+00:00", lease["start_date"])
        self.assertEqual("2040-01-02T06:00:00+00:00", lease["end_date"])
        _, kept = self.leases()
        times = {each["event_type"]: each["time"] for each in kept["events"]}
        self.assertEqual("2040-01-02T05:00:00.000000", times["before_end_lease"])
        # Where there is room, it is booked then.
        lease = self.book(
            "third", *HOSTS, "--start", "2040-01-05", "--end", "+6h", "--at-next-slot"
        )
        self.assertEqual("2040-01-05T00:00:00+00:00", lease["start_date"])

    def test_there_may_be_no_next_slot(self):
        printed, error = self.refused(
            ALICE, "lease", "book", "all", "--reservation", "physical:host,min=5",
            "--at-next-slot",
        )  # fmt: skip
        self.assertIn("5 asked", printed)
        self.assertNotIn("Alternative", printed)
        self.assertIn("never", error)

    def test_mistakes_are_told_in_one_line(self):
        for words, text in (
            (("--reservation", "physical:host,min=x"), "min"),
            (("--reservation", "physical:moon"), "physical:moon"),
            ((*HOSTS, "--start", "soon"), "argument --start: 'soon' is no time"),
            ((*HOSTS, "--end", "now"), "before it starts"),
            ((*HOSTS, "--start", "2020-01-01"), "Start date must be later than current date"),
            ((*HOSTS, "--timezone", "Moon"), "no time zone 'Moon'"),
        ):
            with self.subTest(words):
                printed, error = self.refused(ALICE, "lease", "book", "mine", *words)
                self.assertEqual("", printed)
                self.assertIn(text, error)
        self.assertEqual([], self.leases())
        _, error = self.refused("nonsense", "lease", "book", "mine", *HOSTS)
        self.assertIn("requires authentication", error)

    def test_a_service_that_is_away_is_told_in_one_line(self):
        self.url = f"http://127.0.0.1:{self.free_port()}"
        _, error = self.refused(ALICE, "lease", "book", "mine", *HOSTS)
        self.assertIn("Unable to establish connection", error)

    def test_a_lease_that_cannot_start_is_not_waited_for_any_longer(self):
        fault = {"call": "nova.aggregate.add_host", "fail_next": 100, "status": 400}
        self.ask("PUT", "/simulated/faults", fault)
        self.addCleanup(self.ask, "PUT", "/simulated/faults", {})
        _, error = self.refused(ALICE, "lease", "book", "mine", *HOSTS, "--wait", "--timeout", "0")
        self.assertRegex(error, "Lease \\S+ is (still [A-Z]+ after 0 seconds|ERROR)")


class TestPlugin(ShellTestCase):
    hosts = 1

    def test_the_program_itself_has_the_commands(self):
        done = self.openstack(
            ALICE, "lease", "book", "mine", "--reservation", "physical:host", "-f", "value",
            "-c", "name", command=[INSTALLED, "reservation"],
        )  # fmt: skip
        self.assertEqual(("mine\n", ""), (done.stdout, done.stderr))

    def test_it_works_without_blazars_client(self):
        absent = (
            "import sys; sys.modules['blazarclient'] = None;"
            "from openstackclient import shell; sys.exit(shell.main())"
        )
        python = [sys.executable, "-W", "ignore", "-c", absent, "reservation"]
        words = ("lease", "book", "mine", "--reservation", "physical:host", "-f", "value", "-c")
        done = self.openstack(ALICE, *words, "name", command=python)
        self.assertEqual((0, "mine\n"), (done.returncode, done.stdout), done.stderr)
        done = self.openstack(ALICE, "lease", "list", command=python)
        self.assertIn("lease list", done.stdout + done.stderr)
        self.assertNotEqual(0, done.returncode)

    def test_blazars_commands_are_all_there(self):
        done = self.openstack(ALICE, command=[self.loaded, "command", "list", "-f", "json"])
        groups = {each["Command Group"]: each["Commands"] for each in json.loads(done.stdout)}
        self.assertIn("reservation lease create", groups["openstack.reservation.v1"])
        ours = groups["openstack.promise_blazar.v1"]
        self.assertIn("reservation lease book", ours)
        self.assertIn("reservation capacity adjustment create", ours)
        self.assertEqual(set(), set(ours) & set(groups["openstack.reservation.v1"]))

    def test_the_shell_completes_its_commands(self):
        done = self.openstack(ALICE, command=[self.loaded, "complete"])
        self.assertIn("reservation_lease='book create ", done.stdout)
        self.assertRegex(done.stdout, "reservation_lease_book='.*--at-next-slot")
