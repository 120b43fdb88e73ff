# SPDX-License-Identifier: Apache-2.0
"""Budget of one request: the time, and the evaluations of room, that may be spent on it.

Admission, explanation and the search for windows spend the same budget. Evaluations bound what
may be tried when nothing is proven yet, so the same request on the same ledger has the same
answer on every machine. Time bounds everything.
"""

import math
from collections.abc import Callable
from typing import Final

#: Evaluations of room for one request. Each is of all hosts: 0.05 to 0.5 ms.
EVALUATIONS: Final = 4000
#: So many bookings that are looked at cost what one evaluation costs.
_ROWS_OF_ONE: Final = 5000


class OutOfTime(Exception):
    """The time for this request is spent, and there is no answer."""


class Budget:
    """``evaluations`` and ``seconds`` from now on, by this monotonic clock.

    ``left``: evaluations; ``spent``: those of this, its parts included; ``whole``: what this is
    a part of. ``pause``: called at each evaluation, so that others get on; of its parts too.

    A part of a budget spends the whole's as well.
    """

    def __init__(
        self,
        evaluations: int = EVALUATIONS,
        seconds: float = math.inf,
        monotonic: Callable[[], float] = lambda: 0.0,
        whole: "Budget | None" = None,
        pause: Callable[[], None] = lambda: None,
    ) -> None:
        self.left = evaluations
        self._monotonic = monotonic
        self._deadline = monotonic() + seconds
        self.whole = whole
        self.spent = 0
        self._pause = pause

    def part(
        self,
        evaluations: int | None = None,
        seconds: float = math.inf,
        pause: Callable[[], None] | None = None,
    ) -> "Budget":
        """So much of what is left; None: all evaluations."""
        count = self.left if evaluations is None else min(evaluations, self.left)
        seconds = min(seconds, self.seconds)
        return Budget(count, seconds, self._monotonic, self, pause or self._pause)

    def anew(self, evaluations: int, seconds: float = math.inf) -> "Budget":
        """Other evaluations, within the same time, or so much of it."""
        return Budget(evaluations, min(seconds, self.seconds), self._monotonic, pause=self._pause)

    @property
    def seconds(self) -> float:
        """Seconds that are left; never less than none."""
        return max(self._deadline - self._monotonic(), 0.0)

    @property
    def exhausted(self) -> bool:
        """Whether no evaluation is left: what is not proven is not tried any further."""
        return self.left <= 0

    def spend(self, rows: int = 0) -> None:
        """One evaluation, of so many bookings. Raises ``OutOfTime``."""
        each: Budget | None = self
        while each is not None:
            each.left -= 1 + rows // _ROWS_OF_ONE
            each.spent += 1 + rows // _ROWS_OF_ONE
            each = each.whole
        self._pause()
        if self._monotonic() > self._deadline:
            raise OutOfTime


def estimate(
    requests: int,
    hosts: int,
    rows: int = 0,
    comparisons: int = 0,
    pools: int = 0,
    adjustments: int = 0,
) -> float:
    """Seconds, roughly, that the admission of so many requests takes if the first order does.

    ``rows``: the bookings that count in their window; ``comparisons``: those in their queries;
    ``pools``: the zones whose pools are looked at, once for each window; ``adjustments``: those
    that are not over. As measured on one core of 2024.
    """
    placed = requests * (3e-4 + hosts * 8e-8)
    looked_at = rows * 2e-7 + pools * 3e-4 + adjustments * 5e-6
    return placed + looked_at + comparisons * (1e-5 + hosts * 4e-9)
