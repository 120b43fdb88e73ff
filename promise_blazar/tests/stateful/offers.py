# SPDX-License-Identifier: Apache-2.0
"""What is on offer, as the tables say, and whether promises keep the pool formula."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import sqlalchemy

from promise_blazar.capacity.demand.request import AllocationRequest, Window
from promise_blazar.capacity.ledger import Booking, LedgerAdjustment, LedgerHost
from promise_blazar.db import tables
from promise_blazar.tests.stateful import promises
from promise_blazar.tests.unit.capacity import oracle, pool_oracle


@dataclass(frozen=True, slots=True)
class Supply:
    """The adjustments there are, and the projects of reservations by number."""

    adjustments: list[LedgerAdjustment]
    owners: dict[int, str]


def read(source: sqlalchemy.Engine) -> Supply:
    table, amount, project = (
        tables.Adjustment,
        tables.AdjustedAmount,
        tables.AdjustmentProject,
    )
    with source.connect() as connection:
        rows = connection.execute(
            sqlalchemy.select(table.id, table.zone, table.start, table.end, table.source_id).where(
                table.deleted.is_(False)
            )
        ).all()
        amounts: dict[int, dict[str, int]] = defaultdict(dict)
        for number, name, units in connection.execute(
            sqlalchemy.select(amount.adjustment_id, amount.resource_class, amount.amount)
        ):
            amounts[number][name] = units
        projects: dict[int, set[str]] = defaultdict(set)
        for number, name in connection.execute(
            sqlalchemy.select(project.adjustment_id, project.project_id)
        ):
            projects[number].add(name)
        owners = connection.execute(
            sqlalchemy.select(tables.Reservation.id, tables.Lease.project_id).join(
                tables.Lease, tables.Lease.id == tables.Reservation.lease_id
            )
        ).all()
    return Supply(
        [
            LedgerAdjustment(
                number, zone, start, end, amounts[number], source_, frozenset(projects[number])
            )
            for number, zone, start, end, source_ in rows
        ],
        dict(map(tuple, owners)),
    )


class Compressed:
    """A small world that is the cloud: between two of its instants nothing changes."""

    def __init__(
        self,
        hosts: Sequence[LedgerHost],
        booked: Sequence[promises.Promise],
        supply: Supply,
        now: int,
        others: Sequence[int] = (),
        exclude: frozenset[int] = frozenset(),
    ) -> None:
        instants = {now, now + 1, *others}
        for each in (*booked, *supply.adjustments):
            instants.update((each.start, each.end))
        self.rank = {instant: number for number, instant in enumerate(sorted(instants))}
        self.world = oracle.World(
            list(hosts),
            {n: dict(p.amounts) for n, p in enumerate(booked, 1) if p.amounts is not None},
            [
                Booking(
                    number,
                    promise.reservation,
                    promise.host,
                    None if promise.amounts is None else number,
                    promise.units,
                    self.rank[promise.start],
                    self.rank[promise.end],
                    promise.released,
                )
                for number, promise in enumerate(booked, 1)
            ],
            self.rank[now],
            exclude,
            [
                replace(each, start=self.rank[each.start], end=self.rank[each.end])
                for each in supply.adjustments
            ],
            supply.owners,
        )

    def shortages(self) -> list[tuple[str | None, str, int, int]]:
        """Zone, class, instant and by how much, from now on."""
        world, found = self.world, []
        for zone in (None, *{host.zone for host in world.hosts}):
            for name in pool_oracle.tracked(world, zone):
                for instant in range(world.now, len(self.rank)):
                    charges = pool_oracle.booked(world, world.bookings, instant)
                    lacks = pool_oracle.lacking(world, charges, zone, name, instant)
                    if lacks.general or lacks.covered:
                        found.append((zone, name, instant, lacks.general + lacks.covered))
        return found


def fits(
    ask: AllocationRequest,
    hosts: Sequence[LedgerHost],
    booked: Sequence[promises.Promise],
    supply: Supply,
    now: int,
    exclude: frozenset[int],
) -> bool:
    """Could this one ask have been granted under both rules?"""
    window = ask.window
    small = Compressed(hosts, booked, supply, now, (window.start, window.end), exclude)
    ask = replace(ask, window=Window(small.rank[window.start], small.rank[window.end]))
    kept = pool_oracle.PoolRule(small.world, ask.project)
    return any(kept.kept([(ask, each)]) for each in oracle.assignments(small.world, ask))
