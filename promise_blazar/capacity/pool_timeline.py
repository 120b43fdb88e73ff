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
from promise_blazar.capacity.host_limits import HostLimits
from promise_blazar.capacity.instants import Instants
from promise_blazar.capacity.ledger import Ledger
from promise_blazar.capacity.rows import Rows
from promise_blazar.capacity.supply import Group, LedgerAdjustment, shares


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
        self._on_hosts = [name for name in classes if ledger.on_hosts(name)]
        self._charges: dict[str, IntArray] = {}
        self._limits: HostLimits | None = None
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
        if self._replaced is None:
            return np.zeros(len(self.times), dtype=np.int64)
        charge = np.where(self._replaced, self._charge_of_all(resource_class), 0)
        return self._level(charge, resource_class)

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
        """What each row is charged that counts; one entry per row."""
        charge = self._charge_of_all(resource_class)
        return charge if self._replaced is None else np.where(self._replaced, 0, charge)

    def _charge_of_all(self, resource_class: str) -> IntArray:
        """What each row is charged; one entry per row, not to be changed."""
        if resource_class not in self._charges:
            self._charges[resource_class] = self._ledger.charge(self.rows, resource_class)
        return self._charges[resource_class]

    def _of_group(self, group: Group, charge: IntArray, resource_class: str) -> IntArray:
        """What a group has reserved."""
        assert self.reservation is not None  # where there are shares  # noqa: S101
        mine = self._ledger.supply.owned_by(group, self.reservation)
        return self._level(np.where(mine, charge, 0), resource_class)

    def _level(self, charge: IntArray, resource_class: str) -> IntArray:
        """What all rows take, each host no more than it has."""
        level = self.instants.level(charge)
        if self._ledger.on_hosts(resource_class):
            level -= self._host_limits().excess(charge, resource_class)
        return level

    def _host_limits(self) -> HostLimits:
        if self._limits is None:
            self._limits = HostLimits(
                self.rows,
                self.instants,
                {name: self._charge_of_all(name) for name in self._on_hosts},
                {name: self._ledger.offers(name) for name in self._on_hosts},
            )
        return self._limits

    def _amount(self, adjustments: Iterable[LedgerAdjustment], resource_class: str) -> IntArray:
        """The sum of what they give and take."""
        change = np.zeros(len(self.times) + 1, dtype=np.int64)
        for each in adjustments:
            amount = each.amounts.get(resource_class, 0)
            change[self.instants.place(each.start)] += amount
            change[self.instants.place(each.end)] -= amount
        amount_at: IntArray = np.cumsum(change[:-1])
        return amount_at


def _in(reservation: IntArray | None, numbers: frozenset[int]) -> BoolArray | None:
    if reservation is None or not numbers:
        return None
    return np.isin(reservation, np.fromiter(numbers, dtype=np.int64))
