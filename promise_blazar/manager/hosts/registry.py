# SPDX-License-Identifier: Apache-2.0
"""Registry of hosts: how they are lent, and taken back."""

import logging
from collections.abc import Mapping
from datetime import timedelta

from promise_blazar import deadline, exceptions, times
from promise_blazar.clock import Clock
from promise_blazar.cloud.contract.compute import Hypervisor
from promise_blazar.context import RequestContext
from promise_blazar.db import bookings, hosts, idempotency, jobs
from promise_blazar.db.session import Connection, Database
from promise_blazar.manager.contract.messages import (
    HostRequest,
    HostView,
    IdempotencyKey,
)
from promise_blazar.manager.hosts.capabilities import describe
from promise_blazar.manager.hosts.facts import facts_of, inventory_of
from promise_blazar.manager.idempotency import Answers
from promise_blazar.manager.provider import ProviderRuntime
from promise_blazar.manager.queries.hosts import HostQueries
from promise_blazar.manager.queries.views import host_view
from promise_blazar.model import openstack_names
from promise_blazar.model.host import Host
from promise_blazar.model.states import HostState
from promise_blazar.plugins.occupancy import find_aggregate, occupants

LOG = logging.getLogger(__name__)

#: The kind of a job about a host that is being added or removed; its subject is the name of the
#: hypervisor.
HOST_JOB = "host"
#: How long a request has for it, before somebody looks whether it was cut off.
_REQUEST = timedelta(minutes=1)
#: Before the number of a host, where ids of several kinds of things are kept together.
_KEY = "host-"


