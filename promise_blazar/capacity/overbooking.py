# SPDX-License-Identifier: Apache-2.0
"""Is more promised of a host than it has? Nothing that is admitted makes it so; a host that was
made smaller does."""

from dataclasses import dataclass

import numpy as np

from promise_blazar.capacity.demand import Window
from promise_blazar.capacity.ledger import OPEN, Ledger
from promise_blazar.capacity.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Excess:
    """``promised``: units of the class at the worst instant from now on; ``since``: when it is
    more than ``there`` is for the first time, in microseconds."""

    host: str
    resource_class: str
    promised: int
    there: int
    since: int


def overbooked(ledger: Ledger, now: int) -> list[Excess]:
    """By host and class. A host that is lent whole is promised as it is, whatever it has."""
    rows = ledger.rows(now, OPEN, now)
    timeline = Timeline(rows, Window(now, OPEN), ledger.size)
    found = []
    for name in ledger.booked_classes:
        use, there = ledger.use(rows, name), ledger.capacity(name)
        spans = timeline.above(use, there)
        peak = timeline.peak(use)
        first = np.full(ledger.size, OPEN, dtype=np.int64)
        np.minimum.at(first, spans.slot, spans.start)
        for host in ledger.hosts.values():
            slot = ledger.slot(host.id)
            if slot is not None and first[slot] < OPEN:
                promised, has = int(peak[slot]), int(there[slot])
                found.append(Excess(host.name, name, promised, has, int(first[slot])))
    return sorted(found, key=lambda each: (each.host, each.resource_class))
