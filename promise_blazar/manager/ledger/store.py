# SPDX-License-Identifier: Apache-2.0
"""The ledger of one provider: questions to it, and the only way to change what is promised.

A question never holds what a decision needs, nor does a decision that takes long what a short one
needs; and what is worked out under the provider's row is short (architecture, section 4).
"""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from promise_blazar import exceptions
from promise_blazar.capacity.admission import fitting
from promise_blazar.capacity.budget import Budget
from promise_blazar.capacity.demand.request import AllocationRequest, Placement, comparisons
from promise_blazar.capacity.explanation import Explanation
from promise_blazar.capacity.ledger import Ledger
from promise_blazar.capacity.resource_query import MAX_COMPARISONS
from promise_blazar.clock import Clock
from promise_blazar.db import providers
from promise_blazar.db.session import MOST_RACES, Connection, Database, LostRace
from promise_blazar.manager.ledger import decisions, records
from promise_blazar.manager.ledger.access import QUICK, LedgerAccess, Snapshot, in_time
from promise_blazar.manager.ledger.changes import Decision, Rebooked, Record, SupplyChange
from promise_blazar.manager.ledger.deciding import Asked, Committed, Decisions
from promise_blazar.manager.ledger.explaining import Questions
from promise_blazar.manager.ledger.supply_rules import Judgement
from promise_blazar.manager.ledger.supplying import SupplyDecisions
from promise_blazar.model.adjustment import Adjustment
from promise_blazar.model.lease import Lease

LOG = logging.getLogger(__name__)

T = TypeVar("T")


class Refused(Exception):
    """The answer is no, and why."""

    def __init__(self, explanation: Explanation) -> None:
        super().__init__(explanation.text)
        self.explanation = explanation


