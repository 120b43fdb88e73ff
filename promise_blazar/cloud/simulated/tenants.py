# SPDX-License-Identifier: Apache-2.0
"""The simulated cloud as its users and operators see it.

These calls are theirs, not the service's: no fence stops them and no injected fault hits them.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from promise_blazar import exceptions
from promise_blazar.cloud.contract.compute import Flavor
from promise_blazar.cloud.simulated import faults
from promise_blazar.cloud.simulated import image as images
from promise_blazar.cloud.simulated.compute import (
    aggregates,
    flavors,
    hypervisors,
    server_groups,
    servers,
)
from promise_blazar.cloud.simulated.compute.servers import Boot
from promise_blazar.cloud.simulated.faults import Fault
from promise_blazar.cloud.simulated.refusals import missing
from promise_blazar.cloud.simulated.world import IMAGE, World


@dataclass(frozen=True, slots=True)
class HostView:
    """A host as an operator sees it. ``state``: ``up`` or ``down``; ``servers``: ids.

    ``aggregates``: names. ``memory_mb`` in MiB, ``disk_gb`` in GiB.
    """

    name: str
    state: str
    vcpus: int
    memory_mb: int
    disk_gb: int
    aggregates: tuple[str, ...]
    servers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServerView:
    """A server as its project sees it. ``fault``: why it is in ERROR."""

    id: str
    name: str
    status: str
    host: str | None
    fault: str | None


class Tenants:
    """The calls of users and operators.

    ``project_id`` None stands for an administrator, who sees every project's servers.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def list_hosts(self) -> list[HostView]:
        with self._world.reading() as db:
            memberships: dict[str, list[str]] = {}
            for aggregate in aggregates.every(db):
                for host in aggregate.hosts:
                    memberships.setdefault(host, []).append(aggregate.name)
            running: dict[str | None, list[str]] = {}
            for stored in servers.every(db):
                running.setdefault(stored.server.host, []).append(stored.server.id)
            hosts = hypervisors.every(db)
        return [
            HostView(
                name=host.name,
                state="up" if host.up else "down",
                vcpus=host.vcpus,
                memory_mb=host.memory_mb,
                disk_gb=host.disk_gb,
                aggregates=tuple(memberships.get(host.name, ())),
                servers=tuple(running.get(host.name, ())),
            )
            for host in hosts
        ]

    def set_host_state(self, name: str, state: str) -> HostView:
        """Raises ``NotFound``, ``BadInput``."""
        if state not in ("up", "down"):
            raise exceptions.BadInput(f"A host is up or down, not {state!r}")
        with self._world.writing() as db:
            number = aggregates.host_number(db, name)
            db.execute("UPDATE hosts SET up = ? WHERE number = ?", (state == "up", number))
        return next(host for host in self.list_hosts() if host.name == name)

    def list_flavors(self, project_id: str, admin: bool = False) -> list[Flavor]:
        """Those that the project may use."""
        with self._world.reading() as db:
            return [stored.flavor for stored in flavors.seen_by(db, project_id, admin)]

    def create_server(
        self,
        project_id: str,
        name: str,
        flavor: str,
        hints: Mapping[str, object] | None = None,
        image: str | None = None,
        admin: bool = False,
    ) -> ServerView:
        """Schedule a server; flavor and image by id or name, the image the usual one if None.

        Raises ``BadInput`` for a flavor, image or server group (hint ``group``) that does not
        exist or is not the project's. That no host will do is an answer: status ERROR.
        """
        with self._world.writing() as db:
            boot = _scheduled(db, project_id, name, flavor, hints, image, admin)
            return _view(servers.claim(db, boot, self._world.in_seconds))

    def schedule_server(
        self,
        project_id: str,
        name: str,
        flavor: str,
        hints: Mapping[str, object] | None = None,
        image: str | None = None,
        admin: bool = False,
    ) -> Boot:
        """The first half of ``create_server``: the filter has passed a host, nothing is taken."""
        with self._world.writing() as db:
            return _scheduled(db, project_id, name, flavor, hints, image, admin)

    def claim_server(self, boot: Boot) -> ServerView:
        """The second half, as much later as conductors and computes have to do."""
        with self._world.writing() as db:
            return _view(servers.claim(db, boot, self._world.in_seconds))

    def image_exists(self, image: str) -> bool:
        """By id or name."""
        with self._world.reading() as db:
            return images.exists(db, image)

    def list_servers(self, project_id: str | None = None) -> list[ServerView]:
        with self._world.reading() as db:
            return [
                _view(stored)
                for stored in servers.every(db)
                if project_id in (None, stored.server.project_id)
            ]

    def get_server(self, server_id: str, project_id: str | None = None) -> ServerView:
        """Raises ``NotFound``, also for another project's."""
        with self._world.reading() as db:
            stored = servers.one(db, server_id)
        if stored is None or project_id not in (None, stored.server.project_id):
            raise missing("server", server_id)
        return _view(stored)

    def remove_server(self, server_id: str, project_id: str | None = None) -> None:
        """Raises ``NotFound``, also for another project's."""
        self.get_server(server_id, project_id)
        with self._world.writing() as db:
            servers.remove(db, server_id, self._world.in_seconds)

    def set_faults(
        self,
        call: str = faults.ANY_CALL,
        latency_ms: int = 0,
        fail_next: int = 0,
        status: int | None = 503,
        after: bool = False,
    ) -> None:
        """Make the service's calls slow or fail (``Fault``); one rule a call.

        Raises ``BadInput`` for a call that is never made.
        """
        faults.put(self._world, Fault(call, latency_ms, fail_next, status, after))

    def list_faults(self) -> list[Fault]:
        """With the failures that are left of each."""
        return faults.every(self._world)

    def clear_faults(self) -> None:
        faults.clear(self._world)

    def set_server_delete_seconds(self, seconds: float) -> None:
        """How long a server is still seen after its deletion was asked for."""
        with self._world.writing() as db:
            servers.set_seconds(db, servers.DELETE_SECONDS, seconds)

    def set_server_build_seconds(self, seconds: float) -> None:
        """How long a server has its room and names no host, before it is ACTIVE."""
        with self._world.writing() as db:
            servers.set_seconds(db, servers.BUILD_SECONDS, seconds)

    def set_server_reclaim_seconds(self, seconds: float) -> None:
        """How long what a tenant deletes is SOFT_DELETED; 0: deletion is not deferred."""
        with self._world.writing() as db:
            servers.set_seconds(db, servers.RECLAIM_SECONDS, seconds)


def _scheduled(
    db: sqlite3.Connection,
    project_id: str,
    name: str,
    flavor: str,
    hints: Mapping[str, object] | None,
    image: str | None,
    admin: bool,
) -> Boot:
    asked = hints or {}
    found = flavors.find(db, project_id, flavor, admin)
    if found is None:
        raise exceptions.BadInput(f"Flavor {flavor} could not be found")
    if not images.exists(db, image or IMAGE):
        raise exceptions.BadInput(f"Image {image} could not be found")
    for group in _group_hints(asked):
        if not server_groups.exists(db, project_id, group):
            raise exceptions.BadInput(f"Server group {group} could not be found")
    return servers.schedule(db, project_id, name, found, asked)


def _group_hints(hints: Mapping[str, object]) -> list[str]:
    value = hints.get("group", [])
    return [str(group) for group in (value if isinstance(value, list) else [value])]


def _view(stored: servers.StoredServer) -> ServerView:
    server = stored.server
    return ServerView(server.id, server.name, server.status, server.host, stored.fault)
