# SPDX-License-Identifier: Apache-2.0
"""Pool of one scope, instant by instant: what there is of a class, and what is reserved of it.

Of classes that hosts have, each host's reservations count for what the host has at most: Nova may
overcommit a leased host, and that takes nothing from others. Of the others there is no such limit.

The *general pool* is what there is without the shares of groups. Charged to it is what is reserved
and no share covers. A share is no more than there is: where all that is reserved takes all that is
on offer, nothing of it is left.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from promise_blazar.capacity.arrays import BoolArray, IntArray
from promise_blazar.capacity.demand.request import Window
from promise_blazar.capacity.host_limits import HostLimits
from promise_blazar.capacity.instants import Instants
from promise_blazar.capacity.ledger import Ledger
from promise_blazar.capacity.rows import Rows
from promise_blazar.capacity.supply import Group, LedgerAdjustment, shares

_NOTHING: Final = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Lacking:
    """What is missing of one class; int64, none negative, one entry per time.

    ``general``: of the general pool, for what is charged to it; ``covered``: of all that there is,
    for what shares cover; ``apart``: of all that there is, for what adjustments set apart or take.
    """

    general: IntArray
    covered: IntArray
    apart: IntArray

    @property
    def most(self) -> IntArray:
        """What more there would have to be."""
        return self.general + self.apart

    def at(self, places: IntArray) -> "Lacking":
        """The same, of the times at these places."""
        return Lacking(self.general[places], self.covered[places], self.apart[places])

    def beyond(self, other: "Lacking | None") -> tuple[BoolArray, BoolArray, BoolArray]:
        """Whether more is missing than in the other; one entry per time for each."""
        if other is None:
            return self.general > 0, self.covered > 0, self.apart > 0
        return (
            self.general > other.general,
            self.covered > other.covered,
            self.apart > other.apart,
        )


@dataclass(frozen=True, slots=True)
class _View:
    """One class as the caller sees it; int64, one entry per time."""

    total: IntArray
    reserved: IntArray
    available: IntArray


@dataclass(frozen=True, slots=True)
class _Share:
    """What is set apart of one class for a group, and what the group has reserved of the class;
    int64, one entry per time."""

    group: Group
    amount: IntArray
    reserved: IntArray

    @property
    def covered(self) -> IntArray:
        covered: IntArray = np.minimum(self.reserved, self.amount)
        return covered


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
        self._members: Mapping[str, IntArray] = {}
        if self._shares and self.reservation is not None:
            sharing = frozenset().union(*self._shares)
            self._members = ledger.supply.by_project(sharing, self.reservation)
        self._on_hosts = [name for name in classes if ledger.on_hosts(name)]
        self._charges: dict[str, IntArray] = {}
        self._limits: HostLimits | None = None
        self._views: dict[str, _View] = {}
        self._of_groups: dict[str, list[_Share]] = {}

    def total(self, resource_class: str) -> IntArray:
        """What there is; less than nothing only of the whole, where adjustments take more than
        there was."""
        return self._view(resource_class).total

    def reserved(self, resource_class: str) -> IntArray:
        """What is promised of it."""
        return self._view(resource_class).reserved

    def available(self, resource_class: str) -> IntArray:
        """What may be promised; less than nothing by what is lacking, unless of a project's view.

        Where the general pool is short, what is unused of a group's own share stays its own, as
        far as it is there.
        """
        return self._view(resource_class).available

    def replaced(self, resource_class: str) -> IntArray:
        """What the excluded reservations have."""
        if self._replaced is None:
            return np.zeros(len(self.times), dtype=np.int64)
        charge = np.where(self._replaced, self._charge_of_all(resource_class), 0)
        return self._level(charge, resource_class)

    def lacking(self, resource_class: str) -> Lacking:
        """What is missing, whoever looks."""
        total, reserved = self._whole(resource_class)
        apart, covered = self._set_apart(resource_class)
        there, charged = total - apart, np.maximum(reserved - covered, 0)
        return Lacking(
            np.maximum(charged - np.maximum(there, 0), 0),
            np.maximum(np.minimum(covered, reserved) - total, 0),
            np.maximum(-there, 0),
        )

    def sharers(self, resource_class: str) -> Iterator[tuple[IntArray, BoolArray]]:
        """For each set of projects that have the same shares: the places of their rows, and
        whether any of what they have reserved is charged to the general pool, one entry per time.
        """
        sharing: dict[frozenset[Group], list[str]] = {}
        for project in self._members:
            groups = frozenset(group for group in self._shares if project in group)
            sharing.setdefault(groups, []).append(project)
        shared = {each.group: each for each in self._groups(resource_class)}
        for groups, projects in sharing.items():
            beyond = [shared[group].reserved > shared[group].amount for group in groups]
            yield self._places(projects), np.logical_and.reduce(beyond)

    def _view(self, resource_class: str) -> _View:
        if resource_class not in self._views:
            self._views[resource_class] = self._seen(resource_class)
        return self._views[resource_class]

    def _seen(self, resource_class: str) -> _View:
        total, reserved = self._whole(resource_class)
        if self._project is None:
            return _View(total, reserved, total - reserved)
        apart, covered = self._set_apart(resource_class)
        charged = np.maximum(reserved - covered, 0)
        own, own_covered = self._set_apart(resource_class, self._project)
        available = own - own_covered + np.maximum(total - apart - charged, 0)
        return _View(
            np.maximum(total - apart + own, 0),
            charged + own_covered,
            np.minimum(available, np.maximum(total - reserved, 0)),
        )

    def _whole(self, resource_class: str) -> tuple[IntArray, IntArray]:
        """All that there is, and all that is promised of it."""
        hosts = int(self._ledger.offers(resource_class)[self._here].sum())
        total = hosts + self._amount(self._offered, resource_class)
        return total, self._level(self._charge(resource_class), resource_class)

    def _set_apart(
        self, resource_class: str, project: str | None = None
    ) -> tuple[IntArray, IntArray]:
        """The shares of all groups, or of a project's, and what they cover."""
        apart, covered = np.zeros((2, len(self.times)), dtype=np.int64)
        for each in self._groups(resource_class):
            if project is None or project in each.group:
                apart, covered = apart + each.amount, covered + each.covered
        return apart, covered

    def _groups(self, resource_class: str) -> list[_Share]:
        if resource_class not in self._of_groups:
            self._of_groups[resource_class] = [
                _Share(
                    group,
                    self._amount(carved, resource_class),
                    self._of_group(group, resource_class),
                )
                for group, carved in self._shares.items()
            ]
        return self._of_groups[resource_class]

    def _charge(self, resource_class: str) -> IntArray:
        """What each row is charged that counts; one entry per row."""
        charge = self._charge_of_all(resource_class)
        return charge if self._replaced is None else np.where(self._replaced, 0, charge)

    def _charge_of_all(self, resource_class: str) -> IntArray:
        """What each row is charged; one entry per row, not to be changed."""
        if resource_class not in self._charges:
            self._charges[resource_class] = self._ledger.charge(self.rows, resource_class)
        return self._charges[resource_class]

    def _of_group(self, group: Group, resource_class: str) -> IntArray:
        """What a group has reserved."""
        places, charge = self._places(group), self._charge(resource_class)
        level = self.instants.level(charge[places], places)
        if resource_class in self._on_hosts and self._host_limits().crowded:
            mine = np.zeros_like(charge)
            mine[places] = charge[places]
            level -= self._host_limits().excess(mine, resource_class)
        return level

    def _places(self, projects: Iterable[str]) -> IntArray:
        """Of the rows of these projects; of none where no share is for them."""
        found = [self._members[each] for each in projects if each in self._members]
        return np.concatenate([_NOTHING, *found])

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
        naming = [each for each in adjustments if each.amounts.get(resource_class)]
        amounts = np.array([each.amounts[resource_class] for each in naming], dtype=np.int64)
        for sign, moments in (
            (1, [each.start for each in naming]),
            (-1, [each.end for each in naming]),
        ):
            at = np.searchsorted(self.times, np.array(moments, dtype=np.int64))
            np.add.at(change, at, sign * amounts)
        amount_at: IntArray = np.cumsum(change[:-1])
        return amount_at


def _in(reservation: IntArray | None, numbers: frozenset[int]) -> BoolArray | None:
    if reservation is None or not numbers:
        return None
    return np.isin(reservation, np.fromiter(numbers, dtype=np.int64))
