# SPDX-License-Identifier: Apache-2.0
"""Search for the next windows in which all requests are admitted.

A window that moves to the right gets room only where something is freed as its start passes, so
the starts worth trying are the ends of bookings. Which of them leave enough hosts is counted for
all at once; what passes that count is then admitted in earnest, so no window is ever offered
that an admission would refuse.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from promise_blazar.capacity.admission import Plan, admit
from promise_blazar.capacity.arrays import BoolArray, IntArray
from promise_blazar.capacity.demand.request import AllocationRequest, Window
from promise_blazar.capacity.free_capacity import FreeCapacity
from promise_blazar.capacity.ledger import OPEN, Ledger
from promise_blazar.capacity.timeline import Spans, in_order

#: Microseconds.
MINUTE: Final = 60_000_000

#: The search ends after so many bookings, or so many windows admitted in earnest.
_MOST_ROWS: Final = 200_000
_MOST_TRIES: Final = 24
#: Numbers of units on one host that are told apart; fewer where bookings are many.
_MOST_LEVELS: Final = 16


@dataclass(frozen=True, slots=True)
class FoundWindows:
    """Windows of all requests together, earliest first, and the last start looked at."""

    windows: tuple[Window, ...]
    looked_until: int


def next_windows(
    ledger: Ledger,
    requests: Sequence[AllocationRequest],
    now: int,
    exclude: frozenset[int] = frozenset(),
    count: int = 1,
    granularity: int = MINUTE,
) -> FoundWindows:
    """The first ``count`` windows in which the requests, all moved alike, are admitted.

    They start where the requests do, or later at a multiple of ``granularity`` (microseconds),
    and not before ``now``. Pinned requests, whose reservations run already, cannot move: none is
    found for them. ``exclude``, ``now``, and errors: as for ``admit``.
    """
    start = min((request.window.start for request in requests), default=now)
    end = max((request.window.end for request in requests), default=now + 1)
    windows: list[Window] = []
    if any(request.pinned for request in requests) or count < 1:
        return FoundWindows((), start)
    tries = 0
    looked_until = start
    for reach, rows, shifts in _promising(ledger, requests, now, exclude, granularity):
        affordable = max(1, min(_MOST_TRIES, _MOST_ROWS // max(rows, 1)))
        for shift in shifts.tolist():
            moved = [_moved(request, shift) for request in requests]
            tries += 1
            if isinstance(admit(ledger, moved, now, exclude), Plan):
                windows.append(_shifted(Window(start, end), shift))
            if len(windows) == count or tries >= affordable:
                return FoundWindows(tuple(windows), start + shift)
        looked_until = start + reach
    return FoundWindows(tuple(windows), looked_until)


def _moved(request: AllocationRequest, shift: int) -> AllocationRequest:
    return replace(request, window=_shifted(request.window, shift))


def _shifted(window: Window, shift: int) -> Window:
    """An end that never comes stays where it is."""
    return Window(window.start + shift, min(window.end + shift, OPEN))


def _promising(
    ledger: Ledger,
    requests: Sequence[AllocationRequest],
    now: int,
    exclude: frozenset[int],
    granularity: int,
) -> Iterator[tuple[int, int, IntArray]]:
    """Shifts that may be admitted, in order, in longer and longer stretches.

    Each comes with the shift until which was looked, and how many bookings were looked at.
    """
    last = ledger.last_end()
    length = max((request.window.end - request.window.start for request in requests), default=1)
    shifts = np.zeros(1, dtype=np.int64)
    low, high, rows = 0, min(length, OPEN), 0
    while True:
        free = FreeCapacity(ledger, now, exclude)
        reach = [
            Window(request.window.start + low, min(request.window.end + high, OPEN))
            for request in requests
        ]
        for request, window in zip(requests, reach, strict=True):
            ends = free.rows(window).end
            freed = np.maximum(ends[ends < OPEN], now)
            moved = -(freed // -granularity) * granularity - request.window.start
            shifts = np.append(shifts, moved[moved > low])
        shifts = np.unique(shifts)
        promising = shifts[shifts <= high]
        for request, window in zip(requests, reach, strict=True):
            if len(promising):
                promising = promising[_enough(free, request, window, promising)]
        rows += sum(len(free.rows(window).slot) for window in reach)
        yield high, rows, promising
        shifts = shifts[shifts > high]
        ended = all(request.window.start + high >= last for request in requests)
        if rows > _MOST_ROWS or (ended and not len(shifts)):
            return
        low, high = high, min(2 * high, OPEN)


def _enough(
    free: FreeCapacity, request: AllocationRequest, reach: Window, shifts: IntArray
) -> BoolArray:
    """At which shifts may there be hosts enough? True wherever the request alone is admitted."""
    affordable = max(1, _MOST_ROWS // max(len(free.rows(reach).slot), 1))
    bound = request.demand.levels(free, min(_MOST_LEVELS, affordable))
    length = request.window.end - request.window.start
    starts = request.window.start + shifts
    count = np.zeros(len(shifts), dtype=np.int64)
    for level in bound.levels:
        hosts = _hosts_with(free, request, reach, level.units, length, starts)
        count += level.weight * hosts
    return count >= bound.needed


def _hosts_with(
    free: FreeCapacity,
    request: AllocationRequest,
    reach: Window,
    units: int,
    length: int,
    starts: IntArray,
) -> IntArray:
    """How many hosts have room for so many units all through a window from each start?"""
    lacking = free.lacking(request, reach, units)
    # A window of this length from s meets [a, b) exactly if a - length < s < b.
    barred = Spans(lacking.slot, lacking.start - length + 1, lacking.end)
    times, change = _barred_changes(barred, free.ledger.size)
    barred_at = np.append(0, np.cumsum(change))[np.searchsorted(times, starts, side="right")]
    return np.count_nonzero(free.eligible(request)) - barred_at


def _barred_changes(barred: Spans, size: int) -> tuple[IntArray, IntArray]:
    """When the number of barred hosts changes, and by how much; a host counts once."""
    count = len(barred.slot)
    slot = np.concatenate((barred.slot, barred.slot))
    time = np.concatenate((barred.start, barred.end))
    sign = np.repeat(np.array((1, -1), dtype=np.int64), count)
    order = in_order(slot, time, sign, size)
    sign = sign[order]
    # Each host's signs sum to nothing, so the depth needs no new beginning at a new host.
    depth = np.cumsum(sign)
    turning = np.where(sign > 0, depth == 1, depth == 0)
    time, sign = time[order][turning], sign[turning]
    by_time = np.argsort(time, kind="stable")
    return time[by_time], sign[by_time]
