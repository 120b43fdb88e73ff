# SPDX-License-Identifier: Apache-2.0
"""JSON bodies: of a request as an object, or a clear 400; and of a response.

Reading is stricter than ``json.loads``, so that nothing odd reaches a schema or a database: no
duplicate keys, no NaN or infinity, no integer beyond 64 bits, no NUL, no lone surrogate, no deep
nesting.
"""

import json
import math
from typing import Any

import flask
from werkzeug.exceptions import UnsupportedMediaType

from promise_blazar import exceptions

MAX_DEPTH = 16
_MAX_INTEGER = 2**63


def read_object() -> dict[str, Any]:
    """The JSON object in the body of the current request.

    Raises ``BadInput``, and ``UnsupportedMediaType`` for a body that is compressed.
    """
    coding = flask.request.headers.get("Content-Encoding", "identity")
    if coding.strip().lower() not in ("", "identity"):
        raise UnsupportedMediaType(f"The body must not be encoded, as {coding!r} says it is")
    if flask.request.mimetype not in ("", "application/json"):
        raise exceptions.BadInput(
            f"The content type must be application/json, not {flask.request.mimetype!r}"
        )
    return parse_object(flask.request.get_data(cache=False))


def parse_object(raw: bytes) -> dict[str, Any]:
    """A JSON object from its bytes. Raises ``BadInput``."""
    if not raw.strip():
        raise exceptions.BadInput("The request body is empty; a JSON object is expected")
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_float,
            parse_int=_integer,
        )
    except UnicodeDecodeError:
        raise exceptions.BadInput("The request body is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise exceptions.BadInput(
            f"The request body is not valid JSON: {error.msg} at line {error.lineno},"
            f" column {error.colno}"
        ) from None
    except RecursionError:
        raise _too_deep() from None
    if not isinstance(value, dict):
        raise exceptions.BadInput("The request body must be a JSON object")
    _check(value)
    return value


def write(document: Any, status: int) -> flask.Response:
    """A response with this document as JSON; bytes are JSON already, None is no body at all."""
    if document is None:
        return flask.Response(status=status)
    if isinstance(document, bytes):
        return flask.Response(document, status, mimetype="application/json")
    response = flask.jsonify(document)
    response.status_code = status
    return response


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise exceptions.BadInput(f"{_short(twice)} appears twice in the same JSON object")
    return found


def _constant(text: str) -> Any:
    raise exceptions.BadInput(f"{text} is not a JSON number")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise exceptions.BadInput(f"The number {_short(text)} is too large")
    return number


def _integer(text: str) -> int:
    # Python refuses to convert thousands of digits, with another error; so count them first.
    if len(text) > 20 or not -_MAX_INTEGER <= int(text) < _MAX_INTEGER:
        raise exceptions.BadInput(f"The number {_short(text)} is too large")
    return int(text)


def _check(value: Any) -> None:
    """Depth and text of all that is inside. Without recursion: the depth is the client's."""
    waiting = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, str):
            _check_text(item)
        elif isinstance(item, dict | list):
            if depth > MAX_DEPTH:
                raise _too_deep()
            if isinstance(item, dict):
                waiting.extend((key, depth) for key in item)
            inside = item.values() if isinstance(item, dict) else item
            waiting.extend((child, depth + 1) for child in inside)


def _check_text(text: str) -> None:
    if "\0" in text:
        raise exceptions.BadInput("Text must not contain a NUL character")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise exceptions.BadInput("Text must not contain half of a surrogate pair") from None


def _too_deep() -> exceptions.BadInput:
    return exceptions.BadInput(f"The request body is nested more than {MAX_DEPTH} levels deep")


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
