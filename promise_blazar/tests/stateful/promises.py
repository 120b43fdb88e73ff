# SPDX-License-Identifier: Apache-2.0
"""What do the tables promise, at most? Added up from the rows alone, without the ledger's code."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy

from promise_blazar.db import tables


@dataclass(frozen=True, slots=True)
class Promise:
    """``units`` of ``amounts`` (None: all there is) on a host, in ``[start, end)``."""

    reservation: int
    host: int
    amounts: Mapping[str, int] | None
    units: int
    start: int
    end: int
    released: bool


@dataclass(frozen=True, slots=True)
class LedgerStore:
    """All of one instant. ``capacity`` by host and class."""

    generation: int
    capacity: Mapping[int, Mapping[str, int]]
    promises: Sequence[Promise]


def engine(url: str) -> sqlalchemy.Engine:
    """For ``read``: its transactions see one instant."""
    made = sqlalchemy.create_engine(url)
    if made.dialect.name == "sqlite":
        return made  # in WAL mode its readers do
    return made.execution_options(isolation_level="REPEATABLE READ")


def read(source: sqlalchemy.Engine) -> LedgerStore:
    host, inventory, booking = tables.Host, tables.HostInventory, tables.Booking
    with source.connect() as connection, connection.begin():
        if source.dialect.name == "sqlite":
            # The driver begins a transaction with the first write only.
            connection.exec_driver_sql("BEGIN")
        generation = connection.execute(sqlalchemy.select(tables.Provider.generation)).scalar_one()
        hosts = connection.execute(
            sqlalchemy.select(
                host.id, inventory.resource_class, inventory.total, inventory.reserved
            )
            .join(inventory, inventory.host_id == host.id)
            .where(host.tombstone == 0)
        ).all()
        rows = connection.execute(
            sqlalchemy.select(
                booking.reservation_id,
                booking.host_id,
                tables.Bundle.text,
                booking.units,
                booking.start,
                booking.end,
                booking.released,
            )
            .outerjoin(tables.Bundle, tables.Bundle.id == booking.bundle_id)
            .where(booking.deleted.is_(False), booking.start < booking.end)
        ).all()
    capacity: dict[int, dict[str, int]] = defaultdict(dict)
    for number, name, total, reserved in hosts:
        capacity[number][name] = total - reserved
    promises = [
        Promise(number, where, None if text is None else _amounts(text), *rest)
        for number, where, text, *rest in rows
    ]
    return LedgerStore(generation, capacity, promises)


@dataclass(frozen=True, slots=True)
class Load:
    """Promised / capacity at most: of any host, and of all hosts together, at one instant."""

    host: float
    cloud: float
    oversold: tuple[str, ...]


def load(ledger_store: LedgerStore, since: int = 0) -> Load:
    """At instants from ``since`` on, in microseconds: what is over is no promise any more."""
    ahead = [promise for promise in ledger_store.promises if promise.end > since]
    by_host = defaultdict(list)
    for promise in ahead:
        by_host[promise.host].append(promise)
    total: Counter[str] = Counter()
    for has in ledger_store.capacity.values():
        total.update(has)
    most, oversold = 0.0, []
    for number, here in by_host.items():
        has = ledger_store.capacity.get(number, {})
        peak, shared = _peak(here, ledger_store, has, since)
        if peak > 1 or shared:
            words = f"host {number}: {peak:.3f}{' and lent whole' if shared else ''}"
            oversold.append(f"{words}: {sorted(here, key=lambda promise: promise.start)}")
        most = max(most, peak)
    together, _ = _peak(ahead, ledger_store, total, since)
    return Load(most, together, tuple(oversold))


def _peak(
    promises: Sequence[Promise], ledger_store: LedgerStore, has: Mapping[str, int], since: int
) -> tuple[float, bool]:
    """Of any class at any instant; and whether a host that is lent whole carries more."""
    changes = []
    for promise in promises:
        whole = promise.amounts is None
        per_unit = ledger_store.capacity.get(promise.host, {}) if whole else promise.amounts
        start = max(promise.start, since)
        changes.append((start, 1, promise.units, per_unit, whole))
        changes.append((promise.end, -1, promise.units, per_unit, whole))
    level: Counter[str] = Counter()
    count = wholes = 0
    peak, shared = 0.0, False
    # Ends before starts at one instant: windows are half-open.
    for _, sign, units, per_unit, whole in sorted(changes, key=lambda change: change[:2]):
        count += sign
        wholes += sign * whole
        shared |= bool(wholes) and count > 1
        for name, amount in per_unit.items():
            level[name] += sign * units * amount
            if level[name]:
                peak = max(peak, level[name] / has[name] if has.get(name) else float("inf"))
    return peak, shared


def _amounts(text: str) -> dict[str, int]:
    pairs = (pair.partition("=") for pair in text.split(","))
    return {name: int(amount) for name, _, amount in pairs}
