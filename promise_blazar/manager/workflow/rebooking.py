# SPDX-License-Identifier: Apache-2.0
"""Rebooking: other hosts for a reservation whose own cannot be had at its start.

Somebody's servers are there whom nobody expected, or OpenStack does not let go of what was there
before. Nothing of the reservation is on such a host yet, so it is promised another one, by the
ledger and under its rule; where it was handed hosts already, it stays.
"""

import json
import logging
from collections.abc import Collection

from promise_blazar import times
from promise_blazar.capacity import resource_query
from promise_blazar.capacity.demand.contract import Demand
from promise_blazar.capacity.demand.request import AllocationRequest, Placement, Window
from promise_blazar.clock import Clock
from promise_blazar.db import blocked_starts, bookings
from promise_blazar.db.session import Database
from promise_blazar.manager.ledger.changes import Rebooked
from promise_blazar.manager.ledger.store import Refused
from promise_blazar.manager.provider import ProviderRuntime
from promise_blazar.manager.workflow.host_states import HostStates
from promise_blazar.manager.workflow.work import LeaseWork
from promise_blazar.model.lease import Lease, Reservation
from promise_blazar.model.reason import Reason
from promise_blazar.plugins.contract import Failed, demand_of

LOG = logging.getLogger(__name__)


class Rebooking:
    def __init__(self, database: Database, clock: Clock, host_states: HostStates) -> None:
        self._database = database
        self._clock = clock
        self._host_states = host_states

    def out_of_service(
        self, provider: ProviderRuntime, reservations: Collection[int]
    ) -> frozenset[str]:
        """The hypervisors of these reservations that are out of service; see ``HostStates``."""
        return self._host_states.out_of_service(provider, reservations)

    def known_out_of_service(self, reservations: Collection[int]) -> frozenset[str]:
        """The same, as is on record."""
        return self._host_states.known_out_of_service(reservations)

    def blocked(
        self, provider: ProviderRuntime, lease: Lease, reservation: Reservation
    ) -> frozenset[str]:
        """Hosts of the reservation that it does not fit on yet, as others still linger there."""
        with self._database.reader() as connection:
            suspects = blocked_starts.lingering_hosts(
                connection, reservation.id, self._clock.now()
            )
            booked = bookings.held_by(connection, [reservation.id]) if suspects else []
        if not booked:
            return frozenset()
        demand = _demand(provider, reservation)
        end = times.to_micros(lease.end)

        placements = [
            Placement(each.host_id, each.units) for each in booked if each.host_id in suspects
        ]
        now = times.to_micros(self._clock.now())
        window = Window(min(now, end - 1), end)
        request = AllocationRequest("", demand, window, project=lease.project_id)
        fitting = provider.ledger.fitting(request, placements, frozenset({reservation.id}))
        return frozenset(
            each.hypervisor
            for each in booked
            if each.host_id in suspects and each.host_id not in fitting
        )

    def rebook(
        self, work: LeaseWork, reservation: Reservation, avoid: frozenset[str], why: Reason
    ) -> Failed | None:
        """Book other hosts instead of those to be avoided.

        ``Failed``: there is no room elsewhere, and the bookings are as they were. Raises
        ``Superseded``.
        """
        with self._database.reader() as connection:
            booked = bookings.held_by(connection, [reservation.id])
        stays = [each for each in booked if each.hypervisor not in avoid]
        demand = _demand(work.provider, reservation)
        request = AllocationRequest(
            reservation.uuid,
            demand.restricted(map(_not_on, sorted(avoid))),
            Window(times.to_micros(work.lease.start), times.to_micros(work.lease.end)),
            tuple(Placement(each.host_id, each.units) for each in stays),
            pinned=True,
            project=work.lease.project_id,
        )
        change = Rebooked(
            {reservation.uuid: reservation.id},
            work.ownership,
            {(reservation.id, each.host_id): each.start for each in stays},
        )
        try:
            work.provider.ledger.commit([request], change, frozenset({reservation.id}))
        except Refused as refused:
            words = f"{why.operator}; elsewhere: {refused.explanation.text}"
            return Failed(Reason(f"{why.tenant}, and there is no room elsewhere", words))
        LOG.warning("Reservation %s is given other hosts: %s", reservation.uuid, why.operator)
        return None


def _demand(provider: ProviderRuntime, reservation: Reservation) -> Demand:
    plugin = provider.plugins[reservation.resource_type]
    return demand_of(plugin, reservation)


def _not_on(hypervisor: str) -> resource_query.Query:
    """A condition as tenants write it, so that a refusal can name it."""
    condition = resource_query.parse(json.dumps(["!=", "$hypervisor_hostname", hypervisor]))
    assert condition is not None  # noqa: S101 - it is not empty
    return condition
