# SPDX-License-Identifier: Apache-2.0
"""Progress of leases, for requests that wait until the work on one has come to something."""

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator

#: Seconds between two looks: another manager may be at the lease, of which this one hears nothing.
LOOK = 0.5


class Progress:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, list[threading.Event]] = defaultdict(list)

    def made(self, lease_id: str) -> None:
        """A piece of work on this lease is over."""
        with self._lock:
            for event in self._waiting.get(lease_id, ()):
                event.set()

    def wait(self, lease_id: str, done: Callable[[], bool], seconds: float) -> None:
        """Until it is done, which is looked at now, after each piece of work and now and then; and
        no longer than so many seconds."""
        give_up = time.monotonic() + seconds
        with self._listening(lease_id) as news:
            while not done():
                left = give_up - time.monotonic()
                if left <= 0:
                    return
                news.wait(min(left, LOOK))
                news.clear()

    @contextlib.contextmanager
    def _listening(self, lease_id: str) -> Iterator[threading.Event]:
        event = threading.Event()
        with self._lock:
            self._waiting[lease_id].append(event)
        try:
            yield event
        finally:
            with self._lock:
                self._waiting[lease_id].remove(event)
                if not self._waiting[lease_id]:
                    del self._waiting[lease_id]
