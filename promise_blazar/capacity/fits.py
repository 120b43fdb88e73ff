# SPDX-License-Identifier: Apache-2.0
"""How many of a flavor fit, all through a window: in the pool, and packed whole on hosts."""

from collections.abc import Mapping
from dataclasses import dataclass

from promise_blazar.capacity.budget import Budget
from promise_blazar.capacity.demand.request import Window
from promise_blazar.capacity.figures import least
from promise_blazar.capacity.free_capacity import FreeCapacity
from promise_blazar.capacity.given import Given
from promise_blazar.capacity.ledger import Ledger, Rows
from promise_blazar.capacity.limits import UNLIMITED
from promise_blazar.capacity.pool_timeline import PoolTimeline
from promise_blazar.model.resource_classes import INSTANCE


@dataclass(frozen=True, slots=True)
class Fits:
    """How many times a flavor fits all through a window.

    ``pool``: by what is available in the pool; ``hosts``: packed whole on hosts, in no zone more
    often than the pool of that zone lets; ``count``: the smaller of both. Where no class of the
    flavor is counted in one of the two, it is what the other is.
    """

    pool: int
    hosts: int

    @property
    def count(self) -> int:
        return min(self.pool, self.hosts)


def fits(
    ledger: Ledger,
    window: Window,
    amounts: Mapping[str, int],
    zone: str | None = None,
    project: str | None = None,
    budget: Budget | None = None,
) -> Fits:
    """How many slots of these amounts (units by resource class, none negative) would be admitted
    if they were all that is asked for.

    ``zone``: on hosts of that zone. ``project``: whose; None: of the whole, whoever may use it.
    Raises ``OutOfTime``.
    """
    return _Slots(ledger, window, amounts, project, budget or Budget()).fits(zone)


class _Slots:
    """Slots of these amounts, in one window."""

    def __init__(
        self,
        ledger: Ledger,
        window: Window,
        amounts: Mapping[str, int],
        project: str | None,
        budget: Budget,
    ) -> None:
        self._ledger = ledger
        self._window = window
        self._project = project
        self._free = FreeCapacity(ledger, window.start, frozenset(), budget=budget)
        taken = {name: amount for name, amount in amounts.items() if amount > 0}
        self._room = self._free.units_of(taken, window, Given(ledger.size)) * ledger.reservable()
        self._charged = {INSTANCE: 1} | taken
        self._rows: dict[str | None, Rows] = {}

    def fits(self, zone: str | None) -> Fits:
        limited = self._ledger.limited_zones() if zone is None else [zone]
        rows = self._free.rows(self._window)
        self._rows = dict(self._ledger.rows_of_scopes(rows, limited))
        pool = self._in_pool(None)
        room = self._room
        if zone is not None:
            pool = min(pool, self._in_pool(zone))
            return _fits(pool, int(room[self._ledger.in_scope(zone)].sum()))
        hosts = int(room.sum())
        for name in limited:
            here = int(room[self._ledger.in_scope(name)].sum())
            hosts -= here - min(here, self._in_pool(name)) if here else 0
        return _fits(pool, hosts)

    def _in_pool(self, zone: str | None) -> int:
        """How many the pool has room for, of the provider or a zone."""
        tracked = set(self._ledger.tracked(zone))
        limiting = {name: each for name, each in self._charged.items() if name in tracked}
        timeline = PoolTimeline(
            self._ledger, self._rows[zone], self._window, zone, list(limiting), self._project
        )
        figures = least(timeline, limiting)
        return min(
            (figures[name].available // each for name, each in limiting.items()), default=UNLIMITED
        )


def _fits(pool: int, hosts: int) -> Fits:
    """What limits nothing by itself is as many as the other has."""
    return Fits(hosts if pool >= UNLIMITED else pool, pool if hosts >= UNLIMITED else hosts)
