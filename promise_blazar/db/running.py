# SPDX-License-Identifier: Apache-2.0
"""What OpenStack should have now, as it is on record: the cost depends on what is under way and on
what is asked for by name, never on what is over."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, Row, Select, exists, false, or_, select

from promise_blazar.db import leases, tables
from promise_blazar.db.bookings import in_this_order
from promise_blazar.model.lease import Lease
from promise_blazar.model.states import EventStatus, EventType, LeaseStatus, ReservationStatus

Key = TypeVar("Key", str, int)

#: Leases, or names, that are read at a time.
_AT_ONCE = 500
#: All but those that have not begun, and those that are over.
_MAY_HAVE_HOSTS = (
    LeaseStatus.STARTING,
    LeaseStatus.ACTIVE,
    LeaseStatus.UPDATING,
    LeaseStatus.TERMINATING,
    LeaseStatus.DELETING,
    LeaseStatus.ERROR,
)


def stable(
    connection: Connection, provider_id: int, at_once: int = _AT_ONCE
) -> Iterator[tuple[Lease, ...]]:
    """Leases that wait for their next event and that nobody works on, some at a time.

    In the order of those events; one that is moved meanwhile may be left out, or come twice.
    """
    last: Row[tuple[datetime, str]] | None = None
    while True:
        found = connection.execute(_stable_after(provider_id, last, at_once)).all()
        if found:
            yield leases.these(connection, [row.id for row in found])
        if len(found) < at_once:
            return
        last = found[-1]


def _stable_after(
    provider_id: int, last: Row[tuple[datetime, str]] | None, at_once: int
) -> Select[tuple[datetime, str]]:
    # SELECT look_at, id FROM leases WHERE owner IS NULL AND look_at >= :t
    #   AND (look_at > :t OR id > :i) AND ... ORDER BY look_at, id LIMIT :n
    lease = tables.Lease
    query = select(lease.look_at, lease.id).where(
        lease.owner.is_(None),
        lease.look_at.is_not(None),
        lease.provider_id == provider_id,
        lease.status.in_((LeaseStatus.PENDING, LeaseStatus.ACTIVE)),
    )
    if last is not None:
        query = query.where(
            lease.look_at >= last.look_at, or_(lease.look_at > last.look_at, lease.id > last.id)
        )
    return query.order_by(lease.look_at, lease.id).limit(at_once)


def hosts_out(
    connection: Connection, provider_id: int, kinds_at_home: Collection[str]
) -> frozenset[int]:
    """Hosts that leases have, or may have, out of the pool, by the numbers of hosts.

    ``kinds_at_home``: resource types whose hosts stay in the pool. By what has begun, not by the
    time: the clock of another manager may be ahead, and its lease have the hosts already.
    """
    # SELECT host_id FROM leases JOIN reservations ... JOIN events ... JOIN bookings ...
    #   WHERE leases.status = :s AND provider_id = :p AND resource_type NOT IN (...)
    #   AND event_type = 'start_lease' AND events.status <> 'UNDONE'
    #   AND deleted = false AND released = false
    lease, reservation = tables.Lease, tables.Reservation
    event, booking = tables.Event, tables.Booking
    out: set[int] = set()
    # Each by itself: of several at once databases guess that they are most of what there is.
    for status in _MAY_HAVE_HOSTS:
        found = connection.execute(
            in_this_order(
                select(booking.host_id)
                .select_from(lease)
                .join(reservation, reservation.lease_id == lease.id)
                .join(event, event.lease_id == lease.id)
                .join(booking, booking.reservation_id == reservation.id)
                .where(
                    lease.status == status,
                    lease.provider_id == provider_id,
                    reservation.resource_type.not_in(kinds_at_home),
                    event.event_type == EventType.START,
                    event.status != EventStatus.UNDONE,
                    booking.deleted == false(),
                    booking.released == false(),
                )
            )
        )
        out.update(found.scalars())
    return frozenset(out)


def reservations(
    connection: Connection, names: Collection[str]
) -> tuple[set[str], dict[str, str]]:
    """Of the reservations of these ids: those that are alive; and the resource types of those
    that are over. What is in neither is not ours."""
    alive: set[str] = set()
    over: dict[str, str] = {}
    for some in _chunks(names):
        for uuid, kind, status in connection.execute(
            select(
                tables.Reservation.uuid,
                tables.Reservation.resource_type,
                tables.Reservation.status,
            ).where(tables.Reservation.uuid.in_(some))
        ):
            if status == ReservationStatus.DELETED:
                over[uuid] = kind
            else:
                alive.add(uuid)
        gone = connection.execute(
            select(
                tables.DepartedReservation.uuid, tables.DepartedReservation.resource_type
            ).where(tables.DepartedReservation.uuid.in_(some))
        )
        over.update(map(tuple, gone))
    return alive, over


def lent_before(
    connection: Connection, provider_id: int, names: Collection[str]
) -> frozenset[str]:
    """Those of the compute services' hosts that were lent once and are not any more."""
    gone, live = tables.Host.__table__, tables.Host.__table__.alias()
    found: set[str] = set()
    for some in _chunks(names):
        again = exists().where(
            live.c.provider_id == provider_id,
            live.c.service_host == gone.c.service_host,
            live.c.tombstone == 0,
        )
        found.update(
            connection.execute(
                select(gone.c.service_host).where(
                    gone.c.provider_id == provider_id, gone.c.service_host.in_(some), ~again
                )
            ).scalars()
        )
    return frozenset(found)


def _chunks(names: Collection[Key]) -> Iterator[Sequence[Key]]:
    in_order = sorted(names)
    for first in range(0, len(in_order), _AT_ONCE):
        yield in_order[first : first + _AT_ONCE]
