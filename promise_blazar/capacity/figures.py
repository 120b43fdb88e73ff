# SPDX-License-Identifier: Apache-2.0
"""Figures of the pool: what is on offer, what of it is reserved, and what is available, at the
instants of a window.

They are those of the pool formula (``pool_timeline``): of the provider or of one zone, and of the
whole or as a project sees it. What has ended and is not released yet is reserved no longer.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, overload

import numpy as np

from promise_blazar.capacity.arrays import BoolArray, IntArray
from promise_blazar.capacity.demand.request import Window
from promise_blazar.capacity.ledger import Ledger
from promise_blazar.capacity.pool_timeline import PoolTimeline

#: Claims of servers are not in the ledger.
_USED: Final = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """One class at the instant ``at`` (microseconds), in units of the class.

    ``total + shortfall = reserved + used + available``; neither ``available`` nor ``shortfall``
    is negative. One of them is 0, but where all else is short and a project's own share is not.
    """

    total: int
    reserved: int
    used: int
    available: int
    shortfall: int
    at: int


@dataclass(frozen=True, slots=True)
class Columns:
    """The figures of one class as columns; int64, one entry per instant, units of the class."""

    total: IntArray
    reserved: IntArray
    used: IntArray
    available: IntArray
    shortfall: IntArray

    @classmethod
    def of(cls, timeline: PoolTimeline, resource_class: str) -> "Columns":
        """Those of a timeline that has this class."""
        total, reserved = timeline.total(resource_class), timeline.reserved(resource_class)
        used = np.full(len(total), _USED, dtype=np.int64)
        available = np.maximum(timeline.available(resource_class), 0)
        return cls(total, reserved, used, available, reserved + used + available - total)

    def where(self, places: IntArray) -> "Columns":
        """Those of the entries at these places."""
        return Columns(
            self.total[places],
            self.reserved[places],
            self.used[places],
            self.available[places],
            self.shortfall[places],
        )

    def least(self) -> int:
        """The first place at which least is available; of those, where most is short."""
        least = np.flatnonzero(self.available == self.available.min())
        return int(least[np.argmax(self.shortfall[least])])

    def at(self, place: int, instant: int) -> Figures:
        """Those of one entry, which is of this instant."""
        return Figures(
            int(self.total[place]),
            int(self.reserved[place]),
            int(self.used[place]),
            int(self.available[place]),
            int(self.shortfall[place]),
            instant,
        )


class Series(Sequence[tuple[int, Mapping[str, Figures]]]):
    """The figures of some classes from each instant on, until the next.

    A sequence of instants with the figures by class; and the same as columns, which a long one is
    better read from. ``times``: int64, microseconds, rising, one entry per instant; ``columns``:
    by class.
    """

    def __init__(self, times: IntArray, columns: Mapping[str, Columns]) -> None:
        self.times = times
        self.columns = columns

    def __len__(self) -> int:
        return len(self.times)

    @overload
    def __getitem__(self, place: int) -> tuple[int, Mapping[str, Figures]]: ...

    @overload
    def __getitem__(self, place: slice) -> "Series": ...

    def __getitem__(self, place: int | slice) -> "tuple[int, Mapping[str, Figures]] | Series":
        if isinstance(place, slice):
            return self._where(np.arange(len(self))[place])
        instant = int(self.times[place])
        return instant, {name: each.at(place, instant) for name, each in self.columns.items()}

    def __iter__(self) -> Iterator[tuple[int, Mapping[str, Figures]]]:
        return (self[place] for place in range(len(self)))

    def _where(self, places: IntArray) -> "Series":
        columns = {name: each.where(places) for name, each in self.columns.items()}
        return Series(self.times[places], columns)


def window_figures(
    ledger: Ledger,
    window: Window,
    classes: Iterable[str],
    zone: str | None = None,
    project: str | None = None,
) -> Mapping[str, Figures]:
    """By class, the figures at the first instant of the window at which least is available; if
    nothing is, at the first at which most is short.

    ``zone`` None: of the provider. ``project`` None: of the whole; else as that project sees it.
    """
    return least(_timeline(ledger, window, classes, zone, project), classes)


def least(timeline: PoolTimeline, classes: Iterable[str]) -> Mapping[str, Figures]:
    """The same, of a timeline that has these classes."""
    found = {}
    for name in classes:
        columns = Columns.of(timeline, name)
        place = columns.least()
        found[name] = columns.at(place, int(timeline.times[place]))
    return found


def series(
    ledger: Ledger,
    window: Window,
    classes: Iterable[str],
    zone: str | None = None,
    project: str | None = None,
) -> Series:
    """The figures of the classes from the start of the window on, and at every instant inside it
    at which a figure of any of them changes. ``zone``, ``project``: as for ``window_figures``.
    """
    classes = list(classes)
    return changes(_timeline(ledger, window, classes, zone, project), classes)


def changes(timeline: PoolTimeline, classes: Iterable[str]) -> Series:
    """The same, of a timeline that has these classes."""
    columns = {name: Columns.of(timeline, name) for name in classes}
    changed: BoolArray = np.zeros(len(timeline.times), dtype=np.bool_)
    changed[0] = True
    for each in columns.values():
        for column in (each.total, each.reserved, each.available):
            changed[1:] |= column[1:] != column[:-1]
    places = np.flatnonzero(changed)
    return Series(
        timeline.times[places], {name: each.where(places) for name, each in columns.items()}
    )


def _timeline(
    ledger: Ledger,
    window: Window,
    classes: Iterable[str],
    zone: str | None,
    project: str | None,
) -> PoolTimeline:
    rows = ledger.rows(window.start, window.end, window.start, at_once=False)
    return PoolTimeline(ledger, rows, window, zone, list(classes), project)