class LedgerStore:
    """Safe to use from several threads: they take turns, which also saves lost races.

    ``timeout``: seconds that a request may take to be decided, turns waited for included;
    ``quick``: seconds of a decision that is not worked out on a copy.
    """

    def __init__(
        self,
        database: Database,
        provider_id: int,
        clock: Clock,
        timeout: float = 10,
        quick: float = QUICK,
    ) -> None:
        self.provider_id = provider_id
        self._database = database
        self.access = LedgerAccess(database, provider_id, clock, timeout, quick)
        self.decisions = Decisions(database, self.access)
        self.questions = Questions(self.access)
        self.supply = SupplyDecisions(database, self.access, self.decisions, self.questions)

    def check(self) -> None:
        """Raises ``Unavailable``: the database is away, or demands rules that we do not know.

        So does everything below.
        """
        with self._database.reader() as connection:
            providers.head(connection, self.provider_id)

    @staticmethod
    def check_queries(requests: Sequence[AllocationRequest]) -> None:
        """Raises ``MalformedRequirements`` where they compare more than one request may."""
        count = comparisons(requests)
        if count > MAX_COMPARISONS:
            raise exceptions.MalformedRequirements(
                f"Malformed requirements: properties are compared {count} times in this request, "
                f"and {MAX_COMPARISONS} times is the most",
                rqrms=f"{count} comparisons",
            )

    # Reading

    def keep_up(self) -> None:
        """Read what was committed since this was last asked anything, if it ever was.

        Now and then, so that nothing is purged unread and all loaded anew; where that cannot be,
        the next time will do.
        """
        access = self.access
        if access.replica.seen is None:
            return
        try:
            with in_time():
                access.learn_owners(access.budget())
        except (exceptions.Busy, exceptions.Unavailable) as error:
            LOG.debug("The ledger does not keep up: %s", error)

    @property
    def went_back(self) -> int:
        """How often the database was found to have another history than before."""
        return self.access.replica.went_back

    def read(self, question: Callable[[Ledger, int], T]) -> T:
        """The answer to a question (the ledger, now in microseconds) about what is promised now.

        It is asked of a copy. Raises ``Busy``, ``Unavailable``.
        """
        with in_time():
            return self.questions.answer(question)

    def ask(
        self,
        copied: Callable[[Ledger, int], Ledger],
        question: Callable[[Snapshot, Budget], T],
        whose: str | None,
    ) -> T:
        """The same of what this copies (of the ledger, now), and with what may be spent on it.

        ``whose``: the project that asks; None: the manager itself.
        """
        with in_time():
            return self.questions.ask(copied, question, whose)

    def fitting(
        self,
        request: AllocationRequest,
        placements: Sequence[Placement],
        exclude: frozenset[int] = frozenset(),
    ) -> frozenset[int]:
        """The hosts of these placements that the request fits on now, each by itself.

        As quick as a decision: for those who wait for it to start a lease. Raises ``Busy``,
        ``Unavailable``.
        """
        access = self.access
        with in_time(), access.turn(access.budget()):
            access.settle()
            return fitting(access.replica.ledger, request, placements, access.now(), exclude)

    def rehearse(
        self, requests: Sequence[AllocationRequest], exclude: frozenset[int] = frozenset()
    ) -> None:
        """Would these requests be admitted? Raises ``Refused``, ``Busy``, ``Unavailable``,
        ``MalformedRequirements``."""
        self.check_queries(requests)
        with in_time():
            why = self.questions.rehearse(requests, exclude)
        if why is not None:
            raise Refused(why)

    # Deciding

    def commit(
        self,
        requests: Sequence[AllocationRequest],
        change: Decision,
        exclude: frozenset[int] = frozenset(),
    ) -> Lease | None:
        """Admit the requests and commit the change with their bookings, or neither.

        ``exclude``: numbers of reservations whose bookings do not count, being replaced. The
        answer is the lease as it is then, where the change has one. Raises ``Refused``, ``Busy``,
        ``Unavailable``, ``MalformedRequirements``, and what ``decisions.decide`` raises.
        """
        if not isinstance(change, Rebooked):
            self.check_queries(requests)
        asked, budget = Asked(requests, change, exclude), self.access.budget()
        for _ in range(MOST_RACES):
            try:
                with in_time():
                    answer = self.decisions.decide(asked, budget)
            except LostRace:
                continue
            except exceptions.Unavailable:
                # Whether a commit without an answer happened shows only afterwards.
                with self._database.reader() as connection:
                    found = decisions.committed(connection, change)
                if found is None:
                    raise
                return found
            if isinstance(answer, Committed):
                return answer.lease
            why = self.questions.why(answer, requests, exclude, budget)
            if why is not None:
                raise Refused(why)
            # What was in the way has gone in the meantime.
        raise exceptions.Busy(retry_after=1)

    # Changing what is on offer

    def rehearse_adjustment(self, change: SupplyChange) -> Judgement:
        """What ``adjust`` would answer. Raises as it does."""
        with in_time():
            return self.supply.rehearse(change)

    def effect(self, adjustment: Adjustment) -> Judgement:
        """Whose promises an adjustment that was made, or taken back, breaks now. Raises ``Busy``,
        ``Unavailable``."""
        with in_time():
            return self.supply.effect(adjustment)

    def adjust(self, change: SupplyChange) -> Judgement:
        """Commit a change of what is on offer, and say whose promises it breaks; without force
        nothing is committed where there are any.

        Raises what ``supply_rules.judged`` raises, ``Busy``, ``Unavailable``, and
        ``db.idempotency.Taken``.
        """
        try:
            with in_time():
                return self.supply.commit(change)
        except exceptions.Unavailable:
            # Whether a commit without an answer happened shows only afterwards.
            found = self.supply.committed(change)
            if found is None:
                raise
            return found

    # Writing what decides nothing

    def record(self, change: Record) -> bool:
        """Commit a change that decides nothing, at a new generation; see ``records.record``."""
        return self.change(
            lambda connection, generation: records.record(
                self.decisions.writing(connection, generation), change
            )
        )

    def change(self, write: Callable[[Connection, int], T]) -> T:
        """Commit what ``write`` does to hosts at a new generation.

        ``write`` may run more than once, each time in a new transaction.
        """

        def work(connection: Connection) -> T:
            generation = providers.advance(connection, self.provider_id, self.access.instant())
            return write(connection, generation)

        return self._database.transact(work)
