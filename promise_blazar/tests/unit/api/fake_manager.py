# SPDX-License-Identifier: Apache-2.0
"""A manager that keeps its leases in a dictionary and has no opinion about capacity."""

import dataclasses
import threading
import uuid
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from promise_blazar import exceptions, times
from promise_blazar.cloud.contract.tenants import Caller, FlavorContent
from promise_blazar.context import RequestContext
from promise_blazar.manager.contract.messages import (
    AllocationView,
    EventView,
    GroupWanted,
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
    ReservationRequest,
    ReservationView,
)
from promise_blazar.tests.unit.api.fake_asking import NOW, FakeAsking


class FakeManager(FakeAsking):
    """What it was asked is in ``calls``; ``fails`` names a method and the error it raises."""

    def __init__(self) -> None:
        super().__init__()
        self.leases: dict[str, LeaseView] = {}
        self.hosts: dict[str, HostView] = {}
        self.private: set[str] = set()
        self.keys: dict[str, tuple[str, Any]] = {}
        self.calls: list[tuple[str, Any]] = []
        self.fails: dict[str, Exception] = {}
        self.problems: tuple[str, ...] = ()
        self.rpc_version = "1.0"
        self.hang = threading.Event()
        self.hang.set()

    def _called(self, name: str, *what: Any) -> None:
        self.calls.append((name, what))
        if name in self.fails:
            raise self.fails[name]

    def create_lease(
        self,
        context: RequestContext,
        request: LeaseRequest,
        key: IdempotencyKey | None = None,
        dry_run: bool = False,
        wait: float | None = None,
    ) -> LeaseView:
        self._called("create_lease", context, request, key, dry_run)
        start, end = times.parse(request.start, NOW), times.parse(request.end, NOW)
        if end <= start:
            raise exceptions.BadInput("End date must be later than start date.")
        if key is not None and key.key in self.keys:
            fingerprint, view = self.keys[key.key]
            if fingerprint != key.fingerprint:
                raise exceptions.KeyReused
            return view
        reservations = tuple(_reservation(each, dry_run) for each in request.reservations)
        view = LeaseView(
            id="" if dry_run else str(uuid.uuid4()),
            name=request.name,
            user_id=context.user_id,
            project_id=context.project_id,
            start=start,
            end=end,
            status="PENDING",
            degraded=False,
            reservations=reservations,
            events=tuple(
                EventView("" if dry_run else str(uuid.uuid4()), kind, time, "UNDONE", NOW)
                for kind, time in (
                    ("start_lease", start),
                    ("before_end_lease", end - timedelta(hours=1)),
                    ("end_lease", end),
                )
            ),
            groups_wanted=tuple(
                GroupWanted(each.id, "anti-affinity")
                for each in reservations
                if each.values.get("affinity") in ("False", False)
            ),
            created_at=NOW,
        )
        if not dry_run:
            self.leases[view.id] = view
        if key is not None:
            self.keys[key.key] = key.fingerprint, view
        return view

    def get_lease(self, context: RequestContext, lease_id: str) -> LeaseView:
        self._called("get_lease", context, lease_id)
        if lease_id not in self.leases:
            raise exceptions.NotFound(object={"lease_id": lease_id})
        return self.leases[lease_id]

    def look_at_lease(
        self, context: RequestContext, lease_id: str, revision: int
    ) -> LeaseView | None:
        view = self.get_lease(context, lease_id)
        return None if view.revision == revision else view

    def list_leases(
        self,
        context: RequestContext,
        project_id: str | None = None,
        known: Mapping[str, int] = MappingProxyType({}),
    ) -> LeaseList:
        self._called("list_leases", context, project_id)
        views = [view for view in self.leases.values() if project_id in (None, view.project_id)]
        new = (view for view in views if known.get(view.id) != view.revision)
        return LeaseList(tuple(view.id for view in views), tuple(new))

    def page_leases(
        self, context: RequestContext, project_id: str | None, selection: LeaseSelection
    ) -> LeasePage:
        self._called("page_leases", context, project_id, selection)
        views = self.list_leases(context, project_id).changed
        return LeasePage(views[: selection.limit])

    def update_lease(
        self,
        context: RequestContext,
        lease_id: str,
        change: LeaseChange,
        dry_run: bool = False,
        wait: float | None = None,
    ) -> LeaseView:
        self._called("update_lease", context, lease_id, change, dry_run)
        view = self.get_lease(context, lease_id)
        unknown = {each.id for each in change.reservations} - {
            each.id for each in view.reservations
        }
        if unknown:
            raise exceptions.BadInput("Please enter valid reservation IDs.")
        view = dataclasses.replace(
            view,
            name=change.name or view.name,
            start=times.parse(change.start, NOW) if change.start else view.start,
            end=times.parse(change.end, NOW) if change.end else view.end,
            updated_at=NOW,
            revision=view.revision + 1,
        )
        if not dry_run:
            self.leases[lease_id] = view
        return view

    def delete_lease(
        self,
        context: RequestContext,
        lease_id: str,
        dry_run: bool = False,
        wait: float | None = None,
    ) -> None:
        self._called("delete_lease", context, lease_id, dry_run)
        self.get_lease(context, lease_id)
        if not dry_run:
            del self.leases[lease_id]

    def set_server_group(
        self,
        context: RequestContext,
        reservation_id: str,
        group_id: str,
        policy: str | None = None,
    ) -> None:
        self._called("set_server_group", context, reservation_id, group_id)
        for lease_id, view in self.leases.items():
            reservations = tuple(
                dataclasses.replace(each, values=each.values | {"server_group_id": group_id})
                if each.id == reservation_id
                else each
                for each in view.reservations
            )
            self.leases[lease_id] = dataclasses.replace(
                view, reservations=reservations, groups_wanted=(), revision=view.revision + 1
            )

    def create_host(
        self, context: RequestContext, request: HostRequest, key: IdempotencyKey | None = None
    ) -> HostView:
        self._called("create_host", context, request, key)
        view = HostView(
            id=str(len(self.hosts) + 1),
            hypervisor_hostname=request.name,
            service_name=request.name,
            hypervisor_type="QEMU",
            hypervisor_version=8002000,
            vcpus=32,
            memory_mb=131072,
            local_gb=2000,
            cpu_info="{}",
            availability_zone="nova",
            reservable=True,
            capabilities=request.capabilities,
            created_at=NOW,
        )
        self.hosts[view.id] = view
        return view

    def get_host(self, context: RequestContext, host_id: str) -> HostView:
        self._called("get_host", context, host_id)
        if host_id not in self.hosts:
            raise exceptions.NotFound(object={"host_id": host_id})
        return self.hosts[host_id]

    def list_hosts(self, context: RequestContext) -> tuple[HostView, ...]:
        self._called("list_hosts", context)
        return tuple(self.hosts.values())

    def update_host(
        self, context: RequestContext, host_id: str, capabilities: dict[str, str | None]
    ) -> HostView:
        self._called("update_host", context, host_id, capabilities)
        view = self.get_host(context, host_id)
        merged = {**view.capabilities, **capabilities}
        kept = {key: value for key, value in merged.items() if value is not None}
        self.hosts[host_id] = dataclasses.replace(view, capabilities=kept)
        return self.hosts[host_id]

    def delete_host(self, context: RequestContext, host_id: str) -> None:
        self._called("delete_host", context, host_id)
        self.get_host(context, host_id)
        del self.hosts[host_id]

    def list_allocations(
        self,
        context: RequestContext,
        host_id: str | None = None,
        lease_id: str | None = None,
        reservation_id: str | None = None,
    ) -> tuple[HostAllocations, ...]:
        """Host 1 is held by every reservation there is, the others by none."""
        self._called("list_allocations", context, host_id, lease_id, reservation_id)
        if host_id is not None:
            self.get_host(context, host_id)
        held = tuple(
            AllocationView(each.id, view.id, view.start, view.end)
            for view in self.leases.values()
            for each in view.reservations
            if lease_id in (None, view.id) and reservation_id in (None, each.id)
        )
        return tuple(
            HostAllocations(each, held if each == "1" else ())
            for each in self.hosts
            if host_id in (None, each)
        )

    def list_properties(
        self, context: RequestContext, include_private: bool = False
    ) -> tuple[PropertyView, ...]:
        self._called("list_properties", context, include_private)
        return tuple(view for view in self._properties() if include_private or not view.private)

    def set_property(self, context: RequestContext, name: str, private: bool) -> PropertyView:
        self._called("set_property", context, name, private)
        if name not in {view.name for view in self._properties()}:
            raise exceptions.NotFound(object={"property_name": name})
        (self.private.add if private else self.private.discard)(name)
        return next(view for view in self._properties() if view.name == name)

    def health(self) -> ManagerHealth:
        self._called("health")
        self.hang.wait(30)
        return ManagerHealth("fake", self.problems, self.rpc_version)

    def _properties(self) -> list[PropertyView]:
        names = sorted({name for view in self.hosts.values() for name in view.capabilities})
        return [
            PropertyView(
                id=str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
                resource_type="physical:host",
                name=name,
                private=name in self.private,
                values=tuple(
                    sorted(
                        {
                            view.capabilities[name]
                            for view in self.hosts.values()
                            if name in view.capabilities
                        }
                    )
                ),
            )
            for name in names
        ]


