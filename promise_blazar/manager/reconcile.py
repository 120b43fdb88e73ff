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
from promise_blazar.cloud import outgoing
from promise_blazar.cloud.protocol import Cloud
from promise_blazar.db import bookings, hosts, leases, ownership
from promise_blazar.db.engine import Database
from promise_blazar.db.hosts import HostRecord
from promise_blazar.db.leases import LeaseRecord
from promise_blazar.manager import lifecycle as life
from promise_blazar.manager.hosts import READY
from promise_blazar.manager.presence import Claim, Presence, Superseded
from promise_blazar.manager.work import Work, job_of
from promise_blazar.plugins.base import Names, Plugin, Survey
from promise_blazar.plugins.virtual_instance import (
    FLAVOR_NAME,
    GROUP_NAME,
    RESOURCE_CLASS,
    child_provider_of,
)

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
    leases: tuple[LeaseRecord, ...]
    held: Mapping[int, Sequence[bookings.Held]]
    departed: Mapping[str, str]
    hosts: list[HostRecord]


class Reconcile:
    def __init__(
        self,
        database: Database,
        provider_id: int,
        plugins: Mapping[str, Plugin],
        work: Work,
        presence: Presence,
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
        self._presence = presence
        self._holding = holding
        self._cloud = cloud
        self._names = names
        self._clock = clock

    def run(self) -> Drift:
        """One cycle: look, and put right what differs. Raises ``CloudError``, ``Unavailable``."""
        survey, records = self._look()
        drift = self._compare(survey, records)
        for reservation_id, kind in drift.leftovers.items():
            self._sweep(reservation_id, kind, survey)
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

    def _look(self) -> tuple[Survey, _Records]:
        with self._database.reader() as connection:
            lent = hosts.listed(connection, self._provider_id)
        survey = Survey(
            aggregates={found.name: found for found in self._cloud.aggregates()},
            flavors=frozenset(self._cloud.flavors_named(FLAVOR_NAME)),
            resource_classes=frozenset(self._cloud.resource_classes(RESOURCE_CLASS)),
            inventories={
                provider: self._cloud.child_inventory(provider)
                for provider in (child_provider_of(host.hypervisor_hostname) for host in lent)
            },
            groups=self._cloud.server_groups(GROUP_NAME),
        )
        return survey, self._records()

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

    def _compare(self, survey: Survey, records: _Records) -> Drift:
        over = dict(records.departed)
        alive = set()
        missing = {}
        for lease in records.leases:
            for record in lease.reservations:
                if record.status == "deleted":
                    over[record.uuid] = record.resource_type
                else:
                    alive.add(record.uuid)
            words = self._missing(lease, survey, records)
            if words:
                missing[lease.id] = words
        leftovers, foreign = {}, set()
        # An aggregate that OpenStack made late, when nobody waited for it any more, has nothing
        # of ours but its name.
        named = survey.aggregates.keys() & over.keys()
        for kind, plugin in self._plugins.items():
            for name in plugin.left(survey).union(n for n in named if over[n] == kind) - alive:
                if over.get(name) == kind:
                    leftovers[name] = kind
                else:
                    foreign.add(name)
        freepool = survey.aggregates.get(self._names.freepool)
        free = freepool.hosts if freepool is not None else ()
        stray = tuple(
            host.hypervisor_hostname
            for host in self._at_home(records)
            if host.service_host not in free
        )
        return Drift(leftovers, missing, stray, tuple(sorted(foreign)))

    def _missing(self, lease: LeaseRecord, survey: Survey, records: _Records) -> tuple[str, ...]:
        """What a stable lease lacks."""
        words: list[str] = []
        running = _running(lease)
        for record in lease.reservations:
            expected = record.status == ("active" if running else "pending")
            if expected and lease.status in (life.PENDING, life.ACTIVE) and lease.owner is None:
                plugin = self._plugins[record.resource_type]
                job = job_of(plugin, lease, record, records.held.get(record.id, ()))
                words += plugin.drift(job, survey, running)
        return tuple(words)

    def _at_home(self, records: _Records) -> list[HostRecord]:
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

    def _sweep(self, reservation_id: str, kind: str, survey: Survey) -> None:
        try:
            self._plugins[kind].sweep(reservation_id, survey)
            LOG.warning("Removed what was left of %s %s", kind, reservation_id)
        except exceptions.CloudError as error:
            LOG.warning("Left over of %s %s: %s; again later", kind, reservation_id, error)

    def _repair(self, lease: LeaseRecord, words: tuple[str, ...]) -> None:
        due = ownership.Due(lease.id, lease.status, lease.attempt, None)
        owner = self._presence.id
        with self._database.writer() as connection:
            if not ownership.claim(connection, due, owner, lease.status):
                # It has moved on since we looked; the next cycle sees what it needs then.
                return
            # Should it be cut off, somebody finds it then, and not at the lease's next event.
            leases.set_lease(connection, lease.id, {"look_at": self._clock.now()})
        claim = Claim(lease.id, lease.attempt + 1, owner)
        LOG.warning("Lease %s: %s; putting it right", lease.id, "; ".join(words))
        try:
            with outgoing.fenced(self._presence.fence(claim)):
                self._work.repair(claim)
        except Superseded as error:
            LOG.info("Left to others: %s", error)
            with self._database.writer() as connection:
                ownership.let_go(connection, claim.lease_id, claim.owner)


def _running(lease: LeaseRecord) -> bool:
    return life.started(lease) and lease.status != life.TERMINATED
