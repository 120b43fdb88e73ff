# SPDX-License-Identifier: Apache-2.0
"""Arguments of the commands, as they are typed."""

import argparse
import json
from datetime import UTC, datetime, timedelta

from osc_lib import exceptions

from promise_blazar.osc import arguments
from promise_blazar.tests import base

NOW = datetime(2030, 3, 30, 22, 30, 45, tzinfo=UTC)


class TestReservation(base.TestCase):
    def test_types_have_what_blazar_wants_to_be_told(self):
        for text, expected in {
            "physical:host": {"resource_type": "physical:host", "min": 1, "max": 1,
                              "hypervisor_properties": "", "resource_properties": ""},
            "physical:host,min=2": {"resource_type": "physical:host", "min": 2, "max": 2,
                                    "hypervisor_properties": "", "resource_properties": ""},
            "resource_type=physical:host,max=4": {
                "resource_type": "physical:host", "min": 1, "max": 4,
                "hypervisor_properties": "", "resource_properties": ""},
            "virtual:instance,vcpus=2,memory_mb=4096,disk_gb=20": {
                "resource_type": "virtual:instance", "vcpus": 2, "memory_mb": 4096, "disk_gb": 20,
                "amount": 1, "affinity": "None", "resource_properties": ""},
            "flavor:instance,flavor_id=m1.small,affinity=True": {
                "resource_type": "flavor:instance", "flavor_id": "m1.small", "amount": 1,
                "affinity": "True"},
        }.items():  # fmt: skip
            with self.subTest(text):
                self.assertEqual(expected, arguments.reservation(text))

    def test_any_type_is_taken_as_it_is(self):
        expected = {
            "resource_type": "virtual:capacity",
            "resources": {"VCPU": 40, "INSTANCE": 10},
            "zone": "az-1",
            "tags": ["a", "b,c"],
            "f": "1.5",
        }
        for text in (
            'virtual:capacity,resources={"VCPU":40,"INSTANCE":10},zone=az-1,tags=["a","b,c"],f=1.5',
            json.dumps(expected),
        ):
            with self.subTest(text):
                self.assertEqual(expected, arguments.reservation(text))

    def test_queries_are_text_with_commas_in_it(self):
        query = '["and", ["=", "$gpu", "a,100]"], [">=", "$vcpus", "8"]]'
        found = arguments.reservation(f"physical:host,resource_properties={query},min=2")
        self.assertEqual(query, found["resource_properties"])
        self.assertEqual(2, found["min"])

    def test_mistakes_are_told_in_one_line(self):
        for text in (
            "", "min=2", "physical:host,min", "physical:host,min=1,min=2", "physical:host,=2",
            "{", "{}", '{"resource_type": 7}', "virtual:capacity,resources={VCPU:1}",
            "a:b,c=" + "[" * 100_000, "{" + '"a":[' * 100_000,
        ):  # fmt: skip
            with self.subTest(text[:40]):
                error = self.assertRaises(argparse.ArgumentTypeError, arguments.reservation, text)
                self.assertNotIn("\n", str(error))

    def test_amounts_are_signed(self):
        self.assertEqual(("VCPU", -8), arguments.amount("VCPU=-8"))
        self.assertEqual(("CUSTOM_GPU", 3), arguments.amount("CUSTOM_GPU=+3"))
        for text in ("VCPU", "=3", "VCPU=", "VCPU=1.5", "VCPU=many", "VCPU=1=2"):
            with self.subTest(text):
                self.assertRaises(argparse.ArgumentTypeError, arguments.amount, text)


class TestWindow(base.TestCase):
    def window(self, *words, default=None):
        parser = argparse.ArgumentParser()
        arguments.add_window(parser, "never")
        return arguments.window(parser.parse_args(words), NOW, default)

    def test_a_length_counts_from_the_start(self):
        begin = datetime(2030, 3, 31, 9, tzinfo=UTC)
        for words in (("--end", "+3h"), ("--duration", "3h"), ("--end", "2030-03-31 12:00")):
            found = self.window("--start", "tomorrow 09:00", *words)
            self.assertEqual((begin, begin + timedelta(hours=3)), (found.start, found.end))
            self.assertFalse(found.now)

    def test_nothing_said(self):
        found = self.window()
        self.assertEqual((NOW.replace(second=0), None), (found.start, found.end))
        self.assertTrue(found.now)
        day = timedelta(days=1)
        self.assertEqual(NOW.replace(second=0) + day, self.window(default=day).end)

    def test_mistakes(self):
        for words, text in (
            (("--start", "then"), "argument --start: 'then' is no time"),
            (("--end", "then"), "argument --end: 'then' is no time"),
            (("--duration", "long"), "argument --duration: 'long' is no length"),
            (("--timezone", "Moon"), "argument --timezone: there is no time zone 'Moon'"),
            (("--start", "+3h", "--end", "now"), "before it starts 2030-03-31 01:30 UTC"),
            (("--end", "now"), "ends 2030-03-30 22:30 UTC, before"),
        ):
            with self.subTest(words):
                error = self.assertRaises(exceptions.CommandError, self.window, *words)
                self.assertIn(text, str(error))
