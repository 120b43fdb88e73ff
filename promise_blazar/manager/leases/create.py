# SPDX-License-Identifier: Apache-2.0
"""Creation of a lease: decided and committed; and prepared, if it starts soon."""

import logging
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, replace
from datetime import timedelta

from promise_blazar import deadline, exceptions
from promise_blazar.clock import Clock
from promise_blazar.context import RequestContext
from promise_blazar.db import idempotency, leases, settled
from promise_blazar.db.session import Database
from promise_blazar.manager.contract.messages import IdempotencyKey, LeaseRequest, LeaseView
from promise_blazar.manager.idempotency import Answers
from promise_blazar.manager.leases.delete import begin_deletion
from promise_blazar.manager.leases.rehearsal import rehearse
from promise_blazar.manager.leases.wish import Wish, Wishes
from promise_blazar.manager.ledger.changes import KnownRules, NewLease
from promise_blazar.manager.ledger.store import Refused
from promise_blazar.manager.provider import ProviderRuntime, Providers
from promise_blazar.manager.queries.views import lease_view, refusal
from promise_blazar.manager.workflow.engine import Engine
from promise_blazar.manager.workflow.results import trouble_in
from promise_blazar.model import lifecycle
from promise_blazar.model.lease import Lease
from promise_blazar.model.manager import PREPARED_LATER
from promise_blazar.model.states import LeaseStatus, Preparation
from promise_blazar.waiters import Patience

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CreationSettings:
    """``warning_lead``: of the before_end event. ``prepare_ahead``, ``ownership_seconds``: as the
    options of these names. ``patience``: of requests, for what is prepared."""

    warning_lead: timedelta
    prepare_ahead: timedelta
    ownership_seconds: float
    patience: Patience


