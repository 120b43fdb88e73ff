# SPDX-License-Identifier: Apache-2.0
"""What may be asked of the ledger: whole hosts or slots on hosts, in a window."""

from collections.abc import Mapping
from dataclasses import dataclass

from promise_blazar.capacity.resource_query import Query


@dataclass(frozen=True, slots=True)
class Window:
    """``[start, end)`` in microseconds; never empty."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError(f"an empty window: [{self.start}, {self.end})")

    def overlaps(self, other: "Window") -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class WholeHosts:
    """At least ``minimum`` hosts, and as many as there are up to ``maximum``, to oneself.

    ``where``: every query must accept the host.
    """

    minimum: int
    maximum: int
    where: tuple[Query, ...] = ()

    @property
    def amounts(self) -> None:
        """A whole host is not counted in amounts."""
        return

    def __post_init__(self) -> None:
        if not 0 <= self.minimum <= self.maximum:
            raise ValueError(f"{self.minimum} to {self.maximum} hosts cannot be asked for")


@dataclass(frozen=True, slots=True)
class Slots:
    """``amount`` equal parts of hosts; ``amounts`` is what one slot takes, by class.

    ``affinity``: True, all on one host; False, each on another host; None, any mix.
    """

    amount: int
    amounts: Mapping[str, int]
    affinity: bool | None
    where: tuple[Query, ...] = ()

    def __post_init__(self) -> None:
        if self.amount < 0:
            raise ValueError(f"{self.amount} slots cannot be asked for")
        if any(amount < 0 for amount in self.amounts.values()):
            raise ValueError("a slot cannot take a negative amount")

    @property
    def taken(self) -> Mapping[str, int]:
        """The amounts that are more than nothing."""
        return {name: amount for name, amount in self.amounts.items() if amount > 0}


@dataclass(frozen=True, slots=True)
class Placement:
    """``units`` slots, or one whole host, on the host of this id."""

    host: int
    units: int


@dataclass(frozen=True, slots=True)
class AllocationRequest:
    """One reservation's wish.

    ``keep``: what the reservation holds now; it stays where it can. ``pinned``: all of that must
    stay, as servers may be running there, so the reservation may only grow.
    """

    key: str
    demand: WholeHosts | Slots
    window: Window
    keep: tuple[Placement, ...] = ()
    pinned: bool = False
