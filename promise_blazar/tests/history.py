# SPDX-License-Identifier: Apache-2.0
"""A past for a database, made by the server itself; and the plans of statements beside it."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from promise_blazar.db import tables

#: Tables that grow with what is over.
GROWING = frozenset(
    {
        "archived_leases",
        "bookings",
        "departed_reservations",
        "events",
        "generations",
        "host_reservations",
        "idempotency_keys",
        "instance_reservations",
        "leases",
        "reservation_servers",
        "reservation_specs",
        "reservations",
        "settled_requests",
    }
)
#: Numbers of the reservations of the past begin here.
FIRST = 100_000_000
#: How the projects of the past are called, and how many they are.
PROJECT = "past"
PROJECTS = 50
_DAY = 86_400 * 1_000_000


@dataclass(frozen=True, slots=True)
class Past:
    """``leases`` that ended, each with so many ``bookings``; ``lost``: as many rows of tombstones,
    departed reservations, keys, decided requests, stamps and archived
    leases. ``hosts``: numbers of those that they
    were on. ``now``: microseconds. ``live``: bookings to come."""

    hosts: tuple[int, ...]
    leases: int
    bookings: int
    lost: int
    now: int
    live: int = 0


def fill(engine: sa.Engine, past: Past) -> None:
    """Add it; what its leases had is over since a day and more."""
    with engine.begin() as connection:
        if engine.dialect.name == "mysql":
            connection.exec_driver_sql("SET SESSION max_recursive_iterations = 1000000")
        connection.exec_driver_sql("CREATE TABLE numbers (i BIGINT PRIMARY KEY)")
        connection.exec_driver_sql(
            "INSERT INTO numbers WITH RECURSIVE n (i) AS "
            "(SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999) SELECT i FROM n"
        )
        _fill(connection, past)
        connection.exec_driver_sql("DROP TABLE numbers")
    analyze(engine)


def analyze(engine: sa.Engine) -> None:
    """Have the server know what there is."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "mysql":
            for name in tables.Base.metadata.tables:
                connection.exec_driver_sql(f"ANALYZE TABLE {name}").all()
        else:
            connection.exec_driver_sql("ANALYZE")


