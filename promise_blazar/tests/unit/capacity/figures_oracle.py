# SPDX-License-Identifier: Apache-2.0
"""The figures of the pool as naively as they can be written: one instant, class, scope and caller
at a time, booking by booking; and small worlds that have all that figures depend on.

It shares no code with what it judges but the words (hosts, bookings, adjustments).
"""

from dataclasses import dataclass, field

from hypothesis import strategies as st

from promise_blazar.capacity.ledger import OPEN, Booking, Ledger, LedgerAdjustment, LedgerHost
from promise_blazar.tests.unit.capacity import oracle

HORIZON = 10
ZONES = ("east", "west")
PROJECTS = ("p", "q", "r")
CLASSES = ("VCPU", "MEMORY_MB", "INSTANCE", "VOLUME_GB")
BUNDLES = {
    1: {"VCPU": 1},
    2: {"VCPU": 1, "MEMORY_MB": 2},
    3: {"VOLUME_GB": 3, "VCPU": 2},
    4: {"INSTANCE": 2, "MEMORY_MB": 1},
    5: {},
}


@dataclass
class World:
    """``gone``: hosts that were registered once. ``owners``: projects by reservation."""

    hosts: list[LedgerHost]
    gone: list[LedgerHost]
    bookings: list[Booking]
    adjustments: list[LedgerAdjustment] = field(default_factory=list)
    owners: dict[int, str] = field(default_factory=dict)

    def ledger(self) -> Ledger:
        ledger = Ledger()
        for host in (*self.gone, *self.hosts):
            ledger.put_host(host)
        for host in self.gone:
            ledger.drop_host(host.id)
        for bundle, amounts in BUNDLES.items():
            ledger.put_bundle(bundle, amounts)
        oracle.put(ledger, self.bookings)
        for adjustment in self.adjustments:
            ledger.put_adjustment(adjustment)
        ledger.put_owners(self.owners)
        return ledger

    def host(self, number: int) -> LedgerHost | None:
        return next((host for host in self.hosts if host.id == number), None)

    # What is there

    def total(self, name: str, instant: int, zone: str | None, project: str | None) -> int:
        there = sum(h.capacity.get(name, 0) for h in self.hosts if zone in (None, h.zone))
        for each in self._covering(instant, zone):
            if each.source is None:
                there += each.amounts.get(name, 0)
        if project is not None:
            for group in self.groups():
                if project not in group:
                    there -= self.share(group, name, instant, zone)
            there = max(there, 0)
        return there

    def groups(self) -> set[frozenset[str]]:
        return {each.projects for each in self.adjustments if each.source is not None}

    def share(self, group: frozenset[str], name: str, instant: int, zone: str | None) -> int:
        return sum(
            each.amounts.get(name, 0)
            for each in self._covering(instant, zone)
            if each.source is not None and each.projects == group
        )

    def _covering(self, instant: int, zone: str | None) -> list[LedgerAdjustment]:
        return [
            each
            for each in self.adjustments
            if each.start <= instant < each.end and zone in (None, each.zone)
        ]

    # What is promised

    def reserved(self, name: str, instant: int, zone: str | None, project: str | None) -> int:
        found = self.demand(name, instant, zone)
        if project is None:
            return found
        covered = {group: self.covered(group, name, instant, zone) for group in self.groups()}
        own = sum(units for group, units in covered.items() if project in group)
        return own + max(found - sum(covered.values()), 0)

    def covered(self, group: frozenset[str], name: str, instant: int, zone: str | None) -> int:
        share = self.share(group, name, instant, zone)
        return min(self.demand(name, instant, zone, group), share)

    def demand(
        self, name: str, instant: int, zone: str | None, group: frozenset[str] | None = None
    ) -> int:
        """What is promised (to a group), no more on any host than it has."""
        on_hosts = any(name in host.capacity for host in self.hosts)
        found = 0
        for number in {booking.host for booking in self.bookings}:
            host = self.host(number)
            if zone is not None and (host is None or host.zone != zone):
                continue
            here = sum(
                self._charge(booking, host, name)
                for booking in self.bookings
                if booking.host == number
                and booking.start <= instant < booking.end
                and (group is None or self.owners.get(booking.reservation) in group)
            )
            found += min(here, host.capacity.get(name, 0) if host else 0) if on_hosts else here
        return found

    def _charge(self, booking: Booking, host: LedgerHost | None, name: str) -> int:
        if booking.bundle is None:
            return host.capacity.get(name, 0) if host else 0
        each = BUNDLES[booking.bundle].get(name, 1 if name == "INSTANCE" else 0)
        return each * booking.units

    # The figures

    def left(self, name: str, instant: int, zone: str | None, project: str | None) -> int:
        """What is available, less than nothing by what the whole is short of."""
        left = self.total(name, instant, zone, None) - self.demand(name, instant, zone)
        if project is None:
            return left
        own, for_all = 0, self.total(name, instant, zone, None)
        for group in self.groups():
            share = self.share(group, name, instant, zone)
            for_all -= share
            if project in group:
                own += share - self.covered(group, name, instant, zone)
        for_all -= self.reserved(name, instant, zone, "nobody")
        return max(min(left, own + max(for_all, 0)), 0)

    def tracked(self, zone: str | None) -> set[str]:
        found = {name for h in self.hosts if zone in (None, h.zone) for name in h.capacity}
        for each in self.adjustments:
            if zone in (None, each.zone):
                found |= set(each.amounts)
        return found


