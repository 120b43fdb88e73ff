# SPDX-License-Identifier: Apache-2.0
"""Handlers of ``/v1/os-hosts``: authorise, read, call, show.

Each takes the parameters of its path and returns a document and a status. They raise the errors
of ``promise_blazar.exceptions`` and know nothing of what HTTP makes of them.
"""

import contextlib

import flask

from promise_blazar import exceptions
from promise_blazar.api.http import requests
from promise_blazar.api.http.dependencies import allowed, authorize, dependencies, own
from promise_blazar.api.http.dialect import Answer, read
from promise_blazar.api.v1 import reader, schemas, writer
from promise_blazar.policies import oshosts as policies


def index() -> Answer:
    """``{"hosts": [...]}``."""
    authorize(policies.GET, own())
    views = dependencies().manager.list_hosts(flask.g.context)
    hidden = _hidden()
    return {"hosts": [writer.host(view, hidden) for view in views]}, 200


def create() -> Answer:
    """``{"host": ...}``, 201. Raises what ``create_host`` does."""
    authorize(policies.POST, own())
    reader.refuse_dry_run()
    body = read(schemas.HOST_CREATE)
    request = reader.host_request(body)
    key = requests.idempotency_key("POST /v1/os-hosts", body)
    view = dependencies().manager.create_host(flask.g.context, request, key)
    return {"host": writer.host(view, _hidden())}, 201


def show(host_id: str) -> Answer:
    """``{"host": ...}``. Raises ``NotFound``."""
    authorize(policies.GET, own())
    view = dependencies().manager.get_host(flask.g.context, reader.host_id(host_id))
    return {"host": writer.host(view, _hidden())}, 200


def update(host_id: str) -> Answer:
    """``{"host": ...}``, its capabilities changed. Raises what ``update_host`` does."""
    authorize(policies.PUT, own())
    reader.refuse_dry_run()
    host_id = reader.host_id(host_id)
    body = read(schemas.HOST_UPDATE)
    if not body:
        raise exceptions.BadInput("No data to update")
    view = None
    if not reader.RESERVED.isdisjoint(body):
        view = dependencies().manager.get_host(flask.g.context, host_id)
        body = reader.host_changes(body, writer.host_columns(view))
    capabilities = reader.capabilities(body)
    if capabilities or view is None:
        view = dependencies().manager.update_host(flask.g.context, host_id, capabilities)
    return {"host": writer.host(view, _hidden())}, 200


def delete(host_id: str) -> Answer:
    """Nothing, 204. Raises ``NotFound``, ``CannotDeleteHost``."""
    authorize(policies.DELETE, own())
    reader.refuse_dry_run()
    dependencies().manager.delete_host(flask.g.context, reader.host_id(host_id))
    return None, 204


def allocations() -> Answer:
    """``{"allocations": [...]}``, an element a host, whether it has reservations or not."""
    authorize(policies.GET_ALLOCATIONS, own())
    views = dependencies().manager.list_allocations(flask.g.context, **reader.allocation_filter())
    return {"allocations": [writer.allocations(view) for view in views]}, 200


def allocation(host_id: str) -> Answer:
    """``{"allocation": ...}`` of one host. Raises ``NotFound``."""
    authorize(policies.GET_ALLOCATIONS, own())
    host_id = reader.host_id(host_id)
    (view,) = dependencies().manager.list_allocations(
        flask.g.context, host_id=host_id, **reader.allocation_filter()
    )
    return {"allocation": writer.allocations(view)}, 200


def properties() -> Answer:
    """``{"resource_properties": [...]}``; private ones with ``all``, and for admins."""
    authorize(policies.GET_PROPERTIES, own())
    include_private = reader.flag("all") and allowed("admin", own())
    views = dependencies().manager.list_properties(flask.g.context, include_private)
    detail = reader.flag("detail")
    found = [writer.property_in_list(view, detail) for view in views]
    return {"resource_properties": found}, 200


def set_property(name: str) -> Answer:
    """``{"resource_property": ...}``. Raises ``NotFound``."""
    authorize(policies.UPDATE_PROPERTIES, own())
    reader.refuse_dry_run()
    body = read(schemas.PROPERTY_UPDATE)
    manager = dependencies().manager
    *others, last = reader.property_names(name)
    for each in others:
        with contextlib.suppress(exceptions.NotFound):
            view = manager.set_property(flask.g.context, each, body["private"])
            return {"resource_property": writer.property_alone(view)}, 200
    view = manager.set_property(flask.g.context, last, body["private"])
    return {"resource_property": writer.property_alone(view)}, 200


def _hidden() -> frozenset[str]:
    """The names of the capabilities that the caller must not see."""
    if allowed("admin", own()):
        return frozenset()
    views = dependencies().manager.list_properties(flask.g.context, include_private=True)
    return frozenset(view.name for view in views if view.private)
