# SPDX-License-Identifier: Apache-2.0
"""Bookings of one provider as columns, in the order of their ids."""

from typing import Final

import numpy as np

from promise_blazar.capacity.arrays import BoolArray, IntArray, Table
from promise_blazar.capacity.rows import OPEN, Rows

_COLUMNS: Final = ("id", "reservation", "slot", "bundle", "units", "start", "end", "released")


class BookingTable(Table):
    """What it says of all bookings has one entry per row, False for tombstones."""

    @classmethod
    def empty(cls) -> "BookingTable":
        return cls({name: np.zeros(0, dtype=np.int64) for name in _COLUMNS})

    def overlapping(self, start: int, end: int) -> BoolArray:
        """Whether the booking may count in ``[start, end)``; bool, one entry per row."""
        found = self.live & (self["start"] < end)
        found &= self["end"] > start
        return found

    def lingering(self, now: int) -> BoolArray:
        """Whether it has ended and is not released; bool, one entry per row."""
        found = self.live & (self["end"] <= now)
        found &= self["released"] == 0
        return found

    def reservations(self) -> IntArray:
        """The numbers of the reservations; int64, one entry per living row."""
        return self["reservation"][self.live]

    def last_end(self) -> int:
        """The latest end of a booking that does end; 0 if there is none."""
        ends = self["end"]
        return int(ends.max(initial=0, where=self.live & (ends < OPEN)))

    def rows(
        self,
        start: int,
        end: int,
        now: int,
        exclude: frozenset[int],
        only: BoolArray | None,
        at_once: bool,
    ) -> Rows:
        """As ``Ledger.rows``."""
        overlapping = self.overlapping(start, end)
        lingering = self.live[:0]
        if at_once and start <= now < end:
            lingering = self.lingering(now)
        if only is not None:
            overlapping &= only[self["slot"]]
            lingering = lingering & only[self["slot"]] if len(lingering) else lingering
        at = np.flatnonzero(overlapping)
        starts, ends = self["start"][at], self["end"][at]
        counted = starts < ends
        if exclude:
            mine = np.isin(self["reservation"][at], np.fromiter(exclude, dtype=np.int64))
            counted &= ~mine | ((ends <= now) & (self["released"][at] == 0))
        here = np.flatnonzero(lingering)
        if not counted.all():
            at, starts, ends = at[counted], starts[counted], ends[counted]
        if len(here):
            at = np.concatenate((at, here))
            starts = np.concatenate((starts, np.full(len(here), now, dtype=np.int64)))
            ends = np.concatenate((ends, np.full(len(here), now + 1, dtype=np.int64)))
        rows = Rows(self["slot"][at], self["bundle"][at], self["units"][at], starts, ends, at)
        return rows if rows.units.all() else rows.where(rows.units > 0)
