# SPDX-License-Identifier: Apache-2.0
"""JSON schemas of the requests of v1.

What belongs to a resource type is
checked by its plugin; here stands only what holds for all of them. Text is bounded by what a
TEXT column of every supported database takes, in characters of four bytes.
"""

from typing import Any

from promise_blazar.api.http.schema import Schema

TEXT = 16000
NAME = 80
CAPABILITY_KEY = 64

UUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

_name = {"type": "string", "minLength": 1, "maxLength": NAME}
_date = {"type": "string", "maxLength": 64}
_before_end = {"type": ["string", "null"], "maxLength": 64}
_resource_type = {"type": "string", "minLength": 1, "maxLength": 66}
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
            "events": {"type": ["array", "null"]},
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
            "name": {"type": "string", "minLength": 1, "maxLength": 255},
            "id": {"type": ["string", "integer"], "maxLength": 255},
        },
        additionalProperties={"type": _scalar_types, **_text},
    )
)

HOST_UPDATE = Schema(
    {"type": "object", "additionalProperties": {"type": [*_scalar_types, "null"], **_text}}
)

PROPERTY_UPDATE = Schema(_object({"private": {"type": "boolean"}}, required=["private"]))

MUTATION_QUERY = Schema(_object({"dry_run": _flag}))

ALLOCATION_QUERY = Schema(_object({"lease_id": _uuid, "reservation_id": _uuid}))