class LeaseCreation:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        providers: Providers,
        engine: Engine,
        answers: Answers,
        settings: CreationSettings,
    ) -> None:
        self._database = database
        self._clock = clock
        self._providers = providers
        self._engine = engine
        self._answers = answers
        self._settings = settings
        self._wishes = Wishes(
            database, clock, providers, settings.warning_lead, settings.ownership_seconds
        )

    def create(
        self,
        context: RequestContext,
        request: LeaseRequest,
        key: IdempotencyKey | None,
        dry_run: bool,
        wait: float | None,
    ) -> LeaseView:
        """See ``interface.Manager.create_lease``."""
        if dry_run:
            if key is not None:
                self._answers.check(context, key)
            return rehearse(self._wishes.understood(context, request, None))
        return self._answers.once(
            context,
            key,
            LeaseView,
            self._present,
            lambda: self._once(context, request, key, wait),
        )

    def _once(
        self,
        context: RequestContext,
        request: LeaseRequest,
        key: IdempotencyKey | None,
        wait: float | None,
    ) -> LeaseView:
        """The lease made, or none; and once more the same, when the same message comes again."""
        try:
            return self._make(self._wishes.understood(context, request, key), wait)
        except (exceptions.Conflict, exceptions.Busy):
            made = None if request.id is None else self._refused_for_good(request.id)
            if made is None:
                raise
            return made

    def _refused_for_good(self, request_id: str) -> LeaseView | None:
        """Let a no stand, whatever becomes free before the message comes again.

        The lease, if it had come before, and was admitted then. Raises ``Conflict`` if it was
        refused then.
        """
        now = self._clock.now()
        try:
            self._database.transact(lambda connection: settled.add(connection, request_id, now))
        except settled.Taken:
            with self._database.reader() as connection:
                lease = leases.get(connection, request_id)
            if lease is None:
                raise exceptions.Conflict("This very request was answered before") from None
            return lease_view(lease, self._providers[lease.provider_id].plugins)
        return None

    def _make(self, wish: Wish, wait: float | None) -> LeaseView:
        lease, plugins = wish.lease, wish.provider.plugins
        made = self._promised(wish)
        if made is None:
            made = self._made_soon(wish, wait)
        view = lease_view(made, plugins)
        if wish.key is not None and not view.groups_wanted:
            self._answers.keep(lease.id, view)
        self._engine.wake()
        return view

    def _promised(self, wish: Wish) -> Lease | None:
        """A lease that has time, or nothing to prepare: nothing is asked of OpenStack yet.

        None: it starts soon, or a manager lives that would not prepare it at its start.
        """
        lease, ahead = wish.lease, self._settings.prepare_ahead
        if not lease.reservations:
            with self._engine.idle_gate.request():
                return self._commit(wish, lease)
        if not lifecycle.has_time(lease.start, lease.created_at, ahead):
            return None
        # The server group that the API makes next is something of it in OpenStack.
        groups = lease_view(lease, wish.provider.plugins).groups_wanted
        later = replace(
            lease,
            status=LeaseStatus.PENDING,
            preparation=Preparation.BEGUN if groups else Preparation.NONE,
            look_at=lifecycle.prepare_by(lease.start, ahead),
        )
        try:
            with self._engine.idle_gate.request():
                return self._commit(wish, later, KnownRules(PREPARED_LATER, self._engine.dead()))
        except exceptions.Unavailable as error:
            if error.facts.get("what") != "manager":
                raise
            return None

    def _made_soon(self, wish: Wish, wait: float | None) -> Lease:
        """A lease that is prepared at once, for which the request waits a while."""
        ownership = self._engine.new_ownership(wish.lease.id, wish.lease.attempt)
        with self._engine.holding(wish.lease.id):
            lease = self._commit(wish, replace(wish.lease, owner=ownership.owner))
            future = self._engine.submit(ownership, lease)
        with self._settings.patience.granted(wait) as seconds:
            return self._prepared(lease, wish.provider, future, seconds)

    def _commit(self, wish: Wish, lease: Lease, knowing: KnownRules | None = None) -> Lease:
        try:
            change = NewLease(lease, wish.key, wish.once, knowing)
            committed = wish.provider.ledger.commit(wish.requests, change)
        except Refused as refused:
            raise refusal(refused.explanation) from None
        except idempotency.Taken:
            # Another request with this key was committed while this one was being decided, or the
            # same message.
            raise exceptions.RequestInFlight() from None
        assert committed is not None  # noqa: S101 - a new lease always is
        LOG.info("Lease %s of project %s is admitted", lease.id, lease.project_id)
        return committed

    def _prepared(
        self, lease: Lease, provider: ProviderRuntime, future: "Future[None]", seconds: float
    ) -> Lease:
        """The lease after a while of waiting for OpenStack; what it refuses then is undone.

        Raises ``CloudError``.
        """
        try:
            future.result(timeout=seconds)
            answered = True
        except NotYet:
            answered = False
        found = self._load(lease.id)
        mine = answered and found.attempt == lease.attempt
        refused = found.status == LeaseStatus.ERROR or found.failures > 0
        if not mine or not refused or found.status not in _UNPREPARED:
            # Prepared; or this manager was stopped in between, and the work goes on.
            return found
        # Nobody knows of this lease yet: it never was. What was made of it is removed by the
        # engine, as for any deleted lease, however long OpenStack stays away.
        with deadline.lifted():
            undone = begin_deletion(provider.ledger, found, self._clock.now())
        if undone:
            self._engine.wake()
            LOG.warning("Lease %s is taken back: %s", lease.id, found.trouble)
            trouble = trouble_in(found.status_reason)
            words = f"Nothing was made: OpenStack could not prepare the lease ({trouble})"
            raise exceptions.CloudError(words, call="prepare", told=words)
        return self._load(lease.id)

    def _load(self, lease_id: str) -> Lease:
        with self._database.reader() as connection:
            lease = leases.get(connection, lease_id)
        if lease is None:
            raise exceptions.NotFound(object={"lease_id": lease_id})
        return lease

    def _present(self, lease_id: str) -> LeaseView | None:
        with self._database.reader() as connection:
            lease = leases.get(connection, lease_id)
        if lease is None:
            return None
        if lease.status in (LeaseStatus.CREATING, LeaseStatus.DELETING):
            raise exceptions.RequestInFlight()
        return lease_view(lease, self._providers[lease.provider_id].plugins)


_UNPREPARED = (LeaseStatus.CREATING, LeaseStatus.ERROR)
