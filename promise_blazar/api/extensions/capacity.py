# SPDX-License-Identifier: Apache-2.0
"""Handler of ``/v1/capacity``: authorise, read, call, show."""

import contextlib
from typing import Any

import flask

from promise_blazar import exceptions
from promise_blazar.api.extensions import flavors, reader, schemas, writer
from promise_blazar.api.http.dependencies import (
    allowed,
    authorize,
    caller,
    dependencies,
    own,
)
from promise_blazar.api.http.dialect import Answer
from promise_blazar.manager.contract.questions import CapacityQuestion
from promise_blazar.policies import capacity as policies


def show() -> Answer:
    """``{"window", "capacity", "series", "fits"}``.

    Raises ``BadInput``, ``Busy``, ``TooManyRequests``.
    """
    authorize(policies.GET, own())
    dependencies().questions.spend(flask.g.context.project_id)
    asked = reader.query(schemas.CAPACITY_QUERY, repeated=["resource_class"])
    view = _view(asked)
    flavor = flavors.find(asked["flavor"]) if "flavor" in asked else None
    question = reader.capacity_question(asked, flavor, view)
    with _place(question):
        answer = dependencies().manager.capacity(caller(), question)
        return writer.Tagged(writer.capacity(answer)), 200


def _place(question: CapacityQuestion) -> contextlib.AbstractContextManager[None]:
    """Among the large answers, for one that may be. Raises ``Busy``."""
    if not question.series or question.end is None:
        return contextlib.nullcontext()
    return dependencies().large.place(flask.g.context.project_id)


def _view(asked: dict[str, Any]) -> str | None:
    """The project whose view is shown; None: the whole provider, for an administrator."""
    mine: str = flask.g.context.project_id
    project: str | None = asked.get("project_id")
    if allowed("admin", own()):
        return project
    if project not in (None, mine):
        raise exceptions.Forbidden("Only an administrator may ask for the view of another project")
    return mine
