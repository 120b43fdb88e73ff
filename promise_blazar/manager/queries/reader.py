# SPDX-License-Identifier: Apache-2.0
"""``interface.Reader`` over the database: all that can be asked without changing anything."""

from collections.abc import Mapping
from types import MappingProxyType

from promise_blazar.clock import Clock
from promise_blazar.context import RequestContext
from promise_blazar.db.session import Database
from promise_blazar.manager.contract.messages import (
    HostAllocations,
    HostView,
    LeaseList,
    LeaseView,
    PropertyView,
)
from promise_blazar.manager.queries.hosts import HostQueries
from promise_blazar.manager.queries.leases import LeaseQueries
from promise_blazar.plugins.contract import ResourceType


class DatabaseReader:
    """``kinds``: the resource types that there are, by their names."""

    def __init__(
        self, database: Database, provider_id: int, kinds: Mapping[str, ResourceType], clock: Clock
    ) -> None:
        self._lease_queries = LeaseQueries(database, provider_id, kinds)
        self._host_queries = HostQueries(database, provider_id, clock)

    def get_lease(self, context: RequestContext, lease_id: str) -> LeaseView:
        return self._lease_queries.get(lease_id)

    def look_at_lease(
        self, context: RequestContext, lease_id: str, revision: int
    ) -> LeaseView | None:
        return self._lease_queries.look_at(lease_id, revision)

    def list_leases(
        self,
        context: RequestContext,
        project_id: str | None = None,
        known: Mapping[str, int] = MappingProxyType({}),
    ) -> LeaseList:
        return self._lease_queries.listed(project_id, known)

    def get_host(self, context: RequestContext, host_id: str) -> HostView:
        return self._host_queries.get(host_id)

    def list_hosts(self, context: RequestContext) -> tuple[HostView, ...]:
        return self._host_queries.listed()

    def list_allocations(
        self,
        context: RequestContext,
        host_id: str | None = None,
        lease_id: str | None = None,
        reservation_id: str | None = None,
    ) -> tuple[HostAllocations, ...]:
        return self._host_queries.allocations(host_id, lease_id, reservation_id)

    def list_properties(
        self, context: RequestContext, include_private: bool = False
    ) -> tuple[PropertyView, ...]:
        return self._host_queries.properties(include_private)
