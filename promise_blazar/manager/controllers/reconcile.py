# SPDX-License-Identifier: Apache-2.0
"""Reconcile: what OpenStack has is compared with what was promised, and put right.

OpenStack is listed first and our records are read second: what was made in between is then known
to the records, and is never taken for a leftover. What is on no record is another's, unless this
process has seen the record: then the database went back. Records are read as far as they are
under way, and by the names that OpenStack has; so a run costs what there is now, not what there
ever was.
Repairs run under the lease's work ownership, like all work for a lease. Only what our records
name is touched; the rest belongs to somebody else.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from promise_blazar import exceptions
from promise_blazar.clock import Clock
from promise_blazar.cloud.contract.compute import Aggregate
from promise_blazar.db import bookings, hosts, jobs, leases, running
from promise_blazar.db.session import Connection, Database
from promise_blazar.manager.controllers.drift import Drift
from promise_blazar.manager.controllers.late_servers import LateServers, LateServerWatch
from promise_blazar.manager.hosts.registry import HOST_JOB
from promise_blazar.manager.provider import ProviderRuntime
from promise_blazar.manager.workflow.engine import Engine
from promise_blazar.manager.workflow.work import context_of
from promise_blazar.model import lifecycle
from promise_blazar.model.booking import BookedHost
from promise_blazar.model.host import Host
from promise_blazar.model.lease import Lease
from promise_blazar.model.states import HostState, LeaseStatus, Preparation, ReservationStatus

LOG = logging.getLogger(__name__)

__all__ = ["Drift", "Reconcile"]


@dataclass(frozen=True, slots=True)
class _Observed:
    """``aggregates`` by name; ``by_type``: what each plugin has observed; ``late``: servers that
    came after the end of their reservations."""

    aggregates: Mapping[str, Aggregate]
    by_type: Mapping[str, Any]
    late: LateServers


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
        self._late_servers = LateServerWatch(database, clock, provider)
        self._went_back = 0
        #: Whether a manager may have died before it saw what Nova's scheduler was told.
        self._in_doubt = True

    def doubt(self) -> None:
        """Another manager is dead."""
        self._in_doubt = True

    def run(self) -> Drift:
        """One cycle: look, and put right what differs. Raises ``CloudError``, ``Unavailable``."""
        # Under rules that we do not know, what looks amiss may be right.
        ledger = self._provider.ledger
        ledger.check()
        ledger.keep_up()
        went_back = ledger.went_back
        observed = self._observe()
        drift, broken = self._compare(observed, went_back > self._went_back)
        self._late_servers.remove(observed.late)
        self._tell_of_freepool(observed)
        if drift.stray:
            # First: in no pool, as when leftovers have gone, a host would take anybody's server.
            self._bring_back(frozenset(drift.stray))
        self._write_down(drift.forgotten)
        for reservation_id, kind in {**drift.leftovers, **drift.forgotten}.items():
            self._delete_leftovers(reservation_id, kind, observed)
        for lease in broken:
            words = drift.missing.get(lease.id, ("the database went back",))
            self._engine.repair(lease, "; ".join(words))
        if drift.unlent:
            self._take_out(frozenset(drift.unlent))
        for name in drift.unfinished:
            self._have_finished(name)
        self._went_back = went_back
        report = LOG.debug if drift.clean else LOG.warning
        report(
            "Reconcile: %d left over, %d leases with pieces missing, %d stray hosts, %d hosts not "
            "lent, %d half added or removed, %d not ours",
            len(drift.leftovers) + len(drift.forgotten),
            len(drift.missing),
            len(drift.stray),
            len(drift.unlent),
            len(drift.unfinished),
            len(drift.foreign),
        )
        return drift

    def look(self) -> Drift:
        """What differs now; nothing is changed. Raises ``CloudError``, ``Unavailable``."""
        return self._compare(self._observe())[0]

    def _observe(self) -> _Observed:
        provider = self._provider
        with self._database.reader() as connection:
            lent = hosts.listed(connection, provider.id)
        aggregates = {found.name: found for found in provider.cloud.aggregates.list()}
        for host in lent:
            provider.remembered.host(host.service_host, host.hypervisor_hostname)
        names = sorted({*provider.remembered.hosts().values()})
        by_type = {
            kind: plugin.observe(aggregates, names) for kind, plugin in provider.plugins.items()
        }
        return _Observed(aggregates, by_type, self._late_servers.look())

    def _compare(self, observed: _Observed, all_anew: bool = False) -> tuple[Drift, list[Lease]]:
        """And the leases that lack something; or all that wait for their next event.

        A flavor's shape, say, is not looked at, and may be of a change that is lost.
        """
        leftovers, forgotten, foreign = self._leftovers(observed)
        missing: dict[str, tuple[str, ...]] = {}
        broken: list[Lease] = []
        with self._database.reader() as connection:
            for some in running.stable(connection, self._provider.id):
                for lease, words in self._missing(connection, some, observed):
                    if words:
                        missing[lease.id] = words
                    if words or all_anew:
                        broken.append(lease)
        freepool = observed.aggregates.get(self._names.freepool)
        free = frozenset(freepool.hosts if freepool is not None else ())
        lent, home = self._hosts()
        stray = tuple(h.hypervisor_hostname for h in home if h.service_host not in free)
        strangers = free - {host.service_host for host in lent}
        with self._database.reader() as connection:
            unlent = running.lent_before(connection, self._provider.id, strangers)
        unlent |= strangers & self._provider.remembered.hosts().keys()
        foreign |= {f"host {name} in the freepool" for name in strangers - unlent}
        drift = Drift(
            leftovers,
            missing,
            stray,
            tuple(sorted(foreign)),
            tuple(sorted(unlent)),
            self._unfinished(lent),
            observed.late.servers,
            forgotten,
        )
        return drift, broken

    def _leftovers(self, observed: _Observed) -> tuple[dict[str, str], dict[str, str], set[str]]:
        """Of reservations that are over, by kind; of those that are forgotten; and what is on
        nobody's record."""
        plugins, remembered = self._provider.plugins, self._provider.remembered
        owned = {
            kind: plugin.owned_reservations(observed.by_type[kind])
            for kind, plugin in plugins.items()
        }
        # An aggregate that OpenStack made late, when nobody waited for it any more, has nothing
        # of ours but its name.
        named = observed.aggregates.keys()
        with self._database.reader() as connection:
            alive, over = running.reservations(connection, set(named).union(*owned.values()))
        leftovers: dict[str, str] = {}
        forgotten: dict[str, str] = {}
        foreign: set[str] = set()
        for kind, mine in owned.items():
            late = {name for name in named if over.get(name) == kind}
            for name in mine & alive:
                remembered.reservation(name, kind)
            for name in mine.union(late) - alive:
                if over.get(name) == kind:
                    remembered.reservation(name, kind)
                    leftovers[name] = kind
                elif name not in over and remembered.type_of(name) == kind:
                    forgotten[name] = kind
                else:
                    foreign.add(name)
        return leftovers, forgotten, foreign

    def _missing(
        self, connection: Connection, some: tuple[Lease, ...], observed: _Observed
    ) -> list[tuple[Lease, tuple[str, ...]]]:
        """What stable leases lack, if anything; those of unknown types are left to others."""
        plugins = self._provider.plugins
        known = [
            lease
            for lease in some
            if lease.status in (LeaseStatus.PENDING, LeaseStatus.ACTIVE)
            and lease.preparation == Preparation.DONE
            and lease.owner is None
            and all(record.resource_type in plugins for record in lease.reservations)
        ]
        numbers = [record.id for lease in known for record in lease.reservations]
        booked: dict[int, list[BookedHost]] = defaultdict(list)
        for item in bookings.held_by(connection, numbers) if numbers else ():
            booked[item.reservation_id].append(item)
        return [(lease, self._lacks(lease, booked, observed)) for lease in known]

    def _lacks(
        self, lease: Lease, booked: Mapping[int, list[BookedHost]], observed: _Observed
    ) -> tuple[str, ...]:
        words: list[str] = []
        started = lifecycle.started(lease)
        wanted = ReservationStatus.ACTIVE if started else ReservationStatus.PENDING
        for record in lease.reservations:
            if record.status == wanted:
                plugin = self._provider.plugins[record.resource_type]
                context = context_of(plugin, lease, record, booked.get(record.id, ()))
                words += plugin.diff(context, observed.by_type[record.resource_type], started)
        return tuple(words)

    # Hosts

    def _hosts(self) -> tuple[list[Host], list[Host]]:
        """All that are lent; and those that no lease has, or may have, out of the freepool."""
        # Of a type that is not known here, nobody knows; so its hosts are left alone.
        stay = [k for k, plugin in self._provider.plugins.items() if not plugin.empties_freepool]
        with self._database.reader() as connection:
            out = running.hosts_out(connection, self._provider.id, stay)
            lent = hosts.listed(connection, self._provider.id)
        home = [host for host in lent if host.state == HostState.READY and host.id not in out]
        return lent, home

    def _bring_back(self, stray: frozenset[str]) -> None:
        """Into the freepool, unless somebody has them by now.

        A lease may start while we add its host. Then either it takes the host out after us, or
        we see that it has begun. A host may be taken back, too; cut off before we see that, the
        next run finds it in the freepool, not lent any more.
        """
        freepool = self._cloud.aggregates.ensure(self._names.freepool, None, {})
        added = {h.service_host for h in self._hosts()[1] if h.hypervisor_hostname in stray}
        for host in added:
            self._cloud.aggregates.add_host(freepool.id, host)
        for host in added - {found.service_host for found in self._hosts()[1]}:
            self._cloud.aggregates.remove_host(freepool.id, host)

    def _take_out(self, unlent: frozenset[str]) -> None:
        """Out of the freepool, unless somebody lends them anew by now."""
        freepool = self._cloud.aggregates.ensure(self._names.freepool, None, {})
        removed = unlent - {host.service_host for host in self._hosts()[0]}
        for host in removed:
            self._cloud.aggregates.remove_host(freepool.id, host)
        for host in removed & {found.service_host for found in self._hosts()[1]}:
            self._cloud.aggregates.add_host(freepool.id, host)

    def _unfinished(self, lent: list[Host]) -> dict[str, str]:
        """Hosts that are half added or half removed, by name, and what is known of that."""
        half = [host for host in lent if host.state != HostState.READY]
        if not half:
            return {}
        with self._database.reader() as connection:
            known = jobs.of_kind(connection, self._provider.id, HOST_JOB)
        words = {}
        for host in half:
            job = known.get(host.hypervisor_hostname)
            if job is None:
                words[host.hypervisor_hostname] = f"half {_HALF[host.state]}"
            elif job.owner is None:
                words[host.hypervisor_hostname] = (
                    f"half {_HALF[host.state]}, and tried again: {job.reason or 'cut off'}"
                )
        return words

    def _tell_of_freepool(self, observed: _Observed) -> None:
        """Once after a manager's death, and once after our own beginning.

        Nova's scheduler may have been told of fewer or more hosts than the freepool has, by a
        change that met another; who made it sees to that, unless it died. A change of nothing
        has the scheduler told anew.
        """
        freepool = observed.aggregates.get(self._names.freepool)
        if freepool is not None and self._in_doubt:
            self._in_doubt = False
            try:
                self._cloud.aggregates.set_metadata(freepool.id, {})
            except exceptions.PromiseBlazarError:
                self._in_doubt = True
                raise

    def _have_finished(self, name: str) -> None:
        """A job for it, where a release without jobs has left none."""

        def work(connection: Connection) -> None:
            if jobs.find(connection, self._provider.id, HOST_JOB, name) is None:
                jobs.add(connection, self._provider.id, HOST_JOB, name, self._clock.now())

        try:
            self._database.transact(work)
        except jobs.Taken:
            LOG.debug("Host %s is being seen to", name)
        self._engine.wake()

    def _write_down(self, forgotten: Mapping[str, str]) -> None:
        """Have others know what is ours, should this be cut off before it is gone."""
        if not forgotten:
            return
        LOG.warning("The database went back: %d reservations are forgotten", len(forgotten))
        try:
            with self._database.writer() as connection:
                leases.add_departed(connection, forgotten, self._clock.now())
        except leases.Departed:
            LOG.debug("Another run has written them down")

    def _delete_leftovers(self, reservation_id: str, kind: str, observed: _Observed) -> None:
        try:
            plugin = self._provider.plugins[kind]
            plugin.delete_leftovers(reservation_id, observed.by_type[kind])
            LOG.warning("Removed what was left of %s %s", kind, reservation_id)
        except exceptions.CloudError as error:
            LOG.warning("Left over of %s %s: %s; again later", kind, reservation_id, error)


_HALF = {HostState.ADDING: "added", HostState.REMOVING: "removed"}