def _fill(connection: sa.Connection, past: Past) -> None:
    provider = connection.execute(sa.select(tables.Provider.id)).scalars().first()
    two = sa.table("numbers", sa.column("i", sa.BigInteger))
    one = two.alias()
    number = one.c.i * _big(1000) + two.c.i
    # From a day ago backwards, an hour from one to the next.
    end = _big(past.now - _DAY) - number * _big(_DAY // 24)
    start = end - _big(_DAY // 24)

    def name(word: str) -> Any:
        return sa.literal(word) + sa.cast(number, sa.String(20))

    def add(table: Any, count: int, **values: Any) -> None:
        query = sa.select(*(sa.literal(v) if not _sql(v) else v for v in values.values()))
        query = query.select_from(one).join(two, sa.true()).where(number < count)
        connection.execute(sa.insert(table.__table__).from_select(list(values), query))

    add(
        tables.Lease,
        past.leases,
        id=name("lease-"),
        provider_id=provider,
        name="over",
        user_id="nobody",
        project_id=sa.literal(f"{PROJECT}-") + sa.cast(number % _big(PROJECTS), sa.String(20)),
        start=start,
        end=end,
        status="TERMINATED",
        degraded=sa.false(),
        attempt=3,
        failures=0,
        revision=9,
        created_at=start,
        updated_at=end,
    )
    add(
        tables.Reservation,
        past.leases,
        id=FIRST + number,
        uuid=name("reservation-"),
        lease_id=name("lease-"),
        resource_id=name("resource-"),
        resource_type="physical:host",
        status="deleted",
        missing_resources=sa.false(),
        resources_changed=sa.false(),
        created_at=start,
    )
    add(
        tables.HostReservation,
        past.leases,
        reservation_id=_big(FIRST) + number,
        count_min=1,
        count_max=past.bookings,
        hypervisor_properties="",
        resource_properties="",
        before_end="",
    )
    add(
        tables.InstanceReservation,
        past.leases,
        reservation_id=_big(FIRST) + number,
        vcpus=1,
        memory_mb=1,
        disk_gb=1,
        amount=1,
        resource_properties="",
    )
    add(
        tables.ReservationServer,
        past.leases,
        reservation_id=_big(FIRST) + number,
        server_id=name("server-"),
    )
    for kind, instant in (("start_lease", start), ("end_lease", end)):
        add(
            tables.Event,
            past.leases,
            id=name(f"{kind}-"),
            lease_id=name("lease-"),
            event_type=kind,
            time=instant,
            status="DONE",
            created_at=start,
        )
    booked = {
        "provider_id": provider,
        "bundle_id": sa.null(),
        "units": 1,
        "start": start,
        "end": end,
        "generation": 1,
    }
    for place in range(past.bookings):
        host = sa.case(dict(enumerate(past.hosts)), value=(number + place) % len(past.hosts))
        add(
            tables.Booking,
            past.leases,
            reservation_id=_big(FIRST) + number,
            host_id=host,
            released=sa.true(),
            deleted=sa.false(),
            **booked,
        )
    add(
        tables.Booking,
        past.live,
        reservation_id=number,
        host_id=_big(past.hosts[0]) + number % _big(len(past.hosts)),
        released=sa.false(),
        deleted=sa.false(),
        **{
            **booked,
            "start": _big(past.now + _DAY) + number * _big(60_000_000),
            "end": _big(past.now + 2 * _DAY) + number * _big(60_000_000),
        },
    )
    _fill_lost(
        add,
        past,
        name,
        number,
        {**booked, "start": _big(past.now), "end": _big(past.now)},
    )
    stamps = tables.Generation
    connection.execute(sa.delete(stamps))
    add(
        stamps,
        past.lost,
        provider_id=provider,
        generation=past.lost - number,
        stamp=number,
        at=end,
    )
    connection.execute(sa.update(tables.Provider).values(generation=past.lost))


def _fill_lost(
    add: Callable[..., None],
    past: Past,
    name: Callable[[str], Any],
    number: Any,
    booked: dict[str, Any],
) -> None:
    gone = _big(past.now - _DAY * 400) - number
    add(
        tables.Booking,
        past.lost,
        reservation_id=number,
        host_id=past.hosts[0],
        released=sa.true(),
        deleted=sa.true(),
        **{**booked, "generation": number + 1},
    )
    add(
        tables.DepartedReservation,
        past.lost,
        uuid=name("departed-"),
        resource_type="physical:host",
        removed_at=gone,
    )
    add(
        tables.IdempotencyKey,
        past.lost,
        project_id=PROJECT,
        key=name("key-"),
        fingerprint="",
        object_id=name("object-"),
        created_at=gone,
    )
    add(
        tables.SettledRequest,
        past.lost,
        id=name("request-"),
        settled_at=gone,
    )
    add(
        tables.ArchivedLease,
        past.lost,
        id=name("archived-"),
        project_id=PROJECT,
        archived_at=gone,
        document="{}",
    )


def _big(value: int) -> Any:
    return sa.literal(value, sa.BigInteger)


def _sql(value: Any) -> bool:
    return isinstance(value, sa.ColumnElement)


@dataclass(frozen=True, slots=True)
class Use:
    """How a statement reads a table. ``index`` None: all rows; ``whole``: all of the index."""

    table: str
    index: str | None
    whole: bool


class Plans:
    """The statements that some work sends, and how the server would run them."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._dialect = engine.dialect.name

    @contextmanager
    def watched(self) -> Iterator[dict[str, list[Use]]]:
        """The statements of this block that read, by whomever, each as it would be run when it was
        first sent."""
        found: dict[str, list[Use]] = {}
        asking = False

        def note(connection, cursor, statement, parameters, context, many):  # type: ignore[no-untyped-def]
            nonlocal asking
            reads = re.match(r"\s*(SELECT|UPDATE|DELETE|INSERT.*\bSELECT\b)", statement, re.S)
            if not reads or many or asking or statement in found:
                return
            asking = True
            found[statement] = self.uses(statement, parameters)
            asking = False

        event.listen(sa.Engine, "before_cursor_execute", note)
        try:
            yield found
        finally:
            event.remove(sa.Engine, "before_cursor_execute", note)

    def uses(self, statement: str, parameters: Any) -> list[Use]:
        """How each table of a statement would be read; raises for none that can be explained."""
        explain = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN (FORMAT JSON) "}
        words = explain.get(self._dialect, "EXPLAIN ") + statement
        with self._engine.connect() as connection:
            if self._dialect == "postgresql":
                # Of small tables all rows are read sooner; what counts is whether an index leads.
                connection.exec_driver_sql("SET enable_seqscan = off")
            rows = connection.exec_driver_sql(words, parameters).mappings().all()
        read = {"sqlite": _of_sqlite, "postgresql": _of_postgresql}.get(self._dialect, _of_mariadb)
        return list(read(rows))


def misled(statements: dict[str, list[Use]]) -> list[str]:
    """Those that read a table that grows, or an index of one, whole; and how."""
    return [
        f"{use}: {statement}"
        for statement, uses in statements.items()
        for use in uses
        if use.table in GROWING and (use.whole or use.index is None)
    ]


def _plain(table: str) -> str:
    """Without the number of an alias."""
    return re.sub(r"_\d+$", "", table)


def _of_sqlite(rows: Any) -> Iterator[Use]:
    for row in rows:
        found = re.match(
            r"(SCAN|SEARCH) (\w+)(?: .*?INDEX (\w+)| USING (INTEGER PRIMARY KEY))?", row["detail"]
        )
        if found:
            how, table, index, key = found.groups()
            yield Use(_plain(table), index or key, how == "SCAN")


def _of_mariadb(rows: Any) -> Iterator[Use]:
    for row in rows:
        if row["table"] and not row["table"].startswith("<"):
            whole = row["type"] in ("ALL", "index")
            yield Use(_plain(row["table"]), row["key"], whole)


def _of_postgresql(rows: Any) -> Iterator[Use]:
    (plan,) = (
        rows[0]["QUERY PLAN"]
        if not isinstance(rows[0]["QUERY PLAN"], str)
        else json.loads(rows[0]["QUERY PLAN"])
    )
    yield from _nodes(plan["Plan"], "")


def _nodes(node: dict[str, Any], above: str) -> Iterator[Use]:
    table = node.get("Relation Name", above)
    if node["Node Type"] == "Seq Scan":
        yield Use(table, None, True)
    elif "Index Name" in node:
        yield Use(table, node["Index Name"], whole=False)
    for inner in node.get("Plans", ()):
        yield from _nodes(inner, table)
