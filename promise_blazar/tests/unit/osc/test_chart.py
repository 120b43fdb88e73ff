# SPDX-License-Identifier: Apache-2.0
"""The chart of a timeline."""

import io
from datetime import UTC, datetime, timedelta

from promise_blazar.osc import chart, times
from promise_blazar.tests import base

START = datetime(2030, 3, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def figures(hours, total, reserved=0, used=0):
    free = total - reserved - used
    at = START + timedelta(hours=hours)
    return chart.Figures(at, total, reserved, used, max(free, 0), max(-free, 0))


def drawn(*steps, width=60, end=START + DAY, zone=UTC, glyphs=chart.PLAIN, start=START):
    return chart.Chart(start, end, zone, {"VCPU": steps}).lines(width, glyphs)


def body(lines):
    """The columns of a chart, each from below."""
    rows = [line.partition("|")[2] for line in lines if "|" in line]
    width = max(map(len, rows))
    return ["".join(row[n : n + 1] or " " for row in rows)[::-1] for n in range(width)]


class TestChart(base.TestCase):
    def test_a_picture(self):
        lines = drawn(figures(0, 64, 8), figures(6, 64, 48, 8), figures(12, 32, 8), width=46)
        self.assertEqual("VCPU: at least 8 of 64 available, at 2030-03-30 06:00 UTC", lines[0])
        columns = body(lines)
        self.assertEqual(42, len(columns))
        self.assertEqual("=.......", columns[0])
        self.assertEqual("#======.", columns[15])
        self.assertEqual("=...    ", columns[-1])

    def test_it_is_as_wide_as_it_may_be(self):
        for width in (40, 80, 137, 500):
            lines = drawn(figures(0, 1024, 8), width=width)
            self.assertLessEqual(max(map(len, lines[1:-1])), width)
            self.assertGreaterEqual(max(map(len, lines)), width)
        self.assertLess(max(map(len, drawn(figures(0, 1), width=1))), 60)
        self.assertLess(max(map(len, drawn(figures(0, 1), width=10**6))), 600)

    def test_a_column_shows_the_least_of_its_piece(self):
        # A minute in which nothing is free, in a day of 40 columns.
        minute = 1 / 60
        columns = body(drawn(figures(0, 8), figures(5, 8, 8), figures(5 + minute, 8), width=43))
        full = [number for number, column in enumerate(columns) if column == "=" * 8]
        self.assertEqual([5 * 40 // 24], full)

    def test_what_holds_at_the_start_of_a_piece_does_not_hold_before_it(self):
        columns = body(drawn(figures(0, 8), figures(12, 8, 8), width=43))
        self.assertEqual(["." * 8] * 20 + ["=" * 8] * 20, columns)

    def test_however_little_there_is_it_is_seen(self):
        (little, *_) = body(drawn(figures(0, 10_000, 1)))
        self.assertEqual("=.......", little)
        (almost, *_) = body(drawn(figures(0, 10_000, 9_999)))
        self.assertEqual("=======.", almost)
        (all_of_it, *_) = body(drawn(figures(0, 10_000, 10_000)))
        self.assertEqual("========", all_of_it)
        (three, *_) = body(drawn(figures(0, 10_000, 1, 9_998)))
        self.assertEqual("######=.", three)

    def test_what_is_short_is_marked(self):
        lines = drawn(figures(0, 4, 8))
        self.assertIn("4 short of 4", lines[0])
        self.assertEqual("====!!!!", body(lines)[0])

    def test_nothing_is_nothing(self):
        lines = drawn(figures(0, 0))
        self.assertIn("at least 0 of 0 available throughout", lines[0])
        self.assertEqual(8, sum(line.endswith("|") for line in lines))
        nothing = chart.Chart(START, START + DAY, UTC, {})
        self.assertEqual(["Nothing is on offer"], nothing.lines(80))

    def test_times_stand_at_their_marks(self):
        for days, expected in {
            0.05: ["03-30 00:00", "03-30 00:30", "03-30 01:00"],
            1: ["03-30 00:00", "03-30 06:00", "03-30 12:00", "03-30 18:00"],
            7: ["2030-03-30", "2030-04-01", "2030-04-03", "2030-04-05"],
            90: ["2030-03-30", "2030-04-27", "2030-05-25"],
            3650: ["2030-03-30"],
        }.items():
            with self.subTest(days):
                end = START + days * DAY
                *_, axis, words, _, legend = drawn(figures(0, 8), width=84, end=end)
                for text in expected:
                    self.assertEqual("+", axis[words.index(text)], text)
                self.assertEqual("0 +", axis[:3])
                self.assertIn("(times: UTC)", legend)

    def test_marks_are_round_on_the_zones_clocks(self):
        # The clocks are put forward in the night.
        berlin = times.zone("Europe/Berlin")
        *_, axis, words, _, _ = drawn(
            figures(0, 8), zone=berlin, width=100, start=START + DAY / 2.3, end=START + 2 * DAY
        )
        self.assertIn("03-31 00:00", words)
        self.assertIn("03-31 12:00", words)
        begin = START + DAY / 2.3
        noon = datetime(2030, 3, 31, 10, tzinfo=UTC)
        share = (noon - begin) / (START + 2 * DAY - begin)
        self.assertAlmostEqual(share, (words.index("03-31 12:00") - 3) / 97, delta=0.02)
        self.assertEqual("+", axis[words.index("03-31 12:00")])

    def test_the_calendars_ends_are_drawn_too(self):
        last = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
        tokyo = times.zone("Asia/Tokyo")
        for start in (START, last - DAY):
            step = chart.Figures(start, 8, 0, 0, 8, 0)
            lines = drawn(step, start=start, end=last, zone=tokyo)
            self.assertIn("VCPU", lines[0])

    def test_blocks_where_the_terminal_has_them(self):
        class Terminal(io.StringIO):
            encoding = "utf-8"

        class Old(io.StringIO):
            encoding = "ascii"

        for terminal, glyph in ((Terminal(), "░"), (Old(), "."), (io.StringIO(), ".")):
            drawing = chart.Chart(START, START + DAY, UTC, {"VCPU": [figures(0, 8)]})
            arguments = type("Arguments", (), {"chart": drawing, "max_width": 70})
            chart.ChartFormatter().emit_list((), (), terminal, arguments)
            self.assertIn(glyph * 20, terminal.getvalue())
