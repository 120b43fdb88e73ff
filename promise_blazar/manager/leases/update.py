# SPDX-License-Identifier: Apache-2.0
"""Change a lease: all of the change in one transaction, or none of it."""

import logging
from collections.abc import Mapping
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from promise_blazar import exceptions, times
from promise_blazar.capacity.admission import Plan
from promise_blazar.capacity.demand.request import AllocationRequest, Placement
from promise_blazar.clock import Clock
from promise_blazar.db import bookings, leases, specs
from promise_blazar.db.session import Connection, Database
from promise_blazar.manager.contract.messages import LeaseChange, LeaseView, ReservationChange
from promise_blazar.manager.leases.validation import Dates, changed_dates, new_event
from promise_blazar.manager.ledger.store import LedgerStore, Refused
from promise_blazar.manager.ownership.heartbeat import Heartbeat, WorkOwnership
from promise_blazar.manager.queries.views import lease_view, refusal
from promise_blazar.manager.workflow.engine import Engine
from promise_blazar.model import lifecycle
from promise_blazar.model.booking import BookedHost, NewBooking
from promise_blazar.model.lease import Event, Lease, Reservation
from promise_blazar.model.states import EventStatus, EventType, LeaseStatus
from promise_blazar.plugins.contract import Plugin, bundle_of, columns, spec_of

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Revised:
    """A reservation after the change. ``ask``: None, if it keeps exactly what it has."""

    record: Reservation
    plugin: Plugin
    old: Any
    new: Any
    ask: AllocationRequest | None


@dataclass(frozen=True, slots=True)
class _Planned:
    """A change that is understood, at this time."""

    lease: Lease
    held: tuple[BookedHost, ...]
    dates: Dates
    now: datetime
    revised: tuple[_Revised, ...]

    @property
    def asks(self) -> list[AllocationRequest]:
        return [item.ask for item in self.revised if item.ask is not None]

    @property
    def numbers(self) -> frozenset[int]:
        """Of those that are asked for anew; what the others hold counts like anybody's."""
        return frozenset(item.record.id for item in self.revised if item.ask is not None)


