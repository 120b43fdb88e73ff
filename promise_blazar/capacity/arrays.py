# SPDX-License-Identifier: Apache-2.0
"""Table of integer columns, quick to scan whole and quick to find by id, and its array types."""

from collections.abc import Mapping
from typing import Final, Self, TypeVar

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

#: Fewer dead rows than this are not worth a copy of the living.
_MANY_DEAD: Final = 1024
#: Of an integer that is not negative.
_BITS: Final = 63

Kind = TypeVar("Kind", bound=np.generic)


def fitted(array: npt.NDArray[Kind], size: int) -> npt.NDArray[Kind]:
    """The array, or a longer copy with zeros behind; doubles, so appending is cheap."""
    if len(array) >= size:
        return array
    longer = np.zeros(max(size, 2 * len(array), 64), dtype=array.dtype)
    longer[: len(array)] = array
    return longer


def distinct(values: IntArray) -> IntArray:
    """The different ones among these, in their order; faster than ``numpy.unique`` for times."""
    ordered = np.sort(values)
    found: IntArray = ordered[np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]]
    return found


def order_of(keys: IntArray, limit: int) -> IntArray:
    """The places of these in their order, equal ones in any; int64.

    ``limit``: more than each of them; none is negative. Where a key and its place go into one
    integer, those are sorted, several times faster than ``numpy.argsort``.
    """
    bits = len(keys).bit_length()
    if limit.bit_length() + bits > _BITS:
        return np.argsort(keys)
    packed = np.sort(keys << bits | np.arange(len(keys)))
    return packed & ((1 << bits) - 1)


class Table:
    """Columns of int64, in the order of the rows' ids.

    New rows usually have the highest ids and are appended; others cost one copy of the table.
    Dropped rows stay as tombstones (``live`` is False there) until they are as many as the
    living.
    """

    def __init__(self, columns: Mapping[str, IntArray]) -> None:
        """The first rows, in the order of ids: ``id`` and the other columns, one entry per row."""
        self._columns = dict(columns)
        self._used = len(columns["id"])
        self._live: BoolArray = np.ones(self._used, dtype=np.bool_)
        self._dead = 0

    def __len__(self) -> int:
        return self._used - self._dead

    def __getitem__(self, name: str) -> IntArray:
        """A column, tombstones included; int64, one entry per row, valid until the next change."""
        return self._columns[name][: self._used]

    @property
    def live(self) -> BoolArray:
        """Whether a row counts; bool, one entry per row, False for tombstones."""
        return self._live[: self._used]

    def upsert(self, ids: IntArray, values: Mapping[str, IntArray]) -> None:
        """Add rows, or replace those of the same ids; of two with one id the last counts.

        One entry per row in ``ids`` and in each column of ``values``.
        """
        order = np.argsort(ids, kind="stable")
        if len(ids) > 1:
            in_order = ids[order]
            order = order[np.append(in_order[1:] != in_order[:-1], True)]
        rows = {"id": ids[order], **{name: column[order] for name, column in values.items()}}
        at, found = self._find(rows["id"])
        self._replace(at[found], {name: column[found] for name, column in rows.items()})
        new = ~found
        if new.any():
            self._add(at[new], {name: column[new] for name, column in rows.items()})

    def drop(self, ids: IntArray) -> None:
        """Forget the rows of these ids; unknown ones are none."""
        at, found = self._find(np.unique(ids))
        at = at[found]
        self._dead += int(np.count_nonzero(self._live[at]))
        self._live[at] = False
        if self._dead > max(_MANY_DEAD, len(self)):
            self._compact()

    def part(self, rows: IntArray) -> Self:
        """A table of its own with these living rows, by their places in order."""
        return type(self)({name: self[name][rows] for name in self._columns})

    def _find(self, ids: IntArray) -> tuple[IntArray, BoolArray]:
        """Where these ids are or belong, and whether they are there."""
        have = self["id"]
        at = np.searchsorted(have, ids).astype(np.int64)
        found = at < len(have)
        found[found] = have[at[found]] == ids[found]
        return at, found

    def _replace(self, at: IntArray, rows: Mapping[str, IntArray]) -> None:
        for name, column in rows.items():
            self._columns[name][at] = column
        self._dead -= int(np.count_nonzero(~self._live[at]))
        self._live[at] = True

    def _add(self, at: IntArray, rows: Mapping[str, IntArray]) -> None:
        count = len(at)
        if at[0] == self._used:
            self._live = fitted(self._live, self._used + count)
            self._live[self._used : self._used + count] = True
            for name, column in rows.items():
                self._columns[name] = fitted(self._columns[name], self._used + count)
                self._columns[name][self._used : self._used + count] = column
        else:
            self._live = np.insert(self.live, at, True)
            for name, column in rows.items():
                self._columns[name] = np.insert(self[name], at, column)
        self._used += count

    def _compact(self) -> None:
        live = self.live
        for name in self._columns:
            self._columns[name] = self[name][live]
        self._used -= self._dead
        self._dead = 0
        self._live = np.ones(self._used, dtype=np.bool_)
