# SPDX-License-Identifier: Apache-2.0
"""Availability: the earliest windows in which a lease would be admitted, if it were asked for."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from promise_blazar import exceptions, times
from promise_blazar.capacity.admission import Plan, admit
from promise_blazar.capacity.budget import EVALUATIONS, Budget, OutOfTime
from promise_blazar.capacity.demand.contract import Demand
from promise_blazar.capacity.demand.request import AllocationRequest, Window
from promise_blazar.capacity.explanation import (
    NOT_ALL_WAYS,
    Explanation,
    explain,
    unexplained,
)
from promise_blazar.capacity.ledger import Ledger
from promise_blazar.capacity.window_search import MINUTE, next_windows
from promise_blazar.clock import Clock
from promise_blazar.context import RequestContext
from promise_blazar.db.session import ReadHandle
from promise_blazar.manager.contract.messages import ReservationRequest
from promise_blazar.manager.contract.questions import (
    AvailabilityAnswer,
    AvailabilityQuestion,
    ReasonView,
    WindowView,
)
from promise_blazar.manager.queries.asking import AskedLedger, Present
from promise_blazar.manager.queries.private_properties import hidden_from
from promise_blazar.manager.queries.views import refusal
from promise_blazar.plugins.contract import ResourceType
from promise_blazar.plugins.inputs import Heeded

#: How far ahead is looked where nobody says.
_AHEAD: Final = timedelta(days=90)
_MOST_WINDOWS: Final = 20
_MINUTE: Final = timedelta(minutes=1) // timedelta(seconds=1)
#: How much of its time a question spends on the search; the rest is for the reasons.
_SEARCH: Final = 0.75


@dataclass(frozen=True, slots=True)
class _Wanted:
    """``first``: the earliest start; ``latest``: of the end; ``length``: of a window, all in
    microseconds. ``limit``: of windows."""

    demands: list[Demand]
    first: int
    latest: int
    length: int
    limit: int
    project: str

    def at(self, start: int) -> list[AllocationRequest]:
        """The requests of a lease that starts then, as a create would make them."""
        window = Window(start, start + self.length)
        return [
            AllocationRequest(str(place), demand, window, project=self.project)
            for place, demand in enumerate(self.demands)
        ]


@dataclass(slots=True)
class _Found:
    """``until``: where the search ended unfinished; None: it did not. ``gave_up``: at some of the
    starts a create would be refused without a proof."""

    windows: list[Window] = field(default_factory=list)
    until: int | None = None
    gave_up: bool = False


class AvailabilityQueries:
    """See ``interface.Asking.availability``. ``type_of``: the resource type of new reservations by
    its name; raises ``UnsupportedResourceType``."""

    def __init__(
        self,
        database: ReadHandle,
        ledger: AskedLedger,
        type_of: Callable[[str], ResourceType],
        clock: Clock,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._type_of = type_of
        self._clock = clock

    def answer(
        self, context: RequestContext, question: AvailabilityQuestion
    ) -> AvailabilityAnswer:
        wanted = self._wanted(context, question)
        self._ledger.check_queries(wanted.at(wanted.first))

        def copied(ledger: Ledger, now: int) -> Ledger:
            return ledger.excerpt(wanted.first, wanted.latest, now)

        def answered(present: Present, budget: Budget) -> AvailabilityAnswer:
            return _answer(present, budget, wanted)

        return self._ledger.ask(copied, answered, context.project_id)

    def _wanted(self, context: RequestContext, question: AvailabilityQuestion) -> _Wanted:
        """Raises ``BadInput``, and what a create raises for such reservations."""
        now = self._clock.now()
        if not question.reservations:
            raise exceptions.BadInput("reservations: at least one is meant")
        if question.duration < 1 or question.duration % _MINUTE:
            raise exceptions.BadInput("duration: whole minutes are meant, in seconds")
        if not 1 <= question.limit <= _MOST_WINDOWS:
            raise exceptions.BadInput(f"limit: 1 to {_MOST_WINDOWS} windows")
        earliest = times.parse(question.earliest or "now", now)
        if earliest < times.floor_minute(now):
            raise exceptions.BadInput("earliest: it is in the past")
        # Where it is none, the first minute after it.
        first = -(times.to_micros(earliest) // -MINUTE) * MINUTE
        latest = _latest(question, earliest, now)
        length = question.duration * 10**6
        if first + length > latest:
            raise exceptions.BadInput("latest: no window as long as the duration ends by then")
        return _Wanted(
            self._demands(context, question.reservations),
            first,
            latest,
            length,
            question.limit,
            question.project_id or context.project_id,
        )

    def _demands(
        self, context: RequestContext, reservations: Iterable[ReservationRequest]
    ) -> list[Demand]:
        demands: list[Demand] = []
        for place, item in enumerate(reservations):
            kind: Any = self._type_of(item.resource_type)
            values = Heeded(item.values)
            demands.append(kind.demand(kind.parse(values)))
            if values.unheeded:
                raise exceptions.BadInput(
                    f"reservations[{place}].{min(values.unheeded)} must be left out: "
                    f"{item.resource_type} has no such member"
                )
        queries = [query for demand in demands for query in demand.where]
        hidden = frozenset(hidden_from(context, self._database, queries))
        return [demand.blind_to(hidden) if hidden else demand for demand in demands]


def _latest(question: AvailabilityQuestion, earliest: datetime, now: datetime) -> int:
    if question.latest is None:
        return min(times.to_micros(earliest) + _AHEAD // times.MICROSECOND, times.LATEST)
    return times.to_micros(times.parse(question.latest, now))


def _answer(present: Present, budget: Budget, wanted: _Wanted) -> AvailabilityAnswer:
    found = _Found()
    try:
        _search(present, budget.part(seconds=_SEARCH * budget.seconds), wanted, found)
    except OutOfTime:
        found.until = found.until or wanted.first
    until = None if found.until is None else times.from_micros(min(found.until, wanted.latest))
    if found.windows:
        return AvailabilityAnswer(tuple(map(_shown, found.windows)), until)
    facts = refusal(_why(present, budget, wanted, found)).facts
    reasons = tuple(_reason(each) for each in facts["reasons"])
    return AvailabilityAnswer((), until, reasons, facts["fits"])


def _search(present: Present, budget: Budget, wanted: _Wanted, found: _Found) -> None:
    """The windows, one after another, each from where the last one ended."""
    ledger, now = present.ledger, present.now
    start = wanted.first
    while len(found.windows) < wanted.limit and start + wanted.length <= wanted.latest:
        found.until = start  # should the time end here
        if start <= now:
            # What has passed of this minute is owed to nobody.
            requests = _ahead(wanted.at(start), now)
            answer = admit(ledger, requests, now, budget=budget.part(EVALUATIONS))
            if isinstance(answer, Plan):
                window = Window(start, start + wanted.length)
            else:
                found.gave_up |= answer.gave_up
                start = now // MINUTE * MINUTE + MINUTE
                continue
        else:
            search = next_windows(ledger, wanted.at(start), now, budget=budget)
            if not search.windows:
                found.gave_up |= not search.complete
                found.until = None if search.finished else search.looked_until
                return
            window = search.windows[0]
            if window.end > wanted.latest:
                break
        found.windows.append(window)
        start = -(window.end // -MINUTE) * MINUTE
    found.until = None


def _ahead(requests: Iterable[AllocationRequest], now: int) -> list[AllocationRequest]:
    return [
        replace(each, window=Window(max(each.window.start, now), max(each.window.end, now + 1)))
        for each in requests
    ]


def _why(present: Present, budget: Budget, wanted: _Wanted, found: _Found) -> Explanation:
    """Why a lease would be refused that starts as early as can be, in the words of a create."""
    ledger, now = present.ledger, present.now
    requests = _ahead(wanted.at(wanted.first), now)
    try:
        why = explain(ledger, requests, now, alternatives=0, budget=budget.anew(EVALUATIONS))
    except OutOfTime:
        why = Explanation("0", len(ledger.hosts))
    if not why.reasons:
        return unexplained("0", len(ledger.hosts), len(requests), "this takes too long")
    if found.gave_up and found.until is None:
        return replace(why, reasons=(*why.reasons, NOT_ALL_WAYS))
    return why


def _reason(told: dict[str, Any]) -> ReasonView:
    window = told["window"] and WindowView(
        *(datetime.fromisoformat(told["window"][each]) for each in ("start", "end"))
    )
    return ReasonView(told["check"], told["hosts"], told["text"], window, told["reservation"])


def _shown(window: Window) -> WindowView:
    return WindowView(times.from_micros(window.start), times.from_micros(window.end))
