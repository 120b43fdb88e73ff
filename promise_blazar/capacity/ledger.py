# SPDX-License-Identifier: Apache-2.0
"""Ledger of one provider in memory: what is promised on which host, and when.

The truth is in SQL; this is its copy in columns of integers, which one decision scans whole.
It is changed only under its owner's lock and does no locking of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from promise_blazar.capacity.arrays import BoolArray, IntArray, Table, fitted
from promise_blazar.capacity.hosts import HostArrays, LedgerHost
from promise_blazar.capacity.resource_query import Query
from promise_blazar.model.booking import WHOLE

__all__ = ["OPEN", "Booking", "Ledger", "LedgerHost", "Rows"]

#: An end that never comes. Fits a BIGINT and leaves room to add to it.
OPEN: Final = 2**62
_NOTHING: Final = np.zeros(0, dtype=np.int64)
_COLUMNS: Final = ("id", "reservation", "slot", "bundle", "units", "start", "end", "released")


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
    what a unit takes, or ``WHOLE``; ``start``, ``end``: microseconds.
    """

    slot: IntArray
    bundle: IntArray
    units: IntArray
    start: IntArray
    end: IntArray

    def where(self, chosen: BoolArray) -> "Rows":
        return Rows(
            self.slot[chosen],
            self.bundle[chosen],
            self.units[chosen],
            self.start[chosen],
            self.end[chosen],
        )


