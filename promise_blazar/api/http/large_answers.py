# SPDX-License-Identifier: Apache-2.0
"""Large answers: how many of them a process works on at the same time.

One of a hundred thousand instants takes up to 200 MB until it is written.
"""

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Final

from promise_blazar import exceptions
from promise_blazar.waiters import Waiters

#: Answers in the making, and those of them that are for one project.
_MOST: Final = 4
_MOST_EACH: Final = 2
#: Seconds that a request waits for its place at most.
_PATIENCE: Final = 5.0


class LargeAnswers:
    """``waiters``: the places of those that wait for theirs. Safe in threads."""

    def __init__(self, waiters: Waiters) -> None:
        self._waiters = waiters
        self._condition = threading.Condition()
        self._made: Counter[str] = Counter()

    @contextlib.contextmanager
    def place(self, project_id: str) -> Iterator[None]:
        """A place for an answer to this project, for this block. Raises ``Busy``."""
        take = partial(self._take, project_id)
        with self._condition:
            taken = take()
        if not taken:
            with self._waiters.place() as may_wait, self._condition:
                if not self._condition.wait_for(take, _PATIENCE if may_wait else 0):
                    raise exceptions.Busy(retry_after=1)
        try:
            yield
        finally:
            with self._condition:
                self._made[project_id] -= 1
                self._made = +self._made
                self._condition.notify_all()

    def _take(self, project_id: str) -> bool:
        if self._made.total() >= _MOST or self._made[project_id] >= _MOST_EACH:
            return False
        self._made[project_id] += 1
        return True
