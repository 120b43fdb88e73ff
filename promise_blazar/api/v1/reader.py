# SPDX-License-Identifier: Apache-2.0
"""What several handlers of v1 read from a request."""

import hashlib
import json
import re
from typing import Any

import flask
from oslo_utils import strutils

from promise_blazar import exceptions, times
from promise_blazar.api.v1 import schemas
from promise_blazar.manager.contract.messages import IdempotencyKey

_UUID = re.compile(schemas.UUID)
_HOST_ID = re.compile("[0-9]{1,18}")
_KEY = re.compile("[\x20-\x7e]{1,255}")


def lease_id(text: str) -> str:
    """A lease's id from the path. Raises ``NotFound`` for what no lease can be called."""
    if not _UUID.fullmatch(text):
        raise exceptions.NotFound(object={"lease_id": text})
    return text


def host_id(text: str) -> str:
    """A host's id from the path. Raises ``NotFound`` for what no host can be called."""
    if not _HOST_ID.fullmatch(text):
        raise exceptions.NotFound(object={"host_id": text})
    return text


def date(text: str) -> str:
    """``now`` as it is, Blazar's minutes in ISO 8601. Raises ``InvalidDate``."""
    return text if text == "now" else times.parse_minute(text).isoformat()


def dry_run() -> bool:
    """Only to be tried? Raises ``BadInput`` for neither yes nor no: guessing might be dear."""
    query = flask.request.args.to_dict()
    schemas.MUTATION_QUERY.check(query)
    return bool(strutils.bool_from_string(query.get("dry_run", "false")))


def refuse_dry_run() -> None:
    """For calls that cannot be tried. Raises ``BadInput``."""
    if dry_run():
        raise exceptions.BadInput("dry_run is not supported here; nothing was done")


def flag(name: str) -> bool:
    """A word of the query that is on when it is there, unless it says no."""
    return bool(strutils.bool_from_string(flask.request.args.get(name, "false"), default=True))


def idempotency_key(operation: str, body: dict[str, Any]) -> IdempotencyKey | None:
    """The ``Idempotency-Key`` of a create, if it has one. Raises ``BadInput``."""
    key = flask.request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise exceptions.BadInput("Idempotency-Key must be 1 to 255 printable ASCII characters")
    request = [operation, flask.g.context.project_id, body]
    canonical = json.dumps(request, sort_keys=True, separators=(",", ":"))
    return IdempotencyKey(key, hashlib.sha256(canonical.encode()).hexdigest())
