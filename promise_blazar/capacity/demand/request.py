# SPDX-License-Identifier: Apache-2.0
"""Requests for capacity: a demand in a window, and what the reservation holds already."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # The contract speaks of windows and free capacity; a request only carries a demand.
    from promise_blazar.capacity.demand.contract import Demand


@dataclass(frozen=True, slots=True)
class Window:
    """``[start, end)`` in microseconds since 1970 UTC; never empty.

    Raises ``ValueError`` for one that is.
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError(f"an empty window: [{self.start}, {self.end})")

    def overlaps(self, other: "Window") -> bool:
        """Whether the two have an instant in common; windows that touch have none."""
        return self.start < other.end and other.start < self.end

    def covers(self, other: "Window") -> bool:
        """Whether every instant of the other is one of this."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class Placement:
    """``units`` of a demand (slots; 1 for a whole host) on the host of this id."""

    host: int
    units: int


@dataclass(frozen=True, slots=True)
class AllocationRequest:
    """One reservation's wish.

    ``key``: its name in a plan or refusal. ``keep``: what the reservation holds now; it stays
    where it can. ``pinned``: all of that must stay, as servers may be running there, so the
    reservation may only grow. ``project``: whose carve-outs it may use.
    """

    key: str
    demand: "Demand"
    window: Window
    keep: tuple[Placement, ...] = ()
    pinned: bool = False
    project: str | None = None

    def like(self, other: "AllocationRequest") -> bool:
        """Whether both want the same, whatever they hold now."""
        alike = self.window == other.window and self.project == other.project
        return alike and self.demand == other.demand


def comparisons(requests: Iterable[AllocationRequest]) -> int:
    """How many comparisons of properties these requests ask for."""
    return sum(query.comparisons for request in requests for query in request.demand.where)
