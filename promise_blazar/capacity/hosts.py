# SPDX-License-Identifier: Apache-2.0
"""Hosts of one provider as columns: what each has, and which of them a query accepts."""

import copy
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from promise_blazar.capacity.arrays import BoolArray, IntArray, fitted
from promise_blazar.capacity.properties import PropertyColumns
from promise_blazar.capacity.resource_query import Property, Query

#: Answers to queries that are kept; tenants write queries, so there must be a limit.
_QUERIES_KEPT: Final = 256
#: The numbers of the zone of a host that is not registered, and of a zone without hosts.
_NO_ZONE: Final = -1
_NOWHERE: Final = -2
_NOTHING: Final = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class LedgerHost:
    """A registered host. ``capacity``: units by resource class; a class not named is 0.

    ``last_choice``: for a window that contains now it is taken only where others do not do.
    """

    id: int
    name: str
    zone: str
    capacity: Mapping[str, int]
    properties: Mapping[str, Property]
    reservable: bool
    last_choice: bool = False


class HostArrays:
    """Every host that was ever mentioned has a slot, its place in the arrays.

    ``hosts``: the registered ones by id.
    """

    def __init__(self) -> None:
        self.hosts: dict[int, LedgerHost] = {}
        self._slots: dict[int, int] = {}
        self._ids: IntArray = _NOTHING
        self._rank: IntArray = _NOTHING
        self._reservable: BoolArray = np.zeros(0, dtype=np.bool_)
        self._registered: BoolArray = np.zeros(0, dtype=np.bool_)
        self._last_choice: BoolArray = np.zeros(0, dtype=np.bool_)
        self._capacity: dict[str, IntArray] = {}
        self._zones: dict[str, int] = {}
        self._zone: IntArray = _NOTHING
        self._having: dict[str | None, Counter[str]] = {}
        self._properties = PropertyColumns()
        self._answers: dict[Query, BoolArray] = {}

    # Changes

    def put(self, host: LedgerHost) -> None:
        """Register a host, or replace what is known of it."""
        slot = self.made(host.id)
        self._count(self.hosts.get(host.id), -1)
        self.hosts[host.id] = host
        self._count(host, 1)
        self._zone[slot] = self._zones.setdefault(host.zone, len(self._zones))
        self._reservable[slot] = host.reservable
        self._registered[slot] = True
        self._last_choice[slot] = host.last_choice
        for name in self._capacity.keys() | host.capacity.keys():
            column = fitted(self._capacity.get(name, _NOTHING), len(self._slots))
            column[slot] = host.capacity.get(name, 0)
            self._capacity[name] = column
        self._properties.put(slot, host.properties)
        self._answers.clear()

    def drop(self, host_id: int) -> None:
        """Forget a host, not its slot."""
        if host_id in self.hosts:
            self._count(self.hosts.pop(host_id), -1)
            slot = self._slots[host_id]
            self._zone[slot] = _NO_ZONE
            self._reservable[slot] = self._registered[slot] = False
            self._properties.put(slot, {})
            self._answers.clear()

    def made(self, host_id: int) -> int:
        """The slot of a host, which it has from now on."""
        slot = self._slots.get(host_id)
        if slot is None:
            slot = len(self._slots)
            self._slots[host_id] = slot
            self._ids = fitted(self._ids, slot + 1)
            self._ids[slot] = host_id
            self._reservable = fitted(self._reservable, slot + 1)
            self._registered = fitted(self._registered, slot + 1)
            self._last_choice = fitted(self._last_choice, slot + 1)
            self._zone = fitted(self._zone, slot + 1)
            self._zone[slot] = _NO_ZONE
            self._properties.size = slot + 1
        return slot

    def copy(self) -> "HostArrays":
        """The same hosts, which may be changed without changing these."""
        twin = copy.copy(self)
        twin.unshare()
        return twin

    def unshare(self) -> None:
        """Have all that may change for itself alone."""
        self.hosts, self._slots = dict(self.hosts), dict(self._slots)
        self._ids, self._reservable = self._ids.copy(), self._reservable.copy()
        self._registered, self._last_choice = self._registered.copy(), self._last_choice.copy()
        self._capacity = {name: column.copy() for name, column in self._capacity.items()}
        self._zones, self._zone = dict(self._zones), self._zone.copy()
        self._having = {scope: count.copy() for scope, count in self._having.items()}
        self._properties, self._answers = self._properties.copy(), dict(self._answers)

    # Reading

    @property
    def size(self) -> int:
        """How many slots there are."""
        return len(self._slots)

    @property
    def ids(self) -> IntArray:
        """The host's id; int64, one entry per slot."""
        return self._ids[: self.size]

    @property
    def rank(self) -> IntArray:
        """The host's place in the order of ids; int64, one entry per slot."""
        if len(self._rank) != self.size:
            rank = np.empty(self.size, dtype=np.int64)
            rank[np.argsort(self.ids)] = np.arange(self.size)
            self._rank = rank
        return self._rank

    def slot(self, host_id: int) -> int | None:
        """The host's place in the arrays; None for one that was never mentioned."""
        return self._slots.get(host_id)

    def reservable(self) -> BoolArray:
        """Whether there is a host that may be lent; bool, one entry per slot."""
        return self._reservable[: self.size]

    def last_choice(self) -> BoolArray:
        """Whether others go first for what begins now; bool, one entry per slot."""
        return self._last_choice[: self.size]

    def capacity(self, resource_class: str) -> IntArray:
        """What the host has of a class; int64, one entry per slot, units of the class."""
        column = fitted(self._capacity.get(resource_class, _NOTHING), self.size)
        return column[: self.size]

    def in_scope(self, zone: str | None) -> BoolArray:
        """Whether there is a registered host in the zone (None: in any); bool, one entry per
        slot."""
        if zone is None:
            return self._registered[: self.size]
        here: BoolArray = self._zone[: self.size] == self._zones.get(zone, _NOWHERE)
        return here

    def zones(self) -> set[str]:
        """The zones of registered hosts."""
        return {host.zone for host in self.hosts.values()}

    def has(self, resource_class: str) -> bool:
        """Whether a registered host has the class."""
        return None in self._having and self._having[None][resource_class] > 0

    def classes(self, zone: str | None) -> set[str]:
        """The classes that registered hosts have: those of a zone, or (None) all hosts."""
        return set(+self._having.get(zone, Counter()))

    def matching(self, query: Query) -> BoolArray:
        """Whether the query accepts the host; bool, one entry per slot, not to be changed.

        Kept until a host changes.
        """
        answer = self._answers.get(query)
        if answer is None or len(answer) != self.size:
            answer = query.accepts(self._properties) & self._registered[: self.size]
            if len(self._answers) >= _QUERIES_KEPT:
                self._answers.clear()
            self._answers[query] = answer
        return answer

    def _count(self, host: LedgerHost | None, by: int) -> None:
        """Count what a registered host has in, or out again."""
        if host is not None:
            for scope in (None, host.zone):
                having = self._having.setdefault(scope, Counter())
                for name in host.capacity:
                    having[name] += by
