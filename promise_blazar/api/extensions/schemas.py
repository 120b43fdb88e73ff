# SPDX-License-Identifier: Apache-2.0
"""JSON schemas of what our extensions are asked: bodies, and queries.

A query is an object of text; a parameter that may be repeated is a list. What belongs to a
resource type is checked by its plugin.
"""

from typing import Any

from promise_blazar.api.http.schema import Schema
from promise_blazar.model.text import PRINTABLE

UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z"
NAME = 255
TEXT = 16000
#: Entries of a page; as many where a request names no limit.
PAGE = 1000
#: Windows that one question is answered.
WINDOWS = 20
CLASSES = 100
PROJECTS = 1000
#: Of a class, either way; sums of very many stay below what a database counts to.
AMOUNT = 10**12
#: Seconds: a minute, and a hundred years.
SHORTEST, LONGEST = 60, 3_155_760_000


def members(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The schema of an object with these."""
    return {"type": "object", "properties": properties, **more}


_printable = {"pattern": PRINTABLE, "description": "printable text"}
_name = {"type": "string", "minLength": 1, "maxLength": NAME, **_printable}
_name_or_null = {**_name, "type": ["string", "null"]}
_date = {"type": "string", "maxLength": 64}
_date_or_null = {"type": ["string", "null"], "maxLength": 64}
_uuid = {"type": "string", "pattern": UUID, "description": "a UUID"}
_class = {
    "type": "string",
    "pattern": r"^[A-Z0-9_]{1,255}\Z",
    "description": "a resource class such as VCPU",
}
_flag = {
    "type": "string",
    "pattern": r"^(true|True|TRUE|false|False|FALSE|yes|no|on|off|1|0)\Z",
    "description": "true or false",
}
_limit = {
    "type": "string",
    "pattern": r"^([1-9][0-9]{0,2}|1000)\Z",
    "description": f"a whole number from 1 to {PAGE}",
}


def _whole(least: int, most: int) -> dict[str, Any]:
    return {
        "type": "integer",
        "minimum": least,
        "maximum": most,
        "description": f"a whole number from {least} to {most}",
    }


#: For what takes no query at all.
NO_QUERY = Schema(members({}))

CAPACITY_QUERY = Schema(
    members(
        {
            "start": _date,
            "end": _date,
            "zone": _name,
            "provider": _name,
            "resource_class": {"type": "array", "items": _class, "maxItems": CLASSES},
            "flavor": _name,
            "series": _flag,
            "project_id": _name,
        }
    )
)

AVAILABILITY = Schema(
    members(
        {
            "reservations": {
                "type": "array",
                "minItems": 1,
                "items": members(
                    {"resource_type": {"type": "string", "minLength": 1, "maxLength": 66}},
                    required=["resource_type"],
                    additionalProperties={"maxLength": TEXT},
                ),
            },
            "duration": _whole(SHORTEST, LONGEST),
            "earliest": _date_or_null,
            "latest": _date_or_null,
            "limit": _whole(1, WINDOWS),
        },
        required=["reservations", "duration"],
    )
)

ADJUSTMENT = Schema(
    members(
        {
            "provider": _name_or_null,
            "zone": _name_or_null,
            "start": _date,
            "end": _date_or_null,
            "resources": {
                "type": "object",
                "propertyNames": _class,
                "additionalProperties": _whole(-AMOUNT, AMOUNT),
                "minProperties": 1,
                "maxProperties": CLASSES,
                "description": f"amounts of at most {CLASSES} resource classes",
            },
            "source": {**_uuid, "type": ["string", "null"]},
            "project_ids": {"type": "array", "items": _name, "maxItems": PROJECTS},
            "force": {"type": "boolean"},
        },
        required=["resources"],
    )
)

ADJUSTMENT_CREATE_QUERY = Schema(members({"dry_run": _flag}))
ADJUSTMENT_DELETE_QUERY = Schema(members({"dry_run": _flag, "force": _flag}))

ADJUSTMENT_LIST_QUERY = Schema(
    members(
        {
            "provider": _name,
            "zone": _name,
            "start": _date,
            "end": _date,
            "source": _uuid,
            "limit": _limit,
            "marker": _uuid,
            "sort": {
                "type": "string",
                "pattern": r"^(created_at|end|id|start|zone)(:(asc|desc))?\Z",
                "description": "created_at, end, id, start or zone, with :asc or :desc behind it"
                " or nothing",
            },
        }
    )
)
