# SPDX-License-Identifier: Apache-2.0
"""Decisions: a plan for requests, committed under the concurrency rule, or a refusal.

A decision is taken on generation g and committed together with g -> g + 1. Who loses that race
decides once more while holding the provider's row, which ends the race in one go. A decision that
takes long is worked out on a copy, one at a time; what is done under the row is a re-check, or a
search that is known to be short.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from promise_blazar.capacity.admission import Admission, Plan, Refusal, admit, holds
from promise_blazar.capacity.budget import Budget, OutOfTime, estimate
from promise_blazar.capacity.demand.request import AllocationRequest, comparisons
from promise_blazar.capacity.free_capacity import FreeCapacity, at_once
from promise_blazar.db import providers
from promise_blazar.db.session import MOST_RACES, Connection, Database, LostRace
from promise_blazar.manager.ledger import decisions
from promise_blazar.manager.ledger.access import LedgerAccess, ahead, hull, project
from promise_blazar.manager.ledger.changes import Decision
from promise_blazar.manager.ledger.turns import Turns
from promise_blazar.manager.ledger.writing import Writing
from promise_blazar.model.lease import Lease

#: Threads that wait for their turn at a long decision; the others are told to come again.
_MOST_WAITING: Final = 16
#: Of these, those that wait for one project.
_MOST_EACH: Final = 12


@dataclass(frozen=True, slots=True)
class Asked:
    """Requests and the change that they are for.

    ``exclude``: numbers of reservations whose bookings do not count, being replaced.
    """

    requests: Sequence[AllocationRequest]
    change: Decision
    exclude: frozenset[int]


@dataclass(frozen=True, slots=True)
class Committed:
    """A change that is committed; ``lease`` as it is then, where the change has one."""

    lease: Lease | None


@dataclass(frozen=True, slots=True)
class No:
    """A refusal, true at this generation and time (microseconds), of so many hosts."""

    refusal: Refusal
    generation: int
    now: int
    hosts: int


class Decisions:
    def __init__(self, database: Database, access: LedgerAccess) -> None:
        self._database = database
        self._access = access
        self._replica = access.replica
        self.long = Turns(_MOST_WAITING, _MOST_EACH)

    def decide(self, asked: Asked, budget: Budget) -> Committed | No:
        """Raises ``LostRace``, ``OutOfTime``, and what ``decisions.decide`` raises."""
        if self._estimate(asked) <= self._access.quick:
            with self._access.turn(budget):
                answer = self._at_once(asked, budget)
            if answer is not None:
                return answer
        with self.long.mine(budget, project(asked.requests)):
            for _ in range(MOST_RACES):
                answer = self._on_a_copy(asked, budget)
                if answer is not None:
                    return answer
        raise OutOfTime

    def writing(self, connection: Connection, generation: int) -> Writing:
        """The transaction that moves to a generation."""
        access = self._access
        return Writing(
            connection, access.provider_id, generation, access.now(), self._replica.bundles
        )

    def _at_once(self, asked: Asked, budget: Budget) -> Committed | No | None:
        """The decision, by who has the turn; None: it takes too long for that."""
        seen = self._replica.catch_up()
        now = self._access.now()
        plan = self._quickly(asked, now, budget)
        if plan is None:
            return None
        if isinstance(plan, Refusal):
            if not self._replica.moved(seen):
                return self._no(plan, seen.generation, now)
        else:
            with self._database.writer() as connection:
                if self.moved_on(connection, seen):
                    return self._written(connection, seen.generation + 1, asked, plan)
        # Somebody was faster. Once more, holding the row: nobody can be faster now.
        with self._database.writer() as connection:
            head = self.locked(connection)
            if isinstance(plan, Refusal) or not self._holds(asked, plan):
                now = self._access.now()
                plan = self._quickly(asked, now, budget)
            if isinstance(plan, Plan):
                generation = self.advanced(connection)
                return self._written(connection, generation, asked, plan)
        return None if plan is None else self._no(plan, head.generation, now)

    def _quickly(self, asked: Asked, now: int, budget: Budget) -> Plan | Refusal | None:
        """The decision on the ledger as it is; None: it would take long.

        Raises ``OutOfTime``.
        """
        ledger = self._replica.ledger
        requests = ahead(asked.requests, now)
        reach = hull(requests, now)
        # What pools have left is a sum of all that is booked, besides what each host has left.
        rows = ledger.count(reach.start, reach.end) * (3 if ledger.adjustments else 1)
        if self._estimate(asked, rows) > self._access.quick:
            return None
        # Not by the clock: where processors are scarce, what is short takes long too.
        little = budget.part(int(self._access.quick / estimate(1, ledger.size)) + 1)
        free = FreeCapacity(ledger, now, asked.exclude, budget=little, at_once=at_once(requests))
        answer = Admission(free, requests).decide()
        if isinstance(answer, Refusal) and answer.gave_up and little.exhausted:
            return None  # there are other orders
        return answer

    def _estimate(self, asked: Asked, rows: int = 0) -> float:
        """Seconds that the decision takes, beside reading ``rows`` bookings."""
        requests, ledger = asked.requests, self._replica.ledger
        zones = len(ledger.limited_zones()) if ledger.adjustments else 0
        return estimate(
            len(requests),
            ledger.size,
            rows,
            comparisons(requests),
            zones * len({request.window for request in requests}),
            ledger.supply.count(self._access.now()),
        )

    def _on_a_copy(self, asked: Asked, budget: Budget) -> Committed | No | None:
        """The decision, with the ledger free for others; None: they took what was planned."""
        found = self._access.window(budget, asked.requests)
        requests = ahead(asked.requests, found.now)
        beside = self._access.beside(budget)
        plan = admit(found.ledger, requests, found.now, asked.exclude, beside)
        if isinstance(plan, Refusal):
            return self._no(plan, found.generation, found.now)
        with self._access.turn(budget):
            seen = self._replica.catch_up()
            if not self._holds(asked, plan):
                return None
            with self._database.writer() as connection:
                if self.moved_on(connection, seen):
                    return self._written(connection, seen.generation + 1, asked, plan)
            with self._database.writer() as connection:
                self.locked(connection)
                if not self._holds(asked, plan):
                    return None
                generation = self.advanced(connection)
                return self._written(connection, generation, asked, plan)

    def moved_on(self, connection: Connection, seen: providers.Mark) -> bool:
        """From the generation that the decision was taken on; False: somebody was faster."""
        access = self._access
        return providers.advance_from(connection, access.provider_id, seen, access.instant())

    def locked(self, connection: Connection) -> providers.Head:
        """The head, which nobody moves while we hold the row, and caught up with.

        Raises ``LostRace`` where all has to be loaded anew, which takes long: without the row.
        """
        head = providers.lock(connection, self._access.provider_id, self._replica.seen)
        if not head.continues:
            raise LostRace
        self._replica.follow(connection, head)
        return head

    def advanced(self, connection: Connection) -> int:
        access = self._access
        return providers.advance(connection, access.provider_id, access.instant())

    def _written(
        self, connection: Connection, generation: int, asked: Asked, plan: Plan
    ) -> Committed:
        writing = self.writing(connection, generation)
        return Committed(decisions.decide(writing, asked.requests, plan, asked.change))

    def _holds(self, asked: Asked, plan: Plan) -> bool:
        now = self._access.now()
        requests = ahead(asked.requests, now)
        return holds(self._replica.ledger, requests, plan, now, asked.exclude)

    def _no(self, refusal: Refusal, generation: int, now: int) -> No:
        return No(refusal, generation, now, len(self._replica.ledger.hosts))
