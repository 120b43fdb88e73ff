# SPDX-License-Identifier: Apache-2.0
"""Pool of one scope, instant by instant: what there is of a class, and what is reserved of it.

Of classes that hosts have, each host's reservations count for what the host has at most: Nova may
overcommit a leased host, and that takes nothing from others. Of the others there is no such limit.

The *general pool* is what there is without the shares of groups. Charged to it is what others have
reserved, and what a group has reserved above its share.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np

from promise_blazar.capacity.arrays import BoolArray, IntArray
from promise_blazar.capacity.demand.request import Window
from promise_blazar.capacity.instants import Instants
from promise_blazar.capacity.ledger import Ledger
from promise_blazar.capacity.rows import Rows
from promise_blazar.capacity.supply import Group, LedgerAdjustment, shares
from promise_blazar.capacity.timeline import in_order


@dataclass(frozen=True, slots=True)
class _Pool:
    """One class; int64, one entry per time.

    ``total``, ``reserved``: as the caller sees them. ``unused``: what is left of its own share.
    """

    total: IntArray
    reserved: IntArray
    unused: IntArray


class PoolTimeline:
    """The bookings of one window as one scope and one project see them.

    ``times``: int64, microseconds, strictly rising; the first is the start of the window. Arrays
    that it returns have one entry per time and are not to be changed. ``rows``, ``instants``: the
    bookings of the scope, and when they count. ``rows``: those of the
    window, without what lingers. ``zone``: the scope, None for the provider. ``classes``: those
    that may be asked for. ``project``: what is set apart for other projects, and what they have
    reserved of that, is not counted; None sees the whole provider. ``exclude``: reservations that
    do not count but as what is replaced.
    """

    def __init__(
        self,
        ledger: Ledger,
        rows: Rows,
        window: Window,
        zone: str | None,
        classes: Collection[str],
        project: str | None = None,
        exclude: frozenset[int] = frozenset(),
    ) -> None:
        self._ledger = ledger
        self._here = ledger.in_scope(zone)
        if zone is not None:
            rows = rows.where(self._here[rows.slot])
        self.rows = rows
        adjustments = [
            each
            for each in ledger.supply.applying(zone, window)
            if not each.amounts.keys().isdisjoint(classes)
        ]
        self._offered = [each for each in adjustments if each.source is None]
        self._shares = shares(adjustments)
        self._project = project
        moments = [moment for each in adjustments for moment in (each.start, each.end)]
        self.instants = Instants(rows, window, moments)
        self.times = self.instants.times
        self.reservation = ledger.reservation_of(rows) if exclude or self._shares else None
        self._replaced = _in(self.reservation, exclude)
        self._by_host = _ByHost(rows, self.instants, ledger.size)
        self._pools: dict[str, _Pool] = {}

    def total(self, resource_class: str) -> IntArray:
        """What there is; may be less than nothing where adjustments take more than there was."""
        return self._pool(resource_class).total

    def reserved(self, resource_class: str) -> IntArray:
        """What is promised of it."""
        return self._pool(resource_class).reserved

    def available(self, resource_class: str) -> IntArray:
        """What may be promised; less than nothing by what is lacking, unless of a project's view.

        Where the general pool is short, what is unused of a group's own share stays its own.
        """
        pool = self._pool(resource_class)
        left = pool.total - pool.reserved
        if self._project is None:
            return left
        available: IntArray = pool.unused + np.maximum(left - pool.unused, 0)
        return available

    def replaced(self, resource_class: str) -> IntArray:
        """What the excluded reservations have."""
        charge = self._ledger.charge(self.rows, resource_class)
        if self._replaced is None:
            return np.zeros(len(self.times), dtype=np.int64)
        return self._level(np.where(self._replaced, charge, 0), resource_class)

    def exceeds_share(self, resource_class: str, project: str) -> BoolArray:
        """Whether any of what the project's group has reserved is charged to the general pool;
        True for a project without a share."""
        exceeds = np.ones(len(self.times), dtype=np.bool_)
        for group, carved in self._shares.items():
            if project in group:
                reserved = self._of_group(group, self._charge(resource_class), resource_class)
                exceeds &= reserved > self._amount(carved, resource_class)
        return exceeds

    @property
    def sharers(self) -> frozenset[str]:
        """The projects that have shares."""
        return frozenset().union(*self._shares)

    def _pool(self, resource_class: str) -> _Pool:
        if resource_class not in self._pools:
            self._pools[resource_class] = self._judged(resource_class)
        return self._pools[resource_class]

    def _judged(self, resource_class: str) -> _Pool:
        charge = self._charge(resource_class)
        reserved = self._level(charge, resource_class)
        hosts = int(self._ledger.offers(resource_class)[self._here].sum())
        total = hosts + self._amount(self._offered, resource_class)
        unused = np.zeros(len(self.times), dtype=np.int64)
        if self._project is not None:
            for group, carved in self._shares.items():
                share = self._amount(carved, resource_class)
                covered = np.minimum(self._of_group(group, charge, resource_class), share)
                if self._project in group:
                    unused += share - covered
                else:
                    total, reserved = total - share, reserved - covered
        return _Pool(total, reserved, unused)

    def _charge(self, resource_class: str) -> IntArray:
        """What each row is charged; one entry per row."""
        charge = self._ledger.charge(self.rows, resource_class)
        if self._replaced is not None:
            charge[self._replaced] = 0
        return charge

    def _of_group(self, group: Group, charge: IntArray, resource_class: str) -> IntArray:
        """What a group has reserved."""
        assert self.reservation is not None  # where there are shares  # noqa: S101
        mine = self._ledger.supply.owned_by(group, self.reservation)
        return self._level(np.where(mine, charge, 0), resource_class)

    def _level(self, charge: IntArray, resource_class: str) -> IntArray:
        """What all rows take, each host no more than it has."""
        level = self.instants.level(charge)
        if self._ledger.on_hosts(resource_class):
            limit = self._ledger.offers(resource_class)
            level -= self._by_host.excess(charge, limit)
        return level

    def _amount(self, adjustments: Iterable[LedgerAdjustment], resource_class: str) -> IntArray:
        """The sum of what they give and take."""
        change = np.zeros(len(self.times) + 1, dtype=np.int64)
        for each in adjustments:
            amount = each.amounts.get(resource_class, 0)
            change[self.instants.place(each.start)] += amount
            change[self.instants.place(each.end)] -= amount
        amount_at: IntArray = np.cumsum(change[:-1])
        return amount_at


class _ByHost:
    """What rows begin and end on each host, in the order of time, ends before starts."""

    def __init__(self, rows: Rows, instants: Instants, size: int) -> None:
        self._rows = rows
        self._instants = instants
        self._size = size
        self._sorted: tuple[IntArray, IntArray, IntArray, IntArray, IntArray] | None = None

    def excess(self, charge: IntArray, limit: IntArray) -> IntArray:
        """What is charged above the limits of hosts; int64, one entry per time.

        ``charge``: int64, one entry per row, not less than 0; ``limit``: one entry per slot.
        """
        nothing = np.zeros(len(self._instants.times), dtype=np.int64)
        if not len(self._rows):
            return nothing
        row, sign, place, first, slot = self._changes()
        change = charge[row] * sign
        running = np.cumsum(change)
        before = running[first] - change[first]
        above = np.maximum.reduceat(running, first) - before > limit[slot]
        if not above.any():
            return nothing
        counts = np.diff(np.append(first, len(row)))
        here = np.repeat(above, counts)
        counts, slot, before = counts[above], slot[above], before[above]
        excess = np.maximum(running[here] - np.repeat(before + limit[slot], counts), 0)
        last = np.cumsum(counts)
        change = np.diff(excess, prepend=0)
        change[last[:-1]] = excess[last[:-1]]
        found: IntArray = np.cumsum(self._instants.summed(place[here], change))
        return found

    def _changes(self) -> tuple[IntArray, IntArray, IntArray, IntArray, IntArray]:
        """One entry per change: its row, sign and place in time. One per host that has any: the
        first change, and the slot."""
        if self._sorted is None:
            ending = np.flatnonzero(self._instants.last < len(self._instants.times))
            row = np.concatenate((ending, np.arange(len(self._rows))))
            place = np.concatenate((self._instants.last[ending], self._instants.first))
            sign = np.repeat(np.array((-1, 1), dtype=np.int64), (len(ending), len(self._rows)))
            slot = self._rows.slot[row]
            order = in_order(slot, place, sign, self._size)
            slot = slot[order]
            first = np.flatnonzero(np.append(True, slot[1:] != slot[:-1]))
            self._sorted = row[order], sign[order], place[order], first, slot[first]
        return self._sorted


def _in(reservation: IntArray | None, numbers: frozenset[int]) -> BoolArray | None:
    if reservation is None or not numbers:
        return None
    return np.isin(reservation, np.fromiter(numbers, dtype=np.int64))
