# SPDX-License-Identifier: Apache-2.0
"""Explanation of a refusal in words and figures: why not, how much would fit, and when else.

Hosts are checked in a fixed order and each is counted once, under the first check it fails.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np

from promise_blazar.capacity.admission import Admission, Refusal
from promise_blazar.capacity.arrays import BoolArray
from promise_blazar.capacity.budget import Budget
from promise_blazar.capacity.demand.request import AllocationRequest, Placement, Window
from promise_blazar.capacity.free_capacity import FreeCapacity, at_once
from promise_blazar.capacity.given import Assignment, Given, UnitsBySlot
from promise_blazar.capacity.host_selection import Candidates, choose
from promise_blazar.capacity.ledger import Ledger
from promise_blazar.capacity.limits import Limit
from promise_blazar.capacity.window_search import MINUTE, FoundWindows, next_windows
from promise_blazar.model.words import agreeing, counted

#: Checks that count no hosts.
_OF_NO_HOST = ("kept", "never", "pool", "search", "unexplained")


@dataclass(frozen=True, slots=True)
class Reason:
    """``hosts`` of them failed this ``check``, or, for ``fits``, passed them all.

    Checks: ``hosts`` (not in service), ``property``, ``capacity`` (too small when empty),
    ``busy``, ``together`` (given to the rest of the request, see ``Refusal.gave_up``), ``kept``
    (a running reservation cannot leave its hosts), ``affinity``, ``fits``; and of no host:
    ``pool`` (all hosts together have too little of a class), ``never`` (not even if nothing were
    booked), ``search`` (why there is no other window), ``unexplained``. ``window``: where it is
    short.
    """

    check: str
    hosts: int
    text: str
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a request fails. No reasons: nothing fails (any more).

    ``key``: of the request that is short; ``of``: how many requests there are. ``total``: the
    hosts that there are. ``fits``: the most of it that would be admitted in that window if nothing
    had to stay where it is, by the demand's unit: ``{"hosts": n}``, ``{"slots": n}``; empty where
    room is not what is missing. ``alternatives``: windows of all requests together, earliest
    first; later ones than ``looked_until`` were not looked at. ``generation``: of the ledger that
    it is true of, where that has one.
    """

    key: str
    total: int
    of: int = 1
    reasons: tuple[Reason, ...] = ()
    fits: Mapping[str, int] = field(default_factory=dict)
    alternatives: tuple[Window, ...] = ()
    looked_until: int | None = None
    generation: int | None = None

    @property
    def text(self) -> str:
        if not self.reasons:
            return "It fits"
        of_hosts = [reason.text for reason in self.reasons if reason.check not in _OF_NO_HOST]
        parts = [f"{counted(self.total, 'host')}: {', '.join(of_hosts)}"] if of_hosts else []
        parts += [reason.text for reason in self.reasons if reason.check in _OF_NO_HOST]
        return "; ".join(parts)

    @property
    def never(self) -> bool:
        """Whether it fails in every window, whatever is booked."""
        return any(reason.check == "never" for reason in self.reasons)

    def with_windows(self, found: FoundWindows) -> "Explanation":
        """The same with what a search for other windows has found, or why it has not."""
        reasons = self.reasons
        if not (found.windows or found.fixed or self.never) and self.total:
            reasons += _of_search(found)
        return replace(
            self,
            reasons=reasons,
            alternatives=found.windows,
            looked_until=found.looked_until,
        )


#: Of a search that looked at every start, and was as bounded at each as a create is.
NOT_ALL_WAYS = Reason(
    "search", 0, "no other window was found; not all ways to place all of it were tried"
)


def unexplained(refused: str, total: int, of: int, why: str) -> Explanation:
    """A refusal, of the request with this key, of which nothing more is known, and why."""
    text = f"{why}, so what is short and when it would fit was not worked out"
    return Explanation(refused, total, of, (Reason("unexplained", 0, text),))


