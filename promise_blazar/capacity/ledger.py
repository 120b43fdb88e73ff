# SPDX-License-Identifier: Apache-2.0
"""Ledger of one provider in memory: what is promised on which host, and when.

The truth is in SQL; this is its copy in columns of integers, which one decision scans whole.
It is changed only under its owner's lock and does no locking of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from promise_blazar.capacity.arrays import BoolArray, IntArray
from promise_blazar.capacity.bookings import BookingTable
from promise_blazar.capacity.bundles import Bundles
from promise_blazar.capacity.hosts import HostArrays, LedgerHost
from promise_blazar.capacity.resource_query import Query
from promise_blazar.capacity.rows import OPEN, Booking, Rows
from promise_blazar.capacity.supply import LedgerAdjustment, Supply
from promise_blazar.model.booking import WHOLE
from promise_blazar.model.resource_classes import INSTANCE

__all__ = ["OPEN", "Booking", "Ledger", "LedgerAdjustment", "LedgerHost", "Rows"]

_NOTHING: Final = np.zeros(0, dtype=np.int64)
#: Projects of so many reservations are kept whether or not those have bookings.
_MANY_OWNERS: Final = 1024


class Ledger:
    """Hosts, bundles, bookings and adjustments.

    Every host that was ever mentioned has a slot, its place in the arrays; a booking may come
    before its host, or outlive it.
    """

    def __init__(
        self,
        bookings: BookingTable | None = None,
        hosts: HostArrays | None = None,
        bundles: Bundles | None = None,
        supply: Supply | None = None,
    ) -> None:
        """Empty; or with what another has, whose hosts and supply are copied before a change."""
        self._bookings = BookingTable.empty() if bookings is None else bookings
        self._lent = HostArrays() if hosts is None else hosts
        self._lent_is_shared = hosts is not None
        self._bundles = Bundles() if bundles is None else bundles
        self._supply = Supply() if supply is None else supply
        self._supply_is_shared = supply is not None
        # Reservations that came since it was last asked whose they are; None: look at all.
        self._newcomers: list[IntArray] | None = None

    # Changes

    def put_host(self, host: LedgerHost) -> None:
        """Register a host, or replace what is known of it."""
        self._own_hosts().put(host)

    def drop_host(self, host_id: int) -> None:
        """Forget a host; its bookings stay until they are dropped."""
        self._own_hosts().drop(host_id)

    def put_bundle(self, bundle_id: int, amounts: Mapping[str, int]) -> None:
        """What one unit of a booking takes, by class."""
        self._bundles.put(bundle_id, amounts)

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
        places = [WHOLE if b == WHOLE else self._bundles.place(b) for b in values.tolist()]
        bundle = np.array(places, dtype=np.int64)[inverse]
        values, inverse = np.unique(host, return_inverse=True)
        slots = self._slots_of(values.tolist())
        slot = np.array(slots, dtype=np.int64)[inverse]
        if self._newcomers is not None:
            self._newcomers.append(reservation)
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

    def put_adjustment(self, adjustment: LedgerAdjustment) -> None:
        """Add an adjustment, or replace the one of the same id."""
        self._own_supply().put(adjustment)

    def drop_adjustment(self, adjustment_id: int) -> None:
        """Forget an adjustment; an unknown id is none."""
        self._own_supply().drop(adjustment_id)

    def put_owners(self, owners: Mapping[int, str]) -> None:
        """The projects of reservations, by their numbers; needed where there are carve-outs."""
        supply = self._own_supply()
        supply.put_owners(owners)
        if supply.owned > 2 * len(self) + _MANY_OWNERS:
            supply.keep_owners(self._bookings.reservations())

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
        bundle_ids = self._bundles.ids
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

    @property
    def supply(self) -> Supply:
        """The adjustments and whose reservations are whose; not to be changed."""
        return self._supply

    @property
    def adjustments(self) -> Mapping[int, LedgerAdjustment]:
        """The adjustments by id."""
        return self._supply.adjustments

    def unowned(self, ahead: bool = False) -> list[int]:
        """Reservations with bookings whose project is not known, where that matters; ``ahead``:
        or may come to, as there is something to carve out of."""
        if not self._supply.adjustments:
            self._newcomers = None
            return []
        if not (ahead or self._supply.carved):
            return []
        if self._newcomers is None:
            found = self._supply.unowned(self._bookings.reservations())
        else:
            found = self._supply.unowned(np.concatenate([_NOTHING, *self._newcomers]))
            if len(found):
                found = found[np.isin(found, self._bookings.reservations())]
        self._newcomers = [found]
        return [int(number) for number in found]

    def zones(self) -> list[str]:
        """The zones of registered hosts and of adjustments."""
        return sorted(self._lent.zones() | self._supply.zones())

    def limited_zones(self) -> list[str]:
        """The zones in which less may be had than their hosts have room for."""
        zones = self._supply.zones()
        return sorted(zones | self._lent.zones() if self.on_hosts(INSTANCE) else zones)

    def tracked(self, zone: str | None = None) -> list[str]:
        """The classes that limit in the scope: of its registered hosts and its adjustments."""
        return sorted(self._lent.classes(zone) | self._supply.classes(zone))

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

    def offers(self, resource_class: str) -> IntArray:
        """What the host has of a class while it is registered; int64, one entry per slot."""
        return np.where(self.in_scope(None), self.capacity(resource_class), 0)

    def in_scope(self, zone: str | None) -> BoolArray:
        """Whether there is a registered host in the zone (None: in any); bool, one entry per
        slot, not to be changed."""
        return self._lent.in_scope(zone)

    def on_hosts(self, resource_class: str) -> bool:
        """Whether a registered host has the class: it is counted host by host."""
        return self._lent.has(resource_class)

    def pooled(self, resource_class: str) -> bool:
        """Whether the class is counted in pools alone, which hosts need not have."""
        if self.on_hosts(resource_class):
            return False
        return resource_class == INSTANCE or resource_class in self._supply.classes(None)

    def matching(self, query: Query) -> BoolArray:
        """Whether the query accepts the host; bool, one entry per slot, not to be changed."""
        return self._lent.matching(query)

    @property
    def booked_classes(self) -> list[str]:
        """The classes that any bundle takes something of."""
        return self._bundles.classes

    def use(self, rows: Rows, resource_class: str) -> IntArray:
        """What each row takes of a class; int64, one entry per row, 0 for a whole host."""
        return self._bundles.use(rows, resource_class)

    def charge(self, rows: Rows, resource_class: str) -> IntArray:
        """What each row is charged of a class: a whole host all that it has, if it is
        registered; int64, one entry per row."""
        charge, whole = self._bundles.charge(rows, resource_class), rows.bundle == WHOLE
        if whole.any():
            charge[whole] = self.offers(resource_class)[rows.slot[whole]]
        return charge

    def rows_of_scopes(
        self, rows: Rows, zones: Sequence[str]
    ) -> Iterator[tuple[str | None, Rows]]:
        """All of these rows, of the provider, and then those of each zone."""
        yield None, rows
        zone_of = np.full(self.size, -1, dtype=np.int64)
        for number, zone in enumerate(zones):
            zone_of[self.in_scope(zone)] = number
        if zones:
            yield from zip(zones, rows.apart(zone_of, len(zones)), strict=True)

    def reservation_of(self, rows: Rows) -> IntArray:
        """The number of each row's reservation; int64, one entry per row."""
        return self._bookings["reservation"][rows.at]

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
        return self._bookings.rows(start, end, now, exclude, only, at_once)

    def lingers(self, now: int) -> BoolArray:
        """Whether anything lingers on the host; bool, one entry per slot."""
        found = np.zeros(self.size, dtype=np.bool_)
        found[self._bookings["slot"][self._bookings.lingering(now)]] = True
        return found

    def count(self, start: int, end: int) -> int:
        """How many bookings ``rows`` finds, or a few more: the price of a decision, found fast."""
        return int(np.count_nonzero(self._bookings.overlapping(start, end)))

    def copy(self) -> "Ledger":
        """The same ledger as it is now, which stays so."""
        return self._with(self._bookings.part(np.flatnonzero(self._bookings.live)))

    def excerpt(self, start: int, end: int, now: int, only: BoolArray | None = None) -> "Ledger":
        """A copy that has only the bookings that may count in ``[start, end)`` or a part of it.

        ``only``: bool, one entry per slot; those on these hosts.
        """
        chosen = self._bookings.overlapping(start, end) | self._bookings.lingering(now)
        if only is not None:
            chosen &= only[self._bookings["slot"]]
        return self._with(self._bookings.part(np.flatnonzero(chosen)))

    def _with(self, bookings: BookingTable) -> "Ledger":
        """These hosts, bundles and adjustments, with other bookings."""
        self._lent_is_shared = self._supply_is_shared = True
        return Ledger(bookings, self._lent, self._bundles.copy(), self._supply)

    def last_end(self) -> int:
        """The latest end of a booking that does end; 0 if there is none."""
        return self._bookings.last_end()

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

    def _own_supply(self) -> Supply:
        """The supply, to be changed: copied first, as the hosts are."""
        if self._supply_is_shared:
            self._supply, self._supply_is_shared = self._supply.copy(), False
        return self._supply
