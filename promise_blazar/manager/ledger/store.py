# SPDX-License-Identifier: Apache-2.0
"""The ledger of one provider: questions to it, and the only way to change what is promised.

The concurrency rule (architecture, section 4): a decision is taken on generation g and committed
together with g -> g + 1. Who loses that race decides once more while holding the provider's row,
which ends the race in one go.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from promise_blazar import exceptions, times
from promise_blazar.capacity.admission import Plan, Refusal, admit, holds
from promise_blazar.capacity.demand.request import AllocationRequest, Window
from promise_blazar.capacity.explanation import Explanation, explain
from promise_blazar.capacity.ledger import Ledger
from promise_blazar.capacity.window_search import next_windows
from promise_blazar.clock import Clock
from promise_blazar.db import providers
from promise_blazar.db.session import MOST_RACES, Connection, Database, LostRace
from promise_blazar.manager.ledger import writer
from promise_blazar.manager.ledger.changes import Decision, Record
from promise_blazar.manager.ledger.replica import LedgerReplica
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

    ``timeout``: seconds that a request waits for its turn.
    """

    def __init__(
        self, database: Database, provider_id: int, clock: Clock, timeout: float = 10
    ) -> None:
        self.provider_id = provider_id
        self._database = database
        self._clock = clock
        self._timeout = timeout
        self._turn = threading.Lock()
        self._replica = LedgerReplica(database, provider_id, clock)

    def check(self) -> None:
        """Raises ``Unavailable``: the database is away, or demands rules that we do not know.

        So does everything below.
        """
        with self._database.reader() as connection:
            providers.head(connection, self.provider_id)

    # Reading

    def read(self, question: Callable[[Ledger, int], T]) -> T:
        """The answer to a question (the ledger, now in microseconds) about what is promised now.

        The question must not keep the ledger. Raises ``Busy``, ``Unavailable``.
        """
        with self._my_turn():
            self._settle()
            return question(self._replica.ledger, self._now())

    def rehearse(
        self, requests: Sequence[AllocationRequest], exclude: frozenset[int] = frozenset()
    ) -> None:
        """Would these requests be admitted? Raises ``Refused``, ``Busy``, ``Unavailable``."""
        with self._my_turn():
            self._settle()
            if isinstance(self._admit(requests, exclude), Refusal):
                raise self._refused(requests, exclude)

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
        ``Unavailable``, and what ``writer.decide`` raises.
        """
        with self._my_turn():
            for _ in range(MOST_RACES):
                try:
                    return self._commit_once(requests, change, exclude)
                except LostRace:
                    continue
                except exceptions.Unavailable:
                    # Whether a commit without an answer happened shows only afterwards.
                    with self._database.reader() as connection:
                        found = writer.committed(connection, change)
                    if found is None:
                        raise
                    return found
        raise exceptions.Busy(retry_after=1)

    def _commit_once(
        self, requests: Sequence[AllocationRequest], change: Decision, exclude: frozenset[int]
    ) -> Lease | None:
        seen = self._replica.catch_up()
        plan = self._admit(requests, exclude)
        if isinstance(plan, Refusal):
            if not self._replica.moved(seen):
                raise self._refused(requests, exclude)
        else:
            with self._database.writer() as connection:
                if providers.advance_from(connection, self.provider_id, seen):
                    return writer.decide(
                        self._writing(connection, seen + 1), requests, plan, change
                    )
        # Somebody was faster. Once more, holding the row: nobody can be faster now.
        with self._database.writer() as connection:
            self._replica.follow(connection, providers.lock(connection, self.provider_id))
            if isinstance(plan, Refusal) or not self._holds(requests, plan, exclude):
                plan = self._admit(requests, exclude)
            if isinstance(plan, Plan):
                generation = providers.advance(connection, self.provider_id)
                return writer.decide(self._writing(connection, generation), requests, plan, change)
        # Explained, which takes longer, without the row.
        raise self._refused(requests, exclude)

    def _admit(
        self, requests: Sequence[AllocationRequest], exclude: frozenset[int]
    ) -> Plan | Refusal:
        now = self._now()
        return admit(self._replica.ledger, _ahead(requests, now), now, exclude)

    def _holds(
        self, requests: Sequence[AllocationRequest], plan: Plan, exclude: frozenset[int]
    ) -> bool:
        now = self._now()
        return holds(self._replica.ledger, _ahead(requests, now), plan, now, exclude)

    def _refused(self, requests: Sequence[AllocationRequest], exclude: frozenset[int]) -> Refused:
        now, ledger = self._now(), self._replica.ledger
        try:
            why = explain(ledger, _ahead(requests, now), now, exclude, alternatives=0)
            # As long a lease as was asked for, not what the present minute has left of it.
            when = next_windows(ledger, requests, now, exclude)
        except Exception:
            # No is the answer, whether or not we can say why.
            LOG.exception("A refusal could not be explained")
            return Refused(Explanation("", len(ledger.hosts)))
        return Refused(replace(why, alternatives=when.windows, looked_until=when.looked_until))

    # Writing what decides nothing

    def record(self, change: Record) -> bool:
        """Commit a change that decides nothing, at a new generation; see ``writer.record``."""
        return self.change(
            lambda connection, generation: writer.record(
                self._writing(connection, generation), change
            )
        )

    def change(self, write: Callable[[Connection, int], T]) -> T:
        """Commit what ``write`` does to hosts at a new generation.

        ``write`` may run more than once, each time in a new transaction.
        """
        return self._database.transact(
            lambda connection: write(connection, providers.advance(connection, self.provider_id))
        )

    def _writing(self, connection: Connection, generation: int) -> writer.Writing:
        return writer.Writing(
            connection, self.provider_id, generation, self._now(), self._replica.bundles
        )

    # Following the truth

    def _settle(self) -> None:
        """Catch up until nothing has moved: what is read then is true, and of one instant."""
        while self._replica.moved(self._replica.catch_up()):
            pass

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=self._timeout):
            raise exceptions.Busy(retry_after=1)
        try:
            yield
        finally:
            self._turn.release()

    def _now(self) -> int:
        return times.to_micros(self._clock.now())


def _ahead(requests: Sequence[AllocationRequest], now: int) -> list[AllocationRequest]:
    """The requests without what is over: a lease from this minute on is not owed its past seconds.

    One that is over altogether, in this very minute, is judged as it is booked: for an instant.
    """
    ahead = []
    for request in requests:
        start = max(request.window.start, now)
        ahead.append(replace(request, window=Window(start, max(request.window.end, start + 1))))
    return ahead
