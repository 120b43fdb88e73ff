# SPDX-License-Identifier: Apache-2.0
"""Supply beside the hosts: adjustments of the capacity on offer, and whose carve-outs are whose.

A *scope* is the provider (None) or one zone of it. An adjustment counts for the provider, and for
its zone where it names one. A *carve-out* is an adjustment with a source: it adds nothing to what
there is, but sets its amounts apart for a *group*, the projects that it names. What the group has
reserved is charged to its *share* first, and only the rest of it to what is there for all.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np

from promise_blazar.capacity.arrays import IntArray, Table
from promise_blazar.capacity.demand.request import Window

Group = frozenset[str]


@dataclass(frozen=True, slots=True)
class LedgerAdjustment:
    """``amounts`` more (or less) of each class in ``[start, end)``, microseconds.

    ``zone``: None, of the provider alone. ``source``: the id of the adjustment that this is carved
    out of, for ``projects``.
    """

    id: int
    zone: str | None
    start: int
    end: int
    amounts: Mapping[str, int]
    source: int | None = None
    projects: Group = field(default_factory=frozenset)

    def within(self, zone: str | None) -> bool:
        """Whether it counts in the scope."""
        return zone is None or self.zone == zone

    def overlaps(self, window: Window) -> bool:
        return self.start < window.end and window.start < self.end


@dataclass(frozen=True, slots=True)
class _Ordered:
    """Adjustments in the order of their ends, and the end of each."""

    adjustments: tuple[LedgerAdjustment, ...]
    ends: tuple[int, ...]

    def after(self, moment: int) -> tuple[LedgerAdjustment, ...]:
        """Those that are not over then."""
        return self.adjustments[bisect_right(self.ends, moment) :]


_NONE: Final = _Ordered((), ())


@dataclass(frozen=True, slots=True)
class _Index:
    """Adjustments by scope, and by scope and class; and the classes named in a scope, in whatever
    window."""

    scopes: Mapping[str | None, _Ordered]
    of_class: Mapping[tuple[str | None, str], _Ordered]
    classes: Mapping[str | None, frozenset[str]]
    zones: frozenset[str]
    carved: bool


class Supply:
    """The adjustments of one provider by id, and the projects of reservations by number.

    Those that are over cost a decision nothing: they only say which classes are counted.
    """

    def __init__(self) -> None:
        self._adjustments: dict[int, LedgerAdjustment] = {}
        self._index: _Index | None = None
        self._owners = Table({"id": _none(), "project": _none()})
        self._projects: dict[str, int] = {}

    def copy(self) -> "Supply":
        """The same supply, which may be changed without changing this."""
        twin = Supply()
        twin._adjustments = dict(self._adjustments)
        twin._index = self._index
        twin._owners = self._owners.part(np.flatnonzero(self._owners.live))
        twin._projects = dict(self._projects)
        return twin

    @property
    def adjustments(self) -> Mapping[int, LedgerAdjustment]:
        """By id."""
        return MappingProxyType(self._adjustments)

    def put(self, adjustment: LedgerAdjustment) -> None:
        """Add an adjustment, or replace the one of the same id."""
        self._adjustments[adjustment.id] = adjustment
        self._index = None

    def drop(self, adjustment_id: int) -> None:
        """Forget an adjustment; an unknown id is none."""
        self._adjustments.pop(adjustment_id, None)
        self._index = None

    @property
    def carved(self) -> bool:
        """Whether there are carve-outs: only then does it matter whose a reservation is."""
        return self._indexed().carved

    def classes(self, zone: str | None) -> frozenset[str]:
        """The classes that adjustments of the scope name, in whatever window."""
        return self._indexed().classes.get(zone, frozenset())

    def zones(self) -> frozenset[str]:
        """The zones that adjustments name."""
        return self._indexed().zones

    def applying(
        self, zone: str | None, window: Window, resource_class: str | None = None
    ) -> list[LedgerAdjustment]:
        """Those that count in the scope at some instant of the window; that name a class, or
        (None) any."""
        index = self._indexed()
        if resource_class is None:
            ordered = index.scopes.get(zone, _NONE)
        else:
            ordered = index.of_class.get((zone, resource_class), _NONE)
        return [each for each in ordered.after(window.start) if each.start < window.end]

    def moments(self, after: int) -> list[int]:
        """The instants after this one at which an adjustment begins or ends."""
        running = self._indexed().scopes.get(None, _NONE).after(after)
        moments = [moment for each in running for moment in (each.start, each.end)]
        return [moment for moment in moments if moment > after]

    def count(self, moment: int) -> int:
        """How many are not over then."""
        return len(self._indexed().scopes.get(None, _NONE).after(moment))

    def _indexed(self) -> _Index:
        if self._index is None:
            self._index = _index(self._adjustments.values())
        return self._index

    # Whose a reservation is

    @property
    def owned(self) -> int:
        """Of how many reservations the project is known."""
        return len(self._owners)

    def put_owners(self, owners: Mapping[int, str]) -> None:
        """The projects of reservations, by their numbers."""
        for project in owners.values():
            self._projects.setdefault(project, len(self._projects))
        numbers = np.fromiter(owners.keys(), dtype=np.int64, count=len(owners))
        projects = np.array([self._projects[each] for each in owners.values()], dtype=np.int64)
        if len(numbers):
            self._owners.upsert(numbers, {"project": projects})

    def keep_owners(self, reservations: IntArray) -> None:
        """Forget whose the other reservations are."""
        known = self._owners["id"]
        self._owners.drop(known[~np.isin(known, reservations)])

    def unowned(self, reservations: IntArray) -> IntArray:
        """Those of these reservations whose project is not known; int64, each once."""
        return np.unique(reservations[self._owner(reservations) < 0])

    def by_project(
        self, projects: Iterable[str], reservations: IntArray
    ) -> Mapping[str, IntArray]:
        """Which of these reservations are each project's, by their places; int64."""
        known = sorted(self._projects.keys() & set(projects))
        number = np.full(len(self._projects) + 1, len(known), dtype=np.int64)
        number[[self._projects[project] for project in known]] = np.arange(len(known))
        owner = number[self._owner(reservations)]  # -1, not known: the last, which is nobody's
        places = np.flatnonzero(owner < len(known))
        order = np.argsort(owner[places], kind="stable")
        places = places[order]
        bounds = np.searchsorted(owner[places], np.arange(len(known) + 1)).tolist()
        return {
            project: places[begin:end]
            for project, begin, end in zip(known, bounds, bounds[1:], strict=False)
        }

    def _owner(self, reservations: IntArray) -> IntArray:
        """The project's number; int64, one entry per reservation, -1 where it is not known."""
        known = self._owners["id"]
        if not len(known):
            return np.full(len(reservations), -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(known, reservations), len(known) - 1)
        found = (known[at] == reservations) & self._owners.live[at]
        owner: IntArray = np.where(found, self._owners["project"][at], -1)
        return owner


