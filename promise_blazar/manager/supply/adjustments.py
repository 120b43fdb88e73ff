# SPDX-License-Identifier: Apache-2.0
"""Adjustments of the capacity on offer: made and taken back, and no promise broken unasked."""

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

from promise_blazar import exceptions
from promise_blazar.clock import Clock
from promise_blazar.context import RequestContext
from promise_blazar.db import adjustments, affected, idempotency, settled
from promise_blazar.db.affected import Listed
from promise_blazar.db.session import Database
from promise_blazar.manager.contract.adjustments import (
    LISTED,
    AdjustmentRequest,
    AdjustmentView,
    AffectedView,
)
from promise_blazar.manager.contract.messages import IdempotencyKey
from promise_blazar.manager.idempotency import Answers
from promise_blazar.manager.ledger.changes import (
    DroppedAdjustment,
    KnownRules,
    NewAdjustment,
    SupplyChange,
)
from promise_blazar.manager.ledger.supply_rules import Judgement
from promise_blazar.manager.provider import ProviderRuntime, Providers
from promise_blazar.manager.queries.adjustments import provider_named, view, views
from promise_blazar.manager.supply import validation
from promise_blazar.manager.supply.marks import Marks
from promise_blazar.manager.supply.relief import Relief
from promise_blazar.model.adjustment import Adjustment
from promise_blazar.model.manager import ADJUSTMENTS
from promise_blazar.model.words import counted

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Wish:
    """A request that is understood. ``names``: of its provider, and the uuid of its source."""

    change: NewAdjustment
    provider: ProviderRuntime
    names: tuple[str, str | None]


