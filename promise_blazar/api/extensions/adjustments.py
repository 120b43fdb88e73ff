# SPDX-License-Identifier: Apache-2.0
"""Handlers of ``/v1/capacity/adjustments``: authorise, read, call, show."""

import uuid

import flask

from promise_blazar import exceptions
from promise_blazar.api.extensions import reader, schemas, writer
from promise_blazar.api.http import requests
from promise_blazar.api.http.dependencies import authorize, caller, dependencies, own
from promise_blazar.api.http.dialect import Answer, read
from promise_blazar.manager.contract.adjustments import AdjustmentView
from promise_blazar.policies import adjustments as policies


def index() -> Answer:
    """``{"adjustments", "adjustments_links"}``. Raises ``BadInput``."""
    authorize(policies.LIST, own())
    asked = reader.query(schemas.ADJUSTMENT_LIST_QUERY)
    selection = reader.adjustment_selection(asked)
    return writer.adjustments(
        dependencies().manager.list_adjustments(flask.g.context, selection)
    ), 200


def create() -> Answer:
    """The adjustment, 201; a dry run 200, without id. Raises what ``create_adjustment`` does."""
    authorize(policies.CREATE, own())
    asked = reader.query(schemas.ADJUSTMENT_CREATE_QUERY)
    dry_run = reader.flag(asked, "dry_run")
    body = read(schemas.ADJUSTMENT)
    request = reader.adjustment_request(body)
    key = requests.idempotency_key("POST /v1/capacity/adjustments", body)
    view = dependencies().manager.create_adjustment(caller(), request, key, dry_run)
    return writer.adjustment(view), 200 if dry_run else 201


def show(adjustment_id: str) -> Answer:
    """The adjustment. Raises ``NotFound``."""
    authorize(policies.SHOW, own())
    reader.query(schemas.NO_QUERY)
    return writer.adjustment(_found(adjustment_id)), 200


def delete(adjustment_id: str) -> Answer:
    """Nothing, 204; forced, or a dry run, ``{"affected", "affected_count"}``, 200.

    Raises ``NotFound``, ``AdjustmentConflict``.
    """
    authorize(policies.DELETE, own())
    asked = reader.query(schemas.ADJUSTMENT_DELETE_QUERY)
    dry_run, force = reader.flag(asked, "dry_run"), reader.flag(asked, "force")
    number = reader.adjustment_id(adjustment_id)
    message = str(uuid.uuid4())
    try:
        affected = dependencies().manager.delete_adjustment(
            caller(), number, force, dry_run, message
        )
    except exceptions.NotFound:
        raise exceptions.NotFound(object={"adjustment_id": adjustment_id}) from None
    return (writer.affected(affected), 200) if dry_run or force else (None, 204)


def _found(text: str) -> AdjustmentView:
    """Raises the same ``NotFound`` for what cannot be an id and for what none has."""
    try:
        return dependencies().manager.get_adjustment(flask.g.context, reader.adjustment_id(text))
    except exceptions.NotFound:
        raise exceptions.NotFound(object={"adjustment_id": text}) from None