def explain(
    ledger: Ledger,
    requests: Sequence[AllocationRequest],
    now: int,
    exclude: frozenset[int] = frozenset(),
    alternatives: int = 1,
    granularity: int = MINUTE,
    budget: Budget | None = None,
    refusal: Refusal | None = None,
) -> Explanation:
    """Why ``admit`` refuses these requests, for the first that fails.

    ``alternatives``: how many other windows to look for; they start at multiples of
    ``granularity``. ``refusal``: what ``admit`` has answered, where that is known. ``exclude``,
    ``now``, and errors: as for ``admit``.
    """
    total, count = len(ledger.hosts), len(requests)
    budget = budget or Budget()
    free = FreeCapacity(ledger, now, exclude, budget=budget, at_once=at_once(requests))
    answer = refusal or Admission(free, requests).decide()
    if not isinstance(answer, Refusal):
        return Explanation("", total, count)
    refusal = answer
    by_key = {request.key: request for request in requests}
    request = by_key[refusal.key]
    others = Given(
        ledger.size,
        [
            Assignment(by_key[key], _by_slot(ledger, placements))
            for key, placements in refusal.beside.items()
        ],
    )
    diagnosis = _Diagnosis(free, request, others, refusal.gave_up)
    reasons = diagnosis.reasons()
    if refusal.gave_up:
        reasons += _never_together(free, requests)
    why = Explanation(request.key, total, count, reasons, diagnosis.fits())
    if not alternatives or why.never:
        return why
    return why.with_windows(
        next_windows(ledger, requests, now, exclude, alternatives, granularity, budget)
    )


def _by_slot(ledger: Ledger, placements: Sequence[Placement]) -> UnitsBySlot:
    slots = ((ledger.slot(placement.host), placement.units) for placement in placements)
    return {slot: units for slot, units in slots if slot is not None}


def _of_search(found: FoundWindows) -> tuple[Reason, ...]:
    if found.complete:
        return (Reason("search", 0, "no later window fits, as things are booked"),)
    if found.finished:
        return (NOT_ALL_WAYS,)
    until = _instant(found.looked_until)
    if until is None:
        return ()
    text = f"no other window was found until {until} UTC, where the search ended unfinished"
    return (Reason("search", 0, text),)


def _never_together(
    free: FreeCapacity, requests: Sequence[AllocationRequest]
) -> tuple[Reason, ...]:
    """Whether the hosts have less than all requests take, each of which would fit alone."""
    if any(request.pinned or request.window != requests[0].window for request in requests):
        return ()
    needed: Counter[str] = Counter()
    anywhere = np.zeros(free.ledger.size, dtype=np.bool_)
    for request in requests:
        units = sum((_on_empty_hosts(free, request) or {}).values())
        anywhere |= free.eligible(request)
        for name, amount in (request.demand.amounts or {}).items():
            needed[name] += units * amount
    for name, amount in needed.items():
        has = int(free.ledger.capacity(name)[anywhere].sum())
        if amount > has:
            text = (
                f"it will never fit on these hosts: all of it takes {amount} {name} of their {has}"
            )
            return (Reason("never", 0, text),)
    return ()


def _on_empty_hosts(free: FreeCapacity, request: AllocationRequest) -> UnitsBySlot | None:
    """The least that satisfies a request where nothing is booked; None if nothing does."""
    nobody = np.zeros(free.ledger.size, dtype=np.bool_)
    room = request.demand.empty_room(free) * free.eligible(request)
    return choose(request, Candidates(free.ledger.rank, room, nobody, {}, nobody, nobody))


