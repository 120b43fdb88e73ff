# SPDX-License-Identifier: Apache-2.0
"""Limits on a choice of hosts as a whole: what pools leave for all of its units together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from promise_blazar.capacity.arrays import BoolArray, IntArray

#: More units than any host can take.
UNLIMITED: Final = 2**40


@dataclass(frozen=True, slots=True)
class Limit:
    """``room`` of a class in a scope, for all that is chosen there.

    ``zone``: None for the provider. ``members``: the hosts of the scope; ``charge``: what a unit
    is charged on each host, wherever that is. One entry per slot.
    """

    zone: str | None
    resource_class: str
    room: int
    members: BoolArray
    charge: IntArray

    @property
    def largest(self) -> int:
        """The most that a unit is charged."""
        return int(self.charge.max(initial=0, where=self.members))


class Limits:
    """All of a choice's limits; no limits are False."""

    def __init__(self, limits: Sequence[Limit] = ()) -> None:
        self.limits = tuple(limits)

    def __bool__(self) -> bool:
        return bool(self.limits)

    def __iter__(self) -> Iterator[Limit]:
        return iter(self.limits)

    def of_class(self, resource_class: str) -> "Limits":
        """Those of one class."""
        return Limits([each for each in self if each.resource_class == resource_class])

    def units(self, size: int) -> IntArray:
        """The most units that each host may have, were it the only one; one entry per slot."""
        units = np.full(size, UNLIMITED, dtype=np.int64)
        for each in self:
            here = each.members & (each.charge > 0)
            np.minimum(units, each.room // np.maximum(each.charge, 1), out=units, where=here)
        return units

    def sizes(self) -> Sequence[IntArray]:
        """What a unit is charged of each class that is limited; one entry per slot in each."""
        return list({each.resource_class: each.charge for each in self}.values())

    def within(self, order: IntArray) -> int:
        """How many of these slots, one unit on each, are within the limits, from the first on."""
        count = len(order)
        for each in self:
            charge = np.where(each.members[order], each.charge[order], 0)
            # Never negative, so what is above a limit stays above it.
            count = min(count, int(np.count_nonzero(np.cumsum(charge) <= each.room)))
        return count


class Taking:
    """What is left of limits, as one host after the other is chosen."""

    def __init__(self, limits: Limits) -> None:
        self._left = [each.room for each in limits]
        self._charges = [np.where(each.members, each.charge, 0).tolist() for each in limits]

    def most(self, slot: int, units: int) -> int:
        """As many of these units as there may be on the host."""
        for left, charges in zip(self._left, self._charges, strict=True):
            if charges[slot] > 0:
                units = min(units, left // charges[slot])
        return max(units, 0)

    def take(self, slot: int, units: int) -> int:
        """Take as many of these units on the host as there may be; that many."""
        units = self.most(slot, units)
        self._take(slot, units)
        return units

    def take_all(self, units: dict[int, int]) -> bool:
        """Take all of these units, by slot; whether they were within the limits."""
        for slot, count in units.items():
            self._take(slot, count)
        return all(left >= 0 for left in self._left)

    def first(self, order: IntArray, count: int) -> list[int]:
        """The first ``count`` of these slots of which a unit each is within the limits, passing
        over those that are not."""
        found: list[int] = []
        for slot in order.tolist():
            if len(found) == count:
                break
            if self.take(slot, 1):
                found.append(slot)
        return found

    def _take(self, slot: int, units: int) -> None:
        for number, charges in enumerate(self._charges):
            self._left[number] -= charges[slot] * units


NO_LIMITS: Final = Limits()
