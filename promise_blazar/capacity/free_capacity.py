# SPDX-License-Identifier: Apache-2.0
"""Free capacity of every host: the ledger as one decision sees it.

Room is exact: the units of a demand's kind that a host can take through the whole window, beside
every booking that counts and beside what the decision has already given to other requests.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from promise_blazar.capacity.arrays import BoolArray, IntArray
from promise_blazar.capacity.budget import Budget
from promise_blazar.capacity.demand.request import AllocationRequest, Window
from promise_blazar.capacity.given import Assignment, Given
from promise_blazar.capacity.ledger import Ledger, Rows
from promise_blazar.capacity.limits import UNLIMITED
from promise_blazar.capacity.pool import Pool
from promise_blazar.capacity.room_steps import RoomSteps
from promise_blazar.capacity.rows import NOWHERE
from promise_blazar.capacity.timeline import Spans, Timeline
from promise_blazar.model.booking import WHOLE

if TYPE_CHECKING:
    # The contract speaks of free capacity; here demands are only asked.
    from promise_blazar.capacity.demand.contract import Demand

_MOST: Final = 2**62


def at_once(requests: Sequence[AllocationRequest]) -> bool:
    """Whether what these ask for takes effect at once: they are of reservations that run, or are
    being started. The others' start waits until OpenStack has let go of their hosts."""
    return any(request.pinned for request in requests)