class _Diagnosis:
    """One request that fails, alone or (``gave_up``) beside what others were given."""

    def __init__(
        self, free: FreeCapacity, request: AllocationRequest, others: Given, gave_up: bool
    ) -> None:
        self._gave_up = gave_up
        self._beside = bool(others)
        self._limits = free.pool.limits(request, others, every=True)
        self._free = free
        self._request = request
        self._demand = request.demand
        self._alone = free.room(request)
        self._room = free.room(request, others)
        self._held = sum(placement.units for placement in request.keep)
        self._shrinks = request.pinned and self._held > request.demand.maximum

    def fits(self) -> Mapping[str, int]:
        return (
            {}
            if self._shrinks
            else {self._demand.unit: self._demand.fits(self._room, self._limits)}
        )

    def reasons(self) -> tuple[Reason, ...]:
        ledger, demand, request = self._free.ledger, self._demand, self._request
        if not ledger.hosts:
            return (Reason("hosts", 0, "none is registered"),)
        if self._shrinks:
            return (self._no_shrinking(),)
        found: list[Reason] = []
        left = ledger.reservable().copy()
        away = len(ledger.hosts) - int(np.count_nonzero(left))
        if away:
            found.append(Reason("hosts", away, f"{away} not in service"))
        for query in demand.where:
            lost = left & ~ledger.matching(query)
            lacks = agreeing(int(np.count_nonzero(lost)), "lacks", "lack")
            found += _reason("property", lost, f"{lacks} {query}")
            left &= ~lost
        empty = demand.empty_room(self._free)
        lost = left & (empty < demand.least)
        found += _reason("capacity", lost, f"too small for {demand.size}")
        left &= ~lost
        lost = left & (self._alone < demand.least)
        if lost.any():
            window = self._busy_window(lost)
            found += _reason("busy", lost, f"busy {_shown(window)}", window)
        left &= ~lost
        lost = left & (self._room < demand.least)
        if self._gave_up and self._beside:
            hosts = int(np.count_nonzero(lost))
            text = f"{hosts} taken by the rest of the request, all of which was not found to fit"
            found.append(Reason("together", hosts, text, request.window))
        left &= ~lost
        hosts = int(np.count_nonzero(left))
        verdict = demand.verdict(hosts, self._room)
        found.append(Reason(verdict.check, hosts, verdict.text, request.window))
        return (*found, *self._pool(), *self._stuck(), *self._never())

    def _busy_window(self, lost: BoolArray) -> Window:
        """From when the first of these hosts lacks room until the last has it again."""
        spans = self._free.lacking(self._request, self._request.window, self._demand.least)
        here = spans.where(lost[spans.slot])
        return Window(int(here.start.min()), int(here.end.max()))

    def _pool(self) -> list[Reason]:
        """What pools lack of it, each by itself or all together."""
        demand, pool, limits = self._demand, self._free.pool, self._limits
        if not limits:
            return []
        eligible = self._free.eligible(self._request)
        asked = {each.zone: pool.least(self._request, eligible, each.zone) for each in limits}
        short = [each for each in limits if asked[each.zone][each.resource_class] > each.room]
        if not short:
            enough = demand.fits(self._room, limits) >= demand.minimum
            alone = self._gave_up and not self._beside
            if demand.fits(self._room) < demand.minimum or (enough and not alone):
                return []
            short = list(limits)
            asked = dict.fromkeys(asked, pool.least(self._request, eligible, None))
        found = [self._short(each, asked[each.zone][each.resource_class]) for each in short]
        if self._gave_up and not self._beside:
            text = "no hosts were found that are within all of this; not all choices were tried"
            found.append(Reason("pool", 0, text, self._request.window))
        return found

    def _short(self, limit: Limit, asked: int) -> Reason:
        """That so much of a pool is not there for what is asked."""
        where = "the pool" if limit.zone is None else f"the pool of {limit.zone}"
        window = self._free.pool.when_short(
            self._request, limit.zone, limit.resource_class, max(asked, limit.room + 1)
        )
        text = f"{where} has {limit.room} {limit.resource_class} left {_shown(window)}"
        return Reason("pool", 0, f"{text}, {asked} asked", window)

    def _no_shrinking(self) -> Reason:
        least = self._demand.maximum
        text = (
            "the reservation is running and cannot be made smaller: it has "
            f"{counted(self._held, self._demand.unit[:-1])}, and {least} "
            f"{agreeing(least, 'is', 'are')} asked for"
        )
        return Reason("kept", len(self._request.keep), text)

    def _stuck(self) -> list[Reason]:
        """Whether what a running reservation holds could stay."""
        request = self._request
        stuck = sum(not self._stays(placement) for placement in request.keep)
        if not request.pinned or not stuck:
            return []
        its = counted(len(request.keep), "host")
        text = f"the reservation is running and cannot stay on {stuck} of its {its}"
        return [Reason("kept", stuck, text, request.window)]

    def _stays(self, placement: Placement) -> bool:
        slot = self._free.ledger.slot(placement.host)
        return slot is not None and bool(self._room[slot] >= placement.units)

    def _never(self) -> list[Reason]:
        """Whether the request would fail on the same hosts if nothing were booked."""
        request = self._request
        if request.pinned or _on_empty_hosts(self._free, request) is not None:
            return []
        room = self._demand.empty_room(self._free) * self._free.eligible(request)
        most = counted(self._demand.fits(room), self._demand.unit[:-1])
        text = f"it will never fit on these hosts: {most} at most, even with nothing booked"
        return [Reason("never", 0, text)]


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
