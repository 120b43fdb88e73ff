# SPDX-License-Identifier: Apache-2.0
"""Nova as the service asks it: hypervisors, aggregates, flavors, servers and server groups.

Snapshots are asked of Nova too; that the image becomes the tenant's in Glance is part of the same
call. The rules for all calls, their errors among them: ``promise_blazar.cloud.contract.cloud``.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from promise_blazar.cloud.contract.placement import Inventory


@dataclass(frozen=True, slots=True)
class Hypervisor:
    """A compute node: Nova's view of it, and Placement's inventory under the same uuid.

    ``name``: Nova's ``hypervisor_hostname``; ``service_host``: the host of its nova-compute, by
    which aggregates and servers name it. ``vcpus``, ``memory_mb`` (MiB), ``disk_gb`` (GiB): its
    size, before ratios. ``up``: Nova's service is up and enabled. ``zone``: Nova's availability
    zone, ``nova`` if it is in none. ``inventory``: by resource class, without
    ``CUSTOM_RESERVATION_*``.
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
class Aggregate:
    """A host aggregate. ``hosts``: service hosts; ``metadata``: without the zone, if any."""

    id: int
    name: str
    zone: str | None
    metadata: Mapping[str, str]
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flavor:
    """A private flavor of ours. ``memory_mb`` in MiB, ``disk_gb`` in GiB."""

    id: str
    name: str
    vcpus: int
    memory_mb: int
    disk_gb: int
    extra_specs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Server:
    """A server of any project.

    ``status``: Nova's, upper case. ``host``: the service host, None before scheduling.
    ``flavor_extra_specs``: as they were when it was booted.
    """

    id: str
    name: str
    project_id: str
    status: str
    host: str | None
    flavor_id: str | None
    flavor_extra_specs: Mapping[str, str] = field(default_factory=dict)


class Hypervisors(Protocol):
    """The compute nodes of the region."""

    def get(self, name: str) -> Hypervisor:
        """The hypervisor of exactly this name, or of this uuid. Raises ``NotFound``."""
        ...

    def list(self, uuids: Collection[str] | None = None) -> Sequence[Hypervisor]:
        """All of them, or those of these uuids that there are; in few calls to Nova."""
        ...

    def in_service(self) -> frozenset[str]:
        """The service hosts whose nova-compute is up and enabled, by one call."""
        ...


class Aggregates(Protocol):
    """The host aggregates of the region, also those that are not ours."""

    def list(self) -> Sequence[Aggregate]:
        """All of them."""
        ...

    def get(self, aggregate_id: int) -> Aggregate:
        """The aggregate of this id. Raises ``NotFound``."""
        ...

    def ensure(
        self,
        name: str,
        zone: str | None,
        metadata: Mapping[str, str],
        number: int | None = None,
    ) -> Aggregate:
        """The aggregate of this name, made if there is none, with at least this metadata.

        ``zone`` None leaves the zone as it is. ``number``: the aggregate's id, as far as the
        caller knows; it only saves a search. Raises ``CloudError`` (400: a host of it is in
        another zone, or has servers in its zone).
        """
        ...

    def set_metadata(self, aggregate_id: int, metadata: Mapping[str, str | None]) -> None:
        """These keys, set; None removes one. Raises ``NotFound``.

        Of none: Nova's scheduler is told anew what the aggregate is.
        """
        ...

    def add_host(self, aggregate_id: int, service_host: str) -> None:
        """Membership of a host, also satisfied for a member.

        Raises ``NotFound`` (the aggregate or the host), ``CloudError`` (409: it has servers in
        another zone, or is in an aggregate of another).
        """
        ...

    def remove_host(self, aggregate_id: int, service_host: str) -> None:
        """No membership of a host. Raises ``CloudError`` (409: it has servers in the zone)."""
        ...

    def delete(self, aggregate_id: int) -> None:
        """No aggregate of this id; members are removed first, and raise as ``remove_host``."""
        ...


class Flavors(Protocol):
    """The flavors of the region, private ones too."""

    def ensure(self, flavor: Flavor) -> None:
        """A private flavor of exactly this shape; one of another shape is replaced.

        A replaced flavor has lost its grants. Raises ``CloudError`` (409: another flavor has the
        name).
        """
        ...

    def delete(self, flavor_id: str) -> None:
        """No flavor of this id; servers keep what they were booted with."""
        ...

    def with_prefix(self, prefix: str) -> Sequence[str]:
        """Ids of all flavors whose names begin so."""
        ...

    def grant(self, flavor_id: str, project_id: str) -> None:
        """Access of a project, also satisfied when granted before. Raises ``NotFound``."""
        ...

    def revoke(self, flavor_id: str, project_id: str) -> None:
        """No access of a project."""
        ...

    def granted(self, flavor_id: str) -> Sequence[str]:
        """The projects that have access; none where there is no such flavor."""
        ...


class Servers(Protocol):
    """The servers of all projects."""

    def find(self, server_id: str) -> Server | None:
        """The server of this id; None when it does not exist (any more)."""
        ...

    def on_host(self, service_host: str) -> Sequence[Server]:
        """Those on a host, as far as Nova says so yet; without SOFT_DELETED ones."""
        ...

    def of_flavor(self, flavor_id: str) -> Sequence[Server]:
        """Those booted with the flavor that has this id now; none of one that was replaced.

        Without SOFT_DELETED ones.
        """
        ...

    def building(self, project_id: str) -> Sequence[Server]:
        """A project's in BUILD that name no host yet: any of them may have been let in."""
        ...

    def moving(self, consumers: Collection[str]) -> Sequence[Server]:
        """Servers that were resized or moved, which is not confirmed yet, and that hold what they
        had before under one of these ids, of the move and not of the server."""
        ...

    def delete(self, server_id: str) -> None:
        """A forced deletion, asked for only; the server disappears later."""
        ...

    def snapshot(self, server_id: str, image_name: str, occasion: str) -> None:
        """One image of a server on each occasion, however often it is asked for.

        The image is the tenant's. Raises ``NotFound``, ``CloudUnavailable`` also while the server
        is busy with something that passes, such as the image before, and ``CloudError`` (409) for
        one that has no image to be made of: it is in ERROR.
        """
        ...


class ServerGroups(Protocol):
    """The server groups of all projects, which the service finds and deletes.

    They are made with the tenants' tokens (``promise_blazar.cloud.contract.tenants``).
    """

    def delete(self, group_id: str) -> None:
        """No group of this id."""
        ...

    def with_prefix(self, prefix: str) -> Mapping[str, str]:
        """The names, by id, of the groups whose names begin so."""
        ...

    def named(self, name: str) -> Sequence[str]:
        """Ids of the groups of exactly this name."""
        ...
