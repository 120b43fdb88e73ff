# SPDX-License-Identifier: Apache-2.0
"""Bookings as the ledger gives and takes them: one as an object, many as columns."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from promise_blazar.capacity.arrays import BoolArray, IntArray

#: An end that never comes. Fits a BIGINT and leaves room to add to it.
OPEN: Final = 2**62
#: The place of a row that is not among the ledger's bookings.
NOWHERE: Final = -1


@dataclass(frozen=True, slots=True)
class Booking:
    """``units`` bundles (None: the whole host) on a host in ```[start, end)```.

    One that ended but is not ``released`` (OpenStack has not let go of it) *lingers*: for what
    takes effect at once it takes its host's room at the instant ``now`` too; what can wait for its
    start takes such hosts last.
    """

    id: int
    reservation: int
    host: int
    bundle: int | None
    units: int
    start: int
    end: int
    released: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """The bookings that count in a window, as columns.

    int64, one entry per row. ``slot``: the host's place in the ledger; ``bundle``: the place of
    what a unit takes, or ``WHOLE``; ``start``, ``end``: microseconds; ``at``: the booking's place
    in the ledger, valid until its next change, or ``NOWHERE``.
    """

    slot: IntArray
    bundle: IntArray
    units: IntArray
    start: IntArray
    end: IntArray
    at: IntArray

    def __len__(self) -> int:
        return len(self.slot)

    def where(self, chosen: BoolArray | IntArray) -> "Rows":
        return Rows(
            self.slot[chosen],
            self.bundle[chosen],
            self.units[chosen],
            self.start[chosen],
            self.end[chosen],
            self.at[chosen],
        )

    def apart(self, part: IntArray, count: int) -> "list[Rows]":
        """The rows of each of so many parts. ``part``: of each slot, -1 for none; int64."""
        part = part[self.slot]
        order = np.argsort(part, kind="stable")
        bounds = np.searchsorted(part[order], np.arange(count + 1)).tolist()
        return [self.where(order[begin:end]) for begin, end in pairwise(bounds)]
