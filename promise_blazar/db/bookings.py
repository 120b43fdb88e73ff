# SPDX-License-Identifier: Apache-2.0
"""Rows of the ledger, and what changed in them since a generation.

Whoever writes here has moved the provider's generation first, in the same transaction.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

from oslo_db import exception as db_exception
from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    bindparam,
    case,
    false,
    func,
    insert,
    select,
    type_coerce,
    update,
)

from promise_blazar.db import tables
from promise_blazar.db.session import LostRace
from promise_blazar.model.booking import WHOLE, Allocation, BookedHost, NewBooking

#: Bookings that are read at a time when all are.
_CHUNK: Final = 50_000


class LedgerRow(NamedTuple):
    """``bundle`` ``WHOLE``: the whole host. ``start``, ``end``: microseconds.

    ``released``, ``deleted``: truth values, or 0 and 1, as the database has them.
    """

    id: int
    reservation: int
    host: int
    bundle: int
    units: int
    start: int
    end: int
    released: bool
    deleted: bool


_LEDGER_ROW = (
    tables.Booking.id,
    tables.Booking.reservation_id,
    tables.Booking.host_id,
    func.coalesce(tables.Booking.bundle_id, WHOLE),
    tables.Booking.units,
    tables.Booking.start,
    tables.Booking.end,
    type_coerce(tables.Booking.released, Integer),
    type_coerce(tables.Booking.deleted, Integer),
)


def changed(connection: Connection, provider_id: int, generation: int) -> Sequence[LedgerRow]:
    """Every booking that changed after this generation, tombstones included."""
    # SELECT id, ... FROM bookings WHERE provider_id = :p AND generation > :g
    where = (tables.Booking.provider_id == provider_id) & (tables.Booking.generation > generation)
    # Plain tuples by position are what many of them are quickest as.
    return cast(Sequence[LedgerRow], connection.execute(select(*_LEDGER_ROW).where(where)).all())


# SELECT id, ... FROM bookings WHERE id > :after AND provider_id = :p AND deleted = false
#   AND (released = false OR end > :now) ORDER BY id LIMIT :size
_LIVE = (
    select(*_LEDGER_ROW)
    .where(
        tables.Booking.id > bindparam("after"),
        tables.Booking.provider_id == bindparam("provider"),
        tables.Booking.deleted == false(),
        (tables.Booking.released == false()) | (tables.Booking.end > bindparam("now")),
    )
    .order_by(tables.Booking.id)
    .limit(_CHUNK)
    # In the order of the rows; MariaDB would sort them anew for each chunk.
    .with_hint(tables.Booking, "FORCE INDEX (PRIMARY)", "mysql")
    .with_hint(tables.Booking, "FORCE INDEX (PRIMARY)", "mariadb")
)


def live(connection: Connection, provider_id: int, now: int) -> Iterator[Sequence[LedgerRow]]:
    """Every booking that can still matter to a decision: what a manager loads at its start.

    In chunks, by id; each is what there is when it is read.
    """
    after = 0
    while True:
        asked = {"after": after, "provider": provider_id, "now": now}
        rows = cast(Sequence[LedgerRow], connection.execute(_LIVE, asked).all())
        if rows:
            yield rows
        if len(rows) < _CHUNK:
            return
        after = rows[-1][0]


def add(
    connection: Connection, provider_id: int, generation: int, new: Iterable[NewBooking]
) -> None:
    rows = [
        {
            "provider_id": provider_id,
            "reservation_id": booking.reservation_id,
            "host_id": booking.host_id,
            "bundle_id": booking.bundle_id,
            "units": booking.units,
            "start": booking.start,
            "end": booking.end,
            "released": False,
            "deleted": False,
            "generation": generation,
        }
        for booking in new
    ]
    if rows:
        connection.execute(insert(tables.Booking), rows)


def drop(connection: Connection, generation: int, reservations: Sequence[int]) -> None:
    """Tombstone all bookings of these reservations: nothing in OpenStack depends on them."""
    connection.execute(
        update(tables.Booking)
        .where(tables.Booking.reservation_id.in_(reservations), tables.Booking.deleted.is_(False))
        .values(deleted=True, generation=generation)
    )


def shrink(
    connection: Connection, generation: int, reservation: int, start: int, end: int
) -> None:
    """Keep of a reservation's bookings what lies between start and end."""
    # A booking may begin later than its lease: at the second at which it was admitted.
    later = case((tables.Booking.start > start, tables.Booking.start), else_=start)
    # What is over stays so: its hosts are somebody else's since then.
    earlier = case((tables.Booking.end < end, tables.Booking.end), else_=end)
    connection.execute(
        update(tables.Booking)
        .where(tables.Booking.reservation_id == reservation, tables.Booking.deleted.is_(False))
        .values(start=later, end=earlier, generation=generation)
    )


