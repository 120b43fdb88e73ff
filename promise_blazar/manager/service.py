# SPDX-License-Identifier: Apache-2.0
"""The manager as a whole: its use cases, its engine, and how they are put together."""

import logging
import socket
from datetime import timedelta

from oslo_config import cfg

from promise_blazar import exceptions
from promise_blazar.clock import Clock
from promise_blazar.cloud.contract.cloud import Cloud
from promise_blazar.context import RequestContext
from promise_blazar.db import leases, providers, specs
from promise_blazar.db.session import Database
from promise_blazar.manager.contract import messages
from promise_blazar.manager.controllers.inventory_sync import InventorySync
from promise_blazar.manager.controllers.periodic import Periodic
from promise_blazar.manager.controllers.purge import PERIOD, Purge
from promise_blazar.manager.controllers.reconcile import Reconcile
from promise_blazar.manager.hosts.capabilities import Capabilities
from promise_blazar.manager.hosts.registry import Hosts
from promise_blazar.manager.idempotency import Answers
from promise_blazar.manager.leases.create import CreationSettings, LeaseCreation
from promise_blazar.manager.leases.delete import LeaseDeletion
from promise_blazar.manager.leases.update import LeaseUpdates
from promise_blazar.manager.ledger.store import LedgerStore
from promise_blazar.manager.ownership.heartbeat import Heartbeat
from promise_blazar.manager.queries.reader import DatabaseReader
from promise_blazar.manager.workflow.engine import Engine
from promise_blazar.manager.workflow.rebooking import Rebooking
from promise_blazar.manager.workflow.results import Results, RetryPolicy
from promise_blazar.manager.workflow.steps import Work
from promise_blazar.model.openstack_names import Names
from promise_blazar.plugins import registry

LOG = logging.getLogger(__name__)


