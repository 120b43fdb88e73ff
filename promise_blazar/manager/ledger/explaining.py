# SPDX-License-Identifier: Apache-2.0
"""Questions to the ledger, and explanations of refusals: one at a time, on copies.

Nobody who decides waits for one.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from promise_blazar import waiters
from promise_blazar.capacity.admission import Plan, Refusal, admit
from promise_blazar.capacity.budget import EVALUATIONS, Budget, OutOfTime
from promise_blazar.capacity.demand.request import AllocationRequest
from promise_blazar.capacity.explanation import Explanation, explain, unexplained
from promise_blazar.capacity.ledger import Ledger
from promise_blazar.capacity.window_search import next_windows
from promise_blazar.manager.ledger.access import LedgerAccess, Snapshot, ahead, project
from promise_blazar.manager.ledger.deciding import No
from promise_blazar.manager.ledger.turns import OWN, Turns

LOG = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds, waiting included, that a refusal takes at most to say why, and when else.
_HINTS: Final = 3.0
#: Of these, what the search for another window takes at most; others wait for it.
_SEARCH: Final = 1.0
#: Threads that wait for their turn, of the 64 that answer requests. The others are answered at
#: once, without hints or by ``Busy``. Not fewer: who waits needs no processor, and who is answered
#: asks again.
_MOST_WAITING: Final = 32
#: Of these, those that wait for one project.
_MOST_EACH: Final = 2
#: Seconds that working out one question takes at most, and that a dry run does.
_QUESTION: Final = 2.0
_REHEARSAL: Final = 3.0
#: Evaluations of one search, which tries many starts, each with what a create has.
_EVALUATIONS: Final = 20 * EVALUATIONS


class Questions:
    def __init__(self, access: LedgerAccess) -> None:
        self._access = access
        self.turns = Turns(_MOST_WAITING, _MOST_EACH)

    def answer(self, question: Callable[[Ledger, int], T]) -> T:
        """The answer to a question (the ledger, now) of the manager's own. Raises
        ``OutOfTime``."""
        budget = self._access.budget()
        with self.turns.mine(budget, OWN):
            found = self._access.snapshot(budget, lambda ledger, now: ledger.copy())
            return question(found.ledger, found.now)

    def ask(
        self,
        copied: Callable[[Ledger, int], Ledger],
        question: Callable[[Snapshot, Budget], T],
        whose: str | None,
    ) -> T:
        """The answer to a question about what this copies (of the ledger, now), with what may be
        spent on it. ``whose``: as for ``Turns.mine``. Raises ``OutOfTime``."""
        budget = self._access.beside(self._access.budget(_EVALUATIONS))
        with self.turns.mine(budget, whose):
            found = self._access.snapshot(budget, copied)
            return question(found, budget.part(seconds=_QUESTION))

    def rehearse(
        self, requests: Sequence[AllocationRequest], exclude: frozenset[int]
    ) -> Explanation | None:
        """Why the requests would be refused; None: they would not. Raises ``OutOfTime``."""
        budget = self._access.beside(self._access.budget())
        with self.turns.mine(budget, project(requests)):
            found = self._access.future(budget, requests)
            return _explained(found, requests, exclude, budget.part(seconds=_REHEARSAL))

    def why(
        self,
        answer: No,
        requests: Sequence[AllocationRequest],
        exclude: frozenset[int],
        budget: Budget,
    ) -> Explanation | None:
        """Why requests were refused; None: they would not be any more."""
        hints = self._access.beside(budget, _HINTS)
        try:
            # Who found no place to wait in the API has no thread to wait with.
            turn = hints.part(seconds=0) if waiters.in_a_hurry() else hints
            with self.turns.mine(turn, project(requests)):
                found = self._access.future(hints, requests)
                known = None
                if found.generation == answer.generation:
                    # Nothing has moved: so it is that refusal which is explained.
                    found, known = replace(found, now=answer.now), answer.refusal
                return _explained(found, requests, exclude, hints, known)
        except OutOfTime:
            LOG.info("A refusal is not explained: others are asking, or it takes too long")
            words = "too much is being asked at this moment"
            why = unexplained(answer.refusal.key, answer.hosts, len(requests), words)
            return replace(why, generation=answer.generation)


def _explained(
    found: Snapshot,
    requests: Sequence[AllocationRequest],
    exclude: frozenset[int],
    budget: Budget,
    known: Refusal | None = None,
) -> Explanation | None:
    """``known``: the refusal, where it is known already. Raises ``OutOfTime``."""
    ledger, now = found.ledger, found.now
    asked = ahead(requests, now)
    try:
        why = explain(ledger, asked, now, exclude, alternatives=0, budget=budget, refusal=known)
        if why.reasons and not why.never:
            # As long a lease as was asked for, not what the present minute has left of it.
            little = budget.anew(_EVALUATIONS, _SEARCH)
            why = why.with_windows(next_windows(ledger, requests, now, exclude, budget=little))
    except OutOfTime:
        raise
    except Exception:
        # No is the answer, whether or not we can say why.
        LOG.exception("A refusal could not be explained")
        refusal = known or admit(ledger, asked, now, exclude, budget)
        if isinstance(refusal, Plan):
            return None
        words = "something went wrong here"
        why = unexplained(refusal.key, len(ledger.hosts), len(requests), words)
    return replace(why, generation=found.generation) if why.reasons else None
