# SPDX-License-Identifier: Apache-2.0
"""Compare what OpenStack has with what was promised, again and again, and put it right.

OpenStack is listed first and our records are read second: what was made in between is then known
to the records, and is never taken for a leftover. Repairs run under the lease's claim, like all
work for a lease. Only what our records name is touched; the rest belongs to somebody else.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from promise_blazar import exceptions
from promise_blazar.clock import Clock
from promise_blazar.cloud import fence
from promise_blazar.cloud.contract.cloud import Cloud
from promise_blazar.db import bookings, hosts, leases, work_queue
from promise_blazar.db.session import Database
from promise_blazar.manager.hosts.registry import READY
from promise_blazar.manager.ownership.heartbeat import Heartbeat, Superseded, WorkOwnership
from promise_blazar.manager.workflow.steps import Work, context_of
from promise_blazar.model import lifecycle, openstack_names
from promise_blazar.model.booking import BookedHost
from promise_blazar.model.host import Host
from promise_blazar.model.lease import Lease
from promise_blazar.model.openstack_names import Names
from promise_blazar.model.states import LeaseStatus
from promise_blazar.plugins.contract import Observation, Plugin

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
    held: Mapping[int, Sequence[BookedHost]]
    departed: Mapping[str, str]
    hosts: list[Host]


class Reconcile:
    def __init__(
        self,
        database: Database,
        provider_id: int,
        plugins: Mapping[str, Plugin],
        work: Work,
        heartbeat: Heartbeat,
        holding: Callable[[str], AbstractContextManager[None]],
        cloud: Cloud,
        names: Names,
        clock: Clock,
    ) -> None:
        """``holding``: as of ``Engine``, keeps this manager's other threads from a lease."""
        self._database = database
        self._provider_id = provider_id
        self._plugins = plugins
        self._work = work
        self._heartbeat = heartbeat
        self._holding = holding
        self._cloud = cloud
        self._names = names
        self._clock = clock

    def run(self) -> Drift:
        """One cycle: look, and put right what differs. Raises ``CloudError``, ``Unavailable``."""
        observation, records = self._look()
        drift = self._compare(observation, records)
        for reservation_id, kind in drift.leftovers.items():
            self._sweep(reservation_id, kind, observation)
        for lease in records.leases:
            if lease.id in drift.missing:
                with self._holding(lease.id):
                    self._repair(lease, drift.missing[lease.id])
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

    def _look(self) -> tuple[Observation, _Records]:
        with self._database.reader() as connection:
            lent = hosts.listed(connection, self._provider_id)
        observation = Observation(
            aggregates={found.name: found for found in self._cloud.aggregates()},
            flavors=frozenset(self._cloud.flavors_named(openstack_names.FLAVOR)),
            resource_classes=frozenset(
                self._cloud.resource_classes(openstack_names.RESERVATION_CLASS)
            ),
            inventories={
                provider: self._cloud.child_inventory(provider)
                for provider in (
                    openstack_names.child_provider_of(host.hypervisor_hostname) for host in lent
                )
            },
            groups=self._cloud.server_groups(openstack_names.SERVER_GROUP),
        )
        return observation, self._records()

    def _records(self) -> _Records:
        with self._database.reader() as connection:
            listed = leases.listed(connection, self._provider_id, None)
            held = defaultdict(list)
            for item in bookings.all_held(connection, self._provider_id):
                held[item.reservation_id].append(item)
            return _Records(
                listed,
                held,
                leases.departed(connection),
                hosts.listed(connection, self._provider_id),
            )

    def _compare(self, observation: Observation, records: _Records) -> Drift:
        over = dict(records.departed)
        alive = set()
        missing = {}
        for lease in records.leases:
            for record in lease.reservations:
                if record.status == "deleted":
                    over[record.uuid] = record.resource_type
                else:
                    alive.add(record.uuid)
            words = self._missing(lease, observation, records)
            if words:
                missing[lease.id] = words
        leftovers, foreign = {}, set()
        # An aggregate that OpenStack made late, when nobody waited for it any more, has nothing
        # of ours but its name.
        named = observation.aggregates.keys() & over.keys()
        for kind, plugin in self._plugins.items():
            for name in (
                plugin.left(observation).union(n for n in named if over[n] == kind) - alive
            ):
                if over.get(name) == kind:
                    leftovers[name] = kind
                else:
                    foreign.add(name)
        freepool = observation.aggregates.get(self._names.freepool)
        free = freepool.hosts if freepool is not None else ()
        stray = tuple(
            host.hypervisor_hostname
            for host in self._at_home(records)
            if host.service_host not in free
        )
        return Drift(leftovers, missing, stray, tuple(sorted(foreign)))

    def _missing(
        self, lease: Lease, observation: Observation, records: _Records
    ) -> tuple[str, ...]:
        """What a stable lease lacks."""
        words: list[str] = []
        running = _running(lease)
        for record in lease.reservations:
            expected = record.status == ("active" if running else "pending")
            if (
                expected
                and lease.status in (LeaseStatus.PENDING, LeaseStatus.ACTIVE)
                and lease.owner is None
            ):
                plugin = self._plugins[record.resource_type]
                job = context_of(plugin, lease, record, records.held.get(record.id, ()))
                words += plugin.drift(job, observation, running)
        return tuple(words)

    def _at_home(self, records: _Records) -> list[Host]:
        """The hosts that no lease has, or may have, out of the freepool."""
        out = {
            hold.host_id
            for lease in records.leases
            if _running(lease)
            for record in lease.reservations
            if record.resource_type == "physical:host"
            for hold in records.held.get(record.id, ())
        }
        return [host for host in records.hosts if host.state == READY and host.id not in out]

    def _bring_back(self, stray: frozenset[str]) -> None:
        """Into the freepool, unless somebody has them by now.

        No claim stops us: a lease may start while we add its host. Then either it takes the host
        out after us, or we see that it has begun.
        """
        freepool = self._cloud.ensure_aggregate(self._names.freepool, None, {})
        added = {
            host.service_host
            for host in self._at_home(self._records())
            if host.hypervisor_hostname in stray
        }
        for host in added:
            self._cloud.add_to_aggregate(freepool.id, host)
        for host in added - {found.service_host for found in self._at_home(self._records())}:
            self._cloud.remove_from_aggregate(freepool.id, host)

    def _sweep(self, reservation_id: str, kind: str, observation: Observation) -> None:
        try:
            self._plugins[kind].delete_leftovers(reservation_id, observation)
            LOG.warning("Removed what was left of %s %s", kind, reservation_id)
        except exceptions.CloudError as error:
            LOG.warning("Left over of %s %s: %s; again later", kind, reservation_id, error)

    def _repair(self, lease: Lease, words: tuple[str, ...]) -> None:
        due = work_queue.Due(lease.id, lease.status, lease.attempt, None)
        owner = self._heartbeat.id
        with self._database.writer() as connection:
            if not work_queue.take(connection, due, owner, lease.status):
                # It has moved on since we looked; the next cycle sees what it needs then.
                return
            # Should it be cut off, somebody finds it then, and not at the lease's next event.
            leases.set_lease(connection, lease.id, {"look_at": self._clock.now()})
        ownership = WorkOwnership(lease.id, lease.attempt + 1, owner)
        LOG.warning("Lease %s: %s; putting it right", lease.id, "; ".join(words))
        try:
            with fence.fenced(self._heartbeat.fence(ownership)):
                self._work.repair(ownership)
        except Superseded as error:
            LOG.info("Left to others: %s", error)
            with self._database.writer() as connection:
                work_queue.let_go(connection, ownership.lease_id, ownership.owner)


def _running(lease: Lease) -> bool:
    return lifecycle.started(lease) and lease.status != LeaseStatus.TERMINATED
