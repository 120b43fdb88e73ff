# SPDX-License-Identifier: Apache-2.0
"""Whole hosts under limits on their sum, of several classes and in several zones.

Where of any two hosts one has at least as much of every limited class as the other, the smallest
are best and what is not found is not there. Otherwise it is a vector-sum problem: a few orders are
tried, and the answer may be that none was found.
"""

from collections.abc import Iterator

import numpy as np

from promise_blazar.capacity.arrays import IntArray
from promise_blazar.capacity.given import UnitsBySlot
from promise_blazar.capacity.host_selection import Candidates
from promise_blazar.capacity.limits import Limits, Taking


def chosen(
    candidates: Candidates, pinned: UnitsBySlot, least: int, most: int
) -> UnitsBySlot | None:
    """So many hosts at least, the pinned ones among them, within the limits; None if none are
    found.

    Those that would be taken without limits, if these leave room for the most that there may be.
    """
    missing = max(least - len(pinned), 0)
    preferred = candidates.by_id(candidates.others(pinned))
    if _within(candidates.limits, pinned, preferred[: max(most - len(pinned), 0)]):
        more = preferred[:missing].tolist()
        return pinned | dict.fromkeys(more, 1) if len(more) == missing else None
    for order in _orders(candidates, preferred):
        more = _left(candidates.limits, pinned).first(order, missing)
        if len(more) == missing:
            return pinned | dict.fromkeys(more, 1)
    return None


def grown(candidates: Candidates, given: UnitsBySlot, most: int) -> UnitsBySlot:
    """What is given, and as many more hosts as are found within the limits, so many at most."""
    missing = max(most - len(given), 0)
    preferred = candidates.by_id(candidates.others(given))
    if not _within(candidates.limits, given, preferred[:missing]):
        preferred = preferred[_by_size(candidates.limits, preferred)]
    more = _left(candidates.limits, given).first(preferred, missing)
    return given | dict.fromkeys(more, 1)


def proves(candidates: Candidates, pinned: UnitsBySlot, least: int) -> bool:
    """Whether there are no such hosts, where none were found."""
    missing = least - len(pinned)
    slots = candidates.others(pinned)
    if len(slots) < missing or _comparable(candidates.limits, slots):
        return True
    for resource_class in {each.resource_class for each in candidates.limits}:
        limits = candidates.limits.of_class(resource_class)
        order = slots[_by_size(limits, slots)]
        if len(_left(limits, pinned).first(order, missing)) < missing:
            return True
    return False


def most(room: IntArray, limits: Limits) -> int:
    """How many hosts with room there may be: of each class alone, and the least of these."""
    slots = np.flatnonzero(room)
    count = len(slots)
    for resource_class in {each.resource_class for each in limits}:
        alone = limits.of_class(resource_class)
        count = len(Taking(alone).first(slots[_by_size(alone, slots)], count))
    return count


def _orders(candidates: Candidates, preferred: IntArray) -> Iterator[IntArray]:
    """Orders to try, in which the preferred of hosts of one size come first."""
    limits = candidates.limits
    by_size = preferred[_by_size(limits, preferred)]
    held = np.isin(by_size, np.array(list(candidates.kept), dtype=np.int64))
    yield np.concatenate((by_size[held], by_size[~held]))
    yield by_size
    if _comparable(limits, preferred):
        return
    # How much of its limit a host takes, of the class of which that is most; and of all of them.
    parts = [
        np.where(each.members, each.charge, 0)[preferred] / max(each.room, 1) for each in limits
    ]
    for worst in (np.max(parts, axis=0), np.sum(parts, axis=0)):
        yield preferred[np.argsort(worst, kind="stable")]
    for sizes in limits.sizes():
        yield preferred[np.argsort(sizes[preferred], kind="stable")]


def _by_size(limits: Limits, slots: IntArray) -> IntArray:
    """The places of these slots from the smallest host on; of one size the first first."""
    return np.lexsort([sizes[slots] for sizes in reversed(limits.sizes())]).astype(np.int64)


def _comparable(limits: Limits, slots: IntArray) -> bool:
    """Whether of any two hosts one is at least as large in every class."""
    order = slots[_by_size(limits, slots)]
    return all(bool((np.diff(sizes[order]) >= 0).all()) for sizes in limits.sizes())


def _within(limits: Limits, given: UnitsBySlot, order: IntArray) -> bool:
    """Whether all of these fit beside what is given."""
    together = np.concatenate((np.array(list(given), dtype=np.int64), order))
    return limits.within(together) == len(together)


def _left(limits: Limits, given: UnitsBySlot) -> Taking:
    left = Taking(limits)
    left.take_all(given)
    return left
