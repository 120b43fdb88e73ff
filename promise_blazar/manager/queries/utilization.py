# SPDX-License-Identifier: Apache-2.0
"""Utilization of a window by some leases: the most that they have at one instant, by class."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from promise_blazar import exceptions
from promise_blazar.db import bookings, hosts, promised
from promise_blazar.db.session import Connection
from promise_blazar.model.resource_classes import INSTANCE

#: The most bookings that are added up; alike ones count once.
_MOST: Final = 100_000


def utilization(
    connection: Connection, provider_id: int, leases: promised.Leases, start: int, end: int
) -> dict[str, int]:
    """Of the leases that meet a condition, in a window (microseconds).

    A slot takes one INSTANCE besides; a whole host, all that it has to lend. Raises ``BadInput``
    for too many.
    """
    rows = promised.by_leases(connection, leases, start, end, _MOST + 1)
    if len(rows) > _MOST:
        raise exceptions.BadInput("utilization: too many leases; ask for a shorter window")
    whole: Mapping[int, Mapping[str, int]] = {}
    if any(row.bundle is None for row in rows):
        whole = {host.id: host.lendable for host in hosts.listed(connection, provider_id)}
    changes: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        if row.bundle is None:
            amounts = whole.get(row.host, {})
        else:
            amounts = {INSTANCE: 1} | bookings.bundle_amounts(row.bundle)
        for name, amount in amounts.items():
            changes[name][max(row.start, start)] += amount * row.units
            changes[name][row.end] -= amount * row.units
    return {name: _peak(changes[name]) for name in sorted(changes)}


def _peak(changes: Mapping[int, int]) -> int:
    level = peak = 0
    for instant in sorted(changes):
        level += changes[instant]
        peak = max(peak, level)
    return peak
