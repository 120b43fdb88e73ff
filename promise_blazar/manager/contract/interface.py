# SPDX-License-Identifier: Apache-2.0
"""Interface of a manager: its use cases, the same over RPC and in-process.

Every call takes the caller's ``RequestContext`` first and raises the errors of
``promise_blazar.exceptions``. Who may do what is decided by the API before it asks.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from promise_blazar.context import RequestContext
from promise_blazar.manager.contract.messages import (
    HostAllocations,
    HostRequest,
    HostView,
    IdempotencyKey,
    LeaseChange,
    LeaseList,
    LeasePage,
    LeaseRequest,
    LeaseSelection,
    LeaseView,
    ManagerHealth,
    PropertyView,
)


class Reader(Protocol):
    """The questions: they change nothing, and whoever has the database can answer them.

    All raise ``Unavailable`` and ``Busy``.
    """

    def get_lease(self, context: RequestContext, lease_id: str) -> LeaseView:
        """Any project's lease; the caller decides whether it may be seen. Raises ``NotFound``."""
        ...

    def look_at_lease(
        self, context: RequestContext, lease_id: str, revision: int
    ) -> LeaseView | None:
        """The same for one who knows it at this revision; None: it still has that. Raises
        ``NotFound``."""
        ...

    def list_leases(
        self,
        context: RequestContext,
        project_id: str | None = None,
        known: Mapping[str, int] = MappingProxyType({}),
    ) -> LeaseList:
        """The leases of a project, or of all (None).

        ``known``: the revisions, by the ids of leases, that need not be shown again.
        """
        ...

    def page_leases(
        self, context: RequestContext, project_id: str | None, selection: LeaseSelection
    ) -> LeasePage:
        """Some of a project's leases, or of all (None). Raises ``BadInput`` for a marker that is
        not one of them."""
        ...

    def get_host(self, context: RequestContext, host_id: str) -> HostView:
        """A lent host. Raises ``NotFound``."""
        ...

    def list_hosts(self, context: RequestContext) -> tuple[HostView, ...]:
        """All lent hosts."""
        ...

    def list_allocations(
        self,
        context: RequestContext,
        host_id: str | None = None,
        lease_id: str | None = None,
        reservation_id: str | None = None,
    ) -> tuple[HostAllocations, ...]:
        """One element a host, with or without reservations.

        Without a filter only leases that have not ended are shown. Raises ``NotFound``.
        """
        ...

    def list_properties(
        self, context: RequestContext, include_private: bool = False
    ) -> tuple[PropertyView, ...]:
        """The capability names of registered hosts, with the values there are."""
        ...


class Manager(Reader, Protocol):
    """The questions, and what changes anything: that is done by a manager, always.

    All raise ``Unavailable``; over the bus also where no manager answered, and then what was asked
    for may still happen. ``wait``: the most seconds that the caller waits until what was committed
    is carried out; None: as long as is configured, 0: not at all.
    """

    def create_lease(
        self,
        context: RequestContext,
        request: LeaseRequest,
        key: IdempotencyKey | None = None,
        dry_run: bool = False,
        wait: float | None = None,
    ) -> LeaseView:
        """Admit a lease; prepare it, if it starts soon.

        Answers PENDING, or CREATING when preparing takes longer than the wait. A request whose
        ``id`` a lease has is answered with that.
        ``dry_run``: the same checks and shape, ids empty, nothing made. Raises ``BadInput``,
        ``NotEnoughHosts``, ``CloudError`` (undone), ``Busy``, ``RequestInFlight``, ``KeyReused``.
        """
        ...

    def update_lease(
        self,
        context: RequestContext,
        lease_id: str,
        change: LeaseChange,
        dry_run: bool = False,
        wait: float | None = None,
    ) -> LeaseView:
        """All of the change, or an error and none of it.

        Raises ``NotFound``, ``BadInput``, ``OutsideLease``, ``InvalidStatus``, ``CannotUpdate``,
        ``NotEnoughHosts``, ``Busy``; ``GroupsWanted`` where server groups have to be made first.
        """
        ...

    def delete_lease(
        self,
        context: RequestContext,
        lease_id: str,
        dry_run: bool = False,
        wait: float | None = None,
    ) -> None:
        """Promised when committed, and done when all is free: GET shows DELETING until then.

        Raises ``NotFound``, ``Busy``.
        """
        ...

    def set_server_group(
        self,
        context: RequestContext,
        reservation_id: str,
        group_id: str,
        policy: str | None = None,
    ) -> None:
        """Record the server group that the API made with the tenant's token.

        ``policy``: of the group; None: not known, and not compared. Raises ``NotFound``;
        ``Conflict`` where the reservation wants another by now, or has one.
        """
        ...

    def create_host(
        self, context: RequestContext, request: HostRequest, key: IdempotencyKey | None = None
    ) -> HostView:
        """Lend a hypervisor. Raises ``NotFound``, ``CannotAddHost``, ``CloudError``."""
        ...

    def update_host(
        self, context: RequestContext, host_id: str, capabilities: dict[str, str | None]
    ) -> HostView:
        """Set capabilities; None removes one. ``Conflict`` if a reservation needs the old one."""
        ...

    def delete_host(self, context: RequestContext, host_id: str) -> None:
        """Give a hypervisor back to ordinary use. Raises ``NotFound``, ``CannotDeleteHost``."""
        ...

    def set_property(self, context: RequestContext, name: str, private: bool) -> PropertyView:
        """Hide a capability name from tenants, or show it. Raises ``NotFound``."""
        ...

    def health(self) -> ManagerHealth:
        """How the manager that answers is."""
        ...
