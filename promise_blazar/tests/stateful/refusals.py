# SPDX-License-Identifier: Apache-2.0
"""Was a refusal right? Each is judged by the capacity oracle on what the tables said just then."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from promise_blazar import times
from promise_blazar.capacity.budget import Budget
from promise_blazar.capacity.demand.request import AllocationRequest, Window
from promise_blazar.capacity.demand.whole_hosts import WholeHosts
from promise_blazar.capacity.explanation import Explanation
from promise_blazar.capacity.ledger import Booking, LedgerHost
from promise_blazar.clock import Clock
from promise_blazar.manager.ledger.deciding import No
from promise_blazar.manager.service import ManagerService
from promise_blazar.tests.stateful import offers, promises
from promise_blazar.tests.unit.capacity import oracle


class Judge:
    """Listens to the refusals of a manager.

    ``tally`` counts them: ``right``; ``false``; ``gave up`` of several asks together, which the
    manager says itself; ``moved``, when somebody changed the books before they could be read.
    """

    def __init__(self, service: ManagerService, url: str, clock: Clock) -> None:
        self.tally: Counter[str] = Counter()
        self.false: list[str] = []
        self._source = promises.engine(url)
        self._clock = clock
        self._ledger = service.ledger
        questions = service.ledger.questions
        why = questions.why

        def judged(
            answer: No,
            asks: Sequence[AllocationRequest],
            exclude: frozenset[int],
            budget: Budget,
        ) -> Explanation | None:
            self.tally[self._judge(answer, asks, exclude)] += 1
            return why(answer, asks, exclude, budget)

        questions.why = judged

    def stop(self) -> None:
        self._source.dispose()

    def _judge(
        self, answer: No, asks: Sequence[AllocationRequest], exclude: frozenset[int]
    ) -> str:
        ledger = self._ledger.access.replica.ledger  # for what hosts are called
        now = times.to_micros(self._clock.now())
        if answer.refusal.gave_up:
            return "gave up"
        found = promises.read(self._source)
        if found.generation != answer.generation:
            return "moved"
        ask = next(ask for ask in asks if ask.key == answer.refusal.key)
        start = max(ask.window.start, min(now, ask.window.end - 1))
        ask = replace(ask, window=Window(start, ask.window.end))
        hosts = [replace(ledger.hosts[n], capacity=has) for n, has in found.capacity.items()]
        supply = offers.read(self._source)
        if supply.adjustments:
            there = offers.fits(ask, hosts, found.promises, supply, now, exclude)
        else:
            there = fits(ask, hosts, found.promises, now, exclude)
        if not there:
            return "right"
        self.false.append(f"{ask} fits at {now}: {found.promises}")
        return "false"


def fits(
    ask: AllocationRequest,
    hosts: Sequence[LedgerHost],
    booked: Sequence[promises.Promise],
    now: int,
    exclude: frozenset[int],
) -> bool:
    """Could this one ask have been granted? Each host by itself, as nothing else is asked for."""
    by_host = defaultdict(list)
    for promise in booked:
        by_host[promise.host].append(promise)
    demand = ask.demand
    keep = {placement.host: placement.units for placement in ask.keep}
    most = 1 if isinstance(demand, WholeHosts) else demand.amount
    room = {host.id: _room(ask, host, by_host[host.id], now, exclude, most) for host in hosts}
    if ask.pinned and any(room.get(host, 0) < units for host, units in keep.items()):
        return False
    pinned = keep if ask.pinned else {}
    if isinstance(demand, WholeHosts):
        return len(pinned) <= demand.maximum and sum(room.values()) >= demand.minimum
    if sum(pinned.values()) > most:
        return False
    if demand.affinity is None:
        return sum(room.values()) >= most
    if demand.affinity:
        return any(units >= most for host, units in room.items() if not pinned or host in pinned)
    return sum(units > 0 for units in room.values()) >= most


def _room(
    ask: AllocationRequest,
    host: LedgerHost,
    booked: Sequence[promises.Promise],
    now: int,
    exclude: frozenset[int],
    most: int,
) -> int:
    """How many units of the ask the oracle lets onto the host, up to ``most``."""
    window = ask.window
    instants = {now, now + 1, window.start, window.end}
    for promise in booked:
        instants.update((promise.start, promise.end))
    # Between two of these nothing changes: the oracle may take each for the next of the other.
    rank = {instant: number for number, instant in enumerate(sorted(instants))}
    bundles = {n: dict(p.amounts) for n, p in enumerate(booked, 1) if p.amounts is not None}
    world = oracle.World(
        [host],
        bundles,
        [
            Booking(
                number,
                promise.reservation,
                promise.host,
                None if promise.amounts is None else number,
                promise.units,
                rank[promise.start],
                rank[promise.end],
                promise.released,
            )
            for number, promise in enumerate(booked, 1)
        ],
        rank[now],
        exclude,
    )
    small = replace(ask, window=Window(rank[window.start], rank[window.end]))
    units = 0
    while units < most and oracle.rule_kept(world, [(small, {host.id: units + 1})]):
        units += 1
    return units
