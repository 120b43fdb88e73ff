# SPDX-License-Identifier: Apache-2.0
"""The manager as a whole: its use cases behind one interface, and the process that runs them."""

import logging
from dataclasses import dataclass

from promise_blazar import exceptions, waiters
from promise_blazar.context import RequestContext
from promise_blazar.db.session import Database
from promise_blazar.manager.contract import adjustments, messages, questions
from promise_blazar.manager.controllers.inventory_sync import InventorySync
from promise_blazar.manager.controllers.reconcile import Reconcile
from promise_blazar.manager.hosts.capabilities import HostCapabilities
from promise_blazar.manager.hosts.registry import HostRegistry
from promise_blazar.manager.leases.create import LeaseCreation
from promise_blazar.manager.leases.delete import LeaseDeletion
from promise_blazar.manager.leases.forget import LeaseForgetting
from promise_blazar.manager.leases.server_groups import LeaseServerGroups
from promise_blazar.manager.leases.update import LeaseUpdates
from promise_blazar.manager.ledger.store import LedgerStore
from promise_blazar.manager.ownership.heartbeat import Heartbeat
from promise_blazar.manager.queries.availability import AvailabilityQueries
from promise_blazar.manager.queries.capacity import CapacityQueries
from promise_blazar.manager.queries.reader import DatabaseReader
from promise_blazar.manager.rpc import versions
from promise_blazar.manager.supply.adjustments import Adjustments
from promise_blazar.manager.supply.relief import Relief
from promise_blazar.manager.workflow.engine import Engine
from promise_blazar.manager.workflow.host_states import HostStates
from promise_blazar.manager.workflow.jobs import JobQueue

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class UseCases:
    """What requests ask for; see ``contract.interface.Manager`` for each."""

    creation: LeaseCreation
    updates: LeaseUpdates
    deletion: LeaseDeletion
    server_groups: LeaseServerGroups
    forgetting: LeaseForgetting
    hosts: HostRegistry
    capabilities: HostCapabilities
    adjustments: Adjustments
    capacity: CapacityQueries
    availability: AvailabilityQueries


@dataclass(frozen=True, slots=True)
class Machinery:
    """What runs beside requests."""

    ledger: LedgerStore
    heartbeat: Heartbeat
    engine: Engine
    jobs: JobQueue
    reconcile: Reconcile
    inventory_sync: InventorySync
    host_states: HostStates
    relief: Relief


class ManagerService(DatabaseReader):
    """``interface.Manager``, in this process; ``composition.manager`` makes it.

    ``start`` begins with events and heartbeats; a manager that is not started answers requests
    and leaves the work to ``engine.run_due`` (tests) or to other managers.
    """

    def __init__(
        self, database: Database, reader: DatabaseReader, use_cases: UseCases, machinery: Machinery
    ) -> None:
        super().__init__(reader.leases, reader.hosts, reader.adjustments)
        self._database = database
        self._use_cases = use_cases
        self._machinery = machinery
        self.ledger = machinery.ledger
        self.heartbeat = machinery.heartbeat
        self.engine = machinery.engine
        self.jobs = machinery.jobs
        self.reconcile = machinery.reconcile
        self.inventory_sync = machinery.inventory_sync
        self.host_states = machinery.host_states
        self.relief = machinery.relief

    # The process

    def start(self) -> None:
        self.heartbeat.start()
        self.jobs.schedule()
        self.engine.start()
        LOG.info("Manager %s is at work", self.heartbeat.id)

    def stop(self) -> None:
        """Finish what is under way, then leave."""
        self.engine.stop()
        self.heartbeat.stop()
        self._database.dispose()

    def health(self) -> messages.ManagerHealth:
        problems, version = [], versions.FIRST
        try:
            self.ledger.check()
            version = versions.least(self.heartbeat.rpc_versions())
        except exceptions.Unavailable as error:
            problems.append(error.message)
        if not self.heartbeat.able():
            problems.append("heartbeats are not acknowledged; this manager does not act")
        return messages.ManagerHealth(self.heartbeat.id, tuple(problems), version)

    # Leases

    def create_lease(
        self,
        context: RequestContext,
        request: messages.LeaseRequest,
        key: messages.IdempotencyKey | None = None,
        dry_run: bool = False,
        wait: float | None = None,
    ) -> messages.LeaseView:
        with waiters.hurried(wait):
            return self._use_cases.creation.create(context, request, key, dry_run, wait)

    def update_lease(
        self,
        context: RequestContext,
        lease_id: str,
        change: messages.LeaseChange,
        dry_run: bool = False,
        wait: float | None = None,
    ) -> messages.LeaseView:
        if dry_run:
            return self._use_cases.updates.rehearse(context, lease_id, change)
        with waiters.hurried(wait):
            self._use_cases.updates.update(context, lease_id, change, wait)
        return self.get_lease(context, lease_id)

    def delete_lease(
        self,
        context: RequestContext,
        lease_id: str,
        dry_run: bool = False,
        wait: float | None = None,
    ) -> None:
        if dry_run:
            self.get_lease(context, lease_id)
        elif not self._use_cases.deletion.delete(lease_id, wait):
            raise exceptions.NotFound(object={"lease_id": lease_id})

    def set_server_group(
        self,
        context: RequestContext,
        reservation_id: str,
        group_id: str,
        policy: str | None = None,
    ) -> None:
        self._use_cases.server_groups.record(reservation_id, group_id, policy)

    def forget_lease(self, lease_id: str) -> None:
        """For administrators on the machine; see ``LeaseForgetting``."""
        self._use_cases.forgetting.forget(lease_id)

    # Hosts

    def create_host(
        self,
        context: RequestContext,
        request: messages.HostRequest,
        key: messages.IdempotencyKey | None = None,
    ) -> messages.HostView:
        return self._use_cases.hosts.create(context, request, key)

    def update_host(
        self, context: RequestContext, host_id: str, capabilities: dict[str, str | None]
    ) -> messages.HostView:
        return self._use_cases.capabilities.update(host_id, capabilities)

    def delete_host(self, context: RequestContext, host_id: str) -> None:
        self._use_cases.hosts.delete(host_id)

    def set_property(
        self, context: RequestContext, name: str, private: bool
    ) -> messages.PropertyView:
        return self._use_cases.capabilities.set_property(name, private)

    # What is on offer

    def create_adjustment(
        self,
        context: RequestContext,
        request: adjustments.AdjustmentRequest,
        key: messages.IdempotencyKey | None = None,
        dry_run: bool = False,
    ) -> adjustments.AdjustmentView:
        return self._use_cases.adjustments.create(context, request, key, dry_run)

    def delete_adjustment(
        self,
        context: RequestContext,
        adjustment_id: str,
        force: bool = False,
        dry_run: bool = False,
        message: str | None = None,
    ) -> adjustments.AffectedView:
        return self._use_cases.adjustments.delete(adjustment_id, force, dry_run, message)

    # Questions to the ledger

    def capacity(
        self, context: RequestContext, question: questions.CapacityQuestion
    ) -> questions.CapacityAnswer:
        return self._use_cases.capacity.answer(context, question)

    def availability(
        self, context: RequestContext, question: questions.AvailabilityQuestion
    ) -> questions.AvailabilityAnswer:
        return self._use_cases.availability.answer(context, question)