capacities = st.fixed_dictionaries(
    {"VCPU": st.integers(0, 5)}, optional={"MEMORY_MB": st.integers(0, 6)}
)


@st.composite
def spans(draw, open_end=False):
    start = draw(st.integers(0, HORIZON - 1))
    ends = st.integers(start + 1, HORIZON)
    return start, draw(st.one_of(ends, ends, st.just(OPEN)) if open_end else ends)


@st.composite
def worlds(draw, carved=True, forced=True):
    """``forced``: more may be withdrawn than there is left."""
    hosts = [
        LedgerHost(
            id=number,
            name=f"compute-{number}",
            zone=(zone := draw(st.sampled_from(ZONES))),
            capacity=draw(capacities),
            properties={"zone": zone},
            reservable=draw(st.sampled_from([True, True, True, False])),
        )
        for number in draw(st.permutations(range(1, draw(st.integers(1, 4)) + 1)))
    ]
    gone = hosts.pop() if len(hosts) > 1 and draw(st.booleans()) else None
    ids = [host.id for host in hosts] + ([gone.id] if gone else []) + [9]
    bookings = []
    for number in range(draw(st.integers(0, 7))):
        start, end = draw(spans(open_end=True))
        bookings.append(
            Booking(
                id=number + 1,
                reservation=draw(st.integers(1, 5)),
                host=draw(st.sampled_from(ids)),
                bundle=draw(st.sampled_from([1, 2, 3, 4, 5, None])),
                units=draw(st.integers(1, 3)),
                start=start,
                end=end,
                released=draw(st.booleans()),
            )
        )
    adjustments = draw(sources(forced))
    if carved:
        adjustments += draw(carve_outs(adjustments))
    owners = {number: draw(st.sampled_from(PROJECTS)) for number in range(1, 6)}
    return World(hosts, [gone] if gone else [], bookings, adjustments, owners)


@st.composite
def sources(draw, forced):
    found = []
    for number in range(draw(st.integers(0, 3))):
        start, end = draw(spans(open_end=True))
        least = -6 if forced else 0
        names = draw(st.sets(st.sampled_from(CLASSES), min_size=1, max_size=3))
        amounts = {name: draw(st.integers(least, 6)) for name in sorted(names)}
        zone = draw(st.sampled_from([None, *ZONES]))
        found.append(LedgerAdjustment(number + 1, zone, start, end, amounts))
    return found


@st.composite
def carve_outs(draw, adjustments):
    """One at most of each source, and projects that are the same or disjoint."""
    found = []
    for source in adjustments:
        amounts = {name: most for name, most in source.amounts.items() if most > 0}
        if not amounts or not draw(st.booleans()):
            continue
        projects = draw(st.sampled_from([frozenset("p"), frozenset("q")]))
        amounts = {name: draw(st.integers(1, most)) for name, most in amounts.items()}
        last = min(source.end, HORIZON)
        start = draw(st.integers(source.start, last - 1))
        end = draw(st.integers(start + 1, last))
        number = 100 + source.id
        found.append(
            LedgerAdjustment(number, source.zone, start, end, amounts, source.id, projects)
        )
    return found


@st.composite
def windows(draw):
    start = draw(st.integers(0, HORIZON - 1))
    return start, draw(st.integers(start + 1, HORIZON + 1))
