# SPDX-License-Identifier: Apache-2.0
"""Parts of requests that dialects share: dates, keys of creates, reservations of a lease."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import flask

from promise_blazar import exceptions, times
from promise_blazar.api.http.dependencies import dependencies
from promise_blazar.manager.contract.messages import IdempotencyKey, ReservationRequest

_KEY = re.compile("[\x20-\x7e]{1,255}")


def date(text: str) -> str:
    """A date for the manager: ``now`` as it is, all others in ISO 8601 and UTC.

    Raises ``InvalidDate``.
    """
    return text if text == "now" else times.parse_date(text).isoformat()


def instants(query: Mapping[str, str]) -> dict[str, datetime]:
    """The ``start`` and ``end`` of a query that has them; ``now``: the present minute.

    Raises ``InvalidDate``.
    """
    now = dependencies().clock.now()
    return {name: times.parse(query[name], now) for name in ("start", "end") if name in query}


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


def reservations(body: dict[str, Any]) -> tuple[ReservationRequest, ...]:
    """Those that a lease asks for, of a body that its schema has passed."""
    return tuple(
        ReservationRequest(
            entry["resource_type"],
            {key: value for key, value in entry.items() if key != "resource_type"},
        )
        for entry in body.get("reservations", ())
    )


def check_number_of_reservations(body: dict[str, Any]) -> None:
    """Before the schema, which would take seconds to find fault with thousands of them.

    Raises ``BadInput``.
    """
    check_number(body, "reservations", dependencies().conf.api.max_reservations_per_lease)


def check_number(body: dict[str, Any], name: str, limit: int) -> None:
    """The same of any list in a body."""
    if isinstance(body.get(name), list) and len(body[name]) > limit:
        raise exceptions.BadInput(f"{name} must have at most {limit} entries")