class Ledger:
    """Hosts, bundles and bookings.

    Every host that was ever mentioned has a slot, its place in the arrays; a booking may come
    before its host, or outlive it.
    """

    def __init__(
        self,
        bookings: Table | None = None,
        hosts: HostArrays | None = None,
        bundles: Mapping[int, int] = MappingProxyType({}),
        amounts: Mapping[str, IntArray] = MappingProxyType({}),
    ) -> None:
        """Empty; or with what another has, whose hosts are copied before one is changed."""
        empty = dict.fromkeys(_COLUMNS, _NOTHING)
        self._bookings = Table(empty) if bookings is None else bookings
        self._lent = HostArrays() if hosts is None else hosts
        self._lent_is_shared = hosts is not None
        self._bundles = dict(bundles)
        self._amounts = dict(amounts)

    # Changes

    def put_host(self, host: LedgerHost) -> None:
        """Register a host, or replace what is known of it."""
        self._own_hosts().put(host)

    def drop_host(self, host_id: int) -> None:
        """Forget a host; its bookings stay until they are dropped."""
        self._own_hosts().drop(host_id)

    def put_bundle(self, bundle_id: int, amounts: Mapping[str, int]) -> None:
        """What one unit of a booking takes, by class."""
        place = self._bundles.setdefault(bundle_id, len(self._bundles))
        for name in self._amounts.keys() | amounts.keys():
            column = fitted(self._amounts.get(name, _NOTHING), len(self._bundles))
            column[place] = amounts.get(name, 0)
            self._amounts[name] = column

    def has_bundle(self, bundle_id: int) -> bool:
        """Whether bookings of this bundle may be put."""
        return bundle_id in self._bundles

    def put_bookings(
        self,
        ids: npt.ArrayLike,
        reservations: npt.ArrayLike,
        hosts: npt.ArrayLike,
        bundles: npt.ArrayLike,
        units: npt.ArrayLike,
        starts: npt.ArrayLike,
        ends: npt.ArrayLike,
        released: npt.ArrayLike,
    ) -> None:
        """Add bookings, or replace those of the same ids.

        One entry per booking in each column: ids, units, microseconds, and 0 or 1 for
        ``released``; bundle -1 is the whole host.

        Raises ``KeyError`` for a bundle that was not put before, ``ValueError`` for columns of
        different lengths; nothing is changed then.
        """
        columns = [
            np.asarray(column, dtype=np.int64)
            for column in (ids, reservations, hosts, bundles, units, starts, ends, released)
        ]
        if len({column.shape for column in columns}) != 1 or columns[0].ndim != 1:
            raise ValueError("the columns of bookings differ in length")
        id_, reservation, host, bundle, unit, start, end, gone = columns
        values, inverse = np.unique(bundle, return_inverse=True)
        places = [WHOLE if b == WHOLE else self._bundles[b] for b in values.tolist()]
        bundle = np.array(places, dtype=np.int64)[inverse]
        values, inverse = np.unique(host, return_inverse=True)
        slots = self._slots_of(values.tolist())
        slot = np.array(slots, dtype=np.int64)[inverse]
        self._bookings.upsert(
            id_,
            {
                "reservation": reservation,
                "slot": slot,
                "bundle": bundle,
                "units": unit,
                "start": start,
                "end": end,
                "released": gone,
            },
        )

    def drop_bookings(self, ids: npt.ArrayLike) -> None:
        """Forget bookings; unknown ids are none."""
        self._bookings.drop(np.asarray(ids, dtype=np.int64))

    # Reading

    def __len__(self) -> int:
        """How many bookings there are."""
        return len(self._bookings)

    @property
    def hosts(self) -> Mapping[int, LedgerHost]:
        """The registered hosts by id."""
        return MappingProxyType(self._lent.hosts)

    def bookings_of(self, reservation: int) -> list[Booking]:
        """A reservation's bookings, by id, ended ones included."""
        table = self._bookings
        at = np.flatnonzero((table["reservation"] == reservation) & table.live)
        bundle_ids = list(self._bundles)
        return [
            Booking(
                id=id_,
                reservation=reservation,
                host=int(self.ids[slot]),
                bundle=None if bundle == WHOLE else bundle_ids[bundle],
                units=units,
                start=start,
                end=end,
                released=bool(released),
            )
            for id_, slot, bundle, units, start, end, released in zip(
                *(
                    table[name][at].tolist()
                    for name in ("id", "slot", "bundle", "units", "start", "end", "released")
                ),
                strict=True,
            )
        ]

    # What a decision scans

    @property
    def size(self) -> int:
        """How many slots there are."""
        return self._lent.size

    @property
    def ids(self) -> IntArray:
        """The host's id; int64, one entry per slot."""
        return self._lent.ids

    @property
    def rank(self) -> IntArray:
        """The host's place in the order of ids; int64, one entry per slot."""
        return self._lent.rank

    def slot(self, host_id: int) -> int | None:
        """The host's place in the arrays; None for one that was never mentioned."""
        return self._lent.slot(host_id)

    def reservable(self) -> BoolArray:
        """Whether there is a host that may be lent; bool, one entry per slot."""
        return self._lent.reservable()

    def last_choice(self) -> BoolArray:
        """Whether others go first for what begins now; bool, one entry per slot."""
        return self._lent.last_choice()

    def capacity(self, resource_class: str) -> IntArray:
        """What the host has of a class; int64, one entry per slot, units of the class."""
        return self._lent.capacity(resource_class)

    def matching(self, query: Query) -> BoolArray:
        """Whether the query accepts the host; bool, one entry per slot, not to be changed."""
        return self._lent.matching(query)

    @property
    def booked_classes(self) -> list[str]:
        """The classes that any bundle takes something of."""
        return sorted(self._amounts)

    def use(self, rows: Rows, resource_class: str) -> IntArray:
        """What each row takes of a class; int64, one entry per row, 0 for a whole host."""
        amounts = self._amounts.get(resource_class)
        if amounts is None:
            return np.zeros(len(rows.slot), dtype=np.int64)
        amounts = fitted(amounts, len(self._bundles))
        return np.where(rows.bundle == WHOLE, 0, amounts[rows.bundle] * rows.units)

    def rows(
        self,
        start: int,
        end: int,
        now: int,
        exclude: frozenset[int] = frozenset(),
        only: BoolArray | None = None,
        at_once: bool = True,
    ) -> Rows:
        """The bookings that count in ```[start, end)```.

        ``exclude``: reservations that do not count, but for what they have ended and not
        released. ``only``: bool, one entry per slot; of these hosts alone. ``at_once``: what
        lingers comes once more, at ``[now, now + 1)``.
        """
        table = self._bookings
        overlapping = table.live & (table["start"] < end)
        overlapping &= table["end"] > start
        lingering = table.live[:0]
        if at_once and start <= now < end:
            lingering = self._lingering(now)
        if only is not None:
            overlapping &= only[table["slot"]]
            lingering = lingering & only[table["slot"]] if len(lingering) else lingering
        at = np.flatnonzero(overlapping)
        starts, ends = table["start"][at], table["end"][at]
        counted = starts < ends
        if exclude:
            mine = np.isin(table["reservation"][at], np.fromiter(exclude, dtype=np.int64))
            counted &= ~mine | ((ends <= now) & (table["released"][at] == 0))
        here = np.flatnonzero(lingering)
        at = np.concatenate((at[counted], here))
        rows = Rows(
            table["slot"][at],
            table["bundle"][at],
            table["units"][at],
            np.concatenate((starts[counted], np.full(len(here), now, dtype=np.int64))),
            np.concatenate((ends[counted], np.full(len(here), now + 1, dtype=np.int64))),
        )
        return rows if rows.units.all() else rows.where(rows.units > 0)

    def lingers(self, now: int) -> BoolArray:
        """Whether anything lingers on the host; bool, one entry per slot."""
        found = np.zeros(self.size, dtype=np.bool_)
        found[self._bookings["slot"][self._lingering(now)]] = True
        return found

    def _lingering(self, now: int) -> BoolArray:
        table = self._bookings
        lingering = table.live & (table["end"] <= now)
        lingering &= table["released"] == 0
        return lingering

    def count(self, start: int, end: int) -> int:
        """How many bookings ``rows`` finds, or a few more: the price of a decision, found fast."""
        table = self._bookings
        overlapping = table.live & (table["start"] < end)
        overlapping &= table["end"] > start
        return int(np.count_nonzero(overlapping))

    def copy(self) -> "Ledger":
        """The same ledger as it is now, which stays so."""
        return self._with(self._bookings.part(np.flatnonzero(self._bookings.live)))

    def excerpt(self, start: int, end: int, now: int) -> "Ledger":
        """A copy that has only the bookings that may count in ``[start, end)`` or a part of it."""
        table = self._bookings
        chosen = (table["start"] < end) & (table["end"] > start)
        chosen |= (table["end"] <= now) & (table["released"] == 0)
        chosen &= table.live
        return self._with(table.part(np.flatnonzero(chosen)))

    def _with(self, bookings: Table) -> "Ledger":
        """These hosts and bundles, with other bookings."""
        self._lent_is_shared = True
        return Ledger(bookings, self._lent, self._bundles, self._amounts)

    def last_end(self) -> int:
        """The latest end of a booking that does end; 0 if there is none."""
        ends = self._bookings["end"]
        return int(ends.max(initial=0, where=self._bookings.live & (ends < OPEN)))

    def _slots_of(self, host_ids: list[int]) -> list[int]:
        """The slots of hosts, which they have from now on."""
        if any(self._lent.slot(host_id) is None for host_id in host_ids):
            self._own_hosts()
        return [self._lent.made(host_id) for host_id in host_ids]

    def _own_hosts(self) -> HostArrays:
        """The hosts, to be changed: copied first where a copy of this ledger has them too."""
        if self._lent_is_shared:
            self._lent, self._lent_is_shared = self._lent.copy(), False
        return self._lent
