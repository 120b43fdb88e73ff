# SPDX-License-Identifier: Apache-2.0
"""Idle gate, where work that nobody waits for stands back behind requests.

It opens while no request is being decided, nor was one a moment ago, since a client that asks one
thing after another asks for the next; and in any case after a while. What waits here is due later:
should requests never end, its time comes in another lane.
"""

import contextlib
import threading
import time
from collections.abc import Iterator

#: Seconds since the last request that make a lull.
LULL = 0.5
#: Seconds to wait for one.
MOST = 5.0


class IdleGate:
    def __init__(self, lull: float = LULL, most: float = MOST) -> None:
        self._lull = lull
        self._most = most
        self._changed = threading.Condition()
        self._requests = 0
        self._last = float("-inf")
        self._over = False

    @contextlib.contextmanager
    def request(self) -> Iterator[None]:
        """One is being decided in this block."""
        with self._changed:
            self._requests += 1
        try:
            yield
        finally:
            with self._changed:
                self._requests -= 1
                self._last = time.monotonic()
                self._changed.notify_all()

    def wait(self) -> None:
        """Until there is a lull, or it has been long enough."""
        give_up = time.monotonic() + self._most
        with self._changed:
            while not self._over and (left := give_up - time.monotonic()) > 0:
                rest = self._last + self._lull - time.monotonic()
                if not self._requests and rest <= 0:
                    return
                self._changed.wait(left if self._requests else min(left, rest))

    def open(self) -> None:
        """Let everybody through, for good."""
        with self._changed:
            self._over = True
            self._changed.notify_all()
