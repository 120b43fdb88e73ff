# SPDX-License-Identifier: Apache-2.0
"""Work on one lease, as its steps are handed it, and what came of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from promise_blazar.manager.ownership.work import WorkOwnership
from promise_blazar.manager.provider import ProviderRuntime
from promise_blazar.model.booking import BookedHost
from promise_blazar.model.lease import FormerReservation, Lease, Reservation
from promise_blazar.model.reason import Reason
from promise_blazar.plugins.contract import (
    Failed,
    HostAllocation,
    Plugin,
    StepContext,
    Waiting,
    spec_of,
    state_of,
)

#: What failed, by the numbers of reservations.
Troubles = Mapping[int, Failed]


@dataclass(frozen=True, slots=True)
class CombinedResult:
    """Results of a step of several reservations: those that failed, and what is waited for."""

    troubles: Troubles
    waiting: tuple[Waiting, ...] = ()

    @property
    def done(self) -> bool:
        return not self.troubles and not self.waiting


@dataclass(frozen=True, slots=True)
class LeaseWork:
    """A lease as it was when the work began, who works on it, and where."""

    lease: Lease
    ownership: WorkOwnership
    provider: ProviderRuntime

    def plugin(self, reservation: Reservation) -> Plugin:
        """The type of a reservation; the queue hands out no lease with one that is not known."""
        return self.provider.plugins[reservation.resource_type]


def context_of(
    plugin: Plugin, lease: Lease, reservation: Reservation, booked: Iterable[BookedHost]
) -> StepContext[Any, Any]:
    """A reservation as its plugin sees it, to look at: it can record no servers."""
    return StepContext(
        reservation_id=reservation.uuid,
        project_id=lease.project_id,
        spec=spec_of(plugin, reservation.details),
        state=state_of(plugin, reservation.details),
        allocations=tuple(
            HostAllocation(b.hypervisor, b.service_host, b.hypervisor_uuid, b.units)
            for b in booked
        ),
    )


def former_context(plugin: Plugin, former: FormerReservation) -> StepContext[Any, Any]:
    """A reservation that was released, as its plugin sees it, to look at."""
    return StepContext(
        reservation_id=former.uuid,
        project_id=former.project_id,
        spec=spec_of(plugin, former.details),
        state=state_of(plugin, former.details),
        allocations=tuple(HostAllocation(*each) for each in former.hosts),
        servers=former.servers,
    )


def in_words(reasons: Iterable[Reason]) -> Reason:
    """The reasons of several reservations as one, in each voice each once."""
    found = list(reasons)
    return Reason(
        "; ".join(dict.fromkeys(reason.tenant for reason in found)),
        "; ".join(dict.fromkeys(reason.operator for reason in found)),
    )


def troubles_in_words(troubles: Troubles) -> Reason:
    """Why several reservations failed."""
    return in_words(failed.reason for failed in troubles.values())
