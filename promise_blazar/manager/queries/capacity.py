# SPDX-License-Identifier: Apache-2.0
"""Capacity of a window: what there is, what of it is promised, and what is free, when."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from promise_blazar import exceptions, times
from promise_blazar.capacity.budget import Budget
from promise_blazar.capacity.demand.request import Window
from promise_blazar.capacity.figures import Series, changes, least
from promise_blazar.capacity.fits import fits
from promise_blazar.capacity.ledger import Ledger
from promise_blazar.capacity.pool_timeline import PoolTimeline
from promise_blazar.clock import Clock
from promise_blazar.context import RequestContext
from promise_blazar.db.session import ReadHandle
from promise_blazar.manager.contract.questions import (
    CapacityAnswer,
    CapacityFigures,
    CapacityQuestion,
    CapacitySeries,
    FlavorFits,
    SeriesColumns,
)
from promise_blazar.manager.queries.adjustments import provider_named
from promise_blazar.manager.queries.asking import AskedLedger, Present

#: The most figures in a series: of three classes, more minutes than 90 days have.
_MOST_FIGURES: Final = 400_000


@dataclass(frozen=True, slots=True)
class _Asked:
    """The window as it was asked for; ``end`` None: an instant."""

    start: datetime
    end: datetime | None

    def from_now(self, now: int) -> Window:
        """What is not over of it; in microseconds."""
        start = max(times.to_micros(self.start), now)
        end = start if self.end is None else times.to_micros(self.end)
        return Window(start, max(end, start + 1))


class CapacityQueries:
    """See ``interface.Asking.capacity``."""

    def __init__(
        self, database: ReadHandle, ledger: AskedLedger, provider_id: int, clock: Clock
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._provider_id = provider_id
        self._clock = clock

    def answer(self, context: RequestContext, question: CapacityQuestion) -> CapacityAnswer:
        asked = _window(question, self._clock.now())
        if question.flavor is not None and not any(question.flavor.amounts.values()):
            raise exceptions.BadInput("flavor: it takes none of what is counted")
        if question.provider is not None:
            self._check_provider(question.provider)

        def copied(ledger: Ledger, now: int) -> Ledger:
            window, only = asked.from_now(now), None
            if question.zone is not None and question.flavor is None:
                only = ledger.in_scope(question.zone)  # what fits depends on the provider too
            return ledger.excerpt(window.start, window.end, now, only)

        def figured(present: Present, budget: Budget) -> CapacityAnswer:
            return _answer(present, budget, question, asked, context.project_id)

        return self._ledger.ask(copied, figured, context.project_id)

    def _check_provider(self, name: str) -> None:
        with self._database.reader() as connection:
            provider = provider_named(connection, name, self._provider_id)
        if provider != self._provider_id:
            raise exceptions.BadInput(f"provider: no manager here works with {name}")


def _window(question: CapacityQuestion, now: datetime) -> _Asked:
    start = times.parse(question.start, now)
    if start < times.floor_minute(now):
        raise exceptions.BadInput("start: it is in the past")
    if question.end is None:
        return _Asked(start, None)
    end = times.parse(question.end, now)
    if end <= start:
        raise exceptions.BadInput("end: it is not after the start")
    return _Asked(start, end)


def _answer(
    present: Present, budget: Budget, question: CapacityQuestion, asked: _Asked, caller: str
) -> CapacityAnswer:
    """``caller``: the project that asks."""
    ledger, window = present.ledger, asked.from_now(present.now)
    classes = _classes(ledger, question)
    rows = ledger.rows(window.start, window.end, present.now, at_once=False)
    budget.spend(len(rows))
    timeline = PoolTimeline(ledger, rows, window, question.zone, classes, question.project_id)

    def shown(micros: int) -> datetime:
        """As it was asked for: the present minute, not the present instant."""
        return asked.start if micros == window.start else times.from_micros(micros)

    fit = None
    if question.flavor is not None:
        # Nobody has the whole: who asks about it could have what its project could.
        project = question.project_id or caller
        found = fits(ledger, window, question.flavor.amounts, question.zone, project, budget)
        fit = FlavorFits(found.pool, found.hosts, found.count)
    series = None
    if question.series:
        series = _series(changes(timeline, classes), asked)
    return CapacityAnswer(
        start=asked.start,
        end=asked.start if asked.end is None else asked.end,
        capacity={
            name: CapacityFigures(
                each.total,
                each.reserved,
                each.used,
                each.available,
                each.shortfall,
                shown(each.at),
            )
            for name, each in least(timeline, classes).items()
        },
        series=series,
        fits=fit,
    )


def _classes(ledger: Ledger, question: CapacityQuestion) -> list[str]:
    """Those that are asked for; all that are tracked where none is named. Raises ``BadInput``."""
    if question.zone is not None and question.zone not in ledger.zones():
        raise exceptions.BadInput(f"zone: nothing is on offer in {question.zone}")
    tracked = ledger.tracked(question.zone)
    if not question.resource_classes:
        return tracked
    unknown = sorted(set(question.resource_classes).difference(tracked))
    if unknown:
        raise exceptions.BadInput(
            f"resource_class: {', '.join(unknown)} is not tracked here; there are "
            f"{', '.join(tracked) or 'none'}"
        )
    return list(dict.fromkeys(question.resource_classes))


def _series(series: Series, asked: _Asked) -> CapacitySeries:
    """Raises ``BadInput`` for one that is too long."""
    if len(series) * max(len(series.columns), 1) > _MOST_FIGURES:
        raise exceptions.BadInput(
            f"series: it has {len(series)} instants of {len(series.columns)} classes; ask for a "
            "shorter window, for fewer classes, or without a series"
        )
    at = series.times.tolist()
    return CapacitySeries(
        # As it was asked for: the present minute, not the present instant.
        (times.to_micros(asked.start), *at[1:]),
        {
            name: SeriesColumns(
                tuple(each.total.tolist()),
                tuple(each.reserved.tolist()),
                tuple(each.used.tolist()),
                tuple(each.available.tolist()),
                tuple(each.shortfall.tolist()),
            )
            for name, each in series.columns.items()
        },
    )
