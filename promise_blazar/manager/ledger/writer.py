# SPDX-License-Identifier: Apache-2.0
"""Rows of changes: what is written in the transaction that moves the generation."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from promise_blazar import deadline, exceptions, times
from promise_blazar.capacity.admission import Plan
from promise_blazar.capacity.demand.request import AllocationRequest
from promise_blazar.db import bookings, former, idempotency, leases, providers, settled, specs
from promise_blazar.db.session import Connection
from promise_blazar.manager.ledger.changes import (
    AbandonedLease,
    Decision,
    DeletedLease,
    FailedLease,
    ForgottenLease,
    KnownRules,
    NewLease,
    Rebooked,
    Record,
    ReleasedReservation,
    RemovedLease,
    RevisedLease,
)
from promise_blazar.manager.ownership.work import update_owned
from promise_blazar.model import lifecycle
from promise_blazar.model import reason as reasons
from promise_blazar.model.booking import NewBooking
from promise_blazar.model.lease import Event, Lease
from promise_blazar.model.states import (
    EventStatus,
    EventType,
    LeaseStatus,
    Preparation,
    ReservationStatus,
    move,
)


class Changed(exceptions.InvalidStatus):
    """The lease is no longer as it was read."""


@dataclasses.dataclass(frozen=True, slots=True)
class Writing:
    """The transaction, the generation that it moves to, and the present in microseconds.

    ``bundles``: the numbers of those that were committed before, as far as they are known.
    """

    connection: Connection
    provider_id: int
    generation: int
    now: int
    bundles: Mapping[str, int] = field(default_factory=dict)


def decide(
    writing: Writing, requests: Sequence[AllocationRequest], plan: Plan, change: Decision
) -> Lease | None:
    """The change with its bookings; the lease as it is then, where the change has one.

    Raises ``Changed`` for a lease that has changed since it was read, ``Superseded``,
    ``db.idempotency.Taken``, ``Unavailable`` past the request's deadline.
    """
    decided = _decide(writing, requests, plan, change)
    deadline.check()
    return decided


def _decide(
    writing: Writing, requests: Sequence[AllocationRequest], plan: Plan, change: Decision
) -> Lease | None:
    match change:
        case NewLease():
            lease = _add_lease(writing, change)
            numbers = {str(n): each.id for n, each in enumerate(lease.reservations)}
            _book(writing, requests, plan, numbers, {})
            return lease
        case RevisedLease():
            _revise(writing, change, {request.key for request in requests})
            numbers = {each.uuid: each.id for each in change.after.reservations}
            _book(writing, requests, plan, numbers, change.since)
            return change.after
        case Rebooked():
            if change.ownership is not None:
                update_owned(writing.connection, change.ownership)
            numbers = dict(change.reservations)
            bookings.drop(writing.connection, writing.generation, list(numbers.values()))
            _book(writing, requests, plan, numbers, change.since)
            return None


def committed(connection: Connection, change: Decision) -> Lease | None:
    """The lease, if a change whose commit had no answer was committed after all."""
    match change:
        case NewLease():
            return leases.get(connection, change.lease.id)
        case RevisedLease():
            found = leases.get(connection, change.after.id)
            wanted = (change.after.attempt, change.after.updated_at)
            return found if found and (found.attempt, found.updated_at) == wanted else None
        case Rebooked():
            return None


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


def _add_lease(writing: Writing, change: NewLease) -> Lease:
    connection, lease = writing.connection, change.lease
    _demand_rules(writing, change.knowing)
    if change.once:
        settled.add(connection, lease.id, lease.created_at)
    leases.add(connection, _columns(lease, "reservations", "events"))
    if change.key is not None:
        key = change.key
        idempotency.add(
            connection, lease.project_id, key.key, key.fingerprint, lease.id, lease.created_at
        )
    leases.add_events(
        connection, [{"lease_id": lease.id, **_columns(event)} for event in lease.events]
    )
    numbered = []
    for reservation in lease.reservations:
        row = {"lease_id": lease.id, **_columns(reservation, "id", "details")}
        number = leases.add_reservation(connection, row, reservation.details)
        numbered.append(replace(reservation, id=number))
    return replace(lease, reservations=tuple(numbered))


def _demand_rules(writing: Writing, knowing: KnownRules | None) -> None:
    if knowing is not None:
        providers.require_rules(
            writing.connection, writing.provider_id, knowing.rules, knowing.dead
        )


_ALWAYS = ("start", "end", "attempt", "updated_at", "look_at")


def _revise(writing: Writing, change: RevisedLease, asked: set[str]) -> None:
    connection, before, after = writing.connection, change.before, change.after
    move(before.status, after.status)
    _demand_rules(writing, change.knowing)
    # Whatever nobody else may have changed since it was read is left alone; a name, for example.
    always = {name: getattr(after, name) for name in _ALWAYS}
    values = {**_differences(before, after, "reservations", "events", "revision"), **always}
    if before.status == LeaseStatus.PENDING:
        # What its start waited for may be another's affair now.
        values |= {"reason": after.reason, "operator_reason": after.operator_reason}
    if change.details:
        # It may have been prepared since, as it was.
        values["preparation"] = after.preparation
    # What it has of OpenStack may be recorded at any time, and what is written here replaces it.
    revision = before.revision if change.details else None
    if not leases.set_lease(
        connection,
        after.id,
        values,
        attempt=before.attempt,
        status=before.status,
        revision=revision,
    ):
        raise Changed(
            "Invalid lease status. The lease has changed in the meantime; look at it again"
        )
    known = {event.event_type: event for event in before.events}
    for event in after.events:
        _set_event(connection, after.id, known.get(event.event_type), event)
    for new in after.reservations:
        if new.uuid in change.details:
            specs.change(connection, new.resource_type, new.id, change.details[new.uuid])
            values = {
                "updated_at": after.updated_at,
                "hidden_properties": new.hidden_properties,
            }
            leases.set_reservation(connection, new.id, values)
        if new.uuid in asked:
            bookings.drop(connection, writing.generation, [new.id])
        else:
            start, end = times.to_micros(after.start), times.to_micros(after.end)
            now = max(start, writing.now)
            bookings.shrink(connection, writing.generation, new.id, start, max(end, now + 1))


def _set_event(connection: Connection, lease_id: str, before: Event | None, after: Event) -> None:
    if before is None:
        leases.add_events(connection, [{"lease_id": lease_id, **_columns(after)}])
    elif before != after:
        leases.set_event(connection, lease_id, after.event_type, _differences(before, after))


def _book(
    writing: Writing,
    requests: Sequence[AllocationRequest],
    plan: Plan,
    numbers: Mapping[str, int],
    since: Mapping[tuple[int, int], int],
) -> None:
    """Bookings from now on, which is later than the request and not before the decision."""
    new = []
    for request in requests:
        amounts = request.demand.amounts
        bundle = None
        if amounts is not None:
            known = writing.bundles.get(bookings.bundle_text(amounts))
            bundle = known or bookings.bundle(writing.connection, amounts)
        start = max(request.window.start, writing.now)
        number = numbers[request.key]
        new += [
            NewBooking(
                number,
                placement.host,
                bundle,
                placement.units,
                since.get((number, placement.host), start),
                # What is over already is promised for an instant.
                max(request.window.end, start + 1),
            )
            for placement in plan.placements[request.key]
        ]
    bookings.add(writing.connection, writing.provider_id, writing.generation, new)


def _delete(writing: Writing, change: DeletedLease) -> bool:
    connection, lease, now = writing.connection, change.lease, change.now
    numbers = [reservation.id for reservation in lease.reservations]
    # A higher attempt takes the right to act from whoever works on the lease now; who deletes it
    # begins when the other has let go, or is dead.
    values = {
        "status": move(lease.status, LeaseStatus.DELETING),
        "attempt": lease.attempt + 1,
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
        "attempt": lease.attempt + 1,
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
        "attempt": lease.attempt + 1,
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


def _columns(row: Any, *without: str) -> dict[str, Any]:
    names = (field.name for field in dataclasses.fields(row))
    return {name: getattr(row, name) for name in names if name not in without}


def _differences(before: Any, after: Any, *without: str) -> dict[str, Any]:
    old = _columns(before, *without)
    return {k: v for k, v in _columns(after, *without).items() if old[k] != v}
