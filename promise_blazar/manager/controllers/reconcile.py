# SPDX-License-Identifier: Apache-2.0
"""Reconcile: what OpenStack has is compared with what was promised, and put right.

OpenStack is listed first and our records are read second: what was made in between is then known
to the records, and is never taken for a leftover. Repairs run under the lease's work
ownership, like all work for a lease. Only what our records name is touched; the rest belongs to
somebody else.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from promise_blazar import exceptions
from promise_blazar.clock import Clock
from promise_blazar.cloud.contract.compute import Aggregate
from promise_blazar.db import bookings, hosts, leases
from promise_blazar.db.session import Database
from promise_blazar.manager.provider import ProviderRuntime
from promise_blazar.manager.workflow.engine import Engine
from promise_blazar.manager.workflow.work import context_of
from promise_blazar.model import lifecycle
from promise_blazar.model.booking import BookedHost
from promise_blazar.model.host import Host
from promise_blazar.model.lease import Lease
from promise_blazar.model.states import HostState, LeaseStatus, ReservationStatus

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Drift:
    """What differs, in words, by what it is about.

    ``leftovers``: of reservations that are over; ``missing``: of leases that are prepared or
    running, by lease; ``stray``: lent hosts that should be in the freepool; ``foreign``: looks
    like ours and is not on record, so it is left alone.
    """

    leftovers: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stray: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        return not (self.leftovers or self.missing or self.stray)

    def lines(self) -> list[str]:
        """For people."""
        return [
            *(f"left over: {kind} {name}" for name, kind in sorted(self.leftovers.items())),
            *(
                f"lease {lease_id}: {words}"
                for lease_id, all_words in sorted(self.missing.items())
                for words in all_words
            ),
            *(f"host {name} is not in the freepool" for name in self.stray),
            *(f"not ours, left alone: {name}" for name in self.foreign),
        ]


@dataclass(frozen=True, slots=True)
class _Records:
    leases: tuple[Lease, ...]
    booked: Mapping[int, Sequence[BookedHost]]
    departed: Mapping[str, str]
    hosts: list[Host]


@dataclass(frozen=True, slots=True)
class _Observed:
    """``aggregates`` by name; ``by_type``: what each plugin has observed."""

    aggregates: Mapping[str, Aggregate]
    by_type: Mapping[str, Any]


class Reconcile:
    def __init__(
        self, database: Database, clock: Clock, provider: ProviderRuntime, engine: Engine
    ) -> None:
        self._database = database
        self._clock = clock
        self._provider = provider
        self._cloud = provider.cloud
        self._names = provider.names
        self._engine = engine

    def run(self) -> Drift:
        """One cycle: look, and put right what differs. Raises ``CloudError``, ``Unavailable``."""
        # Under rules that we do not know, what looks amiss may be right.
        self._provider.ledger.check()
        observed, records = self._look()
        drift = self._compare(observed, records)
        for reservation_id, kind in drift.leftovers.items():
            self._delete_leftovers(reservation_id, kind, observed)
        for lease in records.leases:
            if lease.id in drift.missing:
                self._engine.repair(lease, "; ".join(drift.missing[lease.id]))
        if drift.stray:
            self._bring_back(frozenset(drift.stray))
        report = LOG.debug if drift.clean else LOG.warning
        report(
            "Reconcile: %d left over, %d leases with pieces missing, %d stray hosts, %d not ours",
            len(drift.leftovers),
            len(drift.missing),
            len(drift.stray),
            len(drift.foreign),
        )
        return drift

    def look(self) -> Drift:
        """What differs now; nothing is changed. Raises ``CloudError``, ``Unavailable``."""
        return self._compare(*self._look())

    def _look(self) -> tuple[_Observed, _Records]:
        provider = self._provider
        with self._database.reader() as connection:
            lent = hosts.listed(connection, provider.id)
        aggregates = {found.name: found for found in provider.cloud.aggregates.list()}
        names = [host.hypervisor_hostname for host in lent]
        by_type = {
            kind: plugin.observe(aggregates, names) for kind, plugin in provider.plugins.items()
        }
        return _Observed(aggregates, by_type), self._records()

    def _records(self) -> _Records:
        with self._database.reader() as connection:
            listed = leases.listed(connection, self._provider.id, None)
            booked = defaultdict(list)
            for item in bookings.all_held(connection, self._provider.id):
                booked[item.reservation_id].append(item)
            return _Records(
                listed,
                booked,
                leases.departed(connection),
                hosts.listed(connection, self._provider.id),
            )

    def _compare(self, observed: _Observed, records: _Records) -> Drift:
        over = dict(records.departed)
        alive = set()
        missing = {}
        for lease in records.leases:
            for record in lease.reservations:
                if record.status == ReservationStatus.DELETED:
                    over[record.uuid] = record.resource_type
                else:
                    alive.add(record.uuid)
            words = self._missing(lease, observed, records)
            if words:
                missing[lease.id] = words
        leftovers, foreign = {}, set()
        # An aggregate that OpenStack made late, when nobody waited for it any more, has nothing
        # of ours but its name.
        named = observed.aggregates.keys() & over.keys()
        for kind, plugin in self._provider.plugins.items():
            owned = plugin.owned_reservations(observed.by_type[kind])
            for name in owned.union(n for n in named if over[n] == kind) - alive:
                if over.get(name) == kind:
                    leftovers[name] = kind
                else:
                    foreign.add(name)
        freepool = observed.aggregates.get(self._names.freepool)
        free = freepool.hosts if freepool is not None else ()
        stray = tuple(
            host.hypervisor_hostname
            for host in self._at_home(records)
            if host.service_host not in free
        )
        return Drift(leftovers, missing, stray, tuple(sorted(foreign)))

    def _missing(self, lease: Lease, observed: _Observed, records: _Records) -> tuple[str, ...]:
        """What a stable lease lacks; a lease with a type that is not known here is another's."""
        plugins = self._provider.plugins
        if any(record.resource_type not in plugins for record in lease.reservations):
            return ()
        words: list[str] = []
        running = _running(lease)
        wanted = ReservationStatus.ACTIVE if running else ReservationStatus.PENDING
        stable = lease.status in (LeaseStatus.PENDING, LeaseStatus.ACTIVE) and lease.owner is None
        for record in lease.reservations if stable else ():
            if record.status == wanted:
                plugin = plugins[record.resource_type]
                booked = records.booked.get(record.id, ())
                context = context_of(plugin, lease, record, booked)
                words += plugin.diff(context, observed.by_type[record.resource_type], running)
        return tuple(words)

    def _at_home(self, records: _Records) -> list[Host]:
        """The hosts that no lease has, or may have, out of the freepool."""
        out = {
            booked.host_id
            for lease in records.leases
            if _running(lease)
            for record in lease.reservations
            if self._empties_freepool(record.resource_type)
            for booked in records.booked.get(record.id, ())
        }
        ready = (host for host in records.hosts if host.state == HostState.READY)
        return [host for host in ready if host.id not in out]

    def _empties_freepool(self, resource_type: str) -> bool:
        plugin = self._provider.plugins.get(resource_type)
        # Of a type that is not known here, nobody knows; so its hosts are left alone.
        return plugin is None or plugin.empties_freepool

    def _bring_back(self, stray: frozenset[str]) -> None:
        """Into the freepool, unless somebody has them by now.

        No ownership stops us: a lease may start while we add its host. Then either it takes the
        host out after us, or we see that it has begun.
        """
        freepool = self._cloud.aggregates.ensure(self._names.freepool, None, {})
        added = {
            host.service_host
            for host in self._at_home(self._records())
            if host.hypervisor_hostname in stray
        }
        for host in added:
            self._cloud.aggregates.add_host(freepool.id, host)
        for host in added - {found.service_host for found in self._at_home(self._records())}:
            self._cloud.aggregates.remove_host(freepool.id, host)

    def _delete_leftovers(self, reservation_id: str, kind: str, observed: _Observed) -> None:
        try:
            plugin = self._provider.plugins[kind]
            plugin.delete_leftovers(reservation_id, observed.by_type[kind])
            LOG.warning("Removed what was left of %s %s", kind, reservation_id)
        except exceptions.CloudError as error:
            LOG.warning("Left over of %s %s: %s; again later", kind, reservation_id, error)


def _running(lease: Lease) -> bool:
    return lifecycle.started(lease) and lease.status != LeaseStatus.TERMINATED
