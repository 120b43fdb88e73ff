# SPDX-License-Identifier: Apache-2.0
"""Timeline of a window: what is used on each host, instant by instant, for all hosts in one sort.

Only what changes inside the window is sorted: bookings that run at its start are a sum, and
those that outlast it never end here. Measured: most of the time is in scanning and sorting.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from promise_blazar.capacity.arrays import BoolArray, IntArray, distinct, order_of
from promise_blazar.capacity.demand.request import Window
from promise_blazar.capacity.ledger import Rows
from promise_blazar.model.booking import WHOLE

_KEY_LIMIT: Final = 2**62
#: Microseconds.
_MINUTE: Final = 60_000_000


@dataclass(frozen=True, slots=True)
class Spans:
    """Stretches of time on hosts: ``[start, end)`` on the host in ``slot``. They may overlap.

    int64, one entry per span: a slot, microseconds, microseconds.
    """

    slot: IntArray
    start: IntArray
    end: IntArray

    def where(self, chosen: BoolArray) -> "Spans":
        """Those chosen; bool, one entry per span."""
        return Spans(self.slot[chosen], self.start[chosen], self.end[chosen])


@dataclass(frozen=True, slots=True)
class _Changes:
    """The starts and ends inside a window, by slot and time, ends before starts.

    int64. One entry per change: ``row``, its place among the rows; ``time``, microseconds;
    ``sign``, 1 for a start and -1 for an end. One entry per host that has any: ``first``, the
    place of its first change; ``slot``.
    """

    row: IntArray
    time: IntArray
    sign: IntArray
    first: IntArray
    slot: IntArray


class Timeline:
    """The rows of one window, for ``size`` hosts.

    Arrays that it returns have one entry per slot; ``use`` has one entry per row (int64, units
    of a class).
    """

    def __init__(self, rows: Rows, window: Window, size: int) -> None:
        self._rows = rows
        self._window = window
        self._size = size
        self._sorted: _Changes | None = None

    def busy(self) -> BoolArray:
        """Whether anything is booked on the host in the window; bool, one entry per slot."""
        found = np.zeros(self._size, dtype=np.bool_)
        found[self._rows.slot] = True
        return found

    def lent_whole(self) -> BoolArray:
        """Whether the whole host is booked at any time in the window; bool, one entry per slot."""
        found = np.zeros(self._size, dtype=np.bool_)
        found[self._rows.slot[self._rows.bundle == WHOLE]] = True
        return found

    def peak(self, use: IntArray) -> IntArray:
        """The most that is used at one instant; int64, one entry per slot, units of the class.

        ``use``: what each row takes.
        """
        peak = self._at_start(use)
        changes = self._changes()
        if len(changes.row):
            running, before = self._running(use)
            highest = np.maximum.reduceat(running, changes.first) - before
            peak[changes.slot] += np.maximum(highest, 0)
        return peak

    def bookings(self, whole_only: bool = False) -> Spans:
        """When each row takes its host, inside the window."""
        rows = self._rows.where(self._rows.bundle == WHOLE) if whole_only else self._rows
        return Spans(
            rows.slot,
            np.maximum(rows.start, self._window.start),
            np.minimum(rows.end, self._window.end),
        )

    def above(self, use: IntArray, limit: IntArray) -> Spans:
        """When more is used than the limit of the host; such spans touch, but do not overlap.

        ``limit``: int64, one entry per slot, units of the class.
        """
        start, end = self._window.start, self._window.end
        changes = self._changes()
        level = self._at_start(use)
        until = np.full(self._size, end, dtype=np.int64)
        until[changes.slot] = changes.time[changes.first]
        high = np.flatnonzero(level > limit)
        spans = Spans(high, np.full(len(high), start, dtype=np.int64), until[high])
        if not len(changes.row):
            return spans
        slot = self._slots()
        following = np.append(changes.time[1:], end)
        following[np.append(changes.first[1:], len(slot)) - 1] = end
        higher = self._after(use, level) > limit[slot]
        higher &= following > changes.time
        return Spans(
            np.concatenate((spans.slot, slot[higher])),
            np.concatenate((spans.start, changes.time[higher])),
            np.concatenate((spans.end, following[higher])),
        )

    def steps(self) -> tuple[IntArray, IntArray]:
        """The hosts and instants of the steps that ``used`` tells of; int64, slots and
        microseconds, in this order.

        They are the start of the window, for every host, and each start and end of its bookings
        after that. Of several steps of a host at one instant the last counts.
        """
        slot = self._slots()
        everywhere = np.arange(self._size, dtype=np.int64)
        at_start = np.full(self._size, self._window.start, dtype=np.int64)
        return self._joined(everywhere, slot), self._joined(at_start, self._changes().time)

    def used(self, use: IntArray) -> IntArray:
        """What is used from each step on; int64, one entry per step, units of the class."""
        level = self._at_start(use)
        return self._joined(level, self._after(use, level))

    def _joined(self, at_start: IntArray, later: IntArray) -> IntArray:
        """A column of the steps: what is so at the start, by slot, and from each change on."""
        places = np.arange(len(later)) + self._slots() + 1
        column = np.empty(self._size + len(later), dtype=np.int64)
        changed = np.zeros(len(column), dtype=np.bool_)
        changed[places] = True
        column[changed], column[~changed] = later, at_start
        return column

    def _after(self, use: IntArray, level: IntArray) -> IntArray:
        """What is used from each change on; ``level``: at the start, by slot."""
        changes = self._changes()
        if not len(changes.row):
            return changes.row
        running, before = self._running(use)
        counts = np.diff(np.append(changes.first, len(running)))
        running += np.repeat(level[changes.slot] - before, counts)
        return running

    def _slots(self) -> IntArray:
        """The host of each change."""
        changes = self._changes()
        return np.repeat(changes.slot, np.diff(np.append(changes.first, len(changes.row))))

    def _at_start(self, use: IntArray) -> IntArray:
        """What is used at the start of the window, by slot."""
        level = np.zeros(self._size, dtype=np.int64)
        early = np.flatnonzero(self._rows.start <= self._window.start)
        np.add.at(level, self._rows.slot[early], use[early])
        return level

    def _running(self, use: IntArray) -> tuple[IntArray, IntArray]:
        """The sum of changes over all hosts, and what it was before each host's first."""
        changes = self._changes()
        change = use[changes.row] * changes.sign
        running = np.cumsum(change)
        return running, running[changes.first] - change[changes.first]

    def _changes(self) -> _Changes:
        if self._sorted is None:
            self._sorted = self._sort()
        return self._sorted

    def _sort(self) -> _Changes:
        rows, window = self._rows, self._window
        starting = np.flatnonzero(rows.start > window.start)
        ending = np.flatnonzero(rows.end < window.end)
        row = np.concatenate((ending, starting))
        time = np.concatenate((rows.end[ending], rows.start[starting]))
        sign = np.repeat(np.array((-1, 1), dtype=np.int64), (len(ending), len(starting)))
        slot = rows.slot[row]
        order = in_order(slot, time, sign, self._size)
        slot = slot[order]
        first = np.flatnonzero(np.append(True, slot[1:] != slot[:-1])[: len(slot)])
        return _Changes(row[order], time[order], sign[order], first, slot[first])


