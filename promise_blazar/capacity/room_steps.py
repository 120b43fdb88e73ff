# SPDX-License-Identifier: Apache-2.0
"""Room on hosts as steps over time, and what all of them have through windows that move."""

from dataclasses import dataclass

import numpy as np

from promise_blazar.capacity.arrays import BoolArray, IntArray


@dataclass(frozen=True, slots=True)
class RoomSteps:
    """How many units each host has room for, from the start of each step to that of the host's
    next.

    int64, one entry per step, in the order of host and time: a slot, microseconds, units.
    """

    slot: IntArray
    start: IntArray
    units: IntArray

    def where(self, chosen: BoolArray) -> "RoomSteps":
        """Those chosen; bool, one entry per step."""
        return RoomSteps(self.slot[chosen], self.start[chosen], self.units[chosen])

    def distinct(self) -> "RoomSteps":
        """The same without steps that change nothing."""
        same = self.slot[1:] == self.slot[:-1]
        same &= self.units[1:] == self.units[:-1]
        return self.where(np.append(True, ~same)[: len(self.slot)])


def room_through(steps: RoomSteps, length: int, starts: IntArray) -> IntArray:
    """The units that all hosts together have room for all through ``[s, s + length)``, for each
    start s; int64, one entry per start.

    A host has its least room in such a window. Each step is the first of the host's least in the
    windows of one stretch of starts: those that meet it, and neither the step before it that has
    no more room, nor the step after it that has less. So every step adds its units to one stretch.
    """
    steps = steps.distinct()
    count = len(steps.slot)
    first = np.append(True, steps.slot[1:] != steps.slot[:-1])[:count]
    last = np.append(first[1:], True)[:count]
    end = np.append(steps.start[1:], 0)[:count]
    before = _lower(steps.units, np.where(first, count, np.arange(count) - 1), equal=True)
    after = _lower(steps.units, np.where(last, count, np.arange(count) + 1), equal=False)
    begins = steps.start - length + 1
    bounded = before < count
    begins[bounded] = np.maximum(begins[bounded], end[before[bounded]])
    ends = np.where(last, starts.max(initial=0) + 1, end)
    bounded = after < count
    ends[bounded] = np.minimum(ends[bounded], steps.start[after[bounded]] - length + 1)
    counted = (begins < ends) & (steps.units > 0)
    units = steps.units[counted]
    return _sums(begins[counted], units, starts) - _sums(ends[counted], units, starts)


def _lower(units: IntArray, nearest: IntArray, equal: bool) -> IntArray:
    """The place of the nearest step of the host that has less room (or as much, if ``equal``).

    ``nearest``: the place of the host's next step in the direction that is looked in; it, and the
    answer, is the number of steps where there is none. What a step with more room has found to be
    lower than itself is the next to look at, so few rounds do.
    """
    found = np.append(nearest, len(units))
    bound = np.append(units, -1)
    limit = units if equal else units - 1
    here = np.flatnonzero(bound[nearest] > limit)
    while len(here):
        found[here] = found[found[here]]
        here = here[bound[found[here]] > limit[here]]
    return found[:-1]


def _sums(times: IntArray, units: IntArray, starts: IntArray) -> IntArray:
    """The sum of the units whose time is no later than each start."""
    order = np.argsort(times)
    sums = np.append(0, np.cumsum(units[order]))
    found: IntArray = sums[np.searchsorted(times[order], starts, side="right")]
    return found
