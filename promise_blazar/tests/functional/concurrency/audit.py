# SPDX-License-Identifier: Apache-2.0
"""Is what the database says possible? An independent check that shares no code with the ledger.

Brute force over the rows: at every instant at which something begins, on every host, what is
promised is added up and compared with what the host has.
"""

import dataclasses
import functools
from collections import Counter, defaultdict

import sqlalchemy
from sqlalchemy import pool

from promise_blazar.capacity.ledger import Ledger
from promise_blazar.db.session import Database
from promise_blazar.manager.ledger.store import LedgerStore


def rows(url, table):
    """A table as it is, without our own description of it."""
    engine, reflected = _reflected(url, table)
    with engine.connect() as connection:
        return list(connection.execute(sqlalchemy.select(reflected)).mappings())


@functools.lru_cache
def _reflected(url, table):
    # Most of the time of a look, and the same at the next one.
    engine = sqlalchemy.create_engine(url, poolclass=pool.NullPool)
    return engine, sqlalchemy.Table(table, sqlalchemy.MetaData(), autoload_with=engine)


def faults(url):
    """Everything that is wrong, in words; empty if nothing is."""
    bookings = [row for row in rows(url, "bookings") if not row["deleted"]]
    return [*_oversold(url, bookings), *_astray(url, bookings), *_short(url, bookings)]


def _oversold(url, bookings):
    capacity = defaultdict(Counter)
    for row in rows(url, "host_inventories"):
        capacity[row["host_id"]][row["resource_class"]] = row["total"] - row["reserved"]
    bundles = {None: {}}
    for row in rows(url, "bundles"):
        pairs = (pair.split("=") for pair in row["text"].split(",") if pair)
        bundles[row["id"]] = {name: int(amount) for name, amount in pairs}
    for host in {row["host_id"] for row in bookings}:
        here = [row for row in bookings if row["host_id"] == host]
        for instant in sorted({row["start"] for row in here}):
            there = [row for row in here if row["start"] <= instant < row["end"]]
            whole = [row for row in there if row["bundle_id"] is None]
            if whole and len(there) > 1:
                yield f"host {host} is lent whole and shared at {instant}: {there}"
            taken = Counter()
            for row in there:
                for name, amount in bundles[row["bundle_id"]].items():
                    taken[name] += amount * row["units"]
            for name, amount in taken.items():
                if amount > capacity[host][name]:
                    yield f"host {host}: {amount} {name} at {instant} of {capacity[host][name]}"


def _astray(url, bookings):
    """Promises on hosts that are gone, or to nobody."""
    lent = {row["id"] for row in rows(url, "hosts") if not row["tombstone"]}
    known = {row["id"] for row in rows(url, "reservations")}
    for row in bookings:
        if row["host_id"] not in lent and not row["released"]:
            yield f"booking {row['id']} is on host {row['host_id']}, which is gone"
        if row["reservation_id"] not in known:
            yield f"booking {row['id']} is of no reservation"


def _short(url, bookings):
    """Leases that have less than they were told, or more."""
    alive = {row["id"] for row in rows(url, "leases") if row["status"] in ("PENDING", "ACTIVE")}
    mine = [row for row in rows(url, "reservations") if row["lease_id"] in alive]
    units, hosts = Counter(), defaultdict(list)
    for row in bookings:
        units[row["reservation_id"]] += row["units"]
        hosts[row["reservation_id"]].append(row["host_id"])
    wanted = {r["reservation_id"]: (r["amount"],) * 2 for r in rows(url, "instance_reservations")}
    for row in rows(url, "host_reservations"):
        wanted[row["reservation_id"]] = (row["count_min"], row["count_max"])
    for reservation in mine:
        number = reservation["id"]
        least, most = wanted[number]
        if not least <= units[number] <= most:
            yield f"reservation {number} has {units[number]}, not {least} to {most}"
        if len(set(hosts[number])) < len(hosts[number]):
            yield f"reservation {number} has two bookings on a host"


def strayed(ledger_store, url, clock):
    """How the ledger of a manager differs from the truth: from one that is loaded anew."""
    database = Database(url)
    try:
        fresh = LedgerStore(database, ledger_store.provider_id, clock)
        numbers = {row["reservation_id"] for row in rows(url, "bookings")}

        def picture(ledger: Ledger, now):
            hosts = {number: dataclasses.asdict(host) for number, host in ledger.hosts.items()}
            held = {
                booking.id: dataclasses.asdict(booking)
                for number in numbers
                for booking in ledger.bookings_of(number)
                if not booking.released or booking.end > now
            }
            adjusted = {n: dataclasses.asdict(each) for n, each in ledger.adjustments.items()}
            return {
                "hosts": hosts,
                "bookings": held,
                "count": {"of all": len(ledger)},
                "adjustments": adjusted,
            }

        seen, truth = ledger_store.read(picture), fresh.read(picture)
        return [
            f"{kind} {key}: {seen[kind].get(key)} instead of {truth[kind].get(key)}"
            for kind in truth
            for key in seen[kind].keys() | truth[kind].keys()
            if seen[kind].get(key) != truth[kind].get(key)
        ]
    finally:
        database.dispose()
