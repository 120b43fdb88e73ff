# SPDX-License-Identifier: Apache-2.0
"""Clocks: the one place that asks the machine for the time."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Two clocks: the calendar, and one that only ever runs forward."""

    def now(self) -> datetime:
        """The present, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that no operator or NTP can set back, and that run on through a suspend."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        # CLOCK_MONOTONIC stops while a machine is suspended; a deadline must not.
        return time.clock_gettime(time.CLOCK_BOOTTIME)
