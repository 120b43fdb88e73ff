# SPDX-License-Identifier: Apache-2.0
"""Queues of durable work, as the engine sees them: what is due, and how it is taken and done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from promise_blazar.manager.ownership.work import Ownership


class Due(Protocol):
    """A piece of work that wants attention; ``key`` names it among all that the engine has."""

    @property
    def key(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Taken:
    """Work that this manager owns. ``item``: the queue's own, as it was read or committed."""

    ownership: Ownership
    item: Any


class WorkQueue(Protocol):
    """Work of one sort. ``owners``: those whose work may be taken, besides nobody's.

    Each method may raise ``Unavailable``, ``Busy``, ``LostRace``.
    """

    def due(self, owners: Sequence[str], most: int) -> Sequence[Due]:
        """What is to be done now, the most urgent first."""

    def next_look(self, owners: Sequence[str]) -> datetime | None:
        """When something is to be done next, or was already; None: nothing, or what comes to
        light by itself."""

    def take(self, due: Any) -> Taken | None:
        """The right to do it; None: it is another's, or is not due after all."""

    def carry_on(self, taken: Taken) -> None:
        """Do it, inside its fence, then let go of it. Raises ``Superseded`` too."""

    def let_go(self, ownership: Any, postpone: bool) -> None:
        """It was not done to its end; nobody's then. ``postpone``: for a fault of ours."""

    def look_around(self) -> None:
        """See to what is due and could not be begun."""