def _index(adjustments: Iterable[LedgerAdjustment]) -> _Index:
    scopes: dict[str | None, list[LedgerAdjustment]] = {}
    of_class: dict[tuple[str | None, str], list[LedgerAdjustment]] = {}
    classes: dict[str | None, set[str]] = {}
    carved = False
    for each in sorted(adjustments, key=lambda each: each.end):
        carved |= each.source is not None
        for scope in {None, each.zone}:
            scopes.setdefault(scope, []).append(each)
            classes.setdefault(scope, set()).update(each.amounts)
            for name in each.amounts:
                of_class.setdefault((scope, name), []).append(each)
    return _Index(
        {scope: _ordered(found) for scope, found in scopes.items()},
        {key: _ordered(found) for key, found in of_class.items()},
        {scope: frozenset(names) for scope, names in classes.items()},
        frozenset(scope for scope in scopes if scope is not None),
        carved,
    )


def _ordered(adjustments: list[LedgerAdjustment]) -> _Ordered:
    return _Ordered(tuple(adjustments), tuple(each.end for each in adjustments))


def shares(adjustments: Iterable[LedgerAdjustment]) -> Mapping[Group, list[LedgerAdjustment]]:
    """The carve-outs among these, by the group that they are for."""
    found: dict[Group, list[LedgerAdjustment]] = {}
    for each in adjustments:
        if each.source is not None:
            found.setdefault(each.projects, []).append(each)
    return MappingProxyType(found)


def _none() -> IntArray:
    return np.zeros(0, dtype=np.int64)
