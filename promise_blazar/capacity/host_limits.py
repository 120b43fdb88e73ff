# SPDX-License-Identifier: Apache-2.0
"""What is charged on hosts above what they have, instant by instant.

Hardly any host is charged more than it has: only where Nova has been let overcommit, or a host has
become smaller or is gone. So a bound is taken first, without a sort, and only the hosts that it
leaves are looked at change by change. Measured with 1,000,000 bookings in 90 days: 0.06 s for
three classes instead of 0.29 s.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from promise_blazar.capacity.arrays import BoolArray, IntArray
from promise_blazar.capacity.instants import Instants
from promise_blazar.capacity.rows import Rows
from promise_blazar.capacity.timeline import in_order

#: A host is passed over where it is charged no more than this part above what it has, which is
#: the rounding of sums in floating point.
_ROUNDED: Final = 1e-10
#: Of what a host has more of, one unit might be less than that.
_LARGEST: Final = 10**9

_FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Changes:
    """What rows begin and end on each host, in the order of time, ends before starts.

    int64. One entry per change: its row, its sign, its place in time. One per host that has any:
    ``first``, the place of its first change; ``slot``.
    """

    row: IntArray
    sign: IntArray
    place: IntArray
    first: IntArray
    slot: IntArray


class HostLimits:
    """The rows of one window on hosts of limited size.

    By class, ``charges``: what each row takes at most, int64, one entry per row; ``limits``: what
    each host has, int64, one entry per slot.
    """

    def __init__(
        self,
        rows: Rows,
        instants: Instants,
        charges: Mapping[str, IntArray],
        limits: Mapping[str, IntArray],
    ) -> None:
        self._rows = rows
        self._instants = instants
        self._charges = charges
        self._limits = limits
        self._sorted: _Changes | None = None

    def excess(self, charge: IntArray, resource_class: str) -> IntArray:
        """What is charged of a class above what hosts have; int64, one entry per time.

        ``charge``: int64, one entry per row, not less than 0 and no more than the most of it.
        """
        limit, nothing = self._limits[resource_class], np.zeros(self._count, dtype=np.int64)
        changes = self._changes()
        if not len(changes.row):
            return nothing
        change = charge[changes.row] * changes.sign
        running = np.cumsum(change)
        before = running[changes.first] - change[changes.first]
        above = np.maximum.reduceat(running, changes.first) - before > limit[changes.slot]
        if not above.any():
            return nothing
        counts = np.diff(np.append(changes.first, len(running)))
        here = np.repeat(above, counts)
        counts, slot, before = counts[above], changes.slot[above], before[above]
        excess = np.maximum(running[here] - np.repeat(before + limit[slot], counts), 0)
        last = np.cumsum(counts)
        change = np.diff(excess, prepend=0)
        change[last[:-1]] = excess[last[:-1]]
        found: IntArray = np.cumsum(self._instants.summed(changes.place[here], change))
        return found

    @property
    def crowded(self) -> bool:
        """Whether there is any host that may be charged more than it has."""
        return len(self._changes().row) > 0

    @property
    def _count(self) -> int:
        return len(self._instants.times)

    def _changes(self) -> _Changes:
        """Those of the hosts that may be charged more than they have."""
        if self._sorted is None:
            instants, slots = self._instants, self._rows.slot
            rows = np.flatnonzero(self._crowded()[slots])
            ending = rows[instants.last[rows] < self._count]
            row = np.concatenate((ending, rows))
            place = np.concatenate((instants.last[ending], instants.first[rows]))
            sign = np.repeat(np.array((-1, 1), dtype=np.int64), (len(ending), len(rows)))
            order = in_order(slots[row], place, sign, self._size)
            row, sign, place = row[order], sign[order], place[order]
            slot = slots[row]
            first = np.flatnonzero(np.append(True, slot[1:] != slot[:-1])[: len(slot)])
            self._sorted = _Changes(row, sign, place, first, slot[first])
        return self._sorted

    @property
    def _size(self) -> int:
        """How many slots there are."""
        return len(next(iter(self._limits.values())))

    def _crowded(self) -> BoolArray:
        """The hosts that may be charged more than they have; bool, one entry per slot.

        All together that is charged in any part of a stretch of the window is no less than what is
        charged at any instant of it. Of the hosts that this leaves, those go on which no two rows
        overlap: they are lent whole, one lease after another.
        """
        rows, instants, size = self._rows, self._instants, self._size
        part = np.maximum.reduce([self._part(name) for name in self._charges])
        stretches = min(self._count, max(1, len(part) // max(size, 1)))
        begin = instants.first * stretches // self._count
        end = (instants.last - 1) * stretches // self._count + 1
        place = rows.slot * (stretches + 1)
        cells = size * (stretches + 1)
        change = np.bincount(place + begin, part, cells) - np.bincount(place + end, part, cells)
        level = np.cumsum(change.reshape(size, stretches + 1), axis=1)
        found: BoolArray = level.max(axis=1, initial=0) > 1 + _ROUNDED
        left = np.flatnonzero(found[rows.slot])
        if not len(left):
            return found
        crowded = np.zeros(size, dtype=np.bool_)
        crowded[rows.slot[left[part[left] > 1 + _ROUNDED]]] = True
        key = rows.slot[left] * (self._count + 1)
        start, stop = np.sort(key + instants.first[left]), np.sort(key + instants.last[left])
        crowded[start[1:][start[1:] < stop[:-1]] // (self._count + 1)] = True
        return crowded

    def _part(self, resource_class: str) -> _FloatArray:
        """What each row takes, as a part of what its host has."""
        limit = self._limits[resource_class]
        each = np.full(len(limit), 2.0)  # of what is not judged by parts, all that takes any
        np.divide(1, limit, out=each, where=(limit > 0) & (limit <= _LARGEST))
        found: _FloatArray = self._charges[resource_class] * each[self._rows.slot]
        return found
