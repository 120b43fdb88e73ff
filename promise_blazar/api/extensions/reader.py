# SPDX-License-Identifier: Apache-2.0
"""Requests of our extensions: the parts of a path, a query and a body, as values for a manager."""

import re
import uuid
from collections.abc import Collection
from typing import Any

import flask
from oslo_utils import strutils

from promise_blazar import exceptions
from promise_blazar.api.extensions import schemas
from promise_blazar.api.http import requests
from promise_blazar.api.http.schema import Schema, UnknownMembers
from promise_blazar.manager.contract.adjustments import AdjustmentRequest, AdjustmentSelection
from promise_blazar.manager.contract.questions import (
    AvailabilityQuestion,
    CapacityQuestion,
    FlavorContent,
)

_UUID = re.compile(schemas.UUID)


def query(schema: Schema, repeated: Collection[str] = ()) -> dict[str, Any]:
    """The query: text by parameter, lists for those that may be ``repeated``.

    Raises ``BadInput``, also for a parameter that nobody knows or that is given twice.
    """
    found: dict[str, Any] = {}
    for name, values in flask.request.args.lists():
        if name in repeated:
            found[name] = values
        elif len(values) > 1:
            raise exceptions.BadInput(f"{name} must be given once, not {len(values)} times")
        else:
            found[name] = values[0]
    schema.check(found, UnknownMembers.REFUSED)
    return found


def flag(query: dict[str, Any], name: str, default: bool = False) -> bool:
    """A parameter that says yes or no; its schema has seen to that."""
    return bool(strutils.bool_from_string(query[name])) if name in query else default


def adjustment_id(text: str) -> str:
    """An adjustment's id from the path. Raises ``NotFound`` for what none can be called."""
    if not _UUID.match(text):
        raise exceptions.NotFound(object={"adjustment_id": text})
    return text


def capacity_question(
    asked: dict[str, Any], flavor: FlavorContent | None, project_id: str | None
) -> CapacityQuestion:
    """Of a query that its schema has passed. Raises ``InvalidDate``."""
    return CapacityQuestion(
        start=requests.date(asked.get("start", "now")),
        end=_date_or_none(asked.get("end")),
        zone=asked.get("zone"),
        provider=asked.get("provider"),
        resource_classes=tuple(dict.fromkeys(asked.get("resource_class", ()))),
        flavor=flavor,
        series=flag(asked, "series", default=True),
        project_id=project_id,
    )


def availability_question(body: dict[str, Any], project_id: str) -> AvailabilityQuestion:
    """Of a body that its schema has passed. Raises ``InvalidDate``."""
    return AvailabilityQuestion(
        reservations=requests.reservations(body),
        # JSON has one kind of number: 60.0 is as whole as 60.
        duration=int(body["duration"]),
        earliest=_date_or_none(body.get("earliest")),
        latest=_date_or_none(body.get("latest")),
        limit=int(body.get("limit", 1)),
        project_id=project_id,
    )


def adjustment_request(body: dict[str, Any]) -> AdjustmentRequest:
    """Of a body that its schema has passed; with an id, so that the same message, twice, asks for
    one. Raises ``BadInput``."""
    resources = {name: int(amount) for name, amount in body["resources"].items()}
    if not any(resources.values()):
        raise exceptions.BadInput("resources must have an amount that is not 0")
    return AdjustmentRequest(
        resources=resources,
        start=requests.date(body.get("start", "now")),
        end=_date_or_none(body.get("end")),
        zone=body.get("zone"),
        source=body.get("source"),
        project_ids=tuple(dict.fromkeys(body.get("project_ids", ()))),
        force=body.get("force", False),
        provider=body.get("provider"),
        id=str(uuid.uuid4()),
    )


def adjustment_selection(asked: dict[str, Any]) -> AdjustmentSelection:
    """Of a query that its schema has passed. Raises ``InvalidDate``."""
    dates = requests.instants(asked)
    sort, _, direction = asked.get("sort", "created_at").partition(":")
    return AdjustmentSelection(
        provider=asked.get("provider"),
        zone=asked.get("zone"),
        start=dates.get("start"),
        end=dates.get("end"),
        source=asked.get("source"),
        limit=int(asked.get("limit", schemas.PAGE)),
        marker=asked.get("marker"),
        sort=sort,
        descending=direction == "desc",
    )


def _date_or_none(text: str | None) -> str | None:
    return None if text is None else requests.date(text)
