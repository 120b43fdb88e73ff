# SPDX-License-Identifier: Apache-2.0
"""Calendar: a dialect that shows a project's leases as entries, and changes nothing."""

import http
from typing import Any

import flask

from promise_blazar import exceptions
from promise_blazar.api.http import bodies
from promise_blazar.api.http.dependencies import allowed, authorize, dependencies
from promise_blazar.api.http.dialect import Answer, Dialect, ErrorBody, Problem
from promise_blazar.api.http.schema import UnknownMembers
from promise_blazar.manager.contract.messages import LeaseView
from promise_blazar.policies import leases as policies

# Handlers: authorise, read, call, show


def index() -> Answer:
    """``{"entries": [...]}``, the project's own."""
    context = flask.g.context
    authorize(policies.GET, {"project_id": context.project_id, "user_id": context.user_id})
    found = dependencies().manager.list_leases(context, context.project_id)
    return {"entries": [_entry(view) for view in found.changed if _visible(view)]}, 200


def show(lease_id: str) -> Answer:
    """``{"entry": ...}``. Raises ``NotFound``, also for another project's lease."""
    view = dependencies().manager.get_lease(flask.g.context, lease_id)
    if not _visible(view):
        raise exceptions.NotFound(object={"lease_id": lease_id})
    return {"entry": _entry(view)}, 200


def _visible(view: LeaseView) -> bool:
    return allowed(policies.GET, {"project_id": view.project_id, "user_id": view.user_id})


# Words


def _entry(view: LeaseView) -> dict[str, Any]:
    return {
        "id": view.id,
        "title": view.name,
        "from": view.start.isoformat(),
        "until": view.end.isoformat(),
        "confirmed": view.status != "ERROR",
    }


def problem_details(problem: Problem) -> ErrorBody:
    """RFC 9457, with the error's stable code."""
    document = {
        "title": http.HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.message,
    }
    if problem.error is not None:
        document["code"] = problem.error.code
    return ErrorBody(document, "application/problem+json")


# The dialect

DIALECT = Dialect(
    name="calendar",
    prefix="/calendar",
    routes={"/entries": {"GET": index}, "/entries/<lease_id>": {"GET": show}},
    reader=bodies.read_object,
    writer=bodies.write,
    error_body=problem_details,
    unknown_members=UnknownMembers.REFUSED,
)
