# SPDX-License-Identifier: Apache-2.0
"""Turns at what only one thread of a process does at a time: first come, first served."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from promise_blazar.capacity.budget import Budget, OutOfTime


class Turns:
    """``most_waiting``: threads that may wait; who comes then is not let in at all."""

    def __init__(self, most_waiting: int) -> None:
        self.most_waiting = most_waiting
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._taken = False

    @contextmanager
    def mine(self, budget: Budget) -> Iterator[None]:
        """A block that has the turn. Raises ``OutOfTime``: it did not come within the budget."""
        if not self._take(budget.seconds):
            raise OutOfTime
        try:
            yield
        finally:
            self._hand_on()

    def _take(self, seconds: float) -> bool:
        with self._lock:
            if not self._taken:
                self._taken = True
                return True
            if len(self._waiting) >= self.most_waiting:
                return False
            turn = threading.Event()
            self._waiting.append(turn)
        if turn.wait(min(seconds, threading.TIMEOUT_MAX)):
            return True
        with self._lock:
            if turn.is_set():  # at the last moment
                return True
            self._waiting.remove(turn)
            return False

    def _hand_on(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken = False
