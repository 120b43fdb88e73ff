# SPDX-License-Identifier: Apache-2.0
"""Contract of the kinds of demand: what the common modules need to know of one.

A kind is one module beside this one. Admission, free capacity, the window search and explanations
hold what all kinds have in common and ask the demand for the rest, so a new kind changes none of
them.

Arrays have one entry per slot, a host's place in the ledger: int64 counts *units* of the kind (a
slot, a whole host), bool is a choice of hosts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, Self

from promise_blazar.capacity.arrays import IntArray
from promise_blazar.capacity.demand.request import Window
from promise_blazar.capacity.free_capacity import FreeCapacity
from promise_blazar.capacity.given import Given, UnitsBySlot
from promise_blazar.capacity.host_selection import Candidates
from promise_blazar.capacity.limits import NO_LIMITS, Limits
from promise_blazar.capacity.resource_query import Query
from promise_blazar.capacity.timeline import Spans


@dataclass(frozen=True, slots=True)
class Bound:
    """Where a demand fits: where hosts count ``needed`` times or more, together.

    A host counts once for every ``units`` that it has room for all through the window; if
    ``once``, not more than once. So it is wherever the demand is admitted; it may be so elsewhere
    too.
    """

    needed: int
    units: int = 1
    once: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the hosts that passed every check still lack: the ``check`` and the words for it."""

    check: str
    text: str


class Demand(Protocol):
    """What a reservation wants of hosts. Immutable; the same inputs give the same answers.

    The amounts of a unit are all that others see of what a demand was given: a booking of
    ``units`` bundles of ``amounts``, or of the whole host.
    """

    @property
    def where(self) -> tuple[Query, ...]:
        """Conditions, all of which a host must satisfy."""
        ...

    @property
    def amounts(self) -> Mapping[str, int] | None:
        """What one unit takes of its host, by resource class; None: the whole host."""
        ...

    @property
    def maximum(self) -> int:
        """The most units that the reservation may have; what it keeps counts."""
        ...

    @property
    def minimum(self) -> int:
        """The fewest units that satisfy it."""
        ...

    @property
    def unit(self) -> str:
        """The word for several units, as clients read it: ``hosts``, ``slots``."""
        ...

    def restricted(self, where: Iterable[Query]) -> Self:
        """The same demand with more conditions on its hosts."""
        ...

    def blind_to(self, names: frozenset[str]) -> Self:
        """The same demand, for whose conditions no host has properties of these names."""
        ...

    # Where there is room

    def room(self, free: FreeCapacity, window: Window, beside: Given) -> IntArray:
        """Units that each host can take through the whole window, beside what others are given.

        int64, one entry per slot. Whether a host is eligible is not looked at here. All of
        ``beside`` overlap the window.
        """
        ...

    def empty_room(self, free: FreeCapacity) -> IntArray:
        """Units that each host could take if nothing were booked; int64, one entry per slot."""
        ...

    def lacking(self, free: FreeCapacity, window: Window, units: int) -> Spans:
        """When, inside the window, hosts cannot take so many units; spans may overlap.

        Whether a host is eligible is not looked at here.
        """
        ...

    # Which hosts

    def choose(self, candidates: Candidates, pinned: UnitsBySlot) -> UnitsBySlot | None:
        """The fewest units that satisfy the demand, by slot; None if nothing does, or is found.

        The answer contains all that is ``pinned``, which has room, is within the limits and not
        more than ``maximum``, and stays within the candidates' room and limits.
        """
        ...

    def proves(self, candidates: Candidates, pinned: UnitsBySlot) -> bool:
        """Whether nothing satisfies the demand where ``choose`` has found nothing."""
        ...

    def grow(self, candidates: Candidates, chosen: UnitsBySlot) -> UnitsBySlot:
        """What was chosen, with as many units more as there is room for, up to ``maximum``."""
        ...

    def slack(self, room: IntArray) -> float:
        """How many times over the demand fits into this room; the least is placed first."""
        ...

    # When

    @property
    def bound(self) -> Bound:
        """By which the search for windows passes over starts."""
        ...

    # Why not

    @property
    def least(self) -> int:
        """The fewest units that a host must have room for to be of any use."""
        ...

    @property
    def size(self) -> str:
        """What a host must have room for, in words: ``a slot of 2 VCPU``."""
        ...

    def fits(self, room: IntArray, limits: Limits = NO_LIMITS) -> int:
        """The most units that the demand, were it as large as one likes, gets of this room.

        Of whole hosts under limits it may be a few more than are found.
        """
        ...

    def verdict(self, hosts: int, room: IntArray) -> Verdict:
        """What is wrong although so many hosts are of use, if this is the room there is."""
        ...
