# SPDX-License-Identifier: Apache-2.0
"""Composition of a manager: the one place where its parts are put together."""

import socket
from datetime import timedelta

from oslo_config import cfg

from promise_blazar.clock import Clock
from promise_blazar.cloud.contract.cloud import Cloud
from promise_blazar.db import providers
from promise_blazar.db.session import Database, ReadHandle
from promise_blazar.manager.controllers import archive, purge, rules
from promise_blazar.manager.controllers.archive import Archive
from promise_blazar.manager.controllers.inventory_sync import InventorySync
from promise_blazar.manager.controllers.purge import Purge
from promise_blazar.manager.controllers.reconcile import Reconcile
from promise_blazar.manager.controllers.rules import RulesAdoption
from promise_blazar.manager.hosts.capabilities import HostCapabilities
from promise_blazar.manager.hosts.registry import HOST_JOB, HostRegistry
from promise_blazar.manager.idempotency import Answers
from promise_blazar.manager.leases.create import CreationSettings, LeaseCreation
from promise_blazar.manager.leases.delete import LeaseDeletion
from promise_blazar.manager.leases.forget import LeaseForgetting
from promise_blazar.manager.leases.server_groups import LeaseServerGroups
from promise_blazar.manager.leases.update import LeaseUpdates, UpdateSettings
from promise_blazar.manager.ledger.store import LedgerStore
from promise_blazar.manager.ownership.call_times import CallLimits
from promise_blazar.manager.ownership.heartbeat import Heartbeat
from promise_blazar.manager.provider import ProviderRuntime, Providers
from promise_blazar.manager.queries.availability import AvailabilityQueries
from promise_blazar.manager.queries.capacity import CapacityQueries
from promise_blazar.manager.queries.hosts import HostQueries
from promise_blazar.manager.queries.reader import database_reader
from promise_blazar.manager.rpc import versions
from promise_blazar.manager.service import Machinery, ManagerService, UseCases
from promise_blazar.manager.supply import relief as relieving
from promise_blazar.manager.supply.adjustments import Adjustments
from promise_blazar.manager.supply.relief import Relief
from promise_blazar.manager.workflow import host_states as states
from promise_blazar.manager.workflow.engine import Engine, EngineSettings, Queues
from promise_blazar.manager.workflow.host_states import HostStates
from promise_blazar.manager.workflow.jobs import JobKind, JobQueue, recurring
from promise_blazar.manager.workflow.lease_queue import (
    LeaseQueue,
    LeaseQueueSettings,
    UnhurriedQueue,
)
from promise_blazar.manager.workflow.rebooking import Rebooking
from promise_blazar.manager.workflow.results import RetryPolicy
from promise_blazar.manager.workflow.steps import LeaseSteps
from promise_blazar.manager.workflow.unknown_types import UnknownTypes
from promise_blazar.model.manager import RULES, ManagerIdentity
from promise_blazar.model.openstack_names import Names
from promise_blazar.plugins import registry
from promise_blazar.plugins.registry import InstalledTypes
from promise_blazar.waiters import Patience, Waiters


def manager(
    conf: cfg.ConfigOpts,
    database: Database,
    cloud: Cloud,
    clock: Clock,
    types: InstalledTypes | None = None,
) -> ManagerService:
    """A manager that is not started yet. The database must have its schema.

    ``types``: the resource types that it knows; by default, those that are installed.

    Raises ``RuntimeError`` if it has none, or for a plugin that is enabled and not installed.
    """
    types = types or registry.installed(conf.manager.plugins)
    runtimes = Providers([_default_provider(conf, database, cloud, clock, types)])
    heartbeat = _heartbeat(conf, database, clock, runtimes.default)
    provider = runtimes.default
    jobs = JobQueue(database, clock, heartbeat, provider.id)
    host_states = HostStates(database, clock, runtimes)
    rebooking = Rebooking(database, clock, host_states)
    engine = _engine(conf, database, clock, runtimes, heartbeat, jobs, rebooking)
    reader = database_reader(database, provider.id, provider.plugins, clock)
    use_cases = _use_cases(conf, database, clock, runtimes, engine)
    machinery = _machinery(conf, database, clock, provider, heartbeat, engine, jobs, host_states)
    jobs.offer([JobKind(HOST_JOB, use_cases.hosts.resume)])

    def somebody_died() -> None:
        machinery.reconcile.doubt()
        engine.wake()

    heartbeat.on_death(somebody_died)
    return ManagerService(
        database,
        reader,
        use_cases,
        machinery,
    )


def _default_provider(
    conf: cfg.ConfigOpts,
    database: Database,
    cloud: Cloud,
    clock: Clock,
    types: InstalledTypes,
) -> ProviderRuntime:
    with database.reader() as connection:
        provider_id = providers.find(connection, providers.DEFAULT)
    if provider_id is None:
        raise RuntimeError("the database has no schema; run promise-blazar-manage db sync")
    hosts = conf["physical:host"]
    names = Names(
        freepool=conf.nova.aggregate_freepool_name,
        zone_prefix=hosts.blazar_az_prefix,
        owner_key=conf.nova.blazar_owner,
        image_prefix=conf.nova.image_prefix,
        before_end=hosts.before_end,
    )
    ledger = LedgerStore(database, provider_id, clock, conf.manager.decision_timeout)
    return ProviderRuntime(
        provider_id,
        providers.DEFAULT,
        cloud,
        ledger,
        types.plugins(cloud, names),
        types.creatable,
        names,
    )


