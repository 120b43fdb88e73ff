# SPDX-License-Identifier: Apache-2.0
"""JSON schemas of what our extensions answer. An answer has no members but these."""

from typing import Any

from promise_blazar.api.extensions.schemas import UUID, members
from promise_blazar.api.http.schema import Schema

_instant = {"type": "string", "format": "date-time"}
_instant_or_null = {"type": ["string", "null"], "format": "date-time"}
_text_or_null = {"type": ["string", "null"]}
_uuid = {"type": "string", "pattern": UUID}
_uuids = {"type": "array", "items": _uuid}
_amount = {"type": "integer", "minimum": 0}


def _all(properties: dict[str, Any]) -> dict[str, Any]:
    """An object that has each of these."""
    return members(properties, required=list(properties))


_count = {"type": "integer", "minimum": 0}
_window = _all({"start": _instant, "end": _instant})
_figures = {
    # What was withdrawn from what there is not (a host that has gone) may be more than there is.
    "total": {"type": "integer"},
    "reserved": _amount,
    "used": _amount,
    "available": _amount,
    "shortfall": _amount,
}
_reason = members(
    {
        "check": {"type": "string"},
        "reservation": _amount,
        "hosts": _amount,
        "text": {"type": "string"},
        "window": {**_window, "type": ["object", "null"]},
    },
    required=["check", "hosts", "text", "window"],
)
_reasons = {"type": "array", "items": _reason}
_most = {"type": "object", "additionalProperties": _amount}

CAPACITY = Schema(
    members(
        {
            "window": _window,
            "capacity": {
                "type": "object",
                "additionalProperties": _all({**_figures, "at": _instant}),
            },
            "series": {
                "type": "array",
                "items": members(
                    {"at": _instant}, required=["at"], additionalProperties=_all(_figures)
                ),
            },
            "fits": _all({"pool": _amount, "hosts": _amount, "count": _amount}),
        },
        required=["window", "capacity"],
    )
)

AVAILABILITY = Schema(
    members(
        {
            "windows": {"type": "array", "items": _window},
            "reasons": _reasons,
            "fits": _most,
            "searched_until": _instant,
        },
        required=["windows", "reasons", "fits"],
    )
)

_adjustment = {
    "provider": {"type": "string"},
    "zone": _text_or_null,
    "start": _instant,
    "end": _instant_or_null,
    "resources": {"type": "object", "additionalProperties": {"type": "integer"}},
    "source": {**_uuid, "type": ["string", "null"]},
    "project_ids": {"type": "array", "items": {"type": "string"}},
    "affected": _uuids,
    "affected_count": _count,
}
_made = _all({"id": _uuid, **_adjustment, "created_at": _instant})

ADJUSTMENT = Schema(_made)
#: Of a dry run: nothing has an id.
ADJUSTMENT_TRIED = Schema(
    _all({"id": {"type": "null"}, **_adjustment, "created_at": _instant_or_null})
)
ADJUSTMENTS = Schema(
    _all(
        {
            "adjustments": {"type": "array", "items": _made},
            "adjustments_links": {
                "type": "array",
                "items": _all({"rel": {"const": "next"}, "href": {"type": "string"}}),
            },
        }
    )
)
AFFECTED = Schema(_all({"affected": _uuids, "affected_count": _count}))

#: RFC 9457, with the error's stable code and what else is known.
PROBLEM = Schema(
    members(
        {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": _text_or_null,
            "reasons": _reasons,
            "request_id": _text_or_null,
            "affected": _uuids,
            "affected_count": _count,
            "fits": _most,
            "alternatives": {
                "type": "array",
                "items": _all({"start_date": _instant, "end_date": _instant}),
            },
            "retry_after": {"type": "number"},
        },
        required=["type", "title", "status", "detail", "code", "reasons", "request_id"],
    )
)