def in_order(slot: IntArray, time: IntArray, sign: IntArray, size: int) -> IntArray:
    """The order by slot, time and sign (-1 before 1); int64, places in the three columns.

    ``size``: how many slots there are.

    Slot and time are packed in one integer where they fit, as nearly always, and times are counted
    in minutes where all are whole: sorting that is several times faster than sorting by three
    keys.
    """
    if not len(time):
        return np.zeros(0, dtype=np.int64)
    since = time - int(time.min())
    minutes = since // _MINUTE
    if np.array_equal(minutes * _MINUTE, since):
        since = minutes
    width = 2 * (int(since.max()) + 1)
    if size * width < _KEY_LIMIT:
        return order_of(slot * width + 2 * since + (sign > 0), size * width)
    return np.lexsort((sign, since, slot)).astype(np.int64)


def ends_of_stretches(spans: Spans, size: int) -> tuple[IntArray, IntArray]:
    """Where the stretches begin that the spans of a host make together, and where they end.

    int64, microseconds, each in order: one entry per stretch in both, of all hosts, no longer in
    pairs. A stretch is a time of one host that spans cover without a break. ``size``: how many
    slots there are.

    Starts and ends are sorted by themselves: of n spans in the order of their starts, the next one
    begins a stretch exactly if n ends come before it. That is several times faster than sorting
    spans.
    """
    count = len(spans.slot)
    if not count:
        return spans.start, spans.end
    earliest = int(spans.start.min())
    width = int(spans.end.max()) - earliest + 1
    times = np.zeros(0, dtype=np.int64)
    if size * width < _KEY_LIMIT:
        begin = spans.slot * width - earliest
        start, end = np.sort(begin + spans.start), np.sort(begin + spans.end)
    else:
        times = distinct(np.concatenate((spans.start, spans.end)))
        width, begin = len(times), spans.slot * len(times)
        start = np.sort(begin + np.searchsorted(times, spans.start))
        end = np.sort(begin + np.searchsorted(times, spans.end))
    apart = start[1:] > end[:-1]
    first, last = start[np.append(True, apart)] % width, end[np.append(apart, True)] % width
    if len(times):
        return np.sort(times[first]), np.sort(times[last])
    return np.sort(first) + earliest, np.sort(last) + earliest
