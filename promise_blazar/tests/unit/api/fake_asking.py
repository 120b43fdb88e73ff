# SPDX-License-Identifier: Apache-2.0
"""The part of a fake manager that is asked what is free, and keeps adjustments in a dictionary."""

from datetime import UTC, datetime, timedelta

from promise_blazar import exceptions, times
from promise_blazar.context import RequestContext
from promise_blazar.manager.contract.adjustments import (
    AdjustmentPage,
    AdjustmentRequest,
    AdjustmentSelection,
    AdjustmentView,
    AffectedView,
)
from promise_blazar.manager.contract.messages import IdempotencyKey
from promise_blazar.manager.contract.questions import (
    AvailabilityAnswer,
    AvailabilityQuestion,
    CapacityAnswer,
    CapacityFigures,
    CapacityQuestion,
    CapacitySeries,
    FlavorFits,
    ReasonView,
    SeriesColumns,
    WindowView,
)

NOW = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)


class FakeAsking:
    """``free`` VCPU of 10 at every instant. What is asked goes to ``_called``."""

    def __init__(self) -> None:
        self.free = 4
        self.adjustments: dict[str, AdjustmentView] = {}
        self.affected: tuple[str, ...] = ()

    def _called(self, name: str, *what: object) -> None:
        raise NotImplementedError

    def capacity(self, context: RequestContext, question: CapacityQuestion) -> CapacityAnswer:
        self._called("capacity", context, question)
        start = times.parse(question.start, NOW)
        figures = (10, 10 - self.free, 0, self.free, 0)
        columns = SeriesColumns(*((figure,) for figure in figures))
        return CapacityAnswer(
            start,
            times.parse(question.end, NOW) if question.end else start,
            {"VCPU": CapacityFigures(*figures, start)},
            CapacitySeries((times.to_micros(start),), {"VCPU": columns})
            if question.series
            else None,
            FlavorFits(4, 3, 3) if question.flavor else None,
        )

    def availability(
        self, context: RequestContext, question: AvailabilityQuestion
    ) -> AvailabilityAnswer:
        self._called("availability", context, question)
        start = times.parse(question.earliest or "now", NOW)
        window = WindowView(start, start + timedelta(seconds=question.duration))
        if self.free:
            return AvailabilityAnswer((window,))
        reason = ReasonView("busy", 3, "3 busy", window)
        return AvailabilityAnswer((), window.end, (reason,), {"hosts": 1})

    def list_adjustments(
        self, context: RequestContext, selection: AdjustmentSelection
    ) -> AdjustmentPage:
        self._called("list_adjustments", context, selection)
        views = tuple(self.adjustments.values())
        return AdjustmentPage(views[: selection.limit], len(views) > (selection.limit or 0))

    def get_adjustment(self, context: RequestContext, adjustment_id: str) -> AdjustmentView:
        self._called("get_adjustment", context, adjustment_id)
        if adjustment_id not in self.adjustments:
            raise exceptions.NotFound(object={"adjustment_id": adjustment_id})
        return self.adjustments[adjustment_id]

    def create_adjustment(
        self,
        context: RequestContext,
        request: AdjustmentRequest,
        key: IdempotencyKey | None = None,
        dry_run: bool = False,
    ) -> AdjustmentView:
        self._called("create_adjustment", context, request, key, dry_run)
        view = AdjustmentView(
            id="" if dry_run else str(request.id),
            provider=request.provider or "default",
            zone=request.zone,
            start=times.parse(request.start, NOW),
            end=times.parse(request.end, NOW) if request.end else None,
            resources=request.resources,
            source=request.source,
            project_ids=request.project_ids,
            created_at=None if dry_run else NOW,
            affected=self.affected,
            affected_count=len(self.affected),
        )
        if not dry_run:
            self.adjustments[view.id] = view
        return view

    def delete_adjustment(
        self,
        context: RequestContext,
        adjustment_id: str,
        force: bool = False,
        dry_run: bool = False,
        message: str | None = None,
    ) -> AffectedView:
        self._called("delete_adjustment", context, adjustment_id, force, dry_run)
        self.get_adjustment(context, adjustment_id)
        if not dry_run:
            del self.adjustments[adjustment_id]
        return AffectedView(self.affected, len(self.affected))
