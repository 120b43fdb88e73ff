# SPDX-License-Identifier: Apache-2.0
"""What we ask of an OpenStack cloud, as few and as small steps as possible.

Every ``ensure_*`` leaves the world as named, whatever it was before, and may be repeated; every
``delete_*``, ``remove_*`` and ``revoke_*`` is satisfied when the thing is not there. Nothing
waits: a server that is being deleted is seen again by the next look.

Errors: ``exceptions.NotFound`` where a named thing must exist and does not,
``exceptions.CloudUnavailable`` for no answer, a time-out, 429 or 5xx (try again), and
``exceptions.CloudError`` for any other refusal. Each call to the cloud is announced
(``promise_blazar.cloud.fence``) before it leaves, with the name in the adapter's docstring.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Inventory:
    """Of one resource class, in Placement's words. Lendable: (total - reserved)."""

    total: int
    reserved: int
    allocation_ratio: float


@dataclass(frozen=True, slots=True)
class Hypervisor:
    """A compute node: Nova's view of it, and Placement's inventory under the same uuid.

    ``up``: Nova's service is up and enabled. ``zone``: Nova's availability zone, ``nova`` if it
    is in none. ``inventory``: by resource class, without ``CUSTOM_RESERVATION_*``.
    """

    uuid: str
    name: str
    service_host: str
    type: str
    version: int
    cpu_info: str
    vcpus: int
    memory_mb: int
    disk_gb: int
    zone: str
    up: bool
    inventory: Mapping[str, Inventory]


@dataclass(frozen=True, slots=True)
class Server:
    """``status``: Nova's, upper case. ``host``: the service host, None before scheduling."""

    id: str
    name: str
    project_id: str
    status: str
    host: str | None
    flavor_id: str | None
    flavor_extra_specs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Flavor:
    """A private flavor of ours."""

    id: str
    name: str
    vcpus: int
    memory_mb: int
    disk_gb: int
    extra_specs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Aggregate:
    id: int
    name: str
    zone: str | None
    metadata: Mapping[str, str]
    hosts: tuple[str, ...]


class Cloud(Protocol):
    """One OpenStack region. Safe to use from several threads."""

    # Hypervisors

    def hypervisor(self, name: str) -> Hypervisor:
        """The hypervisor of exactly this name (or Nova's id). Raises ``NotFound``."""
        ...

    def hypervisors(self, uuids: Collection[str] | None = None) -> Sequence[Hypervisor]:
        """All of them, or those of these uuids that there are; in few calls."""
        ...

    # Aggregates

    def aggregates(self) -> Sequence[Aggregate]: ...

    def aggregate(self, aggregate_id: int) -> Aggregate:
        """Raises ``NotFound``."""
        ...

    def ensure_aggregate(
        self,
        name: str,
        zone: str | None,
        metadata: Mapping[str, str],
        number: int | None = None,
    ) -> Aggregate:
        """The aggregate of this name, made if there is none, with at least this metadata.

        ``number``: its id, as far as the caller knows; it only saves a search.
        """
        ...

    def set_aggregate_metadata(
        self, aggregate_id: int, metadata: Mapping[str, str | None]
    ) -> None:
        """Set keys; None removes one. Raises ``NotFound``."""
        ...

    def add_to_aggregate(self, aggregate_id: int, service_host: str) -> None:
        """Also satisfied for a member. Raises ``NotFound``, ``CloudError`` (409: has servers)."""
        ...

    def remove_from_aggregate(self, aggregate_id: int, service_host: str) -> None: ...

    def delete_aggregate(self, aggregate_id: int) -> None:
        """Members are removed first."""
        ...

    # Flavors

    def ensure_flavor(self, flavor: Flavor) -> None:
        """A private flavor of exactly this shape; one of another shape is replaced."""
        ...

    def delete_flavor(self, flavor_id: str) -> None: ...

    def flavors_named(self, prefix: str) -> Sequence[str]:
        """Ids of all flavors, private ones too, whose name begins so."""
        ...

    def grant_flavor(self, flavor_id: str, project_id: str) -> None:
        """Also satisfied when granted before. Raises ``NotFound``."""
        ...

    def revoke_flavor(self, flavor_id: str, project_id: str) -> None: ...

    # Servers

    def server(self, server_id: str) -> Server | None:
        """Any project's; None when it does not exist (any more)."""
        ...

    def servers_on_host(self, service_host: str) -> Sequence[Server]:
        """All projects'."""
        ...

    def servers_of_flavor(self, flavor_id: str) -> Sequence[Server]:
        """All projects'."""
        ...

    def delete_server(self, server_id: str) -> None:
        """Asks for it only (forced); the server disappears later."""
        ...

    def snapshot_server(self, server_id: str, image_name: str, occasion: str) -> None:
        """One image of a server on each occasion, however often it is asked for."""
        ...

    # Server groups (made with the tenant's token: ``promise_blazar.cloud.contract.server_groups``)

    def delete_server_group(self, group_id: str) -> None: ...

    def server_groups(self, prefix: str) -> Mapping[str, str]:
        """The names, by id, of the groups whose names begin so, of all projects."""
        ...

    def server_groups_named(self, name: str) -> Sequence[str]:
        """Ids of the groups of exactly this name, of all projects."""
        ...

    # Placement

    def ensure_resource_class(self, name: str) -> None: ...

    def delete_resource_class(self, name: str) -> None:
        """Raises ``CloudError`` (409) while an inventory uses it."""
        ...

    def resource_classes(self, prefix: str) -> Sequence[str]:
        """Names of the resource classes that begin so."""
        ...

    def consumers(self, hypervisor_uuid: str) -> Sequence[str]:
        """Ids of the servers that have room there, also before Nova says that they are there.

        Some may be of no server (any more).
        """
        ...

    def ensure_child_provider(self, parent_uuid: str, name: str) -> str:
        """The child resource provider of this name; its uuid."""
        ...

    def child_inventory(self, name: str) -> Mapping[str, int]:
        """Totals by resource class of the provider of this name; empty if there is none."""
        ...

    def ensure_child_inventory(self, name: str, resource_class: str, total: int) -> None:
        """``total`` of a class (ratio 1.0, units of 1) on a provider; 0 takes it off.

        Raises ``NotFound`` without the provider, ``CloudError`` (409) while it is allocated.
        """
        ...
