# SPDX-License-Identifier: Apache-2.0
"""Stand-ins that tests of several packages share."""

import threading
from datetime import UTC, datetime, timedelta


class ManualClock:
    """A ``promise_blazar.clock.Clock`` that moves only when told."""

    def __init__(self, now: datetime = datetime(2030, 1, 1, tzinfo=UTC)) -> None:
        self._now = now
        self._monotonic = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            return self._now

    def monotonic(self) -> float:
        with self._lock:
            return self._monotonic

    def advance(self, by: float | timedelta) -> None:
        """Move both clocks forward, by seconds or a duration."""
        step = by if isinstance(by, timedelta) else timedelta(seconds=by)
        with self._lock:
            self._now += step
            self._monotonic += step.total_seconds()