class Adjustments:
    """``dead``: the managers that are known to be."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        providers: Providers,
        answers: Answers,
        dead: Callable[[], frozenset[str]],
    ) -> None:
        self._database = database
        self._clock = clock
        self._providers = providers
        self._answers = answers
        self._dead = dead

    def create(
        self,
        context: RequestContext,
        request: AdjustmentRequest,
        key: IdempotencyKey | None,
        dry_run: bool,
    ) -> AdjustmentView:
        """See ``interface.Manager.create_adjustment``."""
        if dry_run:
            if key is not None:
                self._answers.check(context, key)
            return self._rehearse(self._wish(context, request, None))
        return self._answers.once(
            context,
            key,
            AdjustmentView,
            self._present,
            lambda: self._once(context, request, key),
        )

    def delete(
        self, adjustment_id: str, force: bool, dry_run: bool, message: str | None
    ) -> AffectedView:
        """See ``interface.Manager.delete_adjustment``."""
        if dry_run:
            found = self._found(adjustment_id)
            change = DroppedAdjustment(found, self._clock.now(), force)
            provider = self._providers[found.provider_id]
            return _view(self._told(change, provider.ledger.rehearse_adjustment(change)))
        try:
            return self._take_back(adjustment_id, force, message)
        except (exceptions.NotFound, exceptions.Conflict, exceptions.Busy) as error:
            gone = isinstance(error, exceptions.NotFound)
            told = None if message is None else self._answered(adjustment_id, message, gone)
            if told is None:
                raise
            return told

    def _take_back(self, adjustment_id: str, force: bool, message: str | None) -> AffectedView:
        found = self._found(adjustment_id)
        provider = self._providers[found.provider_id]
        change = DroppedAdjustment(found, self._clock.now(), force, message)
        told = self._decided(provider, change)
        LOG.warning("Adjustment %s is deleted%s", adjustment_id, _affecting(told))
        self._relief(provider)
        return _view(told)

    def _found(self, adjustment_id: str) -> Adjustment:
        with self._database.reader() as connection:
            found = adjustments.get(connection, adjustment_id)
        if found is None:
            raise exceptions.NotFound(object={"adjustment_id": adjustment_id})
        return found

    def _answered(self, adjustment_id: str, message: str, gone: bool) -> AffectedView | None:
        """What a message was answered that came before, and took the adjustment back.

        None: it did not come before. A no to it stands from now on, and raises ``Conflict`` where
        it does already; ``gone``: that there is no such adjustment needs not to be kept.
        """
        with self._database.reader() as connection:
            before = settled.there(connection, message)
            found = adjustments.any_of(connection, adjustment_id)
        if not before:
            return None if gone else self._settle(adjustment_id, message)
        if found is None:
            return AffectedView()
        if not found.deleted:
            raise exceptions.Conflict("This very request was answered before")
        self._mark(self._providers[found.provider_id], adjustment_id, None)
        with self._database.reader() as connection:
            return _view(affected.listed(connection, [found.id], LISTED).get(found.id))

    def _settle(self, adjustment_id: str, message: str) -> AffectedView | None:
        now = self._clock.now()
        try:
            self._database.transact(lambda connection: settled.add(connection, message, now))
        except settled.Taken:  # at this moment
            return self._answered(adjustment_id, message, gone=False)
        return None

    def _once(
        self, context: RequestContext, request: AdjustmentRequest, key: IdempotencyKey | None
    ) -> AdjustmentView:
        """The adjustment made, or none; and once more the same, when the same message comes
        again."""
        try:
            return self._make(self._wish(context, request, key))
        except (exceptions.Conflict, exceptions.Busy):
            made = None if request.id is None else self._refused_for_good(request.id)
            if made is None:
                raise
            return made

    def _make(self, wish: _Wish) -> AdjustmentView:
        change = wish.change
        told = self._decided(wish.provider, change)
        made = view(change.adjustment, *wish.names, told)
        if change.key is not None:
            self._answers.keep(made.id, made)
        LOG.warning("Adjustment %s is made: %s%s", made.id, dict(made.resources), _affecting(told))
        self._relief(wish.provider)
        return made

    def _decided(self, provider: ProviderRuntime, change: SupplyChange) -> Listed | None:
        """Whom a change affects that is committed. Raises ``AdjustmentConflict``."""
        try:
            judgement = provider.ledger.adjust(change)
        except idempotency.Taken:
            # Another request with this key was committed while this one was being decided, or
            # the same message.
            raise exceptions.RequestInFlight() from None
        told = self._told(change, judgement)
        if judgement.affected:
            self._mark(provider, change.adjustment.uuid, judgement)
        return told

    def _mark(
        self, provider: ProviderRuntime, adjustment: str, judgement: Judgement | None
    ) -> None:
        try:
            Marks(self._database, provider).make(adjustment, judgement)
        except exceptions.PromiseBlazarError as error:
            # What was asked for is done; the marks are made with the next look.
            LOG.warning("Adjustment %s: not all marks are made yet: %s", adjustment, error)

    def _told(self, change: SupplyChange, judgement: Judgement) -> Listed | None:
        """The first of those affected, by start. Raises ``AdjustmentConflict`` where there are any
        and nobody forces it."""
        if not judgement.affected:
            return None
        with self._database.reader() as connection:
            found = affected.in_order(connection, judgement.first)
        # Those that are gone meanwhile are none.
        gone = len(judgement.first) - len(found)
        told = Listed(tuple(each.uuid for each in found), len(judgement.affected) - gone)
        if change.force or not told.count:
            return told
        count = counted(told.count, "reservation")
        raise exceptions.AdjustmentConflict(
            f"Promises would be broken, of {count}: {judgement.words}; force does it all the same",
            affected=list(told.uuids),
            affected_count=told.count,
        )

    def _rehearse(self, wish: _Wish) -> AdjustmentView:
        told = self._told(wish.change, wish.provider.ledger.rehearse_adjustment(wish.change))
        nameless = view(wish.change.adjustment, *wish.names, told)
        return replace(nameless, id="", created_at=None)

    def _wish(
        self, context: RequestContext, request: AdjustmentRequest, key: IdempotencyKey | None
    ) -> _Wish:
        """Raises ``BadInput``."""
        now = self._clock.now()
        source = None
        default = self._providers.default.id
        with self._database.reader() as connection:
            number = provider_named(connection, request.provider, default)
            if request.source is not None:
                source = adjustments.get(connection, request.source)
        provider = self._providers.get(number)
        if provider is None:
            raise exceptions.BadInput(f"provider: no manager here works with {request.provider}")
        if request.source is not None and (source is None or source.provider_id != number):
            raise exceptions.BadInput(f"source: there is no adjustment {request.source}")
        changes = validation.amounts(request)
        start, end = validation.window(request, source, now)
        adjustment = Adjustment(
            id=0,
            uuid=request.id or str(uuid.uuid4()),
            provider_id=number,
            zone=validation.zone(request, source),
            start=start,
            end=end,
            source=None if source is None else source.id,
            deleted=False,
            generation=0,
            created_at=now,
            amounts=changes,
            projects=validation.projects(request, changes),
        )
        change = NewAdjustment(
            adjustment,
            request.force,
            key,
            context.project_id,
            request.id is not None,
            KnownRules(ADJUSTMENTS, self._dead()),
        )
        return _Wish(change, provider, (provider.name, request.source))

    def _refused_for_good(self, request_id: str) -> AdjustmentView | None:
        """Let a no stand, whatever becomes free before the message comes again.

        The adjustment, if it had come before, and was made then. Raises ``Conflict`` if it was
        refused then.
        """
        now = self._clock.now()
        try:
            self._database.transact(lambda connection: settled.add(connection, request_id, now))
        except settled.Taken:
            made = self._present(request_id)
            if made is None:
                raise exceptions.Conflict("This very request was answered before") from None
            return made
        return None

    def _present(self, adjustment_id: str) -> AdjustmentView | None:
        with self._database.reader() as connection:
            found = adjustments.get(connection, adjustment_id)
        if found is None:
            return None
        # Whoever has made it may not have come to that.
        self._mark(self._providers[found.provider_id], adjustment_id, None)
        with self._database.reader() as connection:
            return views(connection, [found], LISTED)[0]

    def _relief(self, provider: ProviderRuntime) -> None:
        try:
            Relief(self._database, provider).relieve()
        except exceptions.PromiseBlazarError as error:
            # What was asked for is done; the mark goes with the next look.
            LOG.warning("Who has capacity again is not known yet: %s", error)


def _view(told: Listed | None) -> AffectedView:
    return AffectedView() if told is None else AffectedView(told.uuids, told.count)


def _affecting(told: Listed | None) -> str:
    return f"; promises are broken, of {counted(told.count, 'reservation')}" if told else ""
