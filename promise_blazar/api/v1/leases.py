# SPDX-License-Identifier: Apache-2.0
"""Handlers of ``/v1/leases``: authorise, read, call, show.

Each takes the parameters of its path and returns a document and a status. They raise the errors
of ``promise_blazar.exceptions`` and know nothing of what HTTP makes of them.
"""

import contextlib
import dataclasses
import functools
import uuid
from collections.abc import Iterator
from urllib.parse import urlencode

import flask
import msgspec
from oslo_log import log as logging

from promise_blazar import exceptions
from promise_blazar.api.http import requests
from promise_blazar.api.http.dependencies import (
    allowed,
    authorize,
    caller,
    dependencies,
    own,
)
from promise_blazar.api.http.dialect import Answer, read
from promise_blazar.api.http.lease_cache import Shown
from promise_blazar.api.v1 import groups, reader, schemas, writer
from promise_blazar.manager.contract.messages import (
    LeaseChange,
    LeaseRequest,
    LeaseSelection,
    LeaseView,
)
from promise_blazar.policies import leases as policies

LOG = logging.getLogger(__name__)


def index() -> Answer:
    """``{"leases": [...]}``: the project's own, of every project for those who may see all."""
    authorize(policies.GET, own())
    manager, cache = dependencies().manager, dependencies().lease_cache
    scope = None if allowed(policies.GET, {}) else flask.g.context.project_id
    selection = reader.lease_selection()
    if selection is not None:
        return _page(scope, selection), 200
    known = cache.of(scope)
    revisions = {lease_id: each.revision for lease_id, each in known.items()}
    there = manager.list_leases(flask.g.context, scope, revisions)
    changed = {view.id: _shown(view) for view in there.changed}
    leases = [changed.get(lease_id) or known[lease_id] for lease_id in there.ids]
    cache.replace(scope, leases)
    leases = _visible_among(leases, scope)
    return b'{"leases":[' + b",".join(each.text for each in leases) + b"]}", 200


def create() -> Answer:
    """``{"lease": ...}``, 201; a dry run 200, without ids. Raises what ``create_lease`` does."""
    authorize(policies.POST, own())
    dry_run = _trying()
    body = read(schemas.LEASE_CREATE, first=reader.check_numbers)
    request = _with_ids(reader.lease_request(body))
    key = requests.idempotency_key("POST /v1/leases", body)
    with _waiting() as wait:
        view = dependencies().manager.create_lease(caller(), request, key, dry_run, wait)
    if dry_run:
        return {"lease": writer.lease(view)}, 200
    if view.groups_wanted:
        view = _with_groups_or_nothing(view)
    return {"lease": writer.lease(view)}, 201


def show(lease_id: str) -> Answer:
    """``{"lease": ...}``. Raises ``NotFound``."""
    known = dependencies().lease_cache.one(flask.g.context.project_id, lease_id)
    if known is None:
        view: LeaseView | None = _visible(lease_id)
    else:
        view = dependencies().manager.look_at_lease(flask.g.context, lease_id, known.revision)
    if view is not None:
        known = _shown(view)
        if not view.archived:
            dependencies().lease_cache.keep(known)
    if not allowed(policies.GET, _target(known) if view is None else _readers(view)):
        raise exceptions.NotFound(object={"lease_id": lease_id})
    return b'{"lease":' + known.text + b"}", 200


def update(lease_id: str) -> Answer:
    """``{"lease": ...}`` as it is then. Raises what ``update_lease`` does."""
    current = _visible(lease_id)
    authorize(policies.PUT, _target(current))
    dry_run = _trying()
    body = read(schemas.LEASE_UPDATE, first=requests.check_number_of_reservations)
    change = reader.lease_change(body)
    if change == LeaseChange():
        return {"lease": writer.lease(current)}, 200
    # A group made by somebody else's token is "not found" to the owner's servers.
    mine = current.project_id == flask.g.context.project_id
    with _waiting() as wait:
        if mine and not dry_run:
            view = _updated(current.id, change, wait)
        else:
            view = dependencies().manager.update_lease(caller(), current.id, change, dry_run, wait)
    return {"lease": writer.lease(view)}, 200


def delete(lease_id: str) -> Answer:
    """Nothing, 204, when all is free or after a while; a dry run ``{}``, 200. Raises
    ``NotFound``."""
    current = _visible(lease_id)
    authorize(policies.DELETE, _target(current))
    dry_run = reader.dry_run()
    with _waiting() as wait:
        dependencies().manager.delete_lease(flask.g.context, current.id, dry_run, wait)
    return ({}, 200) if dry_run else (None, 204)


