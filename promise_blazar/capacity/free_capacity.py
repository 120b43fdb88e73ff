# SPDX-License-Identifier: Apache-2.0
"""How much room has each host for a request? The ledger as one decision sees it.

Room is exact: the units of the request's kind that a host can take through the whole window,
beside every booking that counts and beside what the decision has already given to other requests.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from promise_blazar.capacity.arrays import BoolArray, IntArray
from promise_blazar.capacity.demand.request import AllocationRequest, Slots, WholeHosts, Window
from promise_blazar.capacity.ledger import WHOLE, Ledger, Rows
from promise_blazar.capacity.timeline import Spans, Timeline

#: More than any host can take, and few enough to be summed over all hosts.
UNLIMITED: Final = 2**40
_MOST: Final = 2**62

#: Units by slot.
Share = dict[int, int]


@dataclass(frozen=True, slots=True)
class Given:
    """What a decision has given to a request so far."""

    request: AllocationRequest
    share: Share


class FreeCapacity:
    """A ledger at an instant, as a decision sees it that ignores some reservations.

    ``only``: look at these slots alone; the room elsewhere is then not to be relied upon.
    """

    def __init__(
        self,
        ledger: Ledger,
        now: int,
        exclude: frozenset[int],
        only: BoolArray | None = None,
    ) -> None:
        self.ledger = ledger
        self._now = now
        self._exclude = exclude
        self._only = only
        self._rows: dict[Window, Rows] = {}
        self._timelines: dict[Window, Timeline] = {}
        self._peaks: dict[tuple[Window, str], IntArray] = {}

    def rows(self, window: Window) -> Rows:
        if window not in self._rows:
            self._rows[window] = self.ledger.rows(
                window.start, window.end, self._now, self._exclude, self._only
            )
        return self._rows[window]

    def timeline(self, window: Window) -> Timeline:
        if window not in self._timelines:
            self._timelines[window] = Timeline(self.rows(window), window, self.ledger.size)
        return self._timelines[window]

    def eligible(self, request: AllocationRequest) -> BoolArray:
        """Hosts that may be lent and that all queries of the request accept."""
        accepted = self.ledger.reservable().copy()
        for query in request.demand.where:
            accepted &= self.ledger.matching(query)
        return accepted

    def room(self, request: AllocationRequest, others: Sequence[Given] = ()) -> IntArray:
        """Units (whole hosts: 1 or 0) that the request could have on each host."""
        rivals = [
            other
            for other in others
            if other.share and other.request.window.overlaps(request.window)
        ]
        eligible = self.eligible(request)
        if isinstance(request.demand, WholeHosts):
            room = (eligible & ~self.timeline(request.window).busy()).astype(np.int64)
            for other in rivals:
                room[list(other.share)] = 0
            return room
        room = np.where(eligible, self._slot_room(request.demand, request.window), 0)
        if rivals:
            self._make_room(room, request.demand, request.window, rivals)
        return room

    def empty_room(self, demand: Slots) -> IntArray:
        """Slots that each host could take if nothing else were booked."""
        nothing = np.zeros(self.ledger.size, dtype=np.int64)
        return self._fit(demand, dict.fromkeys(demand.taken, nothing))

    def lacking(self, request: AllocationRequest, window: Window, units: int) -> Spans:
        """When, within a window, eligible hosts have room for fewer units; spans may overlap."""
        timeline = self.timeline(window)
        if isinstance(request.demand, WholeHosts):
            parts = [timeline.bookings()]
        else:
            parts = [timeline.bookings(whole_only=True)]
            for name, amount in request.demand.taken.items():
                limit = self.ledger.capacity(name) - min(amount * units, _MOST)
                parts.append(timeline.above(self.ledger.use(self.rows(window), name), limit))
        slot = np.concatenate([part.slot for part in parts])
        here = self.eligible(request)[slot]
        return Spans(
            slot[here],
            np.concatenate([part.start for part in parts])[here],
            np.concatenate([part.end for part in parts])[here],
        )

    def _slot_room(self, demand: Slots, window: Window) -> IntArray:
        timeline = self.timeline(window)
        for name in demand.taken:
            if (window, name) not in self._peaks:
                use = self.ledger.use(self.rows(window), name)
                self._peaks[window, name] = timeline.peak(use)
        room = self._fit(demand, {name: self._peaks[window, name] for name in demand.taken})
        room[timeline.lent_whole()] = 0
        return room

    def _fit(self, demand: Slots, peaks: dict[str, IntArray]) -> IntArray:
        room = np.full(self.ledger.size, UNLIMITED, dtype=np.int64)
        for name, amount in demand.taken.items():
            free = self.ledger.capacity(name) - peaks[name]
            np.minimum(room, free // min(amount, _MOST), out=room)
        return np.maximum(room, 0)

    def _make_room(
        self, room: IntArray, demand: Slots, window: Window, rivals: Sequence[Given]
    ) -> None:
        """Look again at the hosts that the rivals use, with the rivals on them."""
        touched = np.zeros(len(room), dtype=np.bool_)
        for rival in rivals:
            touched[list(rival.share)] = True
        rows = self.rows(window)
        rows = rows.where(touched[rows.slot])
        added = [
            (slot, units, rival.request) for rival in rivals for slot, units in rival.share.items()
        ]
        together = Rows(
            np.append(rows.slot, [slot for slot, _, _ in added]),
            np.append(
                rows.bundle,
                [
                    WHOLE if isinstance(request.demand, WholeHosts) else 0
                    for _, _, request in added
                ],
            ),
            np.append(rows.units, [units for _, units, _ in added]),
            np.append(rows.start, [request.window.start for _, _, request in added]),
            np.append(rows.end, [request.window.end for _, _, request in added]),
        )
        timeline = Timeline(together, window, len(room))
        peaks = {
            name: timeline.peak(
                np.append(
                    self.ledger.use(rows, name),
                    [_taken(request, units, name) for _, units, request in added],
                )
            )
            for name in demand.taken
        }
        again = self._fit(demand, peaks)
        again[timeline.lent_whole()] = 0
        np.minimum(room, again, out=room, where=touched)


def _taken(request: AllocationRequest, units: int, resource_class: str) -> int:
    if isinstance(request.demand, WholeHosts):
        return 0
    return units * request.demand.amounts.get(resource_class, 0)
