# SPDX-License-Identifier: Apache-2.0
"""The cloud of the admission benchmark: hosts and leases drawn from a seed, and what is asked.

Ninety days, in whole hours. Four leases of five are of instances, packed onto as few hosts as
they fit on, as both services do it; the fifth is of one or two whole hosts. Nothing is promised
twice in what is drawn, and ``promised`` finds out whether that is still so later.
"""

import random
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

#: Of every host: what both services know of a host by itself.
CAPACITY = {"VCPU": 32, "MEMORY_MB": 131072, "DISK_GB": 2000}
#: Slots that tenants ask for: VCPU, MEMORY_MB, DISK_GB.
SHAPES = ((1, 2048, 20), (2, 4096, 40), (4, 8192, 80))
DAYS = 90
LONGEST_DAYS = 14
#: What is asked for while measuring: so many slots of a shape, or so many hosts, for a day.
ASKED_AMOUNT = 4
ASKED_SHAPE = SHAPES[1]

INSTANCES, HOSTS = "virtual:instance", "physical:host"


@dataclass(frozen=True, slots=True)
class Booking:
    """``units`` slots of ``shape`` (None: the whole host) on a host, in ``[start, end)``."""

    host: str
    shape: tuple[int, int, int] | None
    units: int
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Lease:
    """One reservation: ``amount`` slots of ``shape``, or ``amount`` whole hosts (None)."""

    id: str
    reservation_id: str
    start: datetime
    end: datetime
    shape: tuple[int, int, int] | None
    amount: int
    bookings: tuple[Booking, ...]


@dataclass(frozen=True, slots=True)
class World:
    hosts: tuple[str, ...]
    leases: tuple[Lease, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A lease to create."""

    resource_type: str
    start: datetime
    end: datetime


def begin() -> datetime:
    """The midnight after next: everything of the world is in the future."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=2)


def draw(seed: int, hosts: int, leases: int) -> World:
    chance = random.Random(f"{seed} {hosts} {leases}")
    names = tuple(f"compute-{number}" for number in range(1, hosts + 1))
    calendar = _Calendar(names)
    first = begin()
    drawn = []
    while len(drawn) < leases:
        start = first + timedelta(hours=chance.randrange(DAYS * 24))
        end = start + timedelta(hours=chance.randrange(24, LONGEST_DAYS * 24))
        if len(drawn) % 5 == 4:
            shape, amount = None, chance.randint(1, 2)
        else:
            shape, amount = chance.choice(SHAPES), chance.randint(1, 8)
        order = chance.sample(names, len(names))
        bookings = calendar.place(order, shape, amount, start, end)
        if bookings:
            identity = (
                uuid.UUID(int=chance.getrandbits(128)),
                uuid.UUID(int=chance.getrandbits(128)),
            )
            drawn.append(Lease(*map(str, identity), start, end, shape, amount, bookings))
    return World(names, tuple(drawn))


def questions(world: World, seed: int, resource_type: str, count: int) -> list[Question]:
    """A day each, no two the same, in which twice as many hosts are free as could be asked for.

    Raises ``ValueError`` if there are not so many.
    """
    chance = random.Random(f"{seed} {resource_type}")
    # One kind has the even days, the other the odd ones.
    days = list(range(0 if resource_type == INSTANCES else 1, DAYS, 2))
    chance.shuffle(days)
    found = []
    for day in days:
        start = begin() + timedelta(days=day)
        question = Question(resource_type, start, start + timedelta(days=1))
        if len(found) < count and _free_hosts(world, question) >= 2 * ASKED_AMOUNT:
            found.append(question)
    if len(found) < count:
        raise ValueError(f"only {len(found)} days have room; repeat less, or take more hosts")
    return found


def _free_hosts(world: World, question: Question) -> int:
    bookings = (booking for lease in world.leases for booking in lease.bookings)
    busy = {b.host for b in bookings if b.start < question.end and question.start < b.end}
    return len(world.hosts) - len(busy)


class _Calendar:
    """Use by host and hour, and whole hosts as all of it: slow and plain."""

    def __init__(self, hosts: Iterable[str]) -> None:
        self._first = begin()
        hours = (DAYS + LONGEST_DAYS) * 24
        self._use = {host: [(0, 0, 0)] * hours for host in hosts}

    def place(
        self,
        order: Sequence[str],
        shape: tuple[int, int, int] | None,
        amount: int,
        start: datetime,
        end: datetime,
    ) -> tuple[Booking, ...]:
        """On the first hosts of the order that have room; nothing if all have too little."""
        at = slice(self._hour(start), self._hour(end))
        left, bookings = amount, []
        for host in order:
            peak = [max(column) for column in zip(*self._use[host][at], strict=True)]
            if shape is None:
                room = 0 if any(peak) else 1
            else:
                free = zip(CAPACITY.values(), peak, shape, strict=True)
                room = min((has - used) // takes for has, used, takes in free)
            if units := min(left, room):
                bookings.append(Booking(host, shape, units, start, end))
                left -= units
            if not left:
                break
        else:
            return ()
        for booking in bookings:
            takes = [units_of * booking.units for units_of in shape or CAPACITY.values()]
            use = self._use[booking.host]
            use[at] = [tuple(a + b for a, b in zip(hour, takes, strict=True)) for hour in use[at]]
        return tuple(bookings)

    def _hour(self, instant: datetime) -> int:
        return (instant - self._first) // timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Promised:
    """``most``: the largest promised / capacity of any host, class and instant.

    ``oversold``: on how many hosts more than their capacity is promised at some instant.
    """

    most: float
    oversold: int


def promised(bookings: Iterable[Booking]) -> Promised:
    """Judge what a service has promised; a whole host counts as all of its capacity."""
    changes: Mapping[str, list[tuple[datetime, int, Sequence[int]]]] = defaultdict(list)
    for booking in bookings:
        takes = [a * booking.units for a in booking.shape or CAPACITY.values()]
        changes[booking.host].append((booking.start, 1, takes))
        changes[booking.host].append((booking.end, -1, takes))
    peaks = []
    for on_host in changes.values():
        level, peak = [0] * len(CAPACITY), 0.0
        # Ends before starts at one instant: windows are half-open.
        for _, sign, takes in sorted(on_host, key=lambda change: change[:2]):
            level = [a + sign * b for a, b in zip(level, takes, strict=True)]
            peak = max(peak, *(a / b for a, b in zip(level, CAPACITY.values(), strict=True)))
        peaks.append(peak)
    return Promised(max(peaks), sum(peak > 1 for peak in peaks))
