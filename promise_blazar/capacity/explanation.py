# SPDX-License-Identifier: Apache-2.0
"""Explanation of a refusal in words and figures: why not, how much would fit, and when else.

Hosts are checked in a fixed order and each is counted once, under the first check it fails.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from promise_blazar.capacity.admission import Refusal, admit
from promise_blazar.capacity.arrays import BoolArray
from promise_blazar.capacity.demand.request import AllocationRequest, Placement, Window
from promise_blazar.capacity.free_capacity import Assignment, FreeCapacity, UnitsBySlot
from promise_blazar.capacity.ledger import Ledger
from promise_blazar.capacity.window_search import MINUTE, next_windows


@dataclass(frozen=True, slots=True)
class Reason:
    """``hosts`` of them failed this ``check``, or, for ``fits``, passed them all.

    Checks: ``hosts`` (not in service), ``property``, ``capacity`` (too small when empty),
    ``busy``, ``together`` (given to the rest of the request, see ``Refusal.gave_up``), ``kept``
    (a running reservation cannot leave its hosts), ``affinity``, ``fits``. ``window``: where it
    is short.
    """

    check: str
    hosts: int
    text: str
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a request fails. No reasons: nothing fails (any more).

    ``fits``: the most of it that would be admitted in that window if nothing had to stay where it
    is, by the demand's unit: ``{"hosts": n}``, ``{"slots": n}``. ``alternatives``: windows of all
    requests together, earliest first; later ones than ``looked_until`` were not looked at.
    """

    key: str
    total: int
    reasons: tuple[Reason, ...] = ()
    fits: Mapping[str, int] = field(default_factory=dict)
    alternatives: tuple[Window, ...] = ()
    looked_until: int | None = None

    @property
    def text(self) -> str:
        if not self.reasons:
            return "It fits"
        return f"{self.total} hosts: {', '.join(reason.text for reason in self.reasons)}"


def explain(
    ledger: Ledger,
    requests: Sequence[AllocationRequest],
    now: int,
    exclude: frozenset[int] = frozenset(),
    alternatives: int = 1,
    granularity: int = MINUTE,
) -> Explanation:
    """Why ``admit`` refuses these requests, for the first that fails.

    ``alternatives``: how many other windows to look for; they start at multiples of
    ``granularity``. ``exclude``, ``now``, and errors: as for ``admit``.
    """
    total = len(ledger.hosts)
    refusal = admit(ledger, requests, now, exclude)
    if not isinstance(refusal, Refusal):
        return Explanation("", total)
    by_key = {request.key: request for request in requests}
    request = by_key[refusal.key]
    others = [
        Assignment(by_key[key], _by_slot(ledger, placements))
        for key, placements in refusal.beside.items()
    ]
    diagnosis = _Diagnosis(FreeCapacity(ledger, now, exclude), request, others, refusal.gave_up)
    found = next_windows(ledger, requests, now, exclude, alternatives, granularity)
    return Explanation(
        key=request.key,
        total=total,
        reasons=diagnosis.reasons(),
        fits=diagnosis.fits(),
        alternatives=found.windows,
        looked_until=found.looked_until,
    )


def _by_slot(ledger: Ledger, placements: Sequence[Placement]) -> UnitsBySlot:
    slots = ((ledger.slot(placement.host), placement.units) for placement in placements)
    return {slot: units for slot, units in slots if slot is not None}


class _Diagnosis:
    """One request that fails, alone or (``gave_up``) beside what others were given."""

    def __init__(
        self,
        free: FreeCapacity,
        request: AllocationRequest,
        others: Sequence[Assignment],
        gave_up: bool,
    ) -> None:
        self._gave_up = gave_up
        self._free = free
        self._request = request
        self._demand = request.demand
        self._alone = free.room(request)
        self._room = free.room(request, others)

    def fits(self) -> Mapping[str, int]:
        return {self._demand.unit: self._demand.fits(self._room)}

    def reasons(self) -> tuple[Reason, ...]:
        ledger, demand, request = self._free.ledger, self._demand, self._request
        if not ledger.hosts:
            return (Reason("hosts", 0, "none is registered"),)
        found: list[Reason] = []
        left = ledger.reservable().copy()
        away = len(ledger.hosts) - int(np.count_nonzero(left))
        if away:
            found.append(Reason("hosts", away, f"{away} not in service"))
        for query in demand.where:
            lost = left & ~ledger.matching(query)
            found += _reason("property", lost, f"lack {query}")
            left &= ~lost
        lost = left & (demand.empty_room(self._free) < demand.least)
        found += _reason("capacity", lost, f"too small for {demand.size}")
        left &= ~lost
        lost = left & (self._alone < demand.least)
        if lost.any():
            window = self._busy_window(lost)
            found += _reason("busy", lost, f"busy {_shown(window)}", window)
        left &= ~lost
        lost = left & (self._room < demand.least)
        if self._gave_up:
            hosts = int(np.count_nonzero(lost))
            text = f"{hosts} taken by the rest of the request, all of which was not found to fit"
            found.append(Reason("together", hosts, text, request.window))
        left &= ~lost
        hosts = int(np.count_nonzero(left))
        verdict = demand.verdict(hosts, self._room)
        found.append(Reason(verdict.check, hosts, verdict.text, request.window))
        return (*found, *self._kept())

    def _busy_window(self, lost: BoolArray) -> Window:
        """From when the first of these hosts lacks room until the last has it again."""
        spans = self._free.lacking(self._request, self._request.window, self._demand.least)
        here = spans.where(lost[spans.slot])
        return Window(int(here.start.min()), int(here.end.max()))

    def _kept(self) -> list[Reason]:
        """Whether what a running reservation holds could stay."""
        request = self._request
        if not request.pinned:
            return []
        held = sum(placement.units for placement in request.keep)
        most = self._demand.maximum
        if held > most:
            text = f"the reservation is running and can only grow: it has {held}, {most} asked"
            return [Reason("kept", len(request.keep), text)]
        stuck = sum(not self._stays(placement) for placement in request.keep)
        if not stuck:
            return []
        text = f"the reservation is running and cannot stay on {stuck} of its {len(request.keep)}"
        return [Reason("kept", stuck, text, request.window)]

    def _stays(self, placement: Placement) -> bool:
        slot = self._free.ledger.slot(placement.host)
        return slot is not None and bool(self._room[slot] >= placement.units)


def _reason(check: str, lost: BoolArray, text: str, window: Window | None = None) -> list[Reason]:
    hosts = int(np.count_nonzero(lost))
    return [Reason(check, hosts, f"{hosts} {text}", window)] if hosts else []


def _shown(window: Window) -> str:
    start, end = _instant(window.start), _instant(window.end)
    return f"{start} to {end}" if end else f"from {start}"


def _instant(micros: int) -> str | None:
    """A time for people, to the minute; None for one that no calendar has."""
    try:
        instant = datetime.fromtimestamp(micros // 10**6, UTC)
    except (OverflowError, ValueError):
        return None
    return f"{instant:%Y-%m-%d %H:%M}"
