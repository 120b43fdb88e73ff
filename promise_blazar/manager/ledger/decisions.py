# SPDX-License-Identifier: Apache-2.0
"""Rows of decisions: a change with its bookings, in the transaction that moves the generation."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from promise_blazar import deadline, times
from promise_blazar.capacity.admission import Plan
from promise_blazar.capacity.demand.request import AllocationRequest
from promise_blazar.db import affected, bookings, idempotency, leases, providers, settled, specs
from promise_blazar.db.session import Connection
from promise_blazar.manager.ledger.changes import (
    Decision,
    KnownRules,
    NewLease,
    Rebooked,
    RevisedLease,
)
from promise_blazar.manager.ledger.writing import Changed, Writing, columns, differences
from promise_blazar.manager.ownership.work import update_owned
from promise_blazar.model.booking import NewBooking
from promise_blazar.model.lease import Event, Lease
from promise_blazar.model.states import LeaseStatus, move


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


def _add_lease(writing: Writing, change: NewLease) -> Lease:
    connection, lease = writing.connection, change.lease
    _demand_rules(writing, change.knowing)
    if change.once:
        settled.add(connection, lease.id, lease.created_at)
    leases.add(connection, columns(lease, "reservations", "events"))
    if change.key is not None:
        key = change.key
        idempotency.add(
            connection, lease.project_id, key.key, key.fingerprint, lease.id, lease.created_at
        )
    leases.add_events(
        connection, [{"lease_id": lease.id, **columns(event)} for event in lease.events]
    )
    numbered = []
    for reservation in lease.reservations:
        row = {"lease_id": lease.id, **columns(reservation, "id", "details")}
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
    values = {**differences(before, after, "reservations", "events", "revision"), **always}
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
    affected.say_so(connection, after.id)
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
        leases.add_events(connection, [{"lease_id": lease_id, **columns(after)}])
    elif before != after:
        leases.set_event(connection, lease_id, after.event_type, differences(before, after))


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
