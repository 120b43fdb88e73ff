# SPDX-License-Identifier: Apache-2.0
"""The ledger as who asks about it sees it: a copy, and what may be spent on one question."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from promise_blazar.capacity.budget import Budget
from promise_blazar.capacity.demand.request import AllocationRequest
from promise_blazar.capacity.ledger import Ledger

T = TypeVar("T")


class Present(Protocol):
    """A copy of the ledger that was true at ``now``, in microseconds."""

    @property
    def ledger(self) -> Ledger: ...

    @property
    def now(self) -> int: ...


class AskedLedger(Protocol):
    """The ledger of a provider, which nothing can be changed through."""

    def ask(
        self,
        copied: Callable[[Ledger, int], Ledger],
        question: Callable[[Present, Budget], T],
        whose: str | None,
    ) -> T:
        """The answer to a question about what this copies (of the ledger, now).

        ``whose``: the project that asks; None: the manager itself. Raises ``Busy``,
        ``Unavailable``.
        """
        ...

    @staticmethod
    def check_queries(requests: Sequence[AllocationRequest]) -> None:
        """Raises ``MalformedRequirements`` where they compare more than one request may."""
        ...
