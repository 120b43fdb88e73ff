# SPDX-License-Identifier: Apache-2.0
"""Times as people type and read them."""

from datetime import UTC, datetime, timedelta

from promise_blazar.osc import columns, times
from promise_blazar.tests import base

NOW = datetime(2030, 3, 30, 22, 30, 45, tzinfo=UTC)


def utc(*numbers):
    return datetime(*numbers, tzinfo=UTC)


class TestInstant(base.TestCase):
    def setUp(self):
        super().setUp()
        self.berlin = times.zone("Europe/Berlin")

    def test_what_is_read_in_utc(self):
        for text, expected in {
            "now": utc(2030, 3, 30, 22, 30),
            "+3h": utc(2030, 3, 31, 1, 30),
            "+1d12h": utc(2030, 4, 1, 10, 30),
            "+90m": utc(2030, 3, 31, 0, 0),
            "+2w": utc(2030, 4, 13, 22, 30),
            "today": utc(2030, 3, 30),
            "today 23:45": utc(2030, 3, 30, 23, 45),
            "tomorrow": utc(2030, 3, 31),
            "tomorrow 09:00": utc(2030, 3, 31, 9),
            "tomorrow 9:05": utc(2030, 3, 31, 9, 5),
            "2030-05-01": utc(2030, 5, 1),
            "2030-05-01 08:15": utc(2030, 5, 1, 8, 15),
            "2030-5-1 8:15": utc(2030, 5, 1, 8, 15),
            "2030-05-01T08:15": utc(2030, 5, 1, 8, 15),
            "2030-05-01T08:15:59.5Z": utc(2030, 5, 1, 8, 15),
            "2030-05-01 08:15-05": utc(2030, 5, 1, 13, 15),
            "2030-05-01T08:15:00+02:00": utc(2030, 5, 1, 6, 15),
        }.items():
            with self.subTest(text):
                self.assertEqual(expected, times.instant(text, NOW))

    def test_a_time_without_an_offset_is_one_of_the_zone(self):
        # It is half past eleven there, and tomorrow the clocks are put forward.
        for text, expected in {
            "now": utc(2030, 3, 30, 22, 30),
            "+3h": utc(2030, 3, 31, 1, 30),
            "today 23:45": utc(2030, 3, 30, 22, 45),
            "tomorrow": utc(2030, 3, 30, 23),
            "tomorrow 09:00": utc(2030, 3, 31, 7),
            "2030-05-01 08:15": utc(2030, 5, 1, 6, 15),
            "2030-5-1 8:15": utc(2030, 5, 1, 6, 15),
            "2030-05-01": utc(2030, 4, 30, 22),
            "2030-05-01 08:15Z": utc(2030, 5, 1, 8, 15),
            "2030-05-01 08:15-05": utc(2030, 5, 1, 13, 15),
        }.items():
            with self.subTest(text):
                self.assertEqual(expected, times.instant(text, NOW, self.berlin))

    def test_today_is_the_zones_day(self):
        tokyo = times.zone("Asia/Tokyo")
        self.assertEqual(utc(2030, 3, 31, 9), times.instant("today 18:00", NOW, tokyo))

    def test_a_length_counts_from_where_it_is_told_to(self):
        start = utc(2030, 6, 1, 9)
        self.assertEqual(utc(2030, 6, 1, 12), times.instant("+3h", NOW, UTC, start))
        self.assertEqual(utc(2030, 3, 30, 22, 30), times.instant("now", NOW, UTC, start))

    def test_what_no_clock_shows_is_refused(self):
        for text, word in {
            "tomorrow 02:30": "never",
            "2030-10-27 02:30": "twice",
        }.items():
            with self.subTest(text):
                error = self.assertRaises(ValueError, times.instant, text, NOW, self.berlin)
                self.assertIn(word, str(error))
        self.assertEqual(
            utc(2030, 10, 27, 1, 30),
            times.instant("2030-10-27 02:30+01:00", NOW, self.berlin),
        )

    def test_what_is_no_time_is_refused_in_one_line(self):
        for text in (
            "", "soon", "+", "+3", "+3x", "+0h", "3h", "-3h", "tomorrow 25:00", "2030-02-30",
            "2030-01-01T25:00", "2030-13-01 10:00", "+999999w", "9999-12-31T23:59-14:00",
            "today 9", "now now", "\uff12030-01-01", "2030-01-01 09:00 CET",
        ):  # fmt: skip
            with self.subTest(text):
                error = self.assertRaises(ValueError, times.instant, text, NOW, self.berlin)
                self.assertRegex(str(error), r"^'[^\n]*$")

    def test_lengths(self):
        self.assertEqual(timedelta(days=10, hours=5, minutes=1), times.duration("1w3d5h1m"))
        for text in ("", "0m", "h", "3", "3h2d", "-3h", "3h "):
            with self.subTest(text):
                self.assertRaises(ValueError, times.duration, text)

    def test_zones(self):
        self.assertEqual(UTC, times.zone("utc"))
        for text in ("", "Nowhere/City", "../etc/passwd", "/etc/passwd", "Europe", "x" * 5000):
            with self.subTest(text):
                error = self.assertRaises(ValueError, times.zone, text)
                self.assertIn("no time zone", str(error))


class TestShown(base.TestCase):
    def test_people_read_a_zone_and_programs_an_offset(self):
        berlin = times.zone("Europe/Berlin")
        for text in ("2030-02-01T10:00:00.000000", "2030-02-01 10:00", "2030-02-01T10:00:00Z"):
            self.assertEqual("2030-02-01 10:00 UTC", str(columns.Time(text)))
            self.assertEqual("2030-02-01 11:00 CET", str(columns.Time(text, berlin)))
            self.assertEqual(
                "2030-02-01T11:00:00+01:00", columns.Time(text, berlin).machine_readable()
            )
        self.assertEqual("2030-02-01 10:00:07 UTC", str(columns.Time("2030-02-01T10:00:07Z")))

    def test_what_never_ends_is_open(self):
        tokyo = times.zone("Asia/Tokyo")
        self.assertEqual("open", str(columns.Time(None)))
        self.assertIsNone(columns.Time(None).machine_readable())
        last = columns.Time("9999-12-31T23:59:00.000000", tokyo)
        self.assertEqual("open", str(last))
        self.assertEqual("9999-12-31T23:59:00+00:00", last.machine_readable())
        self.assertEqual("9999-12-31 20:00 UTC", str(columns.Time("9999-12-31T20:00:00Z", tokyo)))