class LeaseUpdates:
    def __init__(
        self,
        database: Database,
        ledger_store: LedgerStore,
        plugins: Mapping[str, Plugin],
        engine: Engine,
        heartbeat: Heartbeat,
        clock: Clock,
        wait: float,
    ) -> None:
        self._database = database
        self._ledger = ledger_store
        self._plugins = plugins
        self._engine = engine
        self._heartbeat = heartbeat
        self._clock = clock
        self._wait = wait

    def update(self, lease_id: str, change: LeaseChange) -> None:
        """See ``interface.Manager.update_lease``."""
        if change == LeaseChange(name=change.name):
            self._rename(lease_id, change)
            return
        planned = self._plan(lease_id, change)
        try:
            self._commit(planned, change)
        except Refused as refused:
            raise refusal(refused.explanation) from None

    def rehearse(self, lease_id: str, change: LeaseChange) -> LeaseView:
        """The same checks; what the lease would be, and nothing made of it."""
        if change == LeaseChange(name=change.name):
            lease, _ = self._load(lease_id)
            return lease_view(replace(lease, name=change.name or lease.name), self._plugins)
        planned = self._plan(lease_id, change)
        try:
            self._ledger.rehearse(planned.asks, planned.numbers)
        except Refused as refused:
            raise refusal(refused.explanation) from None
        return lease_view(_result(planned, change), self._plugins)

    def _load(self, lease_id: str) -> tuple[Lease, list[BookedHost]]:
        with self._database.reader() as connection:
            lease = leases.get(connection, lease_id)
            if lease is None:
                raise exceptions.NotFound(object={"lease_id": lease_id})
            return lease, bookings.held_by(connection, [r.id for r in lease.reservations])

    def _plan(self, lease_id: str, change: LeaseChange) -> _Planned:
        """What the change means, and every mistake that shows without a ledger."""
        lease, held = self._load(lease_id)
        now = self._clock.now()
        dates = changed_dates(lease, change, now)
        if lease.status not in (LeaseStatus.PENDING, LeaseStatus.ACTIVE):
            raise exceptions.InvalidStatus(
                f"Invalid lease status. A lease that is {lease.status} can only be renamed"
                + (
                    " or deleted"
                    if lease.status == LeaseStatus.ERROR
                    else "; try again when it is done"
                )
            )
        if lease.owner is not None:
            raise exceptions.InvalidStatus(
                "Invalid lease status. The lease is being worked on; try again in a moment"
            )
        return _Planned(lease, tuple(held), dates, now, self._revise(lease, change, dates, held))

    def _rename(self, lease_id: str, change: LeaseChange) -> None:
        values = {"name": change.name, "updated_at": self._clock.now()}
        if change.name is not None and not self._database.transact(
            lambda connection: leases.set_lease(connection, lease_id, values)
        ):
            raise exceptions.NotFound(object={"lease_id": lease_id})

    def _revise(
        self,
        lease: Lease,
        change: LeaseChange,
        dates: Dates,
        held: list[BookedHost],
    ) -> tuple[_Revised, ...]:
        running = lifecycle.started(lease)
        window = dates.whole
        # Inside the old window everything is promised already, and a shrink always fits.
        grows = dates.start < lease.start or dates.end > lease.end
        changes = _by_reservation(lease, change.reservations)
        revised = []
        for record in lease.reservations:
            plugin = self._plugins[record.resource_type]
            old = spec_of(plugin, record.details)
            asked = changes.get(record.uuid)
            if asked is not None and asked.resource_type not in (None, record.resource_type):
                raise exceptions.CannotUpdate(param="resource_type")
            new = old if asked is None else plugin.revise(old, asked.values, running)
            ask = None
            if new != old or grows:
                keep = tuple(
                    Placement(h.host_id, h.units) for h in held if h.reservation_id == record.id
                )
                ask = AllocationRequest(
                    record.uuid, plugin.demand(new), window, keep, pinned=running
                )
            revised.append(_Revised(record, plugin, old, new, ask))
        return tuple(revised)

    def _commit(self, planned: _Planned, change: LeaseChange) -> None:
        lease, revised = planned.lease, planned.revised
        specs_changed = any(item.new != item.old for item in revised)
        running = lifecycle.started(lease)
        to_realise = specs_changed or (running and bool(planned.asks))
        ownership = WorkOwnership(lease.id, lease.attempt + 1, self._heartbeat.id)
        bundles = {}
        for item in revised:
            amounts = bundle_of(item.plugin, item.new)
            bundles[item.record.uuid] = None if amounts is None else self._ledger.bundle(amounts)
        since = {(h.reservation_id, h.host_id): h.start for h in planned.held if running}

        def write(connection: Connection, plan: Plan, generation: int) -> bool:
            self._write_lease(connection, planned, change, ownership if to_realise else None)
            new = []
            window = planned.dates.window(self._clock.now())
            for item in revised:
                number = item.record.id
                if item.ask is None:
                    start = times.to_micros(planned.dates.start)
                    bookings.shrink(connection, generation, number, start, window.end)
                    continue
                specs.change(connection, item.record.resource_type, number, _new_details(item))
                bookings.drop(connection, generation, [number])
                new += [
                    NewBooking(
                        number,
                        placement.host,
                        bundles[item.record.uuid],
                        placement.units,
                        since.get((number, placement.host), window.start),
                        window.end,
                    )
                    for placement in plan.placements[item.record.uuid]
                ]
            bookings.add(connection, self._ledger.provider_id, generation, new)
            return True

        def done(connection: Connection) -> bool | None:
            found = leases.get(connection, lease.id)
            mine = (ownership.attempt, planned.now)
            return True if found and (found.attempt, found.updated_at) == mine else None

        with self._engine.holding(lease.id):
            self._ledger.decide(planned.asks, write, planned.numbers, done)
            LOG.info("Lease %s is updated", lease.id)
            future = self._engine.submit(ownership) if to_realise else None
        if future is not None:
            try:
                future.result(timeout=self._wait)
            except NotYet:
                LOG.info("Lease %s: the update goes on in the background", lease.id)
        self._engine.wake()

    def _write_lease(
        self,
        connection: Connection,
        planned: _Planned,
        change: LeaseChange,
        ownership: WorkOwnership | None,
    ) -> None:
        lease, dates, now = planned.lease, planned.dates, planned.now
        values: dict[str, Any] = {"start": dates.start, "end": dates.end, "updated_at": now}
        if change.name is not None:
            values["name"] = change.name
        values["attempt"] = lease.attempt + 1
        if ownership is not None:
            values |= {"status": LeaseStatus.UPDATING, "owner": ownership.owner, "failures": 0}
        if lease.status == LeaseStatus.PENDING:
            # What its start waited for may be another's affair now.
            values["reason"] = None
        values["look_at"] = now if ownership is not None else _first(lease, dates)
        if not leases.set_lease(
            connection, lease.id, values, attempt=lease.attempt, status=lease.status
        ):
            raise exceptions.InvalidStatus(
                "Invalid lease status. The lease has changed in the meantime; look at it again"
            )
        for event_type, event in _moved_events(planned).items():
            if lease.event(event_type) is None:
                leases.add_events(connection, [new_event(lease.id, event_type, event.time, now)])
            else:
                moved = {"time": event.time, "status": event.status, "updated_at": now}
                leases.set_event(connection, lease.id, event_type, moved)


