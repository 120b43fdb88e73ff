# SPDX-License-Identifier: Apache-2.0
"""Turns at what only one thread of a process does at a time.

They go round: one turn to each project that waits, in the order in which they came, and then the
next one; never two to the same while another waits. So a project that asks much waits for itself,
and the others for one turn of its.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from promise_blazar.capacity.budget import Budget, OutOfTime

#: Whose the manager's own work is. It has a place besides those that there are.
OWN: Final = None


class Turns:
    """``most_waiting``: threads that may wait; ``most_each``: those of one project. Who comes then
    is not let in at all."""

    def __init__(self, most_waiting: int, most_each: int | None = None) -> None:
        self.most_waiting = most_waiting
        self.most_each = most_waiting if most_each is None else most_each
        self._lock = threading.Lock()
        #: By whose they are, in the order of their next turns; none is empty.
        self._waiting: dict[str | None, deque[threading.Event]] = {}
        self._taken = False
        #: Whose turn it is, or was last.
        self._served: str | None = ""

    @contextmanager
    def mine(self, budget: Budget, whose: str | None = "") -> Iterator[None]:
        """A block that has the turn. ``whose``: the project that it is for, or ``OWN``.

        Raises ``OutOfTime``: it did not come within the budget.
        """
        if not self._take(budget.seconds, whose):
            raise OutOfTime
        try:
            yield
        finally:
            self._hand_on()

    def waiting(self) -> int:
        """How many wait, the manager's own work included."""
        return sum(map(len, list(self._waiting.values())))

    def _take(self, seconds: float, whose: str | None) -> bool:
        with self._lock:
            if not self._taken:
                self._taken, self._served = True, whose
                return True
            if not self._has_place(whose):
                return False
            turn = threading.Event()
            self._waiting.setdefault(whose, deque()).append(turn)
        if turn.wait(min(seconds, threading.TIMEOUT_MAX)):
            return True
        with self._lock:
            if turn.is_set():  # at the last moment
                return True
            theirs = self._waiting[whose]
            theirs.remove(turn)
            if not theirs:
                del self._waiting[whose]
            return False

    def _has_place(self, whose: str | None) -> bool:
        theirs = len(self._waiting.get(whose, ()))
        if whose is OWN:
            return not theirs
        others = self.waiting() - len(self._waiting.get(OWN, ()))
        return theirs < self.most_each and others < self.most_waiting

    def _hand_on(self) -> None:
        with self._lock:
            if not self._waiting:
                self._taken = False
                return
            whose = next((each for each in self._waiting if each != self._served), self._served)
            self._served = whose
            theirs = self._waiting.pop(whose)
            theirs.popleft().set()
            if theirs:
                self._waiting[whose] = theirs  # behind the others
