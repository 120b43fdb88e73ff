# SPDX-License-Identifier: Apache-2.0
"""Why not, how much then, and when else? The answer to a refusal, in words and figures.

Hosts are sifted in a fixed order and each is counted once, under the first check it fails.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from promise_blazar.capacity.admission import Refusal, admit
from promise_blazar.capacity.arrays import BoolArray
from promise_blazar.capacity.demand.request import (
    AllocationRequest,
    Placement,
    Slots,
    WholeHosts,
    Window,
)
from promise_blazar.capacity.free_capacity import FreeCapacity, Given
from promise_blazar.capacity.ledger import Ledger
from promise_blazar.capacity.window_search import MINUTE, next_windows

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


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
    is, ``{"hosts": n}`` or ``{"slots": n}``. ``alternatives``: windows of all requests together,
    earliest first; later ones than ``looked_until`` were not looked at.
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
    grain: int = MINUTE,
) -> Explanation:
    """Why ``admit`` refuses these requests, for the first that fails.

    ``alternatives``: how many other windows to look for; they start at multiples of ``grain``.
    """
    total = len(ledger.hosts)
    refusal = admit(ledger, requests, now, exclude)
    if not isinstance(refusal, Refusal):
        return Explanation("", total)
    by_key = {request.key: request for request in requests}
    request = by_key[refusal.key]
    rooms = FreeCapacity(ledger, now, exclude)
    others = [
        Given(by_key[key], _by_slot(ledger, placements))
        for key, placements in refusal.beside.items()
    ]
    sieve = _Sieve(rooms, request, others, refusal.gave_up)
    found = next_windows(ledger, requests, now, exclude, alternatives, grain)
    return Explanation(
        key=request.key,
        total=total,
        reasons=sieve.reasons(),
        fits=sieve.fits(),
        alternatives=found.windows,
        looked_until=found.looked_until,
    )


def _by_slot(ledger: Ledger, placements: Sequence[Placement]) -> dict[int, int]:
    slots = ((ledger.slot(placement.host), placement.units) for placement in placements)
    return {slot: units for slot, units in slots if slot is not None}


class _Sieve:
    """One request that fails, alone or (``gave_up``) beside what others were given."""

    def __init__(
        self,
        rooms: FreeCapacity,
        request: AllocationRequest,
        others: Sequence[Given],
        gave_up: bool,
    ) -> None:
        self._gave_up = gave_up
        self._rooms = rooms
        self._request = request
        self._alone = rooms.room(request)
        self._room = rooms.room(request, others)

    def fits(self) -> Mapping[str, int]:
        demand = self._request.demand
        if isinstance(demand, WholeHosts):
            return {"hosts": int(self._room.sum())}
        if demand.affinity is None:
            return {"slots": int(self._room.sum())}
        if demand.affinity:
            return {"slots": int(self._room.max(initial=0))}
        return {"slots": int(np.count_nonzero(self._room))}

    def reasons(self) -> tuple[Reason, ...]:
        ledger, request = self._rooms.ledger, self._request
        if not ledger.hosts:
            return (Reason("hosts", 0, "none is registered"),)
        found: list[Reason] = []
        left = ledger.reservable().copy()
        away = len(ledger.hosts) - int(np.count_nonzero(left))
        if away:
            found.append(Reason("hosts", away, f"{away} not in service"))
        for query in request.demand.where:
            lost = left & ~ledger.matching(query)
            found += _reason("property", lost, f"lack {query}")
            left &= ~lost
        if isinstance(request.demand, Slots):
            lost = left & (self._rooms.empty_room(request.demand) < self._units)
            found += _reason("capacity", lost, f"too small for {self._size(request.demand)}")
            left &= ~lost
        lost = left & (self._alone < self._units)
        if lost.any():
            window = self._busy_window(lost)
            found += _reason("busy", lost, f"busy {_shown(window)}", window)
        left &= ~lost
        lost = left & (self._room < self._units)
        if self._gave_up:
            hosts = int(np.count_nonzero(lost))
            text = f"{hosts} taken by the rest of the request, all of which was not found to fit"
            found.append(Reason("together", hosts, text, request.window))
        left &= ~lost
        return (*found, *self._verdict(left))

    @property
    def _units(self) -> int:
        """What one host must have room for, to be of any use."""
        demand = self._request.demand
        return demand.amount if isinstance(demand, Slots) and demand.affinity else 1

    def _size(self, demand: Slots) -> str:
        slot = ", ".join(f"{amount} {name}" for name, amount in demand.taken.items())
        return f"{self._units} slots of {slot}" if self._units > 1 else f"a slot of {slot}"

    def _busy_window(self, lost: BoolArray) -> Window:
        """From when the first of these hosts lacks room until the last has it again."""
        window = self._request.window
        spans = self._rooms.lacking(self._request, window, self._units)
        here = lost[spans.slot]
        return Window(int(spans.start[here].min()), int(spans.end[here].max()))

    def _verdict(self, left: BoolArray) -> list[Reason]:
        """What remains, against what is asked; and whether what is held could stay."""
        demand, window = self._request.demand, self._request.window
        hosts = int(np.count_nonzero(left))
        (most,) = self.fits().values()
        if isinstance(demand, WholeHosts):
            enough = Reason("fits", hosts, f"{hosts} fit, {demand.minimum} asked", window)
        elif demand.affinity is None:
            text = f"{hosts} fit for {most} slots, {demand.amount} asked"
            enough = Reason("fits", hosts, text, window)
        elif demand.affinity:
            text = f"none has room for all {demand.amount} slots, the roomiest has for {most}"
            enough = Reason("affinity", hosts, text, window)
        else:
            text = f"{hosts} fit, each slot needs another and {demand.amount} are asked"
            enough = Reason("affinity", hosts, text, window)
        return [enough, *self._kept()]

    def _kept(self) -> list[Reason]:
        request = self._request
        if not request.pinned:
            return []
        held = sum(placement.units for placement in request.keep)
        most = (
            request.demand.maximum
            if isinstance(request.demand, WholeHosts)
            else request.demand.amount
        )
        if held > most:
            text = f"the reservation is running and can only grow: it has {held}, {most} asked"
            return [Reason("kept", len(request.keep), text)]
        stuck = sum(not self._stays(placement) for placement in request.keep)
        if not stuck:
            return []
        text = f"the reservation is running and cannot stay on {stuck} of its {len(request.keep)}"
        return [Reason("kept", stuck, text, request.window)]

    def _stays(self, placement: Placement) -> bool:
        slot = self._rooms.ledger.slot(placement.host)
        return slot is not None and bool(self._room[slot] >= placement.units)


def _reason(check: str, lost: BoolArray, text: str, window: Window | None = None) -> list[Reason]:
    hosts = int(np.count_nonzero(lost))
    return [Reason(check, hosts, f"{hosts} {text}", window)] if hosts else []


def _shown(window: Window) -> str:
    start, end = _instant(window.start), _instant(window.end)
    return f"{start} to {end}" if end else f"from {start}"


def _instant(micros: int) -> str | None:
    """A time for people, to the minute; None for one that never comes."""
    if not 0 <= micros <= _LATEST:
        return None
    return f"{_EPOCH + timedelta(microseconds=micros):%Y-%m-%d %H:%M}"
