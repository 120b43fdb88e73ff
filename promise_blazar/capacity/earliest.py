# SPDX-License-Identifier: Apache-2.0
"""The earliest of many reservations, for who can be told of a few only."""

import numpy as np

from promise_blazar.capacity.ledger import OPEN, Ledger


def earliest(ledger: Ledger, reservations: frozenset[int], most: int, now: int) -> list[int]:
    """So many of these reservations at most, those that begin first: their numbers, ascending.

    ``now``: microseconds; what is booked until then does not count.
    """
    if len(reservations) <= most:
        return sorted(reservations)
    rows = ledger.rows(now, OPEN, now, at_once=False)
    numbers = ledger.reservation_of(rows)
    wanted = np.fromiter(reservations, dtype=np.int64, count=len(reservations))
    chosen = np.isin(numbers, wanted)
    order = np.argsort(rows.start[chosen], kind="stable")
    found, first = np.unique(numbers[chosen][order], return_index=True)
    return sorted(found[np.argsort(first)][:most].tolist())
