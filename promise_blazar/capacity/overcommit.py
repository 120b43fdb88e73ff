# SPDX-License-Identifier: Apache-2.0
"""Overcommitted hosts: more is promised of them than they have.

Nothing that is admitted makes a host so; being made smaller does.
"""

from dataclasses import dataclass

import numpy as np

from promise_blazar.capacity.arrays import IntArray
from promise_blazar.capacity.demand.request import Window
from promise_blazar.capacity.ledger import OPEN, Ledger, Rows
from promise_blazar.capacity.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Excess:
    """A host, and a class of which more is promised there than its ``capacity``.

    ``promised``: units of the class at the worst instant from now on; ``since``: when it is more
    than the capacity for the first time, in microseconds.
    """

    host: str
    resource_class: str
    promised: int
    capacity: int
    since: int


class Commitments:
    """What is promised of each host from now on, and what it has.

    Copied from the ledger, so that only the copying, and not the judging, needs its owner's
    lock.
    """

    def __init__(self, ledger: Ledger, now: int) -> None:
        self._window = Window(now, OPEN)
        self._rows: Rows = ledger.rows(now, OPEN, now)
        self._size = ledger.size
        self._names = {ledger.slot(host.id): host.name for host in ledger.hosts.values()}
        self._classes: dict[str, tuple[IntArray, IntArray]] = {
            name: (ledger.use(self._rows, name), ledger.capacity(name).copy())
            for name in ledger.booked_classes
        }

    def excesses(self) -> list[Excess]:
        """By host and class. A host that is lent whole is promised as it is, whatever it has."""
        timeline = Timeline(self._rows, self._window, self._size)
        found = []
        for name, (use, capacity) in self._classes.items():
            spans = timeline.above(use, capacity)
            peak = timeline.peak(use)
            first = np.full(self._size, OPEN, dtype=np.int64)
            np.minimum.at(first, spans.slot, spans.start)
            for slot in np.flatnonzero(first < OPEN).tolist():
                if slot in self._names:
                    promised, has = int(peak[slot]), int(capacity[slot])
                    host, since = self._names[slot], int(first[slot])
                    found.append(Excess(host, name, promised, has, since))
        return sorted(found, key=lambda each: (each.host, each.resource_class))