def give_up(
    connection: Connection, generation: int, reservations: Sequence[int], now: int
) -> None:
    """End these reservations' bookings now; they stay unreleased until OpenStack let go."""
    connection.execute(
        update(tables.Booking)
        .where(
            tables.Booking.reservation_id.in_(reservations),
            tables.Booking.deleted.is_(False),
            tables.Booking.end > now,
        )
        .values(end=now, generation=generation)
    )


def release(connection: Connection, generation: int, reservations: Sequence[int]) -> None:
    """OpenStack has let go of everything these reservations held."""
    connection.execute(
        update(tables.Booking)
        .where(
            tables.Booking.reservation_id.in_(reservations),
            tables.Booking.deleted.is_(False),
            tables.Booking.released.is_(False),
        )
        .values(released=True, generation=generation)
    )


def held_by(connection: Connection, reservations: Sequence[int]) -> list[BookedHost]:
    """Of these reservations."""
    return _held(connection, tables.Booking.reservation_id.in_(reservations))


def _held(connection: Connection, where: ColumnElement[bool]) -> list[BookedHost]:
    """By booking; a host that was removed since is still named."""
    rows = connection.execute(
        select(
            tables.Booking.reservation_id,
            tables.Booking.host_id,
            tables.Host.hypervisor_hostname,
            tables.Host.service_host,
            tables.Host.hypervisor_uuid,
            tables.Booking.units,
            tables.Booking.start,
        )
        .join(tables.Host, tables.Host.id == tables.Booking.host_id)
        .where(where, tables.Booking.deleted.is_(False))
        .order_by(tables.Booking.id)
    ).all()
    return [BookedHost(*row) for row in rows]


def allocations(
    connection: Connection,
    provider_id: int,
    *,
    host_id: int | None = None,
    lease_id: str | None = None,
    reservation_uuid: str | None = None,
    ending_after: int | None = None,
) -> list[Allocation]:
    """Which reservation holds which host, and when; by host and start."""
    # SELECT ... FROM hosts JOIN bookings ON host_id = hosts.id JOIN reservations JOIN leases
    #   WHERE hosts.provider_id = :p AND deleted = false AND bookings.end >= :t AND ...
    query = select(
        tables.Booking.host_id,
        tables.Reservation.uuid,
        tables.Lease.id,
        tables.Lease.start,
        tables.Lease.end,
    )
    if ending_after is not None:
        # Host by host, by the index that has their ends.
        query = in_this_order(query.select_from(tables.Host)).join(
            tables.Booking, tables.Booking.host_id == tables.Host.id
        )
        query = query.where(tables.Host.provider_id == provider_id)
    query = (
        query.join(tables.Reservation, tables.Reservation.id == tables.Booking.reservation_id)
        .join(tables.Lease, tables.Lease.id == tables.Reservation.lease_id)
        .where(tables.Booking.provider_id == provider_id, tables.Booking.deleted.is_(False))
        .order_by(tables.Booking.host_id, tables.Booking.start, tables.Booking.id)
    )
    if host_id is not None:
        query = query.where(tables.Booking.host_id == host_id)
    if lease_id is not None:
        query = query.where(tables.Lease.id == lease_id)
    if reservation_uuid is not None:
        query = query.where(tables.Reservation.uuid == reservation_uuid)
    if ending_after is not None:
        query = query.where(tables.Booking.end >= ending_after)
    return [Allocation(*row) for row in connection.execute(query)]


