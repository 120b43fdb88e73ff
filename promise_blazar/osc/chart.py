# SPDX-License-Identifier: Apache-2.0
"""A chart of capacity over time, in characters.

A column of it is a piece of the window, and shows the instant of that piece at which the least is
available. From below: what is used, what is reserved, what is available, up to the total. However
little of a kind there is, it is seen.
"""

import argparse
import itertools
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, TextIO

from cliff.formatters.base import ListFormatter

from promise_blazar.osc import times

#: Lines of a class, and the least and the most columns of the window.
HEIGHT = 8
LEAST, MOST = 20, 500
#: Between marks of time, so that what is written there does not touch.
_APART = 18
_STEPS = [
    *(timedelta(minutes=each) for each in (1, 5, 15, 30)),
    *(timedelta(hours=each) for each in (1, 2, 3, 6, 12)),
    *(timedelta(days=each) for each in (1, 2, 7, 14, 28, 91, 364, 3640, 36400, 364000)),
]


@dataclass(frozen=True)
class Glyphs:
    """What each kind is drawn with."""

    used: str
    reserved: str
    available: str
    shortfall: str


PLAIN = Glyphs("#", "=", ".", "!")
BLOCKS = Glyphs("█", "▓", "░", "!")


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a class from an instant on, until the next change."""

    at: datetime
    total: int
    reserved: int
    used: int
    available: int
    shortfall: int


class ChartFormatter(ListFormatter):
    """The output format of a timeline that is a chart.

    Rows are of ``TIMELINE``; the arguments have ``chart``, the window that is drawn.
    """

    def add_argument_group(self, parser: argparse.ArgumentParser) -> None:
        """None of its own: ``--max-width`` is the table's."""

    def emit_list(
        self,
        column_names: Sequence[str],
        data: Iterable[Sequence[Any]],
        stdout: TextIO,
        parsed_args: argparse.Namespace,
    ) -> None:
        chart: Chart = parsed_args.chart
        width = parsed_args.max_width if parsed_args.max_width > 0 else None
        stdout.write("\n".join(chart.lines(width, _glyphs(stdout))) + "\n")


def _glyphs(stdout: TextIO) -> Glyphs:
    try:
        "█▓░".encode(getattr(stdout, "encoding", None) or "ascii")
    except (UnicodeError, LookupError):
        return PLAIN
    return BLOCKS


@dataclass(frozen=True)
class Chart:
    """A window, and by class its figures, which begin at its start."""

    start: datetime
    end: datetime
    zone: tzinfo
    classes: dict[str, Sequence[Figures]]

    def lines(self, width: int | None = None, glyphs: Glyphs = PLAIN) -> list[str]:
        """The chart, one part for each class, as wide as the terminal if not told."""
        if not self.classes:
            return ["Nothing is on offer"]
        width = width or shutil.get_terminal_size().columns
        label = max(len(str(_top(each))) for each in self.classes.values())
        columns = min(max(width - label - 2, LEAST), MOST)
        marks, scale = self._scale(columns, label)
        lines = []
        for name, figures in self.classes.items():
            lines += [self._title(name, figures)]
            lines += self._body(figures, columns, label, glyphs)
            lines += [marks, scale, ""]
        legend = (
            f"{glyphs.used} used  {glyphs.reserved} reserved  {glyphs.available} available  "
            f"{glyphs.shortfall} short  (times: {self.zone})"
        )
        return [*lines, legend]

    def _title(self, name: str, figures: Sequence[Figures]) -> str:
        least = min(figures, key=_room)
        text = f"{name}: at least {least.available} of {least.total} available"
        if least.shortfall:
            text = f"{name}: {least.shortfall} short of {least.total}"
        if len(figures) == 1:
            return f"{text} throughout"
        return f"{text}, at {times.shown(max(least.at, self.start), self.zone)}"

    def _body(
        self, figures: Sequence[Figures], columns: int, label: int, glyphs: Glyphs
    ) -> list[str]:
        top = _top(figures)
        drawn = [_column(each, top, glyphs) for each in self._worst(figures, columns)]
        lines = []
        for row in reversed(range(HEIGHT)):
            value = {HEIGHT - 1: str(top)}.get(row, "")
            lines.append(f"{value:>{label}} |" + "".join(each[row] for each in drawn).rstrip())
        return lines

    def _worst(self, figures: Sequence[Figures], columns: int) -> list[Figures]:
        """The figures with the least room in each column."""
        length = self.end - self.start
        found = []
        place = 0
        for column in range(columns):
            until = self.start + length * (column + 1) / columns
            worst = figures[place]
            while place + 1 < len(figures) and figures[place + 1].at < until:
                place += 1
                worst = min(worst, figures[place], key=_room)
            found.append(worst)
        return found

    def _scale(self, columns: int, label: int) -> tuple[str, str]:
        """The axis with its marks, and the times below it."""
        length = self.end - self.start
        fitting = max(1, columns // _APART)
        step = next((each for each in _STEPS if length / each <= fitting), _STEPS[-1])
        axis = ["-"] * columns
        words = [" "] * (columns + _APART)
        free = 0
        for mark in self._marks(step):
            column = int((mark - self.start) / length * columns)
            if column >= free and column < columns:
                axis[column] = "+"
                text = self._mark(mark, step)
                if column + len(text) <= columns:
                    words[column : column + len(text)] = text
                    free = column + len(text) + 1
        margin = " " * (label + 2)
        return f"{'0':>{label}} +{''.join(axis)}", margin + "".join(words).rstrip()

    def _marks(self, step: timedelta) -> Iterable[datetime]:
        """Round times of the window, on the zone's clocks, counted from midnight."""
        local = times.on_clocks(self.start, self.zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        first = -(-(local - midnight) // step) if step < timedelta(days=1) else 0
        for number in itertools.count(first):
            try:
                mark = midnight + number * step
            except OverflowError:
                return
            if mark >= self.end:
                return
            if mark >= self.start:
                yield mark

    def _mark(self, mark: datetime, step: timedelta) -> str:
        if step >= timedelta(days=1):
            return f"{mark:%Y-%m-%d}"
        return f"{mark:%m-%d %H:%M}"


def _room(figures: Figures) -> int:
    return figures.available - figures.shortfall


def _top(figures: Iterable[Figures]) -> int:
    return max((max(each.total, each.reserved + each.used) for each in figures), default=0) or 1


def _column(figures: Figures, top: int, glyphs: Glyphs) -> str:
    """A column from below."""
    taken = figures.used + figures.reserved
    total = _rows(figures.total, top)
    booked = _rows(taken, top)
    if figures.available > 0 and booked >= total:
        booked = max(total - 1, 1 if taken else 0)
    used = min(_rows(figures.used, top), booked)
    if figures.reserved > 0 and used >= booked:
        used = max(booked - 1, 0)
    cells = glyphs.used * used + glyphs.reserved * (booked - used)
    if figures.shortfall > 0:
        short = max(_rows(figures.shortfall, top), 1)
        cells = cells[: max(booked - short, 0)] + glyphs.shortfall * min(short, booked)
    return (cells + glyphs.available * (total - booked)).ljust(HEIGHT)


def _rows(value: int, top: int) -> int:
    """Rows of so much: one at least, if it is anything."""
    if value <= 0:
        return 0
    return max(1, (2 * value * HEIGHT + top) // (2 * top))