def _reservation(request: ReservationRequest, dry_run: bool) -> ReservationView:
    if request.resource_type not in ("physical:host", "virtual:instance"):
        raise exceptions.UnsupportedResourceType(resource_type=request.resource_type)
    values = dict(request.values)
    if request.resource_type == "virtual:instance":
        values["server_group_id"] = None
    return ReservationView(
        id="" if dry_run else str(uuid.uuid4()),
        resource_id="" if dry_run else str(uuid.uuid4()),
        resource_type=request.resource_type,
        status="pending",
        missing_resources=False,
        resources_changed=False,
        values=values,
        created_at=NOW,
    )


class FakeGroups:
    """Groups by name; ``error`` is what the next call raises."""

    def __init__(self) -> None:
        self.made: dict[str, tuple[Caller, str]] = {}
        self.error: Exception | None = None

    def ensure(self, caller: Caller, name: str, policy: str) -> str:
        if self.error is not None:
            raise self.error
        self.made[name] = caller, policy
        return f"group-of-{name}"

    make = ensure

    def remove(self, caller: Caller, group_id: str) -> None:
        self.made.pop(group_id.removeprefix("group-of-"))


class FakeFlavors:
    """One flavor for everybody; ``error`` is what the next call raises."""

    def __init__(self) -> None:
        self.asked: list[tuple[Caller, str]] = []
        self.error: Exception | None = None

    def find(self, caller: Caller, flavor: str) -> FlavorContent:
        self.asked.append((caller, flavor))
        if self.error is not None:
            raise self.error
        if flavor not in ("2", "m1.small"):
            raise exceptions.NotFound(object={"flavor": flavor})
        return FlavorContent("2", "m1.small", {"VCPU": 1, "MEMORY_MB": 2048, "DISK_GB": 20})


class FakeCloud:
    """What callers' tokens do."""

    def __init__(self) -> None:
        self.server_groups = FakeGroups()
        self.flavors = FakeFlavors()
