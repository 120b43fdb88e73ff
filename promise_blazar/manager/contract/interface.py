# SPDX-License-Identifier: Apache-2.0
"""Interface of a manager: its use cases, the same over RPC and in-process.

Every call takes the caller's ``RequestContext`` first and raises the errors of
``promise_blazar.exceptions``. Who may do what is decided by the API before it asks.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from promise_blazar.context import RequestContext
from promise_blazar.manager.contract.adjustments import (
    AdjustmentPage,
    AdjustmentRequest,
    AdjustmentSelection,
    AdjustmentView,
    AffectedView,
)
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
from promise_blazar.manager.contract.questions import (
    AvailabilityAnswer,
    AvailabilityQuestion,
    CapacityAnswer,
    CapacityQuestion,
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

    def list_adjustments(
        self, context: RequestContext, selection: AdjustmentSelection
    ) -> AdjustmentPage:
        """Adjustments, by creation. Raises ``BadInput`` for a marker that is none of them, or an
        unknown provider."""
        ...

    def get_adjustment(self, context: RequestContext, adjustment_id: str) -> AdjustmentView:
        """An adjustment, with whom it affects still. Raises ``NotFound``."""
        ...


class Asking(Protocol):
    """The questions that take a ledger: a manager answers them, and no decision waits for one.

    All raise ``Unavailable``, and ``Busy`` where too much is being asked.
    """

    def capacity(self, context: RequestContext, question: CapacityQuestion) -> CapacityAnswer:
        """What there is, what of it is promised, and what is free.

        Raises ``BadInput`` for a window in the past, an unknown provider, zone or class.
        """
        ...

    def availability(
        self, context: RequestContext, question: AvailabilityQuestion
    ) -> AvailabilityAnswer:
        """When a lease of these reservations would be admitted, if it were asked for now.

        Raises what ``Manager.create_lease`` raises for reservations that can never be.
        """
        ...


class Manager(Reader, Asking, Protocol):
    """The questions, and what changes anything: that is done by a manager, always.

    All raise ``Unavailable``; over the bus also where no manager answered, and then what was asked
    for may still happen. ``wait``: the most seconds that the caller waits until what was committed
    is carried out; None: as long as is configured, 0: not at all, nor for others' refusals to be
    explained before one's own.
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

    def create_adjustment(
        self,
        context: RequestContext,
        request: AdjustmentRequest,
        key: IdempotencyKey | None = None,
        dry_run: bool = False,
    ) -> AdjustmentView:
        """Change the capacity on offer. A request whose ``id`` an adjustment has is answered with
        that.

        ``dry_run``: the same checks and shape, the id empty, nothing made. Raises ``BadInput``,
        ``AdjustmentConflict``, ``Busy``, ``RequestInFlight``, ``KeyReused``.
        """
        ...

    def delete_adjustment(
        self,
        context: RequestContext,
        adjustment_id: str,
        force: bool = False,
        dry_run: bool = False,
        message: str | None = None,
    ) -> AffectedView:
        """Take an adjustment back; the reservations that this affects.

        ``message``: a UUID of the sender's choice, so that what arrives twice is done, and
        answered, as once.

        Raises ``NotFound``, ``AdjustmentConflict``, ``Busy``.
        """
        ...

    def health(self) -> ManagerHealth:
        """How the manager that answers is."""
        ...