class HostRegistry:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        provider: ProviderRuntime,
        host_queries: HostQueries,
        answers: Answers,
    ) -> None:
        self._database = database
        self._clock = clock
        self._provider = provider
        self._cloud = provider.cloud
        self._names = provider.names
        self._host_queries = host_queries
        self._answers = answers

    def create(
        self, context: RequestContext, request: HostRequest, key: IdempotencyKey | None
    ) -> HostView:
        """See ``interface.Manager.create_host``.

        The host is on record before OpenStack is touched, and cannot be leased until OpenStack
        has it in the pool; whoever asks again after a crash carries on.
        """
        return self._answers.once(
            context, key, HostView, self._present, lambda: self._once(context, request, key)
        )

    def _once(
        self, context: RequestContext, request: HostRequest, key: IdempotencyKey | None
    ) -> HostView:
        hypervisor = self._cloud.hypervisors.get(request.name)
        self._refuse_occupied(hypervisor)
        self._finish_removal(hypervisor.name)

        def begin(connection: Connection, generation: int) -> int:
            number = self._begin(connection, generation, hypervisor, request.capabilities)
            if key is not None:
                idempotency.add(
                    connection,
                    context.project_id,
                    key.key,
                    key.fingerprint,
                    _key_object(number),
                    self._clock.now(),
                )
            deadline.check()
            return number

        try:
            host_id = self._provider.ledger.change(begin)
        except idempotency.Taken:
            raise exceptions.RequestInFlight() from None
        try:
            freepool = self._put_into_pool(hypervisor)
        except (exceptions.CloudError, exceptions.NotFound, exceptions.CannotAddHost):
            self._undo(host_id, hypervisor.name)
            self._answers.forget(_key_object(host_id))
            raise
        self._lend(host_id, hypervisor, freepool)
        view = self._host_queries.get(str(host_id))
        if key is not None:
            self._answers.keep(_key_object(host_id), view)
        return view

    def _refuse_occupied(self, hypervisor: Hypervisor) -> None:
        """Raises ``CannotAddHost``: it has servers, or some are on their way there."""
        servers = occupants(self._cloud, hypervisor.service_host, hypervisor.uuid)
        if servers:
            names = ", ".join(server.id for server in servers)
            raise _cannot_add(hypervisor, f"it has servers: {names}")

    def _present(self, key_object: str) -> HostView | None:
        with self._database.reader() as connection:
            host = hosts.get(connection, self._provider.id, int(key_object.removeprefix(_KEY)))
        return host_view(host) if host is not None and host.state == HostState.READY else None

    def _begin(
        self,
        connection: Connection,
        generation: int,
        hypervisor: Hypervisor,
        capabilities: Mapping[str, str],
    ) -> int:
        now = self._clock.now()
        values = {
            **facts_of(hypervisor),
            "hypervisor_uuid": hypervisor.uuid,
            "service_host": hypervisor.service_host,
            "state": HostState.ADDING,
            "reservable": False,
            "up": hypervisor.up,
            "generation": generation,
        }
        known = hosts.named(connection, self._provider.id, hypervisor.name)
        if known is None:
            host_id = hosts.add(
                connection,
                {
                    **values,
                    "provider_id": self._provider.id,
                    "hypervisor_hostname": hypervisor.name,
                    "tombstone": 0,
                    "created_at": now,
                },
            )
        elif known.state == HostState.ADDING:
            host_id = known.id
            hosts.set_host(connection, host_id, {**values, "updated_at": now})
        else:
            raise _cannot_add(hypervisor, f"it is registered already, as host {known.id}")
        self._begin_job(connection, hypervisor.name)
        hosts.set_inventories(connection, {host_id: inventory_of(hypervisor)})
        describe(connection, host_id, capabilities, now)
        return host_id

    def _put_into_pool(self, hypervisor: Hypervisor) -> int:
        """What OpenStack has to do for a host to be lent; the id of the freepool.

        Raises ``CannotAddHost``: somebody has come there since it was looked at.
        """
        self._cloud.resource_providers.ensure_child(
            hypervisor.uuid, openstack_names.child_provider_of(hypervisor.name)
        )
        freepool = self._cloud.aggregates.ensure(self._names.freepool, None, {})
        self._provider.remembered.host(hypervisor.service_host, hypervisor.name)
        self._cloud.aggregates.add_host(freepool.id, hypervisor.service_host)
        # From here on the filter lets nobody in.
        self._refuse_occupied(hypervisor)
        return freepool.id

    def _lend(self, host_id: int, hypervisor: Hypervisor, freepool: int) -> None:
        """From now on it can be leased. Raises ``CannotAddHost`` if it was removed meanwhile."""
        if not self._move_on(host_id, hypervisor.name, HostState.READY, hypervisor.up):
            self._keep_out_of_pool(host_id, freepool, hypervisor)
        LOG.info("Host %s (%s) can be leased", host_id, hypervisor.name)

    def resume(self, name: str) -> None:
        """Finish what was begun with a hypervisor and cut off; for the job about it.

        What cannot be added any more is taken back. Raises ``CloudError``: it is tried again.
        """
        with self._database.reader() as connection:
            host = hosts.named(connection, self._provider.id, name)
        if host is None or host.state == HostState.READY:
            return
        if host.state == HostState.ADDING:
            try:
                hypervisor = self._cloud.hypervisors.get(name)
                self._refuse_occupied(hypervisor)
                self._lend(host.id, hypervisor, self._put_into_pool(hypervisor))
            except (exceptions.NotFound, exceptions.CannotAddHost) as error:
                why = error.message
            else:
                return
            LOG.warning("Host %s (%s) is taken back: %s", host.id, name, why)
            if not self._move_on(host.id, name, HostState.REMOVING, reservable=False):
                return
        self._remove(host)

    def _undo(self, host_id: int, name: str) -> None:
        """OpenStack would not have it: the host is as before, or is removed by and by."""
        if not self._move_on(host_id, name, HostState.REMOVING, reservable=False):
            return  # another request has added it in the meantime, or removed it
        try:
            self.delete(str(host_id))
        except exceptions.CloudError as error:
            LOG.error(
                "Host %s is half added; it is removed when OpenStack is back: %s", host_id, error
            )

    def delete(self, host_id: str) -> None:
        """See ``interface.Manager.delete_host``. What a crash left half removed is removed."""
        host = self._host_queries.host(host_id)
        if host.state == HostState.READY:
            servers = self._cloud.servers.on_host(host.service_host)
            if servers:
                raise _cannot_delete(host, f"it has servers: {', '.join(s.id for s in servers)}")
        self._provider.ledger.change(
            lambda connection, generation: self._begin_removal(connection, generation, host)
        )
        self._remove(host)

    def _remove(self, host: Host) -> None:
        freepool = find_aggregate(self._cloud, self._names.freepool)
        if freepool is not None:
            self._cloud.aggregates.remove_host(freepool.id, host.service_host)

        def write(connection: Connection, generation: int) -> bool:
            values = {"tombstone": host.id, "generation": generation}
            gone = hosts.set_host(connection, host.id, values)
            if gone:
                jobs.over(connection, self._provider.id, HOST_JOB, host.hypervisor_hostname)
            return gone

        if self._provider.ledger.change(write):
            LOG.info("Host %s (%s) is not lent any more", host.id, host.hypervisor_hostname)
            return
        # Somebody else has finished this removal, and may have added the host anew since.
        with self._database.reader() as connection:
            anew = hosts.named(connection, self._provider.id, host.hypervisor_hostname)
        if freepool is not None and anew is not None and anew.state == HostState.READY:
            self._cloud.aggregates.add_host(freepool.id, host.service_host)

    def _finish_removal(self, hypervisor: str) -> None:
        """Remove what a failure left half removed, so that it can be added anew."""
        with self._database.reader() as connection:
            known = hosts.named(connection, self._provider.id, hypervisor)
        if known is not None and known.state == HostState.REMOVING:
            self.delete(str(known.id))

    def _begin_removal(self, connection: Connection, generation: int, host: Host) -> None:
        # The generation has moved: whoever is deciding on this host now will decide again.
        if bookings.in_use(connection, host.id, times.to_micros(self._clock.now())):
            raise _cannot_delete(host, "it is reserved; delete or wait for its reservations")
        values = {"state": HostState.REMOVING, "reservable": False, "generation": generation}
        if not hosts.set_host(connection, host.id, values):
            # Its name may be registered anew by now.
            raise exceptions.NotFound(object={"host_id": str(host.id)})
        self._begin_job(connection, host.hypervisor_hostname)
        deadline.check()

    def _move_on(self, host_id: int, name: str, state: HostState, reservable: bool) -> bool:
        """From being added to another state; False if somebody else was faster."""

        def write(connection: Connection, generation: int) -> bool:
            values = {"state": state, "reservable": reservable, "generation": generation}
            moved = hosts.set_host(connection, host_id, values, state=HostState.ADDING)
            if moved and state == HostState.READY:
                jobs.over(connection, self._provider.id, HOST_JOB, name)
            return moved

        return self._provider.ledger.change(write)

    def _begin_job(self, connection: Connection, name: str) -> None:
        """Should this request be cut off, somebody finishes what it began."""
        look_at = self._clock.now() + _REQUEST
        jobs.begin(connection, self._provider.id, HOST_JOB, name, look_at)

    def _keep_out_of_pool(self, host_id: int, freepool: int, hypervisor: Hypervisor) -> None:
        """We put it there just as it was being removed, unless another request added it too.

        Raises ``Conflict`` if it was removed.
        """
        with self._database.reader() as connection:
            host = hosts.get(connection, self._provider.id, host_id)
        if host is None or host.state != HostState.READY:
            self._cloud.aggregates.remove_host(freepool, hypervisor.service_host)
            raise _cannot_add(hypervisor, "it was removed at the same time")


def _key_object(host_id: int) -> str:
    return f"{_KEY}{host_id}"


def _cannot_add(hypervisor: Hypervisor, reason: str) -> exceptions.CannotAddHost:
    return exceptions.CannotAddHost(host=hypervisor.name, reason=reason)


def _cannot_delete(host: Host, reason: str) -> exceptions.CannotDeleteHost:
    return exceptions.CannotDeleteHost(host=host.hypervisor_hostname, reason=reason)
