# SPDX-License-Identifier: Apache-2.0
"""Search for the next windows in which all requests are admitted.

A window that moves to the right gets room only where something is freed as its start passes, so
the starts worth trying are the ends of bookings, and the instants at which adjustments change.
Which of them leave room enough is counted for all at once, exactly for each request by itself on
hosts; what passes that count is then admitted in earnest, so no window is ever offered that an
admission would refuse. There is no limit but the budget, and the answer says where that ended the
search.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from promise_blazar.capacity.admission import Admission, Plan, Refusal
from promise_blazar.capacity.arrays import BoolArray, IntArray, distinct
from promise_blazar.capacity.budget import EVALUATIONS, Budget, OutOfTime
from promise_blazar.capacity.demand.request import AllocationRequest, Window
from promise_blazar.capacity.free_capacity import FreeCapacity
from promise_blazar.capacity.ledger import OPEN, Ledger
from promise_blazar.capacity.room_steps import room_through
from promise_blazar.capacity.timeline import Spans, ends_of_stretches

#: Microseconds.
MINUTE: Final = 60_000_000


@dataclass(frozen=True, slots=True)
class FoundWindows:
    """Windows of all requests together, earliest first, and the last start looked at.

    ``complete``: there is no other window, as things are booked; else later ones, or (of several
    requests) other ways to place them, were not looked at. ``finished``: every start was looked
    at, with what a create has for it. ``fixed``: the requests cannot move.
    """

    windows: tuple[Window, ...]
    looked_until: int
    complete: bool
    fixed: bool = False
    finished: bool = True


def next_windows(
    ledger: Ledger,
    requests: Sequence[AllocationRequest],
    now: int,
    exclude: frozenset[int] = frozenset(),
    count: int = 1,
    granularity: int = MINUTE,
    budget: Budget | None = None,
) -> FoundWindows:
    """The first ``count`` windows in which the requests, all moved alike, are admitted.

    They start where the requests do, or later at a multiple of ``granularity`` (microseconds),
    and not before ``now``. Pinned requests, whose reservations run already, cannot move: none is
    found for them. What ends the budget ends the search. ``exclude``, ``now``, and other errors:
    as for ``admit``.
    """
    start = min((request.window.start for request in requests), default=now)
    if any(request.pinned for request in requests):
        return FoundWindows((), start, complete=True, fixed=True)
    search = _Search(ledger, requests, now, exclude, granularity, budget or Budget())
    end = max((request.window.end for request in requests), default=now + 1)
    windows: list[Window] = []
    complete = finished = False
    try:
        for shift in search.admitted():
            windows.append(_shifted(Window(start, end), shift))
            if len(windows) >= count:
                break
        else:
            complete, finished = search.complete, not search.stopped
    except OutOfTime:
        pass
    looked_until = start + search.looked_until
    return FoundWindows(tuple(windows), looked_until, complete, finished=finished)


def _different(requests: Sequence[AllocationRequest]) -> list[AllocationRequest]:
    """The requests without those that want what another one does."""
    found: list[AllocationRequest] = []
    for request in requests:
        if not any(request.like(other) for other in found):
            found.append(request)
    return found


def _moved(request: AllocationRequest, shift: int) -> AllocationRequest:
    return replace(request, window=_shifted(request.window, shift))


def _shifted(window: Window, shift: int) -> Window:
    """An end that never comes stays where it is."""
    return Window(window.start + shift, min(window.end + shift, OPEN))


class _Search:
    """One search. ``looked_until``: the last shift looked at; ``complete``: none is left out;
    ``stopped``: the budget was spent before the last shift."""

    def __init__(
        self,
        ledger: Ledger,
        requests: Sequence[AllocationRequest],
        now: int,
        exclude: frozenset[int],
        granularity: int,
        budget: Budget,
    ) -> None:
        self._ledger = ledger
        self._requests = requests
        self._now = now
        self._exclude = exclude
        self._granularity = granularity
        self._budget = budget
        self._different = _different(requests)
        self.looked_until = 0
        self.complete = True
        self.stopped = False

    def admitted(self) -> Iterator[int]:
        """Shifts at which all requests are admitted, in order. Raises ``OutOfTime``."""
        for reach, shifts in self._promising():
            for shift in shifts.tolist():
                if self._budget.exhausted:
                    self._stop()
                    return
                moved = [_moved(request, shift) for request in self._requests]
                # As much as a create has, so that this is what a create is answered.
                trial = self._budget.part(EVALUATIONS)
                answer = Admission(self._free(trial), moved).decide()
                if isinstance(answer, Refusal) and answer.gave_up:
                    self.complete = False
                    if self._budget.exhausted:
                        self._stop()  # a create might go on
                        return
                self.looked_until = shift
                if isinstance(answer, Plan):
                    yield shift
            self.looked_until = reach

    def _stop(self) -> None:
        self.complete, self.stopped = False, True

    def _free(self, budget: Budget) -> FreeCapacity:
        return FreeCapacity(self._ledger, self._now, self._exclude, budget=budget)

    def _promising(self) -> Iterator[tuple[int, IntArray]]:
        """Shifts that may be admitted, in order, in longer and longer stretches.

        Each stretch comes with the shift until which was looked.
        """
        requests = self._requests
        last = max(self._ledger.last_end(), self._free(self._budget).pool.last_rise)
        windows = [request.window for request in requests]
        length = max((window.end - window.start for window in windows), default=1)
        shifts = np.zeros(1, dtype=np.int64)
        low, high = 0, min(length, OPEN)
        while True:
            free = self._free(self._budget)
            around = {
                window: Window(window.start + low, min(window.end + high, OPEN))
                for window in windows
            }
            counts = [_Count(free, request, around[request.window]) for request in self._different]
            barren = self._now <= min((w.start for w in windows), default=0) + low and not all(
                each.ever(low, high) for each in counts
            )
            for window, stretch in around.items():
                ends = np.append(free.rows(stretch).end, free.pool.rises(stretch))
                if barren:
                    # What is freed in this stretch is of no use, unless it is rounded up beyond
                    # it; what is freed later is found again.
                    until = window.start + high
                    ends = ends[(ends > until - self._granularity) & (ends <= until)]
                freed = np.maximum(ends[ends < OPEN], self._now)
                moved = -(freed // -self._granularity) * self._granularity - window.start
                shifts = np.append(shifts, moved[moved > low])
            shifts = distinct(shifts)
            promising = shifts[shifts <= high][: 0 if barren else None]
            for each in counts:
                if len(promising):
                    promising = promising[each.enough(promising)]
            yield high, promising
            shifts = shifts[shifts > high]
            ended = all(window.start + high >= last for window in windows)
            if ended and not len(shifts):
                return
            if self._budget.exhausted:
                self._stop()
                return
            low, high = high, min(2 * high, OPEN)


class _Count:
    """Where there are hosts and pools enough for a request by itself, in one stretch of time."""

    def __init__(self, free: FreeCapacity, request: AllocationRequest, reach: Window) -> None:
        self._free = free
        self._request = request
        self._reach = reach
        self._start = request.window.start
        self._length = request.window.end - request.window.start
        self._bound = request.demand.bound
        self._known: tuple[IntArray, IntArray] | None = None

    def ever(self, low: int, high: int) -> bool:
        """Whether there may be enough at any of these shifts, from ``low`` to ``high``."""
        if not self._bound.once or not self._bound.units:
            return True
        _, last = self._barred()
        low, high = self._start + low, self._start + high
        rises = np.append(low, last[(last > low) & (last <= high)])
        return int(self._hosts(rises).max()) >= self._bound.needed

    def enough(self, shifts: IntArray) -> BoolArray:
        """At which shifts is there enough? True wherever the request alone is admitted."""
        free, request, bound = self._free, self._request, self._bound
        starts = self._start + shifts
        enough = free.pool.promising(request, free.eligible(request), self._reach, starts)
        if not bound.units:
            return enough
        if bound.once:
            return enough & (self._hosts(starts) >= bound.needed)
        steps = free.steps_of(request, self._reach)
        times = np.minimum(steps.units // bound.units, bound.needed)
        count = room_through(replace(steps, units=times), self._length, starts)
        return enough & (count >= bound.needed)

    def _hosts(self, starts: IntArray) -> IntArray:
        """How many hosts have room for the units all through a window from each start?"""
        first, last = self._barred()
        barred = np.searchsorted(first, starts, side="right")
        barred -= np.searchsorted(last, starts, side="right")
        hosts: IntArray = np.count_nonzero(self._free.eligible(self._request)) - barred
        return hosts

    def _barred(self) -> tuple[IntArray, IntArray]:
        """When hosts begin and cease to have no room for a window that begins then."""
        if self._known is None:
            lacking = self._free.lacking(self._request, self._reach, self._bound.units)
            # A window of this length from s meets [a, b) exactly if a - length < s < b.
            barred = Spans(lacking.slot, lacking.start - self._length + 1, lacking.end)
            self._known = ends_of_stretches(barred, self._free.ledger.size)
        return self._known
