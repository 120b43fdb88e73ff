# SPDX-License-Identifier: Apache-2.0
"""States of lent hosts: which are in service, as Nova said a few seconds ago.

One call lists all of them. What it says is on record, so that every decision reckons with it, and
on the running leases that have such hosts. A host that is out of service stays on offer: that
says nothing of next week.
"""

import logging
import threading
from collections.abc import Collection
from functools import partial

from promise_blazar import exceptions, times
from promise_blazar.clock import Clock
from promise_blazar.db import affected, bookings, hosts, leases
from promise_blazar.db.session import Database
from promise_blazar.manager.provider import ProviderRuntime, Providers
from promise_blazar.model import reason as reasons
from promise_blazar.model.lease import Lease
from promise_blazar.model.reason import WITHDRAWN, Reason
from promise_blazar.model.states import LeaseStatus

LOG = logging.getLogger(__name__)

#: Seconds between two looks, and for which what Nova said is taken for true.
PERIOD = 10.0
#: Hosts that are written in one transaction, which keeps everybody else from deciding.
_AT_ONCE = 100

_OUT_OF_SERVICE = "out of service: "


def out_of_service_reason(hypervisors: Collection[str]) -> Reason:
    """What a lease says that has so many hosts which are out of service."""
    tenant = f"{_OUT_OF_SERVICE}{len(hypervisors)} of the hosts of this lease"
    return Reason(tenant, f"{tenant}: {', '.join(sorted(hypervisors))}")


class HostStates:
    def __init__(self, database: Database, clock: Clock, providers: Providers) -> None:
        self._database = database
        self._clock = clock
        self._providers = providers
        self._asking = threading.Lock()
        #: By provider: when this manager asked Nova.
        self._asked_at: dict[int, float] = {}

    def run(self) -> None:
        """Ask Nova, and put on record what has changed. Raises ``CloudError``, ``Unavailable``,
        ``Busy``."""
        for provider in self._providers.values():
            self._refresh(provider)

    def _refresh(self, provider: ProviderRuntime) -> None:
        in_service = provider.cloud.hypervisors.in_service()
        self._asked_at[provider.id] = self._clock.monotonic()
        changed = self._record(provider, in_service)
        if changed:
            self._tell(changed)

    def out_of_service(
        self, provider: ProviderRuntime, reservations: Collection[int]
    ) -> frozenset[str]:
        """The hypervisors of these reservations that are out of service.

        Nova is asked where this manager did so too long ago; what is on record is told where it
        does not answer.
        """
        asked_at = self._asked_at.get(provider.id, float("-inf"))
        # Nobody waits for what another is asking already.
        if self._clock.monotonic() - asked_at >= PERIOD and self._asking.acquire(blocking=False):
            try:
                self._refresh(provider)
            except (exceptions.CloudError, exceptions.Unavailable, exceptions.Busy) as error:
                LOG.warning("Whether hosts are in service is not known: %s", error)
            finally:
                self._asking.release()
        return self.known_out_of_service(reservations)

    def known_out_of_service(self, reservations: Collection[int]) -> frozenset[str]:
        """The same, as is on record."""
        with self._database.reader() as connection:
            return bookings.out_of_service(connection, reservations)

    def _record(self, provider: ProviderRuntime, in_service: frozenset[str]) -> list[int]:
        """The hosts that are other than was on record; they are not now."""
        with self._database.reader() as connection:
            known = hosts.states(connection, provider.id)
        changed: list[int] = []
        for up in (True, False):
            found = [
                each for each in known if each.up != up and up == (each.service_host in in_service)
            ]
            numbers = [each.id for each in found]
            for first in range(0, len(numbers), _AT_ONCE):
                some = numbers[first : first + _AT_ONCE]
                provider.ledger.change(partial(hosts.set_up, host_ids=some, up=up))
            if found:
                names = ", ".join(each.service_host for each in found)
                LOG.warning("Hosts are %s service: %s", "in" if up else "out of", names)
            changed += numbers
        return changed

    def _tell(self, changed: Collection[int]) -> None:
        """Let the running leases that have these hosts say so, or no longer."""
        now = times.to_micros(self._clock.now())
        with self._database.reader() as connection:
            found = leases.these(connection, bookings.leases_on(connection, changed, now))
        for lease in found:
            if lease.status == LeaseStatus.ACTIVE and lease.owner is None:
                self._tell_lease(lease)

    def _tell_lease(self, lease: Lease) -> None:
        numbers = [each.id for each in lease.reservations]
        down = self.known_out_of_service(numbers)
        ours = lease.reason in (None, WITHDRAWN) or lease.reason.startswith(_OUT_OF_SERVICE)
        reason = out_of_service_reason(down) if down else None
        values = {"degraded": bool(down), **(reasons.columns(reason) if ours else {})}
        with self._database.writer() as connection:
            # Whoever has begun to work on it meanwhile says so at its end.
            if leases.set_lease(
                connection, lease.id, values, attempt=lease.attempt, status=lease.status
            ):
                affected.say_so(connection, lease.id)
