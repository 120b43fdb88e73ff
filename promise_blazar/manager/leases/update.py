# SPDX-License-Identifier: Apache-2.0
"""Update of a lease: all of the change in one transaction, or none of it."""

import logging
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, replace
from datetime import timedelta

from promise_blazar import deadline, exceptions
from promise_blazar.clock import Clock
from promise_blazar.context import RequestContext
from promise_blazar.db import leases
from promise_blazar.db.session import Connection, Database
from promise_blazar.manager.contract.messages import LeaseChange, LeaseView
from promise_blazar.manager.leases.plan import UpdatePlans, WorkedOn
from promise_blazar.manager.leases.revision import Revision
from promise_blazar.manager.ledger.changes import KnownRules, RevisedLease
from promise_blazar.manager.ledger.store import LedgerStore, Refused
from promise_blazar.manager.ledger.writing import Changed
from promise_blazar.manager.provider import Providers
from promise_blazar.manager.queries.views import lease_view, refusal
from promise_blazar.manager.workflow.engine import Engine
from promise_blazar.model import lifecycle
from promise_blazar.model.manager import PREPARED_LATER
from promise_blazar.model.states import LeaseStatus, Preparation
from promise_blazar.waiters import Patience

LOG = logging.getLogger(__name__)

#: Times that a change is understood anew, where only the engine has touched the lease since.
MOST_TRIES = 5


@dataclass(frozen=True, slots=True)
class UpdateSettings:
    """``prepare_ahead``: as the option of this name. ``patience``: of requests, for OpenStack."""

    prepare_ahead: timedelta
    patience: Patience


class LeaseUpdates:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        providers: Providers,
        engine: Engine,
        settings: UpdateSettings,
    ) -> None:
        self._database = database
        self._clock = clock
        self._providers = providers
        self._engine = engine
        self._settings = settings
        self._plans = UpdatePlans(database, clock, providers, settings.prepare_ahead)

    def update(
        self,
        context: RequestContext,
        lease_id: str,
        change: LeaseChange,
        wait: float | None = None,
    ) -> None:
        """See ``interface.Manager.update_lease``."""
        change = self._plans.without_repetitions(lease_id, change)
        if _renames(change):
            self._rename(lease_id, change)
            return
        with self._settings.patience.granted(wait) as seconds:
            for _ in range(MOST_TRIES):
                revision = self._plan_soon(context, lease_id, change, seconds)
                try:
                    if revision.groups and change.groups is not None:
                        self._ledger(revision).rehearse(revision.requests, revision.numbers)
                        raise exceptions.GroupsWanted(groups=[*map(list, revision.groups)])
                    self._commit(revision, seconds)
                    return
                except Refused as refused:
                    raise refusal(refused.explanation, revision.keys) from None
                except Changed:
                    lease, _ = self._plans.load(lease_id)
                    if self._plans.wish(lease) != self._plans.wish(revision.before):
                        raise
        raise exceptions.Busy(retry_after=1)

    def rehearse(self, context: RequestContext, lease_id: str, change: LeaseChange) -> LeaseView:
        """The same checks; what the lease would be, and nothing made of it."""
        change = self._plans.without_repetitions(lease_id, change)
        if _renames(change):
            lease, _ = self._plans.load(lease_id)
            renamed = replace(lease, name=change.name or lease.name)
            return lease_view(renamed, self._providers[lease.provider_id].plugins)
        revision = self._plans.plan(context, lease_id, change)
        try:
            self._ledger(revision).rehearse(revision.requests, revision.numbers)
        except Refused as refused:
            raise refusal(refused.explanation, revision.keys) from None
        before = revision.before
        shown = replace(
            revision.after,
            updated_at=before.updated_at,
            reason=before.reason,
            operator_reason=before.operator_reason,
        )
        return lease_view(shown, self._providers[shown.provider_id].plugins)

    def _ledger(self, revision: Revision) -> LedgerStore:
        return self._providers[revision.before.provider_id].ledger

    def _rename(self, lease_id: str, change: LeaseChange) -> None:
        values = {"name": change.name, "updated_at": self._clock.now()}

        def write(connection: Connection) -> bool:
            found = leases.set_lease(connection, lease_id, values)
            deadline.check()
            return found

        if change.name is not None and not self._database.transact(write):
            raise exceptions.NotFound(object={"lease_id": lease_id})

    def _plan_soon(
        self, context: RequestContext, lease_id: str, change: LeaseChange, seconds: float
    ) -> Revision:
        """The plan, when nobody works on the lease any more, within so many seconds."""
        try:
            return self._plans.plan(context, lease_id, change)
        except WorkedOn:
            if seconds <= 0:
                raise
        self._engine.progress.wait(lease_id, lambda: self._idle(lease_id), seconds)
        return self._plans.plan(context, lease_id, change)

    def _idle(self, lease_id: str) -> bool:
        return self._plans.load(lease_id)[0].owner is None

    def _commit(self, revision: Revision, seconds: float) -> None:
        before, after = revision.before, revision.after
        now = after.updated_at or self._clock.now()
        if self._plans.has_time(before, after.start, now):
            try:
                self._promise(revision)
                return
            except exceptions.Unavailable as error:
                # A manager lives that would not prepare it at its start.
                if error.facts.get("what") != "manager" or before.owner is not None:
                    raise
        running = lifecycle.started(before)
        unprepared = not running and before.preparation != Preparation.DONE
        to_realise = bool(revision.details) or unprepared or (running and bool(revision.requests))
        ownership = self._engine.new_ownership(after.id, after.attempt)
        if to_realise:
            after = replace(
                after,
                status=LeaseStatus.UPDATING,
                owner=ownership.owner,
                failures=0,
                look_at=after.updated_at,
            )
        since = {(b.reservation_id, b.host_id): b.start for b in revision.booked if running}
        with self._engine.holding(after.id):
            self._ledger(revision).commit(
                revision.requests,
                RevisedLease(before, after, revision.details, since),
                revision.numbers,
            )
            LOG.info("Lease %s is updated", after.id)
            future = self._engine.submit(ownership, after) if to_realise else None
        if future is not None:
            try:
                future.result(timeout=seconds)
            except NotYet:
                LOG.info("Lease %s: the update goes on in the background", after.id)
        self._engine.wake()

    def _promise(self, revision: Revision) -> None:
        """Change a lease that has time: nothing is asked of OpenStack yet."""
        before, after = revision.before, revision.after
        knowing = None
        if revision.details and before.preparation == Preparation.DONE:
            knowing = KnownRules(PREPARED_LATER, self._engine.dead())
        if knowing is not None or revision.grouped:
            # What there is of it has to change; or a server group is the first that there is.
            after = replace(after, preparation=Preparation.BEGUN)
        if after.preparation != Preparation.DONE:
            by = lifecycle.prepare_by(after.start, self._settings.prepare_ahead)
            after = replace(after, failures=0, look_at=by)
        with self._engine.idle_gate.request():
            self._ledger(revision).commit(
                revision.requests,
                RevisedLease(before, after, revision.details, {}, knowing),
                revision.numbers,
            )
        LOG.info("Lease %s is updated", after.id)
        self._engine.wake()


def _renames(change: LeaseChange) -> bool:
    """Whether it changes the name and nothing else."""
    return replace(change, groups=None) == LeaseChange(name=change.name)
