# SPDX-License-Identifier: Apache-2.0
"""JSON schemas of the requests of v1.

What belongs to a resource type is
checked by its plugin; here stands only what holds for all of them. Text is bounded by what a
TEXT column of every supported database takes, in characters of four bytes.
"""

from typing import Any

from promise_blazar.api.http.schema import Schema
from promise_blazar.api.v1.writer import HOST_COLUMNS
from promise_blazar.model.text import PRINTABLE

TEXT = 16000
NAME = 80
CAPABILITY_KEY = 64
#: Of a lease, beside the service's own.
EVENTS = 100

UUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

_printable = {"pattern": PRINTABLE, "description": "printable text"}
_name = {"type": "string", "minLength": 1, "maxLength": NAME, **_printable}
_date = {"type": "string", "maxLength": 64}
_before_end = {"type": ["string", "null"], "maxLength": 64}
_resource_type = {"type": "string", "minLength": 1, "maxLength": 66}
_event_type = {"type": "string", "minLength": 1, "maxLength": 66, **_printable}
_text = {"maxLength": TEXT}
_uuid = {"type": "string", "pattern": UUID, "description": "a UUID"}
_flag = {
    "type": "string",
    "pattern": "^(?i:true|false|1|0|yes|no|on|off)$",
    "description": "true or false",
}
_scalar_types = ["string", "number", "boolean"]


def _object(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, **more}


LEASE_CREATE = Schema(
    _object(
        {
            "name": _name,
            "start_date": _date,
            "end_date": _date,
            "before_end_date": _before_end,
            "reservations": {
                "type": "array",
                "items": _object(
                    {"resource_type": _resource_type},
                    required=["resource_type"],
                    additionalProperties=_text,
                ),
            },
            "events": {
                "type": ["array", "null"],
                "items": _object(
                    {"event_type": _event_type, "time": _date, "event_date": _date},
                    required=["event_type"],
                ),
                "maxItems": EVENTS,
            },
        },
        required=["name", "start_date", "end_date"],
    )
)

LEASE_UPDATE = Schema(
    _object(
        {
            "name": _name,
            "start_date": _date,
            "end_date": _date,
            "before_end_date": _before_end,
            "reservations": {
                "type": "array",
                "items": _object(
                    {"id": {"type": "string", "maxLength": 64}, "resource_type": _resource_type},
                    required=["id"],
                    additionalProperties=_text,
                ),
            },
            "events": {"type": ["array", "null"]},
        }
    ),
    names={"id": "reservation ID"},
)

#: Keys are checked by the reader, which has Blazar's words for them.
HOST_CREATE = Schema(
    _object(
        {
            "name": {"type": "string", "minLength": 1, "maxLength": 255, **_printable},
            "id": {"type": ["string", "integer"], "maxLength": 255, **_printable},
        },
        additionalProperties={"type": _scalar_types, **_text, **_printable},
    )
)

#: What a host is shown with besides may be repeated, whatever it is.
HOST_UPDATE = Schema(
    _object(
        {column: {} for column in HOST_COLUMNS},
        additionalProperties={"type": [*_scalar_types, "null"], **_text, **_printable},
    )
)

PROPERTY_UPDATE = Schema(_object({"private": {"type": "boolean"}}, required=["private"]))

MUTATION_QUERY = Schema(_object({"dry_run": _flag}))

LEASE_QUERY = Schema(
    _object(
        {
            "limit": {
                "type": "string",
                "pattern": r"^([1-9][0-9]{0,2}|1000)\Z",
                "description": "a whole number from 1 to 1000",
            },
            "marker": _uuid,
            "sort": {
                "type": "string",
                "pattern": r"^(created_at|end_date|id|name|start_date|status)(:(asc|desc))?\Z",
                "description": "created_at, end_date, id, name, start_date or status,"
                " with :asc or :desc behind it or nothing",
            },
            "name": {"type": "string", "maxLength": NAME, **_printable},
            "status": {"type": "string", "maxLength": 16, **_printable},
            "start": _date,
            "end": _date,
            "utilization": _flag,
        }
    )
)

ALLOCATION_QUERY = Schema(_object({"lease_id": _uuid, "reservation_id": _uuid}))
