# SPDX-License-Identifier: Apache-2.0
"""REST of the simulated cloud at ``/simulated``, for its users and operators.

Served only where the service runs on a simulated cloud and believes its callers (noauth).
Unlike Blazar's paths, these are ours: unknown members are refused.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import flask

from promise_blazar import exceptions
from promise_blazar.api.http import bodies
from promise_blazar.api.http.schema import Schema, UnknownMembers


class Host(Protocol):
    """A hypervisor. ``state``: ``up`` or ``down``; aggregates by name, servers by id."""

    @property
    def name(self) -> str: ...

    @property
    def state(self) -> str: ...

    @property
    def vcpus(self) -> int: ...

    @property
    def memory_mb(self) -> int: ...

    @property
    def disk_gb(self) -> int: ...

    @property
    def aggregates(self) -> Sequence[str]: ...

    @property
    def servers(self) -> Sequence[str]: ...


class Flavor(Protocol):
    """A flavor, as much of it as its users see."""

    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def vcpus(self) -> int: ...

    @property
    def memory_mb(self) -> int: ...

    @property
    def disk_gb(self) -> int: ...

    @property
    def extra_specs(self) -> Mapping[str, str]: ...


class Server(Protocol):
    """A server. ``status``: ``ACTIVE`` or ``ERROR``; ``fault``: why it is in ERROR."""

    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def status(self) -> str: ...

    @property
    def host(self) -> str | None: ...

    @property
    def fault(self) -> str | None: ...


class Fault(Protocol):
    """What goes wrong with a call of the service to the cloud (``*``: with every one).

    ``status`` None: there is no answer. ``after``: the call is carried out, and its answer lost.
    """

    @property
    def call(self) -> str: ...

    @property
    def latency_ms(self) -> int: ...

    @property
    def fail_next(self) -> int: ...

    @property
    def status(self) -> int | None: ...

    @property
    def after(self) -> bool: ...


class World(Protocol):
    """The simulated cloud. A ``project_id`` of None sees every project's servers.

    Raises ``NotFound`` for unknown and for other projects' names, ``BadInput`` for a server that
    cannot even be tried.
    """

    def list_hosts(self) -> Sequence[Host]: ...

    def set_host_state(self, name: str, state: str) -> Host: ...

    def list_flavors(self, project_id: str, admin: bool = False) -> Sequence[Flavor]: ...

    def create_server(
        self,
        project_id: str,
        name: str,
        flavor: str,
        hints: Mapping[str, object] | None = None,
        image: str | None = None,
        admin: bool = False,
    ) -> Server: ...

    def list_servers(self, project_id: str | None = None) -> Sequence[Server]: ...

    def get_server(self, server_id: str, project_id: str | None = None) -> Server: ...

    def remove_server(self, server_id: str, project_id: str | None = None) -> None: ...

    def list_faults(self) -> Sequence[Fault]: ...

    def set_faults(
        self,
        call: str = "*",
        latency_ms: int = 0,
        fail_next: int = 0,
        status: int | None = 503,
        after: bool = False,
    ) -> None: ...

    def clear_faults(self) -> None: ...


def _object(properties: dict[str, Any], *required: str) -> Schema:
    return Schema(
        {
            "type": "object",
            "properties": properties,
            "required": list(required),
        }
    )


_name = {"type": "string", "minLength": 1, "maxLength": 255}
_up_to_a_million = {
    "type": "integer",
    "minimum": 0,
    "maximum": 1_000_000,
    "description": "an integer from 0 to 1000000",
}
_status = {
    "type": ["integer", "null"],
    "minimum": 400,
    "maximum": 599,
    "description": "a status from 400 to 599, or null for no answer",
}

SERVER_CREATE = _object(
    {"name": _name, "flavor": _name, "hints": {"type": "object"}, "image": _name},
    "name",
    "flavor",
)
HOST_UPDATE = _object({"state": {"enum": ["up", "down"]}}, "state")
FAULTS = _object(
    {
        "call": _name,
        "latency_ms": _up_to_a_million,
        "fail_next": _up_to_a_million,
        "status": _status,
        "after": {"type": "boolean"},
    }
)


def blueprint(world: World) -> flask.Blueprint:
    """The routes, over this world."""
    handlers = _Handlers(world)
    routes = flask.Blueprint("simulated", __name__, url_prefix="/simulated")
    routes.get("/hosts")(handlers.list_hosts)
    routes.put("/hosts/<name>")(handlers.update_host)
    routes.get("/flavors")(handlers.list_flavors)
    routes.post("/servers")(handlers.create_server)
    routes.get("/servers")(handlers.list_servers)
    routes.get("/servers/<server_id>")(handlers.show_server)
    routes.delete("/servers/<server_id>")(handlers.delete_server)
    routes.put("/faults")(handlers.set_faults)
    return routes


class _Handlers:
    """Authorise, parse, call, render."""

    def __init__(self, world: World) -> None:
        self._world = world

    def list_hosts(self) -> flask.Response:
        return flask.jsonify(hosts=[_host(host) for host in self._world.list_hosts()])

    def update_host(self, name: str) -> flask.Response:
        _authorize_admin()
        body = _read(HOST_UPDATE)
        return flask.jsonify(host=_host(self._world.set_host_state(name, body["state"])))

    def list_flavors(self) -> flask.Response:
        seen = self._world.list_flavors(flask.g.context.project_id, _is_admin())
        return flask.jsonify(flavors=[_flavor(flavor) for flavor in seen])

    def create_server(self) -> tuple[flask.Response, int]:
        body = _read(SERVER_CREATE)
        server = self._world.create_server(
            flask.g.context.project_id,
            body["name"],
            body["flavor"],
            hints=body.get("hints"),
            image=body.get("image"),
            admin=_is_admin(),
        )
        return flask.jsonify(server=_server(server)), 202

    def list_servers(self) -> flask.Response:
        seen = self._world.list_servers(_scope())
        return flask.jsonify(servers=[_server(server) for server in seen])

    def show_server(self, server_id: str) -> flask.Response:
        return flask.jsonify(server=_server(self._world.get_server(server_id, _scope())))

    def delete_server(self, server_id: str) -> tuple[str, int]:
        self._world.remove_server(server_id, _scope())
        return "", 204

    def set_faults(self) -> flask.Response:
        _authorize_admin()
        body = _read(FAULTS)
        if "status" in body and "fail_next" not in body:
            raise exceptions.MissingParameter(param="fail_next")
        if body:
            self._world.set_faults(**body)
        else:
            self._world.clear_faults()
        return flask.jsonify(faults=[_fault(fault) for fault in self._world.list_faults()])


def _read(schema: Schema) -> dict[str, Any]:
    body = bodies.read_object()
    schema.check(body, UnknownMembers.REFUSED)
    return body


def _is_admin() -> bool:
    return "admin" in flask.g.roles


def _authorize_admin() -> None:
    if not _is_admin():
        raise exceptions.Forbidden("Only an administrator may change the simulated cloud")


def _scope() -> str | None:
    """The project whose servers the caller sees; None: all."""
    return None if _is_admin() else flask.g.context.project_id


def _host(host: Host) -> dict[str, Any]:
    return {
        "name": host.name,
        "state": host.state,
        "vcpus": host.vcpus,
        "memory_mb": host.memory_mb,
        "disk_gb": host.disk_gb,
        "aggregates": list(host.aggregates),
        "servers": list(host.servers),
    }


def _flavor(flavor: Flavor) -> dict[str, Any]:
    return {
        "id": flavor.id,
        "name": flavor.name,
        "vcpus": flavor.vcpus,
        "ram": flavor.memory_mb,
        "disk": flavor.disk_gb,
        "extra_specs": dict(flavor.extra_specs),
    }


def _server(server: Server) -> dict[str, Any]:
    return {
        "id": server.id,
        "name": server.name,
        "status": server.status,
        "host": server.host,
        "fault": server.fault,
    }


def _fault(fault: Fault) -> dict[str, Any]:
    return {
        "call": fault.call,
        "latency_ms": fault.latency_ms,
        "fail_next": fault.fail_next,
        "status": fault.status,
        "after": fault.after,
    }
