# SPDX-License-Identifier: Apache-2.0
"""Other hosts for a reservation whose own cannot be had at its start.

Somebody's servers are there whom nobody expected, or OpenStack does not let go of what was there
before. Nothing of the reservation is on such a host yet, so it is promised another one, by the
books and under their rule; where it was handed hosts already, it stays.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import replace

from promise_blazar import times
from promise_blazar.capacity import resource_query
from promise_blazar.capacity.admission import Plan, holds
from promise_blazar.capacity.demand.request import (
    AllocationRequest,
    Placement,
    Slots,
    WholeHosts,
    Window,
)
from promise_blazar.capacity.ledger import Ledger
from promise_blazar.clock import Clock
from promise_blazar.db import bookings, work_queue
from promise_blazar.db.session import Connection, Database
from promise_blazar.manager.ledger.store import LedgerStore, Refused
from promise_blazar.manager.ownership.heartbeat import WorkOwnership, update_owned
from promise_blazar.model.booking import NewBooking
from promise_blazar.model.lease import Lease, Reservation
from promise_blazar.plugins.contract import Plugin, bundle_of, spec_of

LOG = logging.getLogger(__name__)


class NoOtherHost(Exception):
    """A host cannot be had, and there is no room elsewhere; the message says why, both times."""


class Rebooking:
    def __init__(
        self,
        database: Database,
        ledger_store: LedgerStore,
        plugins: Mapping[str, Plugin],
        clock: Clock,
    ) -> None:
        self._database = database
        self._ledger = ledger_store
        self._plugins = plugins
        self._clock = clock

    def blocked(self, lease: Lease, reservation: Reservation) -> frozenset[str]:
        """Hosts of the reservation that it does not fit on yet, as others still linger there."""
        with self._database.reader() as connection:
            suspects = work_queue.lingering_hosts(connection, reservation.id, self._clock.now())
            held = bookings.held_by(connection, [reservation.id]) if suspects else []
        if not held:
            return frozenset()
        demand = self._demand(reservation)
        end = times.to_micros(lease.end)

        def question(ledger: Ledger, now: int) -> frozenset[str]:
            ask = AllocationRequest("", demand, Window(min(now, end - 1), end))
            return frozenset(
                h.hypervisor
                for h in held
                if h.host_id in suspects
                and not holds(
                    ledger,
                    [ask],
                    Plan({"": (Placement(h.host_id, h.units),)}),
                    now,
                    frozenset({reservation.id}),
                )
            )

        return self._ledger.read(question)

    def elsewhere(
        self,
        ownership: WorkOwnership,
        lease: Lease,
        reservation: Reservation,
        avoid: frozenset[str],
        why: str,
    ) -> None:
        """Book other hosts instead of those to be avoided.

        Raises ``NoOtherHost``: the bookings are as they were; ``Superseded``.
        """
        with self._database.reader() as connection:
            held = bookings.held_by(connection, [reservation.id])
        stays = [h for h in held if h.hypervisor not in avoid]
        since = {h.host_id: h.start for h in stays}
        demand = self._demand(reservation)
        where = (*demand.where, *map(_not_on, sorted(avoid)))
        ask = AllocationRequest(
            reservation.uuid,
            replace(demand, where=where),
            Window(times.to_micros(lease.start), times.to_micros(lease.end)),
            tuple(Placement(h.host_id, h.units) for h in stays),
            pinned=True,
        )
        plugin = self._plugins[reservation.resource_type]
        amounts = bundle_of(plugin, spec_of(plugin, reservation.details))
        bundle = None if amounts is None else self._ledger.bundle(amounts)

        def write(connection: Connection, plan: Plan, generation: int) -> None:
            update_owned(connection, ownership)
            now = times.to_micros(self._clock.now())
            bookings.drop(connection, generation, [reservation.id])
            bookings.add(
                connection,
                self._ledger.provider_id,
                generation,
                [
                    NewBooking(
                        reservation.id,
                        placement.host,
                        bundle,
                        placement.units,
                        since.get(placement.host, now),
                        max(ask.window.end, now + 1),
                    )
                    for placement in plan.placements[ask.key]
                ],
            )

        try:
            self._ledger.decide([ask], write, exclude=frozenset({reservation.id}))
        except Refused as refused:
            raise NoOtherHost(f"{why}; elsewhere: {refused.explanation.text}") from None
        LOG.warning("Reservation %s is given other hosts: %s", reservation.uuid, why)

    def _demand(self, reservation: Reservation) -> WholeHosts | Slots:
        plugin = self._plugins[reservation.resource_type]
        return plugin.demand(spec_of(plugin, reservation.details))


def _not_on(hypervisor: str) -> resource_query.Query:
    """A condition as tenants write it, so that a refusal can name it."""
    condition = resource_query.parse(json.dumps(["!=", "$hypervisor_hostname", hypervisor]))
    assert condition is not None  # noqa: S101 - it is not empty
    return condition
