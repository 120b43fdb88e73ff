# SPDX-License-Identifier: Apache-2.0
"""OpenAPI 3.1 document of our extensions, from the schemas that requests and answers have."""

import http
import re
from typing import Any

from promise_blazar.api.extensions import answers, problems
from promise_blazar.api.extensions.operations import ALWAYS, OPERATIONS, Operation
from promise_blazar.api.http import versions
from promise_blazar.api.http.schema import Schema, closed

PREFIX = "/v1"
#: Of answers that are worth another try, later.
_LATER = (429, 503)

#: Headers of requests.
HEADERS: dict[str, dict[str, Any]] = {
    "Idempotency-Key": {
        "description": "The answer of a create that was done is kept under its key and given again"
        " to the same request.",
        "schema": {"type": "string", "pattern": "^[ -~]{1,255}$"},
    },
    "If-None-Match": {
        "description": "ETags of answers that the client has; one that still holds is answered"
        " 304.",
        "schema": {"type": "string"},
    },
}
#: Headers of answers.
ANSWERED = {
    "ETag": {"description": "Of this very answer.", "schema": {"type": "string"}},
    "Retry-After": {
        "description": "Seconds after which the request is worth another try.",
        "schema": {"type": "integer", "minimum": 1},
    },
}


def document() -> dict[str, Any]:
    """The whole of it, as JSON takes it."""
    paths: dict[str, Any] = {}
    for (verb, path), operation in OPERATIONS.items():
        written = PREFIX + re.sub("<(.*?)>", r"{\1}", path)
        paths.setdefault(written, {})[verb.lower()] = _operation(operation, written)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Reservation API: capacity",
            "version": versions.text(versions.MAX_VERSION),
            "description": "What promise-blazar adds to Blazar's API: how much is free, when, and"
            " what is on offer.",
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The reservation service of the catalog"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-Auth-Token",
                    "description": "Keystone's, scoped to a project.",
                }
            },
            "schemas": {"Problem": _published(answers.PROBLEM)},
        },
    }


def _operation(operation: Operation, path: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": operation.description,
        "parameters": [
            *(_of_path(name) for name in re.findall("{(.*?)}", path)),
            *_of_query(operation.query),
            *({"name": name, "in": "header", **HEADERS[name]} for name in operation.headers),
        ],
        "responses": {
            **{
                str(status): _answer(status, schema, operation)
                for status, schema in sorted(operation.answers.items())
            },
            **{str(status): _problem(status) for status in sorted({*ALWAYS, *operation.refusals})},
        },
    }
    if operation.body is not None:
        content = {"application/json": {"schema": _published(operation.body)}}
        found["requestBody"] = {"required": True, "content": content}
    return found


def _of_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _of_query(schema: Schema) -> list[dict[str, Any]]:
    """Parameters; one that may be repeated is a list."""
    return [
        {"name": name, "in": "query", "schema": member}
        for name, member in _published(schema)["properties"].items()
    ]


def _answer(status: int, schema: Schema | None, operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {"description": http.HTTPStatus(status).phrase}
    if operation.answered_headers:
        found["headers"] = {name: ANSWERED[name] for name in operation.answered_headers}
    if schema is not None:
        found["content"] = {"application/json": {"schema": _published(schema)}}
    return found


def _problem(status: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": http.HTTPStatus(status).phrase,
        "content": {problems.MIMETYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in _LATER:
        found["headers"] = {"Retry-After": ANSWERED["Retry-After"]}
    return found


def _published(schema: Schema) -> dict[str, Any]:
    """As others check by it: closed, and with patterns that every language reads."""
    found: dict[str, Any] = _portable(closed(schema.document))
    return found


def _portable(value: Any) -> Any:
    if isinstance(value, list):
        return [_portable(each) for each in value]
    if not isinstance(value, dict):
        return value
    found = {name: _portable(each) for name, each in value.items()}
    if isinstance(found.get("pattern"), str):
        found["pattern"] = _pattern(found["pattern"])
    if found.get("additionalProperties") == _NOTHING:
        found["additionalProperties"] = False
    return found


_NOTHING = {"not": {}, "description": "left out"}


def _pattern(python: str) -> str:
    r"""``\Z`` is Python's alone; and a character that cannot be shown is written ``\u001b``."""
    text = re.sub(r"\\Z$", "$", python)
    return "".join(c if " " <= c <= "~" else f"\\u{ord(c):04x}" for c in text)