def _page(scope: str | None, selection: LeaseSelection) -> bytes:
    """Some of the leases; with pages also where the next one is, if there is one.

    What they have of the window is a question. Raises ``TooManyRequests``.
    """
    if selection.utilization:
        _spend()
    found = dependencies().manager.page_leases(flask.g.context, scope, selection)
    leases = _visible_among([_shown(view) for view in found.leases], scope)
    text = b'{"leases":[' + b",".join(each.text for each in leases) + b"]"
    if found.utilization is not None:
        text += b',"utilization":' + msgspec.json.encode(found.utilization)
    if selection.limit is None:
        return text + b"}"
    links = []
    if found.more and found.leases:
        query = flask.request.args.to_dict() | {"marker": found.leases[-1].id}
        links.append({"rel": "next", "href": f"{flask.request.base_url}?{urlencode(query)}"})
    return text + b',"leases_links":' + msgspec.json.encode(links) + b"}"


def _trying() -> bool:
    """Whether it is only to be tried, which is a question. Raises ``TooManyRequests``."""
    dry_run = reader.dry_run()
    if dry_run:
        _spend()
    return dry_run


def _spend() -> None:
    """One question of the caller's project."""
    dependencies().questions.spend(flask.g.context.project_id)


def _visible_among(leases: list[Shown], scope: str | None) -> list[Shown]:
    """Of a project's leases, or of all (None), those that the caller may see."""
    if scope is None:
        return leases
    # An operator's rule may be narrower than the project. One decision for each of their users,
    # not for each lease: it is dearer than the lease.
    visible = functools.cache(lambda *owner: allowed(policies.GET, dict(owner)))
    return [each for each in leases if visible(*_target(each).items())]


def _target(lease: LeaseView | Shown) -> dict[str, str]:
    return {"project_id": lease.project_id, "user_id": lease.user_id}


def _readers(view: LeaseView) -> dict[str, str]:
    """As ``_target``; of an archived lease, nobody but those who may see all."""
    return {} if view.archived else _target(view)


def _shown(view: LeaseView) -> Shown:
    text = msgspec.json.encode(writer.lease(view))
    return Shown(view.id, view.revision, view.project_id, view.user_id, text)


def _visible(text: str) -> LeaseView:
    """The lease, if there is one for this caller.

    Raises the same ``NotFound`` for a lease that is not there and for another project's.
    """
    lease_id = reader.lease_id(text)
    missing = exceptions.NotFound(object={"lease_id": lease_id})
    try:
        view = dependencies().manager.get_lease(flask.g.context, lease_id)
    except exceptions.NotFound:
        raise missing from None
    if not allowed(policies.GET, _readers(view)):
        raise missing
    return view


@contextlib.contextmanager
def _waiting() -> Iterator[float | None]:
    """How long the request in this block may wait for what it asks for: as long as the manager
    lets it (None), or not at all, where enough others do."""
    with dependencies().waiters.place() as free:
        yield None if free else 0


def _with_ids(request: LeaseRequest) -> LeaseRequest:
    """So that the same message, twice, asks for one lease."""
    reservations = tuple(
        dataclasses.replace(each, id=str(uuid.uuid4())) for each in request.reservations
    )
    return dataclasses.replace(request, id=str(uuid.uuid4()), reservations=reservations)


def _updated(lease_id: str, change: LeaseChange, wait: float | None) -> LeaseView:
    """The lease after a change by its owner, whose server groups are made before it.

    Refused means unchanged: a group that cannot be made refuses the change, and a change that is
    refused has none.
    """
    update = dependencies().manager.update_lease
    change = dataclasses.replace(change, groups=())
    try:
        view = update(caller(), lease_id, change, False, wait)
    except exceptions.GroupsWanted as wanted:
        made = groups.make(wanted.facts["groups"])
        change = dataclasses.replace(change, groups=made)
        try:
            view = update(caller(), lease_id, change, False, wait)
        except exceptions.Unavailable:
            raise  # it may have happened, or may happen yet
        except exceptions.PromiseBlazarError:
            groups.remove(made)
            raise
    return groups.add_if_possible(view) if view.groups_wanted else view


def _with_groups_or_nothing(view: LeaseView) -> LeaseView:
    """The groups of a lease just made, which a failure takes back: refused means unchanged."""
    try:
        return groups.add(view)
    except Exception:
        complete = _complete(view)
        if complete is not None:
            return complete
        LOG.warning("No server group for lease %s; the lease is taken back", view.id)
        _take_back(view)
        raise


def _complete(view: LeaseView) -> LeaseView | None:
    """The lease, if a repetition of this create has made its groups, and was answered so."""
    try:
        found = dependencies().manager.get_lease(flask.g.context, view.id)
    except exceptions.PromiseBlazarError:
        return None
    return None if found.groups_wanted else found


def _take_back(view: LeaseView) -> None:
    """Whatever becomes of it, the client is told why there was no group."""
    try:
        dependencies().manager.delete_lease(flask.g.context, view.id, wait=0)
    except exceptions.PromiseBlazarError as error:
        LOG.error("Lease %s could not be taken back: %s", view.id, error)
