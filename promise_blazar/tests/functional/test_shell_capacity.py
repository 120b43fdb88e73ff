# SPDX-License-Identifier: Apache-2.0
"""``openstack reservation capacity ...`` and ``slot find``, typed at a shell."""

import csv
import json

from promise_blazar.tests.functional.shell import ADMIN, ALICE, ShellTestCase

#: A window in which nothing is booked at first.
SPRING = ("--start", "2040-04-01", "--end", "2040-04-05")
#: Of the four hosts.
VCPU, MEMORY_MB = 4 * 32, 4 * 131072


class CapacityTestCase(ShellTestCase):
    def book(self, *words, start="2040-04-02", duration="1d"):
        """Of two hosts, if nothing else is said."""
        words = words or ("--reservation", "physical:host,min=2")
        window = ("--start", start, "--duration", duration)
        return self.told(ALICE, "lease", "book", "mine", *words, *window)

    def adjust(self, *words):
        return self.told(ADMIN, "capacity", "adjustment", "create", *words)

    def adjustments(self, *words):
        return self.told(ADMIN, "capacity", "adjustment", "list", *words)


class TestShow(CapacityTestCase):
    def test_figures_of_a_window(self):
        self.book()
        found = self.told(ALICE, "capacity", "show", *SPRING)
        self.assertEqual("2040-04-01T00:00:00+00:00", found["start"])
        self.assertEqual("2040-04-05T00:00:00+00:00", found["end"])
        expected = {
            "total": VCPU,
            "reserved": VCPU // 2,
            "used": 0,
            "available": VCPU // 2,
            "shortfall": 0,
            "at": "2040-04-02T00:00:00+00:00",
        }
        self.assertEqual(expected, found["capacity"]["VCPU"])
        self.assertEqual({"VCPU", "MEMORY_MB", "DISK_GB"}, set(found["capacity"]))
        self.assertNotIn("fits", found)

    def test_classes_zones_and_flavors(self):
        words = ("--resource-class", "VCPU", "--resource-class", "MEMORY_MB", "--zone", "nova")
        found = self.told(ALICE, "capacity", "show", *SPRING, *words, "--flavor", "m1.large")
        self.assertEqual({"VCPU", "MEMORY_MB"}, set(found["capacity"]))
        self.assertEqual(("nova", "m1.large"), (found["zone"], found["flavor"]))
        self.assertEqual(VCPU // 4, found["fits"]["hosts"])
        self.assertEqual(VCPU // 4, found["fits"]["count"])

    def test_people_read_a_table(self):
        self.book()
        words = ("--flavor", "m1.large", "--timezone", "Europe/Berlin")
        printed = self.said(ALICE, "capacity", "show", *SPRING, *words)
        self.assertRegex(printed, r"\| start +\| 2040-04-01 00:00 CEST +\|")
        self.assertRegex(printed, r"total  reserved  used  available  shortfall  at")
        self.assertRegex(printed, r"VCPU +128 +64 +0 +64 +0  2040-04-02 02:00 CEST")
        self.assertRegex(printed, r"\| fits +\| 16 \(by the sums 16, on the hosts 16\)")

    def test_an_instant(self):
        found = self.told(ALICE, "capacity", "show")
        self.assertEqual(VCPU, found["capacity"]["VCPU"]["available"])

    def test_mistakes_are_told_in_one_line(self):
        for words in (
            ("--zone", "moon"),
            ("--resource-class", "CUSTOM_MOON"),
            ("--provider", "moon"),
            ("--flavor", "m1.moon"),
        ):
            with self.subTest(words):
                printed, error = self.refused(ALICE, "capacity", "show", *SPRING, *words)
                self.assertEqual("", printed)
                self.assertIn("moon", error.lower())


class TestTimeline(CapacityTestCase):
    def test_each_change_is_a_row(self):
        self.book()
        words = ("capacity", "timeline", *SPRING, "--resource-class", "VCPU")
        rows = self.told(ALICE, *words)
        self.assertEqual(
            [
                ("2040-04-01T00:00:00+00:00", "VCPU", VCPU, 0, VCPU),
                ("2040-04-02T00:00:00+00:00", "VCPU", VCPU, VCPU // 2, VCPU // 2),
                ("2040-04-03T00:00:00+00:00", "VCPU", VCPU, 0, VCPU),
            ],
            [
                tuple(
                    row[name]
                    for name in ("At", "Resource Class", "Total", "Reserved", "Available")
                )
                for row in rows
            ],
        )
        printed = self.said(ALICE, *words, "-f", "csv", "-c", "At", "-c", "Available")
        table = list(csv.reader(printed.splitlines()))
        self.assertEqual(["At", "Available"], table[0])
        self.assertEqual(["128", "64", "128"], [row[1] for row in table[1:]])

    def test_a_chart_as_wide_as_the_terminal(self):
        self.book()
        for width in (80, 100):
            printed = self.said(ALICE, "capacity", "timeline", *SPRING, COLUMNS=str(width))
            self.assertEqual(width, max(map(len, printed.splitlines())))
            self.assertIn("VCPU: at least 64 of 128 available, at 2040-04-02 00:00 UTC", printed)
            self.assertIn("MEMORY_MB: ", printed)
            self.assertIn("2040-04-03", printed)

    def test_nothing_is_told_of_a_week_from_now(self):
        rows = self.told(ALICE, "capacity", "timeline", "--resource-class", "VCPU")
        self.assertEqual([VCPU], [row["Available"] for row in rows])


class TestSlots(CapacityTestCase):
    def test_the_earliest_windows(self):
        self.book("--reservation", "physical:host,min=4")
        words = (
            "slot", "find", "--reservation", "physical:host,min=4", "--duration", "18h",
            "--earliest", "2040-04-01 12:00", "--latest", "+7d",
        )  # fmt: skip
        rows = self.told(ALICE, *words, "--limit", "2")
        self.assertEqual(
            [
                {"Start": "2040-04-03T00:00:00+00:00", "End": "2040-04-03T18:00:00+00:00"},
                {"Start": "2040-04-03T18:00:00+00:00", "End": "2040-04-04T12:00:00+00:00"},
            ],
            rows,
        )
        printed = self.said(ALICE, *words, "--timezone", "Europe/Berlin")
        self.assertRegex(printed, r"\| 2040-04-03 02:00 CEST +\| 2040-04-03 20:00 CEST +\|")
        start = self.said(ALICE, *words, "-f", "value", "-c", "Start").strip()
        lease = self.book("--reservation", "physical:host,min=4", start=start, duration="18h")
        self.assertEqual(start, lease["start_date"])

    def test_of_several_types(self):
        rows = self.told(
            ALICE, "slot", "find", "--duration", "1h", "--reservation", "physical:host,min=2",
            "--reservation", "virtual:instance,vcpus=1,memory_mb=512,disk_gb=1,amount=4",
        )  # fmt: skip
        self.assertEqual(1, len(rows))

    def test_why_there_is_none(self):
        words = ("slot", "find", "--reservation", "physical:host,min=5", "--duration", "1h")
        done = self.openstack(ALICE, *words)
        self.assertEqual(1, done.returncode)
        self.assertEqual("There is no such window\n", done.stderr)
        self.assertIn("never", done.stdout)
        done = self.openstack(ALICE, *words, "-f", "json")
        self.assertEqual((1, []), (done.returncode, json.loads(done.stdout)))


class TestAdjustments(CapacityTestCase):
    def test_made_listed_shown_and_deleted(self):
        made = self.adjust(
            "--resource", "VCPU=-8", "--resource", "VOLUME_GB=+500", "--zone", "nova", *SPRING
        )
        self.assertEqual({"VCPU": -8, "VOLUME_GB": 500}, made["resources"])
        self.assertEqual(("nova", None, []), (made["zone"], made["source"], made["affected"]))
        self.assertEqual("2040-04-01T00:00:00+00:00", made["start"])
        shown = self.told(ADMIN, "capacity", "adjustment", "show", made["id"])
        self.assertEqual(made, shown)
        (row,) = self.adjustments()
        self.assertEqual((made["id"], made["resources"]), (row["ID"], row["Resources"]))
        printed = self.said(ADMIN, "capacity", "adjustment", "list", "--long")
        for text in ("VCPU=-8", "VOLUME_GB=+500", "2040-04-05 00:00 UTC", "default"):
            self.assertIn(text, printed)
        found = self.told(ALICE, "capacity", "show", *SPRING)
        self.assertEqual(VCPU - 8, found["capacity"]["VCPU"]["total"])

        self.assertEqual("", self.said(ADMIN, "capacity", "adjustment", "delete", made["id"]))
        self.assertEqual([], self.adjustments())

    def test_which_are_listed(self):
        ids = [
            self.adjust("--resource", "VOLUME_GB=5", "--start", f"2040-0{month}-01", *more)["id"]
            for month, more in ((4, ("--duration", "1d")), (6, ("--zone", "nova")), (5, ()))
        ]

        def listed(*words):
            return [row["ID"] for row in self.adjustments(*words)]

        self.assertEqual(ids, listed())
        self.assertEqual(ids[:2], listed("--limit", "2"))
        self.assertEqual(ids[1:], listed("--marker", ids[0]))
        self.assertEqual([ids[1]], listed("--zone", "nova"))
        self.assertEqual(ids[1:], listed("--start", "2040-04-02"))
        self.assertEqual(ids[:1], listed("--end", "2040-04-02"))
        self.assertEqual([], listed("--source", ids[0]))

    def test_a_dry_run_makes_nothing(self):
        made = self.adjust("--resource", "VCPU=8", "--dry-run")
        self.assertIsNone(made["id"])
        self.assertEqual([], self.adjustments())
        kept = self.adjust("--resource", "VCPU=8")
        self.said(ADMIN, "capacity", "adjustment", "delete", kept["id"], "--dry-run")
        self.assertEqual(1, len(self.adjustments()))

    def test_what_a_decrease_would_break(self):
        lease = self.book()
        broken = lease["reservations"][0]["id"]
        words = ("capacity", "adjustment", "create", "--resource", "VCPU=-100", *SPRING)
        printed, error = self.refused(ADMIN, *words)
        self.assertRegex(printed, r"\| Reservation +\| Lease +\| Name +\| Project +\| Start ")
        self.assertRegex(printed, rf"\| {broken} \| {lease['id']} \| mine +\| demo ")
        self.assertNotIn("|", error)
        done = self.openstack(ADMIN, *words, "-f", "json")
        self.assertEqual([broken], json.loads(done.stdout)["affected"])
        self.assertEqual([], self.adjustments())

        made = self.adjust("--resource", "VCPU=-100", *SPRING, "--force")
        self.assertEqual([broken], made["affected"])
        shown = self.told(ALICE, "lease", "show", "mine")
        self.assertTrue(shown["degraded"])

    def test_what_a_deletion_would_break(self):
        # Another one keeps the class in what is counted.
        left = self.adjust("--resource", "INSTANCE=1")["id"]
        made = self.adjust("--resource", "INSTANCE=2", *SPRING)
        slots = "virtual:instance,vcpus=1,memory_mb=512,disk_gb=1,amount=2"
        lease = self.book("--reservation", slots)
        broken = lease["reservations"][0]["id"]
        other = self.adjust("--resource", "VOLUME_GB=2")["id"]

        printed, error = self.refused(ADMIN, "capacity", "adjustment", "delete", made["id"], other)
        self.assertIn(f"| {broken} | {lease['id']} | mine", printed)
        self.assertIn(f"1 of 2 were not deleted: {made['id']}: ", error)
        self.assertEqual([left, made["id"]], [row["ID"] for row in self.adjustments()])

        printed = self.said(ADMIN, "capacity", "adjustment", "delete", made["id"], "--force")
        self.assertIn(broken, printed)
        self.assertEqual([left], [row["ID"] for row in self.adjustments()])

    def test_a_part_that_is_set_apart(self):
        source = self.adjust("--resource", "INSTANCE=10")
        made = self.adjust(
            "--resource", "INSTANCE=4", "--source", source["id"], "--project", "shop",
            "--project", "bank",
        )  # fmt: skip
        self.assertEqual(["bank", "shop"], sorted(made["project_ids"]))
        self.assertEqual(source["id"], made["source"])
        words = ("capacity", "show", "--resource-class", "INSTANCE")
        self.assertEqual(6, self.told(ALICE, *words)["capacity"]["INSTANCE"]["total"])
        self.assertEqual(10, self.told("bob:shop", *words)["capacity"]["INSTANCE"]["total"])
        seen = self.told(ADMIN, *words, "--project", "shop")
        self.assertEqual(10, seen["capacity"]["INSTANCE"]["total"])

    def test_mistakes_are_told_in_one_line(self):
        for words, text in (
            (("show", "nothing"), "not found"),
            (("delete", "nothing"), "not found"),
            (("delete", "../../leases/nothing"), ""),
            (("create", "--resource", "VCPU=1", "--resource", "VCPU=2"), "twice"),
            (("create", "--resource", "VCPU=0"), ""),
            (("create", "--resource", "VCPU=8", "--source", "nothing"), ""),
        ):
            with self.subTest(words):
                printed, error = self.refused(ADMIN, "capacity", "adjustment", *words)
                self.assertEqual("", printed)
                self.assertIn(text, error)
        _, error = self.refused(ALICE, "capacity", "adjustment", "create", "--resource", "VCPU=1")
        self.assertIn("allow", error)
