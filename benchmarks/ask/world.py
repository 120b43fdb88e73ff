# SPDX-License-Identifier: Apache-2.0
"""The worlds of the questions' benchmark, drawn from a seed: hosts in zones, and ninety days of
bookings as columns.

It imports nothing of promise-blazar, so that any commit's ledger can be filled with them.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

#: Microseconds.
MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

DAYS = 90
#: Of each host.
CAPACITY = {"VCPU": 64, "MEMORY_MB": 262144, "DISK_GB": 4000}
#: What a slot takes, by the number of its bundle.
BUNDLES = {
    number: {"VCPU": 1 + number, "MEMORY_MB": 2048 * (1 + number), "DISK_GB": 20 * (1 + number)}
    for number in range(4)
}
WHOLE = -1
ZONES = ("zone-1", "zone-2", "zone-3", "zone-4", "zone-5")
#: Bookings last this long on average, and not longer than the next.
MEAN, LONGEST = DAY, 14 * DAY

#: What is asked for: so many slots of this.
ASKED, SLOT = 4, {"VCPU": 2, "MEMORY_MB": 4096, "DISK_GB": 20}

Column = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class World:
    """Hosts 1 to ``hosts``, and their bookings: int64, one entry each in every column.

    ``start``, ``end``: microseconds from the first midnight on. ``movable`` is 1 for a third of
    them, which nothing uses yet.
    """

    hosts: int
    reservation: Column
    host: Column
    bundle: Column
    units: Column
    start: Column
    end: Column
    movable: Column

    def __len__(self) -> int:
        return len(self.host)


def zone(host: int) -> str:
    """Of the host with this number."""
    return ZONES[host % len(ZONES)]


def middle(days: int) -> tuple[int, int]:
    """Start and end of the window of so many days that is asked about."""
    return 40 * DAY, (40 + days) * DAY


def scattered(seed: int, hosts: int, bookings: int, grid: int = MINUTE) -> World:
    """Bookings of a slot or two that begin and end anywhere in the ninety days, at multiples of
    ``grid`` (microseconds). Few hosts are near full at any time."""
    dice = np.random.default_rng([seed, hosts, bookings])
    start = dice.integers(0, DAYS * DAY // grid, bookings) * grid
    length = _lengths(dice, bookings, grid)
    return _world(
        dice,
        hosts,
        host=dice.integers(1, hosts + 1, bookings),
        bundle=dice.integers(0, len(BUNDLES), bookings),
        units=dice.integers(1, 3, bookings),
        start=start,
        end=start + length,
    )


@dataclass(frozen=True, slots=True)
class Gap:
    """``hosts`` of them are free together from ``start`` on for ``length``, and never before."""

    hosts: int
    start: int
    length: int


def crowded(seed: int, hosts: int, gap: Gap, load: float, grid: int = MINUTE) -> World:
    """Hosts that are lent whole, one booking after another, for this part of the time.

    No break is as long as that of the gap, but for its hosts; and for one host fewer again and
    again before it.
    """
    dice = np.random.default_rng([seed, hosts])
    breaks = MEAN * (1 - load) / load
    each = int(2 * DAYS * DAY / (MEAN + breaks))  # bookings of a host, more than it needs
    length = _lengths(dice, hosts * each, grid)
    pause = np.ceil(dice.exponential(breaks, hosts * each) / grid).astype(np.int64) * grid
    pause = np.minimum(pause, gap.length - HOUR)
    start = np.cumsum((length + pause).reshape(hosts, each), axis=1).ravel() - length
    columns = {
        "host": np.repeat(np.arange(1, hosts + 1), each),
        "start": start,
        "end": start + length,
    }
    within = (columns["start"] < DAYS * DAY) & (columns["end"] <= DAYS * DAY)
    columns = {name: column[within] for name, column in columns.items()}
    for number in range(1, 12):
        few = dice.choice(hosts, gap.hosts - 1, replace=False) + 1
        _clear(columns, few, gap.start * number // 12, gap.length + HOUR)
    _clear(columns, dice.choice(hosts, gap.hosts, replace=False) + 1, gap.start, gap.length + HOUR)
    count = len(columns["host"])
    return _world(
        dice,
        hosts,
        bundle=np.full(count, WHOLE, dtype=np.int64),
        units=np.ones(count, dtype=np.int64),
        **columns,
    )


def _lengths(dice: np.random.Generator, count: int, grid: int) -> Column:
    lengths = np.ceil(dice.exponential(MEAN, count) / grid).astype(np.int64) * grid
    return np.clip(lengths, grid, LONGEST)


def _clear(columns: dict[str, Column], few: Column, start: int, length: int) -> None:
    """Let these hosts be free for this time, by cutting what is booked of it out."""
    end = start + length
    mine = np.isin(columns["host"], few)
    mine &= (columns["start"] < end) & (columns["end"] > start)
    cut = {name: column[mine] for name, column in columns.items()}
    before = cut | {"end": np.minimum(cut["end"], start)}
    after = cut | {"start": np.maximum(cut["start"], end)}
    for name, column in columns.items():
        columns[name] = np.concatenate((column[~mine], before[name], after[name]))
    real = columns["start"] < columns["end"]
    for name, column in columns.items():
        columns[name] = column[real]


def _world(dice: np.random.Generator, hosts: int, **columns: Column) -> World:
    count = len(columns["host"])
    return World(
        hosts,
        reservation=dice.integers(1, max(2, count // 2), count),
        movable=(dice.random(count) < 1 / 3).astype(np.int64),
        **columns,
    )
