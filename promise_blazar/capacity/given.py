# SPDX-License-Identifier: Apache-2.0
"""What a decision has given to its requests so far, added up by window.

Through a window that another one covers, what is given in that one is constant, so its sum is
all that a request of the same decision needs to know. Nearly always all windows are one.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from promise_blazar.capacity.arrays import BoolArray, IntArray
from promise_blazar.capacity.demand.request import AllocationRequest, Window

#: Units (slots, or 1 for a whole host) by slot, the host's place in the ledger.
UnitsBySlot = dict[int, int]


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a decision has given to a request so far."""

    request: AllocationRequest
    units: UnitsBySlot


class Given:
    """Assignments, for ``size`` hosts; at most one to a request."""

    def __init__(self, size: int, assignments: Iterable[Assignment] = ()) -> None:
        self._size = size
        self._assignments: dict[str, Assignment] = {}
        self._sums: dict[Window, _Sum] = {}
        for assignment in assignments:
            self.add(assignment)

    def __iter__(self) -> Iterator[Assignment]:
        return iter(self._assignments.values())

    def __bool__(self) -> bool:
        return bool(self._assignments)

    def units(self) -> Mapping[str, UnitsBySlot]:
        """What each request has, by its key."""
        return {key: each.units for key, each in self._assignments.items()}

    def add(self, assignment: Assignment) -> None:
        """Give a request what it had nothing of."""
        request = assignment.request
        self._assignments[request.key] = assignment
        if request.window not in self._sums:
            self._sums[request.window] = _Sum(self._size)
        self._sums[request.window].change(assignment, 1)

    def remove(self, key: str) -> UnitsBySlot:
        """Take back what a request has; that is the answer, nothing if it has nothing."""
        assignment = self._assignments.pop(key, None)
        if assignment is None:
            return {}
        self._sums[assignment.request.window].change(assignment, -1)
        return assignment.units

    def touched(self, window: Window | None = None) -> BoolArray:
        """Hosts of which something is given (in the window); bool, one entry per slot, new."""
        found = np.zeros(self._size, dtype=np.bool_)
        for other, total in self._sums.items():
            if window is None or other.overlaps(window):
                found |= total.parts > 0
        return found

    def lent_whole(self, window: Window) -> BoolArray:
        """Hosts given whole, all through the window; bool, one entry per slot."""
        found = np.zeros(self._size, dtype=np.bool_)
        for total in self._covering(window):
            found |= total.whole > 0
        return found

    def taken(self, window: Window, resource_class: str) -> IntArray:
        """What is given all through the window; int64, one entry per slot, units of the class."""
        found = np.zeros(self._size, dtype=np.int64)
        for total in self._covering(window):
            if resource_class in total.amounts:
                found += total.amounts[resource_class]
        return found

    def passing(self, window: Window) -> list[Assignment]:
        """What is given in a part of the window only."""
        within = {
            other for other in self._sums if other.overlaps(window) and not other.covers(window)
        }
        if not within:
            return []
        return [
            each
            for each in self._assignments.values()
            if each.units and each.request.window in within
        ]

    def _covering(self, window: Window) -> Iterator["_Sum"]:
        return (total for other, total in self._sums.items() if other.covers(window))


class _Sum:
    """All that is given in one window; int64, one entry per slot.

    ``parts``: how many assignments have anything of the host; ``whole``: how many have it whole;
    ``amounts``: by resource class.
    """

    def __init__(self, size: int) -> None:
        self.parts: IntArray = np.zeros(size, dtype=np.int64)
        self.whole: IntArray = np.zeros(size, dtype=np.int64)
        self.amounts: dict[str, IntArray] = {}

    def change(self, assignment: Assignment, sign: int) -> None:
        count = len(assignment.units)
        slots = np.fromiter(assignment.units.keys(), dtype=np.int64, count=count)
        self.parts[slots] += sign
        amounts = assignment.request.demand.amounts
        if amounts is None:
            self.whole[slots] += sign
            return
        units = np.fromiter(assignment.units.values(), dtype=np.int64, count=count)
        for name, amount in amounts.items():
            if amount and count:
                if name not in self.amounts:
                    self.amounts[name] = np.zeros(len(self.parts), dtype=np.int64)
                self.amounts[name][slots] += sign * amount * units
