# SPDX-License-Identifier: Apache-2.0
"""Change a lease: all of the change in one transaction, or none of it."""

import logging
from collections.abc import Mapping
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from promise_blazar import exceptions, times
from promise_blazar.capacity.admission import Plan
from promise_blazar.capacity.demand import Ask, Placement
from promise_blazar.clock import Clock
from promise_blazar.db import bookings, leases
from promise_blazar.db.engine import Connection, Database
from promise_blazar.db.leases import LeaseRecord, ReservationRecord
from promise_blazar.manager import lifecycle as life
from promise_blazar.manager.books import Books, Refused
from promise_blazar.manager.engine import Engine
from promise_blazar.manager.messages import LeaseChange, ReservationChange
from promise_blazar.manager.presence import Claim, Presence
from promise_blazar.manager.requests import Dates, bundle_of, changed_dates, new_event
from promise_blazar.manager.views import refusal
from promise_blazar.plugins.base import Plugin, columns, spec_of

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Revised:
    """A reservation after the change. ``ask``: None, if it keeps exactly what it has."""

    record: ReservationRecord
    plugin: Plugin
    old: Any
    new: Any
    ask: Ask | None


class Updates:
    def __init__(
        self,
        database: Database,
        books: Books,
        plugins: Mapping[str, Plugin],
        engine: Engine,
        presence: Presence,
        clock: Clock,
        wait: float,
    ) -> None:
        self._database = database
        self._books = books
        self._plugins = plugins
        self._engine = engine
        self._presence = presence
        self._clock = clock
        self._wait = wait

    def update(self, lease_id: str, change: LeaseChange, dry_run: bool) -> None:
        """See ``interface.Manager.update_lease``."""
        with self._database.reader() as connection:
            lease = leases.get(connection, lease_id)
            if lease is None:
                raise exceptions.NotFound(object={"lease_id": lease_id})
            held = bookings.held_by(connection, [r.id for r in lease.reservations])
        if change == LeaseChange(name=change.name):
            if change.name is not None and not dry_run:
                self._rename(lease_id, change.name)
            return
        now = self._clock.now()
        dates = changed_dates(lease, change, now)
        if lease.status not in (life.PENDING, life.ACTIVE):
            raise exceptions.InvalidStatus(
                f"Invalid lease status. A lease that is {lease.status} can only be renamed"
                + ("" if lease.status == life.ERROR else "; try again when it is done")
            )
        if lease.owner is not None:
            raise exceptions.InvalidStatus(
                "Invalid lease status. The lease is being worked on; try again in a moment"
            )
        revised = self._revise(lease, change, dates, held, now)
        asks = [item.ask for item in revised if item.ask is not None]
        numbers = frozenset(item.record.id for item in revised)
        try:
            if dry_run:
                self._books.rehearse(asks, numbers)
            else:
                self._commit(lease, change, dates, revised, asks, numbers, now)
        except Refused as refused:
            raise refusal(refused.explanation) from None

    def _rename(self, lease_id: str, name: str) -> None:
        with self._database.writer() as connection:
            leases.set_lease(connection, lease_id, {"name": name, "updated_at": self._clock.now()})

    def _revise(
        self,
        lease: LeaseRecord,
        change: LeaseChange,
        dates: Dates,
        held: list[bookings.Held],
        now: datetime,
    ) -> list[_Revised]:
        running = life.started(lease)
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
                ask = Ask(record.uuid, plugin.demand(new), window, keep, pinned=running)
            revised.append(_Revised(record, plugin, old, new, ask))
        return revised

    def _commit(
        self,
        lease: LeaseRecord,
        change: LeaseChange,
        dates: Dates,
        revised: list[_Revised],
        asks: list[Ask],
        numbers: frozenset[int],
        now: datetime,
    ) -> None:
        running = life.started(lease)
        specs_changed = any(item.new != item.old for item in revised)
        to_realise = specs_changed or (running and bool(asks))
        claim = Claim(lease.id, lease.attempt + 1, self._presence.id)
        bundles = {}
        for item in revised:
            amounts = bundle_of(item.plugin, item.new)
            bundles[item.record.uuid] = None if amounts is None else self._books.bundle(amounts)
        start, end = times.to_micros(dates.start), dates.window(now).end

        def write(connection: Connection, plan: Plan, generation: int) -> None:
            self._write_lease(connection, lease, change, dates, claim if to_realise else None, now)
            new = []
            for item in revised:
                number = item.record.id
                if item.ask is None:
                    bookings.move(connection, generation, number, start, end)
                    continue
                self._write_spec(connection, item)
                bookings.drop(connection, generation, [number])
                new += [
                    bookings.NewBooking(
                        number,
                        placement.host,
                        bundles[item.record.uuid],
                        placement.units,
                        start,
                        end,
                    )
                    for placement in plan.placements[item.record.uuid]
                ]
            bookings.add(connection, self._books.provider_id, generation, new)

        if asks:
            self._books.decide(asks, write, exclude=numbers)
        else:
            self._books.change(lambda connection, g: write(connection, Plan({}), g))
        LOG.info("Lease %s is updated", lease.id)
        if to_realise:
            try:
                self._engine.submit(claim).result(timeout=self._wait)
            except NotYet:
                LOG.info("Lease %s: the update goes on in the background", lease.id)
        self._engine.wake()

    def _write_lease(
        self,
        connection: Connection,
        lease: LeaseRecord,
        change: LeaseChange,
        dates: Dates,
        claim: Claim | None,
        now: datetime,
    ) -> None:
        values: dict[str, Any] = {"start": dates.start, "end": dates.end, "updated_at": now}
        if change.name is not None:
            values["name"] = change.name
        values["attempt"] = lease.attempt + 1
        if claim is not None:
            values |= {"status": life.UPDATING, "owner": claim.owner, "failures": 0}
        values["look_at"] = now if claim is not None else _first(lease, dates)
        if not leases.set_lease(
            connection, lease.id, values, attempt=lease.attempt, status=lease.status
        ):
            raise exceptions.InvalidStatus(
                "Invalid lease status. The lease has changed in the meantime; look at it again"
            )
        for event_type, instant in (
            (life.START, dates.start),
            (life.END, dates.end),
            (life.BEFORE_END, dates.warning),
        ):
            event = lease.event(event_type)
            if instant is None or (event is not None and event.time == instant):
                continue
            if event is None:
                leases.add_events(connection, [new_event(lease.id, event_type, instant, now)])
                continue
            again = event_type == life.BEFORE_END and instant > now
            status = life.UNDONE if again else event.status
            leases.set_event(
                connection,
                lease.id,
                event_type,
                {"time": instant, "status": status, "updated_at": now},
            )

    def _write_spec(self, connection: Connection, item: _Revised) -> None:
        values = columns(item.new)
        policy = item.plugin.group_policy
        if policy(item.new) != policy(item.old):
            # The old group is of no use any more; the API makes another if one is wanted.
            values["stale_group_id"] = item.record.details["server_group_id"]
            values["server_group_id"] = None
        leases.set_details(connection, item.record.resource_type, item.record.id, values)


def _by_reservation(
    lease: LeaseRecord, changes: tuple[ReservationChange, ...]
) -> dict[str, ReservationChange]:
    known = {record.uuid for record in lease.reservations}
    unknown = sorted({change.id for change in changes} - known)
    if unknown:
        raise exceptions.BadInput(
            "Please enter valid reservation IDs. Invalid reservation IDs are: "
            + ", ".join(unknown)
        )
    return {change.id: change for change in changes}


def _first(lease: LeaseRecord, dates: Dates) -> datetime:
    """When the lease wants attention next: the engine finds out for what, and looks again."""
    if lease.status == life.PENDING:
        return dates.start
    return dates.end if dates.warning is None else min(dates.warning, dates.end)
