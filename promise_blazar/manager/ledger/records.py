# SPDX-License-Identifier: Apache-2.0
"""Rows of records: what decides nothing, in the transaction that moves the generation."""

from typing import Any

from promise_blazar import deadline, times
from promise_blazar.db import bookings, former, idempotency, leases
from promise_blazar.manager.ledger.changes import (
    AbandonedLease,
    DeletedLease,
    FailedLease,
    ForgottenLease,
    Record,
    ReleasedReservation,
    RemovedLease,
)
from promise_blazar.manager.ledger.writing import Writing
from promise_blazar.manager.ownership.work import update_owned
from promise_blazar.model import lifecycle
from promise_blazar.model import reason as reasons
from promise_blazar.model.states import (
    EventStatus,
    EventType,
    LeaseStatus,
    Preparation,
    ReservationStatus,
    move,
)
from promise_blazar.model.strides import stride


def record(writing: Writing, change: Record) -> bool:
    """What decides nothing. False: the lease has changed since it was read. Raises
    ``Superseded``."""
    connection, generation = writing.connection, writing.generation
    match change:
        case DeletedLease():
            return _delete(writing, change)
        case RemovedLease():
            update_owned(connection, change.ownership)
            bookings.drop(connection, generation, [r.id for r in change.lease.reservations])
            leases.remove(connection, change.lease.id, change.now)
        case FailedLease():
            _fail(writing, change)
        case AbandonedLease():
            return _abandon(writing, change)
        case ForgottenLease():
            return _forget(writing, change)
        case ReleasedReservation():
            update_owned(connection, change.ownership)
            bookings.release(connection, generation, [change.reservation])
            values = {"status": change.status, "updated_at": change.now}
            leases.set_reservation(connection, change.reservation, values)
            if change.former is not None:
                former.add(connection, writing.provider_id, change.former)
    return True


def _delete(writing: Writing, change: DeletedLease) -> bool:
    connection, lease, now = writing.connection, change.lease, change.now
    numbers = [reservation.id for reservation in lease.reservations]
    # A higher attempt takes the right to act from whoever works on the lease now; who deletes it
    # begins when the other has let go, or is dead.
    values = {
        "status": move(lease.status, LeaseStatus.DELETING),
        "attempt": lease.attempt + stride(),
        "failures": 0,
        "look_at": now,
        "updated_at": now,
    }
    if not leases.set_lease(
        connection, lease.id, values, attempt=lease.attempt, status=lease.status
    ):
        return False
    idempotency.forget(connection, lease.id)
    deadline.check()
    if (
        lease.status == LeaseStatus.TERMINATED
        or lease.preparation == Preparation.NONE
        or not numbers
    ):
        bookings.drop(connection, writing.generation, numbers)
        leases.remove(connection, lease.id, now)
    elif lifecycle.started(lease):
        bookings.give_up(connection, writing.generation, numbers, times.to_micros(now))
    else:
        bookings.drop(connection, writing.generation, numbers)
    return True


def _fail(writing: Writing, change: FailedLease) -> None:
    connection, lease, now = writing.connection, change.lease, change.now
    values = {
        "status": move(lease.status, LeaseStatus.ERROR),
        "owner": None,
        "failures": 0,
        **reasons.columns(change.reason),
        "degraded": True,
        "preparation": Preparation.DONE,
        "look_at": now,
        "updated_at": now,
    }
    update_owned(connection, change.ownership, values)
    # What waits for its start will never have one.
    numbers = {*change.reservations, *leases.pending_reservations(connection, lease.id)}
    bookings.give_up(connection, writing.generation, sorted(numbers), times.to_micros(now))
    for number in sorted(numbers):
        failed = {"status": ReservationStatus.ERROR, "updated_at": now}
        leases.set_reservation(connection, number, failed)
    failed = {"status": EventStatus.ERROR, "updated_at": now}
    leases.set_event(connection, lease.id, EventType.START, failed)


def _abandon(writing: Writing, change: AbandonedLease) -> bool:
    lease, now = change.lease, change.now
    values = {
        "status": move(lease.status, LeaseStatus.TERMINATING),
        "owner": None,
        "attempt": lease.attempt + stride(),
        "failures": 0,
        **reasons.columns(change.reason),
        "preparation": Preparation.DONE,
        "updated_at": now,
    }
    if not leases.set_lease(
        writing.connection, lease.id, values, attempt=lease.attempt, status=lease.status
    ):
        return False
    numbers = [reservation.id for reservation in lease.reservations]
    bookings.give_up(writing.connection, writing.generation, numbers, times.to_micros(now))
    begun = {"status": EventStatus.IN_PROGRESS, "updated_at": now}
    leases.set_event(writing.connection, lease.id, EventType.END, begun)
    return True


def _forget(writing: Writing, change: ForgottenLease) -> bool:
    connection, lease, now = writing.connection, change.lease, change.now
    values: dict[str, Any] = {
        "attempt": lease.attempt + stride(),
        "owner": None,
        **reasons.columns(None),
        "updated_at": now,
    }
    if lease.status == LeaseStatus.TERMINATING:
        values |= {"status": move(lease.status, LeaseStatus.TERMINATED), "look_at": None}
    if not leases.set_lease(
        connection, lease.id, values, attempt=lease.attempt, status=lease.status
    ):
        return False
    numbers = [reservation.id for reservation in lease.reservations]
    if lease.status == LeaseStatus.DELETING:
        bookings.drop(connection, writing.generation, numbers)
        leases.remove(connection, lease.id, now)
        return True
    bookings.release(connection, writing.generation, numbers)
    for number in numbers:
        gone = {"status": ReservationStatus.DELETED, "updated_at": now}
        leases.set_reservation(connection, number, gone)
    done = {"status": EventStatus.DONE, "updated_at": now}
    leases.set_event(connection, lease.id, EventType.END, done)
    return True
