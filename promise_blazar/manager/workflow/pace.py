# SPDX-License-Identifier: Apache-2.0
"""Pace of preparations that have time: while they fail, OpenStack is left alone for a while."""

from promise_blazar.clock import Clock

#: The shortest and the longest pause after a failure, in seconds; doubled with each in a row.
SHORTEST = 2.0
LONGEST = 60.0


class Pace:
    """For one manager. Its threads need not agree to the second, so there is no lock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures = 0
        self._not_before = float("-inf")

    def ready(self) -> bool:
        """Whether the next may be tried."""
        return self._clock.monotonic() >= self._not_before

    def went_well(self) -> None:
        self._failures = 0

    def failed(self) -> None:
        pause = min(LONGEST, SHORTEST * 2 ** min(self._failures, 10))
        self._failures += 1
        self._not_before = self._clock.monotonic() + pause