def _moved_events(planned: _Planned) -> dict[EventType, Event]:
    """The events whose times change, or that are new, as they will be."""
    dates, now = planned.dates, planned.now
    moved = {}
    for event_type, instant in (
        (EventType.START, dates.start),
        (EventType.END, dates.end),
        (EventType.BEFORE_END, dates.warning),
    ):
        event = planned.lease.event(event_type)
        if instant is None or (event is not None and event.time == instant):
            continue
        if event is None:
            moved[event_type] = Event("", event_type, instant, EventStatus.UNDONE, now, None)
            continue
        again = event_type == EventType.BEFORE_END and instant > now
        status = EventStatus.UNDONE if again else event.status
        moved[event_type] = replace(event, time=instant, status=status, updated_at=now)
    return moved


def _new_details(item: _Revised) -> dict[str, Any]:
    """The columns of the type's own table that change."""
    values = columns(item.new)
    policy = item.plugin.group_policy
    if policy(item.new) != policy(item.old):
        # The old group is of no use any more; the API makes another if one is wanted.
        values["stale_group_id"] = item.record.details["server_group_id"]
        values["server_group_id"] = None
    return values


def _result(planned: _Planned, change: LeaseChange) -> Lease:
    """The lease as it would be after the change."""
    lease = planned.lease
    kept = {event.event_type: event for event in lease.events}
    events = (kept | _moved_events(planned)).values()
    return replace(
        lease,
        name=change.name or lease.name,
        start=planned.dates.start,
        end=planned.dates.end,
        reservations=tuple(
            replace(item.record, details={**item.record.details, **_new_details(item)})
            for item in planned.revised
        ),
        events=tuple(sorted(events, key=lambda event: (event.time, event.event_type))),
    )


def _by_reservation(
    lease: Lease, changes: tuple[ReservationChange, ...]
) -> dict[str, ReservationChange]:
    known = {record.uuid for record in lease.reservations}
    unknown = sorted({change.id for change in changes} - known)
    if unknown:
        raise exceptions.BadInput(
            "Please enter valid reservation IDs. Invalid reservation IDs are: "
            + ", ".join(unknown)
        )
    if len({change.id for change in changes}) < len(changes):
        raise exceptions.BadInput("The same reservation ID is given twice")
    return {change.id: change for change in changes}


def _first(lease: Lease, dates: Dates) -> datetime:
    """When the lease wants attention next: the engine finds out for what, and looks again."""
    if lease.status == LeaseStatus.PENDING:
        return dates.start
    return dates.end if dates.warning is None else min(dates.warning, dates.end)
