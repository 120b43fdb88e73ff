# SPDX-License-Identifier: Apache-2.0
"""``/v1/os-hosts``. Every handler: authorise, parse, call, render."""

from typing import Any

import flask

from promise_blazar import exceptions
from promise_blazar.api.http import bodies
from promise_blazar.api.http.dependencies import allowed, authorize, dependencies
from promise_blazar.api.v1 import reader, schemas, writer
from promise_blazar.manager.contract.messages import HostRequest
from promise_blazar.policies import oshosts as policies

_RESERVED = writer.HOST_COLUMNS | {"name"}


def index() -> flask.Response:
    authorize(policies.GET, {})
    views = dependencies().manager.list_hosts(flask.g.context)
    return flask.jsonify(hosts=[writer.host(view) for view in views])


def create() -> tuple[flask.Response, int]:
    authorize(policies.POST, {})
    reader.refuse_dry_run()
    body = bodies.read_object()
    request = _host_request(body)
    key = reader.idempotency_key("POST /v1/os-hosts", body)
    view = dependencies().manager.create_host(flask.g.context, request, key)
    return flask.jsonify(host=writer.host(view)), 201


def show(host_id: str) -> flask.Response:
    authorize(policies.GET, {})
    view = dependencies().manager.get_host(flask.g.context, reader.host_id(host_id))
    return flask.jsonify(host=writer.host(view))


def update(host_id: str) -> flask.Response:
    authorize(policies.PUT, {})
    reader.refuse_dry_run()
    host_id = reader.host_id(host_id)
    body = bodies.read_object()
    schemas.HOST_UPDATE.check(body)
    if not body:
        raise exceptions.BadInput("No data to update")
    view = dependencies().manager.update_host(flask.g.context, host_id, _capabilities(body))
    return flask.jsonify(host=writer.host(view))


def delete(host_id: str) -> tuple[str, int]:
    authorize(policies.DELETE, {})
    reader.refuse_dry_run()
    dependencies().manager.delete_host(flask.g.context, reader.host_id(host_id))
    return "", 204


def allocations() -> flask.Response:
    authorize(policies.GET_ALLOCATIONS, {})
    views = dependencies().manager.list_allocations(flask.g.context, **_allocation_filter())
    return flask.jsonify(allocations=[writer.allocations(view) for view in views])


def allocation(host_id: str) -> flask.Response:
    authorize(policies.GET_ALLOCATIONS, {})
    host_id = reader.host_id(host_id)
    (view,) = dependencies().manager.list_allocations(
        flask.g.context, host_id=host_id, **_allocation_filter()
    )
    return flask.jsonify(allocation=writer.allocations(view))


def properties() -> flask.Response:
    authorize(policies.GET_PROPERTIES, {})
    include_private = reader.flag("all") and allowed("admin", {})
    views = dependencies().manager.list_properties(flask.g.context, include_private)
    detail = reader.flag("detail")
    found = [writer.property_in_list(view, detail) for view in views]
    return flask.jsonify(resource_properties=found)


def set_property(name: str) -> flask.Response:
    authorize(policies.UPDATE_PROPERTIES, {})
    reader.refuse_dry_run()
    body = bodies.read_object()
    schemas.PROPERTY_UPDATE.check(body)
    if len(name) > schemas.CAPABILITY_KEY or not name.isprintable():
        raise exceptions.NotFound(object={"property_name": name})
    view = dependencies().manager.set_property(flask.g.context, name, body["private"])
    return flask.jsonify(resource_property=writer.property_alone(view))


def _host_request(body: dict[str, Any]) -> HostRequest:
    """``name`` is the hypervisor's; ``id``, Nova's for it, serves as well."""
    schemas.HOST_CREATE.check(body)
    extras = {key: value for key, value in body.items() if key not in ("name", "id")}
    name = body.get("name") or str(body.get("id", ""))
    if not name:
        raise exceptions.MissingParameter(param="name")
    return HostRequest(
        name, {key: value for key, value in _capabilities(extras).items() if value is not None}
    )


def _capabilities(extras: dict[str, Any]) -> dict[str, str | None]:
    """Capabilities are text; null takes one away. Raises ``BadInput`` for a name."""
    for key in extras:
        if len(key) > schemas.CAPABILITY_KEY:
            raise exceptions.BadInput("Extra capability key too long")
        # A database may take a name with a space behind it for the one without.
        if not key or not key.isprintable() or key != key.strip():
            raise exceptions.BadInput(f"{key!r} cannot be the name of an extra capability")
        if key in _RESERVED:
            raise exceptions.BadInput(
                f"{key} is known of every host and cannot be an extra capability"
            )
    return {key: None if value is None else str(value) for key, value in extras.items()}


def _allocation_filter() -> dict[str, str]:
    query = flask.request.args.to_dict()
    schemas.ALLOCATION_QUERY.check(query)
    return {key: query[key] for key in ("lease_id", "reservation_id") if key in query}
