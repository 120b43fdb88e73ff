# SPDX-License-Identifier: Apache-2.0
"""Pool formula: what each request of a decision may have beside all else, in every scope.

For each instant of its window, each class that it is charged and that is tracked: what is charged
is at most what is available, in the provider and in each zone where any of it is placed. What
replaces reservations may also have what those have, so that it makes nothing worse.

The host rule implies that of classes that hosts have, wherever adjustments take nothing away. So
only the others are looked at here, and nothing where there are no adjustments.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from promise_blazar.capacity.arrays import BoolArray, IntArray
from promise_blazar.capacity.budget import Budget
from promise_blazar.capacity.demand.request import AllocationRequest, Window
from promise_blazar.capacity.given import Assignment, Given
from promise_blazar.capacity.ledger import OPEN, Ledger, Rows
from promise_blazar.capacity.limits import NO_LIMITS, Limit, Limits
from promise_blazar.capacity.pool_timeline import PoolTimeline
from promise_blazar.capacity.supply import LedgerAdjustment
from promise_blazar.model.resource_classes import INSTANCE

#: Whose view it is where nobody's is known: no carve-out is for it.
_NOBODY: Final = ""
#: More than there is of any class.
_MOST: Final = 2**62
#: So many sums over bookings take as long as sorting them does, by which budgets count.
_SORTS: Final = 4


@dataclass(frozen=True, slots=True)
class _Watched:
    """A class in a scope (None: the provider) that may be short, as one project sees it.

    ``times``, ``most``: what may be charged from each of these instants on; ``lowest``: the least
    that may be charged at any of them.
    """

    zone: str | None
    resource_class: str
    times: IntArray
    most: IntArray
    lowest: int

    def low(self, start: int, end: int) -> int:
        """The least that may be charged in ``[start, end)``."""
        first = int(np.searchsorted(self.times, start, side="right")) - 1
        return int(self.most[max(first, 0) : np.searchsorted(self.times, end)].min())

    def short(self, units: int) -> tuple[IntArray, IntArray]:
        """When less than that may be charged: starts and ends, in order; the last of them may end
        never."""
        short = np.concatenate(([False], self.most < units, [False]))
        change = np.diff(short.astype(np.int8))
        times = np.append(self.times, OPEN)
        return times[np.flatnonzero(change > 0)], times[np.flatnonzero(change < 0)]


class Pool:
    """A ledger's pools at an instant, as a decision sees them that replaces ``exclude``.

    The requests of a decision are of one project; where they are not, its plan keeps the formula
    and there may be others that do.
    """

    def __init__(
        self,
        ledger: Ledger,
        now: int,
        exclude: frozenset[int],
        budget: Budget,
        rows: Callable[[Window], Rows] | None = None,
    ) -> None:
        """``rows``: who has read the bookings of a window already."""
        self._ledger = ledger
        self._now = now
        self._exclude = exclude
        self._budget = budget
        self.quiet = not (ledger.adjustments or ledger.on_hosts(INSTANCE))
        self._members: dict[str | None, BoolArray] = {}
        self._tracked: dict[str | None, frozenset[str]] = {}
        self._rows_of = rows or self._read
        self._rows: dict[Window, Rows] = {}
        self._apart: dict[Window, dict[str | None, Rows]] = {}
        self._watched: dict[tuple[Window, str, tuple[str, ...]], list[_Watched]] = {}
        self._charged: dict[int, tuple[Assignment, dict[tuple[str | None, str], int]]] = {}

    def limits(self, request: AllocationRequest, beside: Given, every: bool = False) -> Limits:
        """What is left for a request beside what others are given. Raises ``OutOfTime``.

        ``every``: also of what is enough for as many units as the request may have.
        """
        if self.quiet:
            return NO_LIMITS
        watched = self.watched(request)
        if not watched:
            return NO_LIMITS
        self._budget.spend()
        charges, units = self.charges(request), request.demand.maximum
        limits, others = [], self._given(charges, beside)
        for each in watched:
            charge = charges[each.resource_class]
            top = units * int(charge.max(initial=0))
            if not every and each.lowest - others[each.resource_class] >= top:
                continue
            left = max(self._left(each, request.window, beside), 0)
            here = self._hosts(each.zone)
            limits.append(Limit(each.zone, each.resource_class, left, here, charge))
        return Limits([each for each in limits if every or each.room < units * each.largest])

    def charges(self, request: AllocationRequest) -> Mapping[str, IntArray]:
        """What a unit is charged on each host, by class; int64, one entry per slot in each."""
        amounts, ledger = request.demand.amounts, self._ledger
        if amounts is None:
            names = filter(ledger.on_hosts, self._classes(None))
            return {name: ledger.offers(name) for name in names}
        amounts = {INSTANCE: 1, **{name: amount for name, amount in amounts.items() if amount}}
        return {
            name: np.full(ledger.size, min(amount, _MOST), dtype=np.int64)
            for name, amount in amounts.items()
        }

    def watched(
        self, request: AllocationRequest, window: Window | None = None
    ) -> "list[_Watched]":
        """What may be short of what the request is charged, in its window or another one."""
        if self.quiet:
            return []
        window, project = window or request.window, request.project or _NOBODY
        names = tuple(sorted(self.charges(request)))
        key = (window, project, names)
        if key not in self._watched:
            found = self._watched[key] = []
            for zone in self._scopes():
                short = [n for n in names if self._may_be_short(window, zone, project, n)]
                if short:
                    found += self._seen(window, zone, project, short)
        return self._watched[key]

    def least(
        self, request: AllocationRequest, eligible: BoolArray, zone: str | None
    ) -> Mapping[str, int]:
        """The least that the request is charged in a scope, by class.

        ``eligible``: bool, one entry per slot.
        """
        here, charges = self._hosts(zone), self.charges(request)
        pinned = [(self._ledger.slot(each.host), each.units) for each in request.keep]
        held = {slot: units for slot, units in pinned if request.pinned and slot is not None}
        missing = max(request.demand.minimum - sum(held.values()), 0)
        if (eligible & ~here).any():
            missing = 0  # it may be had elsewhere
        others = eligible.copy()
        others[list(held)] = request.demand.amounts is not None
        found = {}
        for name, charge in charges.items():
            found[name] = sum(
                units * int(charge[slot]) for slot, units in held.items() if here[slot]
            )
            if request.demand.amounts is not None:
                found[name] += missing * int(charge.max(initial=0))
            elif missing:
                found[name] += int(np.sort(charge[others])[:missing].sum())
        return found

    def promising(
        self, request: AllocationRequest, eligible: BoolArray, reach: Window, starts: IntArray
    ) -> BoolArray:
        """From which starts, in the window ``reach``, the pools may be enough; True wherever they
        are. ``eligible``: as for ``least``."""
        found = np.ones(len(starts), dtype=np.bool_)
        length = request.window.end - request.window.start
        for each in self.watched(request, reach):
            least = self.least(request, eligible, each.zone)[each.resource_class]
            begins, ends = each.short(least)
            # The first that is not over at the start: has it begun by the end?
            following = np.searchsorted(ends, starts, side="right")
            found &= np.append(begins, OPEN)[following] >= np.minimum(starts + length, OPEN)
        return found

    def when_short(
        self, request: AllocationRequest, zone: str | None, resource_class: str, units: int
    ) -> Window:
        """From when on, and until when, less may be charged in the request's window; all of it
        where that is so only beside what others are given."""
        window = request.window
        for each in self.watched(request):
            if (each.zone, each.resource_class) == (zone, resource_class):
                begins, ends = each.short(units)
                if len(begins):
                    return Window(int(begins[0]), min(int(ends[-1]), window.end))
        return window

    @property
    def last_rise(self) -> int:
        """The last instant, others than the ends of bookings, at which more may be had."""
        if self.quiet:
            return 0
        moments = self._ledger.supply.moments(self._now)
        for number in self._exclude:
            moments += [each.start for each in self._ledger.bookings_of(number)]
        return max((moment for moment in moments if moment < OPEN), default=0)

    def rises(self, window: Window) -> IntArray:
        """Instants in the window, others than the ends of bookings, at which more may be had."""
        moments = self._ledger.supply.moments(window.start)
        if self._exclude and not self.quiet:
            rows = self._rows_of(window)
            numbers = np.fromiter(self._exclude, dtype=np.int64)
            replaced = np.isin(self._ledger.reservation_of(rows), numbers)
            moments += rows.start[replaced].tolist()
        found = np.array(moments, dtype=np.int64)
        return found[(found > window.start) & (found < window.end)]

    # What is looked at

    def _scopes(self) -> list[str | None]:
        """The provider, and the zones with hosts in which less may be had than those have."""
        if not self._members:
            self._members[None] = self._ledger.in_scope(None)
            for zone in self._ledger.limited_zones():
                here = self._ledger.in_scope(zone)
                if here.any():
                    self._members[zone] = here
        return list(self._members)

    def _hosts(self, zone: str | None) -> BoolArray:
        return self._members[zone]

    def _classes(self, zone: str | None) -> frozenset[str]:
        if zone not in self._tracked:
            self._tracked[zone] = frozenset(self._ledger.tracked(zone))
        return self._tracked[zone]

    def _may_be_short(self, window: Window, zone: str | None, project: str, name: str) -> bool:
        if name not in self._classes(zone):
            return False
        if name == INSTANCE or not self._ledger.on_hosts(name):
            return True
        return _lowest(self._ledger.supply.applying(zone, window, name), project, name) < 0

    def _seen(
        self, window: Window, zone: str | None, project: str, names: Sequence[str]
    ) -> Iterator[_Watched]:
        rows = self._of_scopes(window)[zone]
        self._budget.spend(len(rows) // _SORTS)
        seen = PoolTimeline(self._ledger, rows, window, zone, names, project, self._exclude)
        for name in names:
            most = seen.available(name)
            if self._exclude:
                most = np.maximum(most, seen.replaced(name))
            yield _Watched(zone, name, seen.times, most, int(most.min()))

    def _of_scopes(self, window: Window) -> dict[str | None, Rows]:
        """The bookings of the window by scope."""
        if window not in self._apart:
            zones = [zone for zone in self._scopes() if zone is not None]
            rows = self._rows_of(window)
            self._apart[window] = dict(self._ledger.rows_of_scopes(rows, zones))
        return self._apart[window]

    def _read(self, window: Window) -> Rows:
        """All bookings of the window, also those that are replaced."""
        if window not in self._rows:
            rows = self._ledger.rows(window.start, window.end, self._now, at_once=False)
            self._budget.spend(len(rows))
            self._rows[window] = rows
        return self._rows[window]

    # Beside what others are given

    def _left(self, watched: _Watched, window: Window, beside: Given) -> int:
        """The least that is left in the window."""
        others = [each for each in beside if each.units and each.request.window.overlaps(window)]
        cuts = {window.start, window.end}
        for each in others:
            cuts |= {each.request.window.start, each.request.window.end}
        inside = sorted(cut for cut in cuts if window.start <= cut <= window.end)
        left = []
        for start, end in pairwise(inside):
            part = Window(start, end)
            given = sum(
                self._charge(each, watched.zone, watched.resource_class)
                for each in others
                if each.request.window.covers(part)
            )
            left.append(watched.low(start, end) - given)
        return min(left)

    def _given(self, names: Iterable[str], beside: Given) -> Mapping[str, int]:
        """The most that others can be charged in any scope, by class."""
        others = [each for each in beside if each.units]
        return {name: sum(self._charge(each, None, name) for each in others) for name in names}

    def _charge(self, given: Assignment, zone: str | None, resource_class: str) -> int:
        """What an assignment is charged of a class in a scope."""
        known = self._charged.get(id(given))
        if known is None:
            known = self._charged[id(given)] = (given, {})  # keeps the id its own
        charged, key = known[1], (zone, resource_class)
        if key not in charged:
            count = len(given.units)
            slots = np.fromiter(given.units.keys(), dtype=np.int64, count=count)
            units = np.fromiter(given.units.values(), dtype=np.int64, count=count)
            charge = self.charges(given.request).get(resource_class)
            here = self._hosts(zone)[slots]
            charged[key] = 0 if charge is None else int((charge[slots] * units)[here].sum())
        return charged[key]


def _lowest(adjustments: list[LedgerAdjustment], project: str, resource_class: str) -> int:
    """The least that they add up to at any instant, what is set apart for others taken off."""
    changes: list[tuple[int, int]] = []
    for each in adjustments:
        amount = each.amounts.get(resource_class, 0)
        if each.source is not None:
            amount = 0 if project in each.projects else -amount
        if amount:
            changes += [(each.start, amount), (each.end, -amount)]
    changes.sort()
    lowest = level = 0
    for place, (time, change) in enumerate(changes):
        level += change
        if place + 1 == len(changes) or changes[place + 1][0] > time:
            lowest = min(lowest, level)
    return lowest
