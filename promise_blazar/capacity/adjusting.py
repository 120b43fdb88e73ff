# SPDX-License-Identifier: Apache-2.0
"""What a changed supply breaks: shortages that begin or grow, and whose promises they touch."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from promise_blazar.capacity.arrays import BoolArray, IntArray
from promise_blazar.capacity.demand.request import Window
from promise_blazar.capacity.ledger import OPEN, Ledger, LedgerAdjustment, Rows
from promise_blazar.capacity.pool_timeline import PoolTimeline


@dataclass(frozen=True, slots=True)
class Shortage:
    """What is promised or set apart of a class in a scope is more than there is: by so much ``at``
    the instant (microseconds) at which most is lacking. ``zone``: None for the provider."""

    zone: str | None
    resource_class: str
    at: int
    by: int


@dataclass(frozen=True, slots=True)
class Affected:
    """The numbers of the reservations that book what is short when it is, and what is.

    Shortages without reservations: less is there than is set apart, and nobody has reserved it.
    """

    reservations: frozenset[int]
    shortages: tuple[Shortage, ...]


def affected(before: Ledger, after: Ledger, now: int) -> Affected:
    """What is short from ``now`` (microseconds) on in ``after``, and was not, or not as much, in
    ``before``. The two have the same hosts and bookings, and other adjustments.

    A class that was not tracked was not short: who names it first, for however short a time,
    limits it for ever. A reservation that its group's share covers is affected only where less is
    there than shares cover.
    """
    changed = _changed(before, after)
    ends = max((each.end for each in changed), default=now)
    start = max(min((each.start for each in changed), default=now), now)
    scopes = [
        (zone, [name for name in names if name in after.tracked(zone)], before.tracked(zone))
        for zone, names in _scopes(changed)
    ]
    if any(name not in known for _, names, known in scopes for name in names):
        start, ends = now, OPEN
    if start >= ends:
        return Affected(frozenset(), ())
    window = Window(start, ends)
    rows = after.rows(window.start, window.end, now, at_once=False)
    numbers: list[IntArray] = []
    shortages: list[Shortage] = []
    for zone, names, known in scopes:
        was = PoolTimeline(before, rows, window, zone, names)
        will_be = PoolTimeline(after, rows, window, zone, names)
        # An instant at which only the earlier supply changes is one of the later's as well.
        times = np.union1d(was.times, will_be.times)
        then = np.searchsorted(was.times, times, side="right") - 1
        later = np.searchsorted(will_be.times, times, side="right") - 1
        for name in names:
            lacking = will_be.lacking(name).at(later)
            had = was.lacking(name).at(then) if name in known else None
            general, covered, apart = lacking.beyond(had)
            worse = general | covered | apart
            if worse.any():
                at = int(np.argmax(np.where(worse, lacking.most, 0)))
                shortages.append(Shortage(zone, name, int(times[at]), int(lacking.most[at])))
                numbers.append(_booking(after, will_be, name, times, general, covered))
    return Affected(_together(numbers), tuple(shortages))


def still_short(ledger: Ledger, reservations: frozenset[int], now: int) -> frozenset[int]:
    """Those of these reservations that book what is short, at an instant from ``now`` on at which
    it is."""
    if not (reservations and ledger.adjustments):
        return frozenset()
    window = Window(now, OPEN)
    rows = ledger.rows(window.start, window.end, now, at_once=False)
    numbers: list[IntArray] = []
    zones = sorted(ledger.supply.zones())
    for zone, here in ledger.rows_of_scopes(rows, zones):
        names = ledger.supply.classes(zone)
        seen = PoolTimeline(ledger, here, window, zone, names)
        for name in sorted(names):
            lacking = seen.lacking(name)
            general, covered, _ = lacking.beyond(None)
            if general.any() or covered.any():
                numbers.append(_booking(ledger, seen, name, seen.times, general, covered))
    return _together(numbers) & reservations


def _together(numbers: list[IntArray]) -> frozenset[int]:
    return frozenset(np.concatenate(numbers).tolist()) if numbers else frozenset()


def _changed(before: Ledger, after: Ledger) -> list[LedgerAdjustment]:
    """The adjustments that only one of the two has."""
    was, will_be = before.adjustments, after.adjustments
    return [
        each
        for one, other in ((was, will_be), (will_be, was))
        for each in one.values()
        if other.get(each.id) != each
    ]


def _scopes(changed: list[LedgerAdjustment]) -> Iterator[tuple[str | None, list[str]]]:
    """The scopes that these count in, and the classes that they name there."""
    zones = {each.zone for each in changed if each.zone is not None}
    for zone in (None, *sorted(zones)):
        names = {name for each in changed if each.within(zone) for name in each.amounts}
        yield zone, sorted(names)


def _booking(
    ledger: Ledger,
    seen: PoolTimeline,
    resource_class: str,
    times: IntArray,
    general: BoolArray,
    covered: BoolArray,
) -> IntArray:
    """The reservations that book the class while there is too little for them.

    One entry for each of ``times``, among which are all of the timeline's: ``general``, whether
    for what no share covers; ``covered``, whether for what shares cover.
    """
    rows = seen.rows
    place = np.searchsorted(times, seen.times)
    first, last = place[seen.instants.first], np.append(place, len(times))[seen.instants.last]
    found = _any_in(general, first, last)
    then = np.searchsorted(seen.times, times, side="right") - 1
    for its, beyond in seen.sharers(resource_class):
        found[its] = _any_in(general & beyond[then], first[its], last[its])
    found |= _any_in(covered, first, last)
    found &= _counted(ledger, rows, resource_class) > 0
    return ledger.reservation_of(rows)[found]


def _counted(ledger: Ledger, rows: Rows, resource_class: str) -> IntArray:
    """What of each row counts at most; int64, one entry per row."""
    charge = ledger.charge(rows, resource_class)
    if not ledger.on_hosts(resource_class):
        return charge
    counted: IntArray = np.minimum(charge, ledger.offers(resource_class)[rows.slot])
    return counted


def _any_in(chosen: BoolArray, first: IntArray, last: IntArray) -> BoolArray:
    """Whether any is chosen from the first place to before the last; one entry per pair."""
    before = np.append(0, np.cumsum(chosen))
    found: BoolArray = before[last] > before[first]
    return found