class FreeCapacity:
    """A ledger at an instant, as a decision sees it that ignores some reservations.

    ``exclude``: numbers of those reservations. ``only``: bool, one entry per slot; the hosts that
    are looked at, the room elsewhere is then not to be relied upon. ``budget``: what every look
    costs something of; so all methods raise ``OutOfTime``. ``at_once``: what lingers counts.
    ``pool``: what hosts together have for what is asked of them.
    """

    def __init__(
        self,
        ledger: Ledger,
        now: int,
        exclude: frozenset[int],
        only: BoolArray | None = None,
        budget: Budget | None = None,
        at_once: bool = False,
    ) -> None:
        self.ledger = ledger
        self._at_once = at_once
        self._lingers: BoolArray | None = None
        self._now = now
        self._exclude = exclude
        self._only = only
        self.budget = budget or Budget()
        # The same bookings, unless some of these do not count in pools, or others do.
        rows = None if exclude or at_once or only is not None else self.rows
        self.pool = Pool(ledger, now, exclude, self.budget, rows)
        self._eligible: dict[int, tuple[Demand, BoolArray]] = {}
        self._nothing = Given(ledger.size)
        self._rows: dict[Window, Rows] = {}
        self._timelines: dict[Window, Timeline] = {}
        self._busy: dict[Window, BoolArray] = {}
        self._lent_whole: dict[Window, BoolArray] = {}
        self._peaks: dict[tuple[Window, str], IntArray] = {}

    # What a request may have

    def eligible(self, request: AllocationRequest) -> BoolArray:
        """Hosts that may be lent and that all queries of the request accept.

        bool, one entry per slot, not to be changed.
        """
        demand = request.demand
        known = self._eligible.get(id(demand))
        if known is None:
            accepted = self.ledger.reservable().copy()
            for query in demand.where:
                accepted &= self.ledger.matching(query)
            known = self._eligible[id(demand)] = (demand, accepted)  # keeps the id its own
        return known[1]

    def room(self, request: AllocationRequest, beside: Given | None = None) -> IntArray:
        """Units that the request could have on each host, beside what others are given.

        int64, one entry per slot; 0 where the host is not eligible.
        """
        self.budget.spend()
        room = request.demand.room(self, request.window, beside or self._nothing)
        return room * self.eligible(request)

    def lacking(self, request: AllocationRequest, window: Window, units: int) -> Spans:
        """When, within a window, eligible hosts have room for fewer units; spans may overlap."""
        self.budget.spend(len(self.rows(window).slot))
        spans = request.demand.lacking(self, window, units)
        eligible = self.eligible(request)
        return spans if eligible.all() else spans.where(eligible[spans.slot])

    # What kinds of demand count with

    def rows(self, window: Window) -> Rows:
        """The bookings that count in the window."""
        if window not in self._rows:
            self._rows[window] = self.ledger.rows(
                window.start,
                window.end,
                self._now,
                self._exclude,
                self._only,
                self._at_once,
            )
            self.budget.spend(len(self._rows[window].slot))
        return self._rows[window]

    def timeline(self, window: Window) -> Timeline:
        """The same bookings in the order of time."""
        if window not in self._timelines:
            self._timelines[window] = Timeline(self.rows(window), window, self.ledger.size)
        return self._timelines[window]

    def busy(self, window: Window) -> BoolArray:
        """Hosts with any booking in the window; bool, one entry per slot, not to be changed."""
        if window not in self._busy:
            self._busy[window] = self.timeline(window).busy()
        return self._busy[window]

    def last_choice(self, window: Window) -> BoolArray:
        """Hosts that others go before in the window; bool, one entry per slot."""
        if window.start <= self._now < window.end:
            return self.ledger.last_choice() | self.lingers(window)
        return np.zeros(self.ledger.size, dtype=np.bool_)

    def lingers(self, window: Window) -> BoolArray:
        """Hosts on whose release a start in the window would wait; bool, one entry per slot, not
        to be changed."""
        if self._at_once or not window.start <= self._now < window.end:
            return np.zeros(self.ledger.size, dtype=np.bool_)
        if self._lingers is None:
            self._lingers = self.ledger.lingers(self._now)
        return self._lingers

    def unbooked(self, window: Window, beside: Given) -> IntArray:
        """1 for a host on which nothing is booked or given in the window, else 0.

        int64, one entry per slot.
        """
        return (~(self.busy(window) | beside.touched(window))).astype(np.int64)

    def units_of(self, amounts: Mapping[str, int], window: Window, beside: Given) -> IntArray:
        """How many times the amounts fit on each host through the window, beside all else.

        int64, one entry per slot. ``amounts``: units by resource class, each more than 0. Classes
        that are counted in pools alone limit no host.
        """
        amounts = self._of_hosts(amounts)
        timeline = self.timeline(window)
        for name in amounts:
            if (window, name) not in self._peaks:
                use = self.ledger.use(self.rows(window), name)
                self._peaks[window, name] = timeline.peak(use)
        peaks = {name: self._peaks[window, name] for name in amounts}
        if not beside:
            room = self._times(amounts, peaks)
            room[self._whole(window)] = 0
            return room
        peaks = {name: peak + beside.taken(window, name) for name, peak in peaks.items()}
        room = self._times(amounts, peaks)
        room[self._whole(window) | beside.lent_whole(window)] = 0
        if passing := beside.passing(window):
            self._make_room(room, amounts, window, beside, passing)
        return room

    def empty_units_of(self, amounts: Mapping[str, int]) -> IntArray:
        """How many times the amounts would fit on each host if nothing were booked.

        int64, one entry per slot. ``amounts``: as for ``units_of``.
        """
        nothing = np.zeros(self.ledger.size, dtype=np.int64)
        amounts = self._of_hosts(amounts)
        return self._times(amounts, dict.fromkeys(amounts, nothing))

    def lacking_units_of(self, amounts: Mapping[str, int], window: Window, units: int) -> Spans:
        """When, within a window, the amounts do not fit ``units`` times; spans may overlap."""
        amounts = self._of_hosts(amounts)
        timeline = self.timeline(window)
        parts = [timeline.bookings(whole_only=True)]
        for name, amount in amounts.items():
            limit = self.ledger.capacity(name) - min(amount * units, _MOST)
            parts.append(timeline.above(self.ledger.use(self.rows(window), name), limit))
        return Spans(
            np.concatenate([part.slot for part in parts]),
            np.concatenate([part.start for part in parts]),
            np.concatenate([part.end for part in parts]),
        )

    def _of_hosts(self, amounts: Mapping[str, int]) -> Mapping[str, int]:
        return {name: each for name, each in amounts.items() if not self.ledger.pooled(name)}

    def steps_of(self, request: AllocationRequest, window: Window) -> RoomSteps:
        """How many units of the request's amounts fit on eligible hosts, all through a window."""
        amounts = self._of_hosts(request.demand.amounts or {})
        rows, timeline = self.rows(window), self.timeline(window)
        self.budget.spend(len(rows.slot) * (1 + len(amounts)))
        slot, start = timeline.steps()
        room = np.full(len(slot), UNLIMITED, dtype=np.int64)
        for name, amount in ((n, a) for n, a in amounts.items() if a > 0):
            free = self.ledger.capacity(name)[slot] - timeline.used(self.ledger.use(rows, name))
            np.minimum(room, free // min(amount, _MOST), out=room)
        whole = timeline.used((rows.bundle == WHOLE).astype(np.int64))
        room = np.where(whole > 0, 0, np.maximum(room, 0))
        counts = self.eligible(request)[slot]
        counts[:-1] &= (slot[1:] != slot[:-1]) | (start[1:] != start[:-1])
        return RoomSteps(slot, start, room).where(counts)

    def _whole(self, window: Window) -> BoolArray:
        if window not in self._lent_whole:
            self._lent_whole[window] = self.timeline(window).lent_whole()
        return self._lent_whole[window]

    def _times(self, amounts: Mapping[str, int], peaks: Mapping[str, IntArray]) -> IntArray:
        """How many times the amounts fit beside what is used at the peak, by class."""
        room = np.full(self.ledger.size, UNLIMITED, dtype=np.int64)
        for name, amount in amounts.items():
            free = self.ledger.capacity(name) - peaks[name]
            np.minimum(room, free // min(amount, _MOST), out=room)
        return np.maximum(room, 0)

    def _make_room(
        self,
        room: IntArray,
        amounts: Mapping[str, int],
        window: Window,
        beside: Given,
        passing: list[Assignment],
    ) -> None:
        """Look again at the hosts of which something is given for a part of the window."""
        touched = np.zeros(len(room), dtype=np.bool_)
        for other in passing:
            touched[list(other.units)] = True
        rows = self.rows(window)
        rows = rows.where(touched[rows.slot])
        given = [
            (slot, units, other.request)
            for other in passing
            for slot, units in other.units.items()
        ]
        together = Rows(
            np.append(rows.slot, [slot for slot, _, _ in given]),
            np.append(
                rows.bundle,
                [WHOLE if request.demand.amounts is None else 0 for _, _, request in given],
            ),
            np.append(rows.units, [units for _, units, _ in given]),
            np.append(rows.start, [request.window.start for _, _, request in given]),
            np.append(rows.end, [request.window.end for _, _, request in given]),
            np.append(rows.at, [NOWHERE for _ in given]),
        )
        timeline = Timeline(together, window, len(room))
        peaks = {
            name: timeline.peak(
                np.append(
                    self.ledger.use(rows, name),
                    [_taken(request, units, name) for _, units, request in given],
                )
            )
            + beside.taken(window, name)
            for name in amounts
        }
        again = self._times(amounts, peaks)
        again[timeline.lent_whole()] = 0
        np.minimum(room, again, out=room, where=touched)


def _taken(request: AllocationRequest, units: int, resource_class: str) -> int:
    amounts = request.demand.amounts
    return 0 if amounts is None else units * amounts.get(resource_class, 0)