def in_use(connection: Connection, host_id: int, now: int) -> bool:
    """Whether the host is promised, now or later, or not yet let go of."""
    # SELECT id FROM bookings WHERE host_id = :h AND end > :now AND deleted = false LIMIT 1
    #   and, of another index, ... AND released = false ...
    here = select(tables.Booking.id).where(
        tables.Booking.host_id == host_id, tables.Booking.deleted == false()
    )
    still = (tables.Booking.end > now, tables.Booking.released == false())
    return any(connection.execute(here.where(each).limit(1)).first() is not None for each in still)


def out_of_service(connection: Connection, reservations: Collection[int]) -> frozenset[str]:
    """The hypervisors of these reservations that are not in service, as far as is on record."""
    rows = connection.execute(
        select(tables.Host.hypervisor_hostname)
        .join(tables.Booking, tables.Booking.host_id == tables.Host.id)
        .where(
            tables.Booking.reservation_id.in_(reservations),
            tables.Booking.deleted.is_(False),
            tables.Host.up.is_(False),
        )
    )
    return frozenset(rows.scalars())


def leases_on(connection: Connection, host_ids: Collection[int], now: int) -> list[str]:
    """Ids of the leases to which any of these hosts is promised now."""
    # SELECT DISTINCT lease_id FROM bookings JOIN reservations ... WHERE host_id IN (...)
    return list(
        connection.execute(
            select(tables.Reservation.lease_id)
            .join(tables.Booking, tables.Booking.reservation_id == tables.Reservation.id)
            .where(
                tables.Booking.host_id.in_(host_ids),
                tables.Booking.deleted.is_(False),
                tables.Booking.start <= now,
                tables.Booking.end > now,
            )
            .distinct()
        ).scalars()
    )


def in_this_order(query: Select[Any]) -> Select[Any]:
    """Its tables joined as they are written: MariaDB guesses wrong where one has a long past."""
    return query.prefix_with("STRAIGHT_JOIN", dialect="mysql").prefix_with(
        "STRAIGHT_JOIN", dialect="mariadb"
    )


def bundle_text(amounts: Mapping[str, int]) -> str:
    """The canonical name of a bundle: ``DISK_GB=20,MEMORY_MB=4096,VCPU=2``."""
    return ",".join(f"{name}={amounts[name]}" for name in sorted(amounts) if amounts[name])


def bundle_amounts(text: str) -> dict[str, int]:
    """What ``bundle_text`` came from."""
    pairs = (pair.split("=") for pair in text.split(",") if pair)
    return {name: int(amount) for name, amount in pairs}


def bundle(connection: Connection, amounts: Mapping[str, int]) -> int:
    """The number under which these amounts are booked, made if there is none.

    Raises ``LostRace`` when somebody else made it at the same time.
    """
    text = bundle_text(amounts)
    found = connection.execute(select(tables.Bundle.id).where(tables.Bundle.text == text)).scalar()
    if found is not None:
        return found
    try:
        return connection.execute(insert(tables.Bundle).values(text=text)).inserted_primary_key[0]
    except db_exception.DBDuplicateEntry as error:
        raise LostRace from error


def bundles(connection: Connection, numbers: Sequence[int]) -> dict[int, dict[str, int]]:
    rows = connection.execute(
        select(tables.Bundle.id, tables.Bundle.text).where(tables.Bundle.id.in_(numbers))
    )
    return {row.id: bundle_amounts(row.text) for row in rows}
