# SPDX-License-Identifier: Apache-2.0
"""``interface.Reader`` over the database: all that can be asked without changing anything."""

from collections.abc import Mapping
from types import MappingProxyType

from promise_blazar.clock import Clock
from promise_blazar.context import RequestContext
from promise_blazar.db.session import Database, ReadHandle
from promise_blazar.manager.contract.adjustments import (
    AdjustmentPage,
    AdjustmentSelection,
    AdjustmentView,
)
from promise_blazar.manager.contract.messages import (
    HostAllocations,
    HostView,
    LeaseList,
    LeasePage,
    LeaseSelection,
    LeaseView,
    PropertyView,
)
from promise_blazar.manager.queries.adjustments import AdjustmentQueries
from promise_blazar.manager.queries.hosts import HostQueries
from promise_blazar.manager.queries.leases import LeaseQueries
from promise_blazar.plugins.contract import ResourceType


class DatabaseReader:
    def __init__(
        self, leases: LeaseQueries, hosts: HostQueries, adjustments: AdjustmentQueries
    ) -> None:
        self.leases = leases
        self.hosts = hosts
        self.adjustments = adjustments

    def get_lease(self, context: RequestContext, lease_id: str) -> LeaseView:
        return self.leases.get(lease_id)

    def look_at_lease(
        self, context: RequestContext, lease_id: str, revision: int
    ) -> LeaseView | None:
        return self.leases.look_at(lease_id, revision)

    def list_leases(
        self,
        context: RequestContext,
        project_id: str | None = None,
        known: Mapping[str, int] = MappingProxyType({}),
    ) -> LeaseList:
        return self.leases.listed(project_id, known)

    def page_leases(
        self, context: RequestContext, project_id: str | None, selection: LeaseSelection
    ) -> LeasePage:
        return self.leases.page(project_id, selection)

    def get_host(self, context: RequestContext, host_id: str) -> HostView:
        return self.hosts.get(host_id)

    def list_hosts(self, context: RequestContext) -> tuple[HostView, ...]:
        return self.hosts.listed()

    def list_allocations(
        self,
        context: RequestContext,
        host_id: str | None = None,
        lease_id: str | None = None,
        reservation_id: str | None = None,
    ) -> tuple[HostAllocations, ...]:
        return self.hosts.allocations(host_id, lease_id, reservation_id)

    def list_properties(
        self, context: RequestContext, include_private: bool = False
    ) -> tuple[PropertyView, ...]:
        return self.hosts.properties(include_private)

    def list_adjustments(
        self, context: RequestContext, selection: AdjustmentSelection
    ) -> AdjustmentPage:
        return self.adjustments.page(selection)

    def get_adjustment(self, context: RequestContext, adjustment_id: str) -> AdjustmentView:
        return self.adjustments.get(adjustment_id)


def database_reader(
    database: Database, provider_id: int, kinds: Mapping[str, ResourceType], clock: Clock
) -> DatabaseReader:
    """All that only reads, for whoever has the database."""
    handle = ReadHandle(database)
    return DatabaseReader(
        LeaseQueries(handle, provider_id, kinds),
        HostQueries(handle, provider_id, clock),
        AdjustmentQueries(handle, provider_id),
    )
