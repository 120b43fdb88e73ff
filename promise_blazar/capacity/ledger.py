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
from promise_blazar.capacity.resource_query import Property, Query
from promise_blazar.model.booking import WHOLE

#: An end that never comes. Fits a BIGINT and leaves room to add to it.
OPEN: Final = 2**62
#: Answers to queries that are kept; tenants write queries, so there must be a limit.
_QUERIES_KEPT: Final = 256


@dataclass(frozen=True, slots=True)
class LedgerHost:
    """A registered host. ``capacity``: units by resource class; a class not named is 0."""

    id: int
    name: str
    zone: str
    capacity: Mapping[str, int]
    properties: Mapping[str, Property]
    reservable: bool


@dataclass(frozen=True, slots=True)
class Booking:
    """``units`` bundles (None: the whole host) on a host in ``[start, end)``.

    One that ended but is not ``released`` (OpenStack has not let go of it) takes its host's
    room at the instant ``now`` too, so it blocks exactly the windows that contain now.
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

    def __init__(self) -> None:
        self._bookings = Table(
            ("reservation", "slot", "bundle", "units", "start", "end", "released")
        )
        self._hosts: dict[int, LedgerHost] = {}
        self._slots: dict[int, int] = {}
        self._ids: IntArray = np.zeros(0, dtype=np.int64)
        self._reservable: BoolArray = np.zeros(0, dtype=np.bool_)
        self._capacity: dict[str, IntArray] = {}
        self._bundles: dict[int, int] = {}
        self._amounts: dict[str, IntArray] = {}
        self._answers: dict[Query, BoolArray] = {}

    # Changes

    def put_host(self, host: LedgerHost) -> None:
        """Register a host, or replace what is known of it."""
        slot = self._slot_made(host.id)
        self._hosts[host.id] = host
        self._reservable[slot] = host.reservable
        for name in self._capacity.keys() | host.capacity.keys():
            column = fitted(self._capacity.get(name, self._ids[:0]), len(self._slots))
            column[slot] = host.capacity.get(name, 0)
            self._capacity[name] = column
        self._answers.clear()

    def drop_host(self, host_id: int) -> None:
        """Forget a host; its bookings stay until they are dropped."""
        if self._hosts.pop(host_id, None) is not None:
            self._reservable[self._slots[host_id]] = False
            self._answers.clear()

    def put_bundle(self, bundle_id: int, amounts: Mapping[str, int]) -> None:
        """What one unit of a booking takes, by class."""
        place = self._bundles.setdefault(bundle_id, len(self._bundles))
        for name in self._amounts.keys() | amounts.keys():
            column = fitted(self._amounts.get(name, self._ids[:0]), len(self._bundles))
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
        slots = [self._slot_made(h) for h in values.tolist()]
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
        return MappingProxyType(self._hosts)

    def bookings_of(self, reservation: int) -> list[Booking]:
        """A reservation's bookings, by id, ended ones included."""
        table = self._bookings
        at = np.flatnonzero((table["reservation"] == reservation) & table.live)
        bundle_ids = list(self._bundles)
        return [
            Booking(
                id=id_,
                reservation=reservation,
                host=int(self._ids[slot]),
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
        return len(self._slots)

    @property
    def ids(self) -> IntArray:
        """The host's id; int64, one entry per slot."""
        return self._ids[: self.size]

    def slot(self, host_id: int) -> int | None:
        """The host's place in the arrays; None for one that was never mentioned."""
        return self._slots.get(host_id)

    def reservable(self) -> BoolArray:
        """Whether there is a host that may be lent; bool, one entry per slot."""
        return self._reservable[: self.size]

    def capacity(self, resource_class: str) -> IntArray:
        """What the host has of a class; int64, one entry per slot, units of the class."""
        column = fitted(self._capacity.get(resource_class, self._ids[:0]), self.size)
        return column[: self.size]

    def matching(self, query: Query) -> BoolArray:
        """Whether the query accepts the host; bool, one entry per slot, not to be changed.

        Kept until a host changes.
        """
        answer = self._answers.get(query)
        if answer is None or len(answer) != self.size:
            answer = np.zeros(self.size, dtype=np.bool_)
            for host in self._hosts.values():
                answer[self._slots[host.id]] = query.matches(host.properties)
            if len(self._answers) >= _QUERIES_KEPT:
                self._answers.clear()
            self._answers[query] = answer
        return answer

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
    ) -> Rows:
        """The bookings that count in ``[start, end)``.

        ``exclude``: reservations that do not count, but for what they have ended and not
        released. ``only``: bool, one entry per slot; of these hosts alone. A booking that ended
        and is not released comes once more, at ``[now, now + 1)``.
        """
        table = self._bookings
        overlapping = table.live & (table["start"] < end)
        overlapping &= table["end"] > start
        lingering = table.live[:0]
        if start <= now < end:
            lingering = table.live & (table["end"] <= now)
            lingering &= table["released"] == 0
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

    def last_end(self) -> int:
        """The latest end of a booking that does end; 0 if there is none."""
        ends = self._bookings["end"]
        return int(ends.max(initial=0, where=self._bookings.live & (ends < OPEN)))

    def _slot_made(self, host_id: int) -> int:
        slot = self._slots.get(host_id)
        if slot is None:
            slot = len(self._slots)
            self._slots[host_id] = slot
            self._ids = fitted(self._ids, slot + 1)
            self._ids[slot] = host_id
            self._reservable = fitted(self._reservable, slot + 1)
        return slot