def _heartbeat(
    conf: cfg.ConfigOpts, database: Database, clock: Clock, provider: ProviderRuntime
) -> Heartbeat:
    return Heartbeat(
        database,
        clock,
        ManagerIdentity(
            socket.gethostname(), RULES, versions.VERSION, frozenset(provider.plugins)
        ),
        conf.manager.heartbeat_interval,
        conf.manager.ownership_seconds,
        CallLimits(
            conf.openstack.usual_call_time,
            conf.openstack.call_timeout,
            conf.openstack.call_timeouts,
        ),
        database.apart(conf.manager.ownership_seconds / 2),
    )


def _engine(
    conf: cfg.ConfigOpts,
    database: Database,
    clock: Clock,
    runtimes: Providers,
    heartbeat: Heartbeat,
    jobs: JobQueue,
    rebooking: Rebooking,
) -> Engine:
    options = conf.manager
    policy = RetryPolicy(
        options.start_attempts,
        options.start_wait,
        options.retry_delay,
        options.poll_interval,
        options.prepare_ahead,
        conf.nova.settle_seconds,
    )
    steps = LeaseSteps(database, clock, runtimes, rebooking, policy)
    settings = LeaseQueueSettings(options.start_wait, frozenset(runtimes.default.plugins))
    parts = (database, clock, heartbeat, steps, settings)
    return Engine(
        clock,
        heartbeat,
        Queues(LeaseQueue(*parts), UnhurriedQueue(*parts), jobs),
        [
            UnknownTypes(database, clock, runtimes, heartbeat).run,
            runtimes.default.ledger.keep_up,
        ],
        EngineSettings(options.workers, options.heartbeat_interval),
    )


def _use_cases(
    conf: cfg.ConfigOpts,
    database: Database,
    clock: Clock,
    runtimes: Providers,
    engine: Engine,
) -> UseCases:
    options = conf.manager
    answers = Answers(database)
    provider = runtimes.default
    handle = ReadHandle(database)
    host_queries = HostQueries(handle, provider.id, clock)
    waiters = Waiters(options.waiters)
    for_prepare = Patience(options.prepare_wait, waiters)
    ahead = timedelta(seconds=options.prepare_ahead)
    settings = CreationSettings(
        timedelta(minutes=options.minutes_before_end_lease),
        ahead,
        options.ownership_seconds,
        for_prepare,
    )
    update_settings = UpdateSettings(ahead, for_prepare)
    for_release = Patience(options.delete_wait, waiters)
    return UseCases(
        LeaseCreation(database, clock, runtimes, engine, answers, settings),
        LeaseUpdates(database, clock, runtimes, engine, update_settings),
        LeaseDeletion(database, clock, runtimes, engine, for_release),
        LeaseServerGroups(database, runtimes, answers),
        LeaseForgetting(database, clock, runtimes),
        HostRegistry(database, clock, provider, host_queries, answers),
        HostCapabilities(database, clock, provider, host_queries),
        Adjustments(database, clock, runtimes, answers, engine.dead),
        CapacityQueries(handle, provider.ledger, provider.id, clock),
        AvailabilityQueries(handle, provider.ledger, provider.plugin_for, clock),
    )


def _machinery(
    conf: cfg.ConfigOpts,
    database: Database,
    clock: Clock,
    provider: ProviderRuntime,
    heartbeat: Heartbeat,
    engine: Engine,
    jobs: JobQueue,
    host_states: HostStates,
) -> Machinery:
    options = conf.manager
    reconcile = Reconcile(database, clock, provider, engine)
    inventory_sync = InventorySync(database, clock, provider)
    archiving = Archive(
        database,
        clock,
        provider,
        timedelta(days=options.keep_ended),
        lambda: engine.stopping,
    )
    purging = Purge(
        database,
        clock,
        provider.id,
        timedelta(days=options.keep_archived) if options.keep_archived else None,
        lambda: engine.stopping,
    )
    relief = Relief(database, provider)
    adoption = RulesAdoption(database, provider, heartbeat.dead)
    interval = options.reconcile_interval
    jobs.offer(
        [
            recurring("reconcile", interval, reconcile.run),
            recurring("inventory sync", interval, inventory_sync.run),
            recurring("host states", states.PERIOD, host_states.run),
            recurring("archive", archive.PERIOD if options.keep_ended else 0, archiving.run),
            recurring("purge", purge.PERIOD, purging.run),
            recurring("rules", rules.PERIOD, adoption.run),
            recurring("relief", relieving.PERIOD, relief.run),
        ]
    )
    return Machinery(
        provider.ledger, heartbeat, engine, jobs, reconcile, inventory_sync, host_states, relief
    )
