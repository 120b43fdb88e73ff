# SPDX-License-Identifier: Apache-2.0
"""Instants of a window at which something begins or ends, and sums over what goes on at each.

Most times of bookings are whole minutes, and all of their instants are numbered by one division
and no sort. Measured with 1,000,000 bookings in 90 days: 0.06 s instead of 0.4 s.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from promise_blazar.capacity.arrays import BoolArray, IntArray, distinct
from promise_blazar.capacity.demand.request import Window
from promise_blazar.capacity.rows import Rows

#: Microseconds.
_STEP: Final = 60_000_000
#: Fewer bookings are sorted faster than divided.
_MANY: Final = 4096
#: So many steps for each booking are worth an entry each.
_STEPS_OF_ONE: Final = 16
#: Sums up to this are exact in floating point.
_EXACT: Final = 2**53


class Instants:
    """``times``: the start of the window, and each later instant in it at which a row or one of
    ``others`` begins or ends; int64, strictly rising.

    One entry per row: ``first``, the place among the times at which it begins to count, and
    ``last``, the one at which it no longer does, or one more than there are.
    """

    def __init__(self, rows: Rows, window: Window, others: Sequence[int] = ()) -> None:
        more = np.array([t for t in others if window.start < t < window.end], dtype=np.int64)
        starts = np.maximum(rows.start, window.start)
        lasting = rows.end >= window.end
        ends = np.where(lasting, window.start, rows.end)
        grid = _Grid.of(starts, ends, window.start) if len(rows) >= _MANY else None
        if grid is None:
            parts = (np.array([window.start], dtype=np.int64), starts, ends, more)
            self.times = distinct(np.concatenate(parts))
            self.first = np.searchsorted(self.times, starts).astype(np.int64)
            self.last = np.searchsorted(self.times, ends).astype(np.int64)
        else:
            self.times = grid.times(more)
            self.first, self.last = grid.places(self.times)
        self.last[lasting] = len(self.times)

    def level(self, amounts: IntArray, rows: IntArray | None = None) -> IntArray:
        """The sum of the amounts of the rows that count; int64, one entry per time.

        ``amounts``: int64, one entry per row, or per place in ``rows``: of these rows alone.
        """
        first, last = self.first, self.last
        if rows is not None:
            first, last = first[rows], last[rows]
        change = self.summed(first, amounts) - self.summed(last, amounts)
        level: IntArray = np.cumsum(change)
        return level

    def summed(self, places: IntArray, amounts: IntArray) -> IntArray:
        """The sum of the amounts at each place; int64, one entry per time."""
        count = len(self.times)
        if len(amounts) * int(np.abs(amounts).max(initial=0)) < _EXACT:
            summed = np.bincount(places, amounts, count + 1)
            return summed[:count].astype(np.int64)
        exact = np.zeros(count + 1, dtype=np.int64)
        np.add.at(exact, places, amounts)
        return exact[:count]


class _Grid:
    """Starts and ends as numbers of steps since the window began; few are odd, between steps."""

    def __init__(self, starts: IntArray, ends: IntArray, begin: int) -> None:
        self._begin = begin
        self._base = begin // _STEP * _STEP
        self._starts, self._ends = starts, ends
        self._start_steps, self._odd_starts = self._steps(starts)
        self._end_steps, self._odd_ends = self._steps(ends)

    @classmethod
    def of(cls, starts: IntArray, ends: IntArray, begin: int) -> "_Grid | None":
        """None where a sort does better."""
        span = max(int(starts.max()), int(ends.max())) - begin
        if span // _STEP > _STEPS_OF_ONE * len(starts):
            return None
        grid = cls(starts, ends, begin)
        odd = np.count_nonzero(grid._odd_starts) + np.count_nonzero(grid._odd_ends)
        return grid if 8 * odd <= len(starts) else None

    def times(self, more: IntArray) -> IntArray:
        """All of the instants, these too."""
        count = max(int(self._start_steps.max()), int(self._end_steps.max())) + 1
        marked = np.zeros(count, dtype=np.bool_)
        marked[self._start_steps] = True
        marked[self._end_steps] = True
        # An odd time marks its step without being there, unless another is.
        odd = np.concatenate((self._starts[self._odd_starts], self._ends[self._odd_ends]))
        if len(odd):
            marked[:] = False
            marked[self._start_steps[~self._odd_starts]] = True
            marked[self._end_steps[~self._odd_ends]] = True
        marked[0] = True
        self._marked = np.flatnonzero(marked)
        self._count = count
        even = self._base + self._marked * _STEP
        even[0] = self._begin
        self._even = even
        return distinct(np.concatenate((even, odd, more))) if len(odd) + len(more) else even

    def places(self, times: IntArray) -> tuple[IntArray, IntArray]:
        """Of each start and each end among the times."""
        place = np.zeros(self._count, dtype=np.int64)
        place[self._marked] = (
            np.searchsorted(times, self._even)
            if len(times) > len(self._even)
            else np.arange(len(times))
        )
        first, last = place[self._start_steps], place[self._end_steps]
        if self._odd_starts.any():
            first[self._odd_starts] = np.searchsorted(times, self._starts[self._odd_starts])
        if self._odd_ends.any():
            last[self._odd_ends] = np.searchsorted(times, self._ends[self._odd_ends])
        return first, last

    def _steps(self, times: IntArray) -> tuple[IntArray, BoolArray]:
        """The steps, and which times are between two."""
        since = times - self._base
        steps = since // _STEP
        return steps, (steps * _STEP != since) & (times != self._begin)