class ManagerService(DatabaseReader):
    """``interface.Manager``, in this process. The database must have its schema.

    ``start`` begins with events and heartbeats; a manager that is not started answers requests
    and leaves the work to ``engine.run_due`` (tests) or to other managers.
    """

    def __init__(self, conf: cfg.ConfigOpts, database: Database, cloud: Cloud, clock: Clock):
        options = conf.manager
        with database.reader() as connection:
            provider_id = providers.find(connection, providers.DEFAULT)
        if provider_id is None:
            raise RuntimeError("the database has no schema; run promise-blazar-manage db sync")
        names = Names(
            freepool=conf.nova.aggregate_freepool_name,
            zone_prefix=conf["physical:host"].blazar_az_prefix,
            owner_key=conf.nova.blazar_owner,
            image_prefix=conf.nova.image_prefix,
            before_end=conf["physical:host"].before_end,
        )
        self._database = database
        self._plugins = registry.plugins(options.plugins, cloud, names)
        super().__init__(database, provider_id, self._plugins, clock)
        self._ledger = LedgerStore(database, provider_id, clock, options.decision_timeout)
        self.heartbeat = Heartbeat(
            database,
            clock,
            socket.gethostname(),
            options.heartbeat_interval,
            options.ownership_seconds,
            conf.openstack.call_timeout,
        )
        patience = RetryPolicy(
            options.start_attempts,
            options.start_wait,
            options.retry_delay,
            options.poll_interval,
        )
        rebooking = Rebooking(database, self._ledger, self._plugins, clock)
        outcome = Results(database, self._ledger, clock, patience)
        work = Work(database, self._ledger, self._plugins, rebooking, outcome, clock, patience)
        self.engine = Engine(
            database,
            self.heartbeat,
            work,
            clock,
            options.workers,
            options.start_wait,
            options.heartbeat_interval,
        )
        self.heartbeat.on_death(self.engine.wake)
        self.reconcile = Reconcile(
            database,
            provider_id,
            self._plugins,
            work,
            self.heartbeat,
            self.engine.holding,
            cloud,
            names,
            clock,
        )
        self.inventory_sync = InventorySync(database, self._ledger, cloud, names, clock)
        purge = Purge(database, provider_id, clock)
        self._periodic = (
            Periodic("reconcile", options.reconcile_interval, self.reconcile.run),
            Periodic("stocktaking", options.reconcile_interval, self.inventory_sync.run),
            Periodic("housekeeping", PERIOD, purge.run),
        )
        answers = Answers(database)
        self._deletion = LeaseDeletion(database, self._ledger, self.engine, clock)
        self._lease_creation = LeaseCreation(
            database,
            self._ledger,
            self._plugins,
            self._deletion,
            self.engine,
            self.heartbeat,
            clock,
            answers,
            self._lease_queries,
            CreationSettings(
                timedelta(minutes=options.minutes_before_end_lease),
                options.prepare_wait,
                options.ownership_seconds,
            ),
        )
        self._lease_updates = LeaseUpdates(
            database,
            self._ledger,
            self._plugins,
            self.engine,
            self.heartbeat,
            clock,
            options.prepare_wait,
        )
        self._capabilities = Capabilities(
            database, self._ledger, self._plugins, self._host_queries, clock
        )
        self._hosts = Hosts(
            database, self._ledger, self._host_queries, cloud, clock, names, answers
        )

    # The process

    def start(self) -> None:
        self.heartbeat.start()
        self.engine.start()
        for periodic in self._periodic:
            periodic.start()
        LOG.info("Manager %s is at work", self.heartbeat.id)

    def stop(self) -> None:
        """Finish what is under way, then leave."""
        for periodic in self._periodic:
            periodic.stop()
        self.engine.stop()
        self.heartbeat.stop()
        self._database.dispose()

    def health(self) -> messages.ManagerHealth:
        problems = []
        try:
            self._database.ping()
        except exceptions.Unavailable as error:
            problems.append(error.message)
        if not self.heartbeat.able():
            problems.append("heartbeats are not acknowledged; this manager does not act")
        return messages.ManagerHealth(self.heartbeat.id, tuple(problems))

    # Leases

    def create_lease(
        self,
        context: RequestContext,
        request: messages.LeaseRequest,
        key: messages.IdempotencyKey | None = None,
        dry_run: bool = False,
    ) -> messages.LeaseView:
        return self._lease_creation.create(context, request, key, dry_run)

    def update_lease(
        self,
        context: RequestContext,
        lease_id: str,
        change: messages.LeaseChange,
        dry_run: bool = False,
    ) -> messages.LeaseView:
        if dry_run:
            return self._lease_updates.rehearse(lease_id, change)
        self._lease_updates.update(lease_id, change)
        return self.get_lease(context, lease_id)

    def delete_lease(self, context: RequestContext, lease_id: str, dry_run: bool = False) -> None:
        if dry_run:
            self.get_lease(context, lease_id)
        elif not self._deletion.delete(lease_id):
            raise exceptions.NotFound(object={"lease_id": lease_id})

    def set_server_group(
        self, context: RequestContext, reservation_id: str, group_id: str
    ) -> None:
        with self._database.writer() as connection:
            lease = leases.of_reservation(connection, reservation_id)
            records = () if lease is None else lease.reservations
            found = next((r for r in records if r.uuid == reservation_id), None)
            if lease is None or found is None or "server_group_id" not in found.details:
                raise exceptions.NotFound(object={"reservation_id": reservation_id})
            values = {"server_group_id": group_id}
            leases.set_lease(connection, lease.id, {})
            specs.change(connection, found.resource_type, found.id, state=values)
        self._lease_creation.group_made(lease.id)

    # Hosts

    def create_host(
        self,
        context: RequestContext,
        request: messages.HostRequest,
        key: messages.IdempotencyKey | None = None,
    ) -> messages.HostView:
        return self._hosts.create(context, request, key)

    def update_host(
        self, context: RequestContext, host_id: str, capabilities: dict[str, str | None]
    ) -> messages.HostView:
        return self._capabilities.update(host_id, capabilities)

    def delete_host(self, context: RequestContext, host_id: str) -> None:
        self._hosts.delete(host_id)

    def set_property(
        self, context: RequestContext, name: str, private: bool
    ) -> messages.PropertyView:
        return self._capabilities.set_property(name, private)
