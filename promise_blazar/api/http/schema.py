# SPDX-License-Identifier: Apache-2.0
"""JSON schemas of requests, whose faults are told in a sentence."""

import enum
import functools
from typing import Any

import jsonschema

from promise_blazar import exceptions

_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "an integer",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}


class UnknownMembers(enum.Enum):
    """What becomes of members of an object that its schema does not name."""

    IGNORED = "ignored"
    REFUSED = "refused"


class Schema:
    """A JSON schema (draft 2020-12), compiled once.

    ``names``: members that an error calls otherwise than the schema does. ``document``: the schema
    as it was given.
    """

    def __init__(self, document: dict[str, Any], names: dict[str, str] | None = None) -> None:
        jsonschema.Draft202012Validator.check_schema(document)
        self.document = document
        self._open = jsonschema.Draft202012Validator(document)
        self._names = names or {}

    def check(self, value: Any, unknown: UnknownMembers = UnknownMembers.IGNORED) -> None:
        """Raises ``MissingParameter`` or ``BadInput`` with the first fault, outermost first.

        An object whose schema says what its other members are like (``additionalProperties``)
        has no unknown ones.
        """
        validator = self._open if unknown is UnknownMembers.IGNORED else self._closed
        faults = sorted(validator.iter_errors(value), key=lambda fault: len(fault.path))
        if faults:
            raise self._explain(faults[0])

    @functools.cached_property
    def _closed(self) -> jsonschema.Draft202012Validator:
        return jsonschema.Draft202012Validator(closed(self.document))

    def _explain(self, fault: jsonschema.ValidationError) -> exceptions.BadInput:
        if fault.validator == "required":
            missing = next(name for name in fault.validator_value if name not in fault.instance)
            return exceptions.MissingParameter(param=self._names.get(missing, missing))
        return exceptions.BadInput(f"{_place(fault)} must {_demand(fault)}")


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema, whose objects have no members but those that it names."""
    found = dict(schema)
    if "properties" in schema:
        members = schema["properties"]
        found["properties"] = {name: closed(member) for name, member in members.items()}
        found.setdefault("additionalProperties", {"not": {}, "description": "left out"})
    if "items" in schema:
        found["items"] = closed(schema["items"])
    if isinstance(schema.get("additionalProperties"), dict):
        found["additionalProperties"] = closed(schema["additionalProperties"])
    return found


def _place(fault: jsonschema.ValidationError) -> str:
    """``reservations[0].min``"""
    text = "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}" for step in fault.absolute_path
    )
    return text.lstrip(".") or "The request"


def _demand(fault: jsonschema.ValidationError) -> str:
    limit = fault.validator_value
    match fault.validator:
        case "type":
            types = [limit] if isinstance(limit, str) else limit
            wanted = " or ".join(_TYPES[name] for name in types)
            return f"be {wanted}, not {shown(fault.instance)}"
        case "enum":
            return f"be one of {', '.join(map(shown, limit))}, not {shown(fault.instance)}"
        case "minLength" | "minItems" | "minProperties":
            return "not be empty"
        case "maxLength":
            return f"be at most {limit} characters long"
        case "maxItems":
            return f"have at most {limit} entries"
        case _:
            return f"be {fault.schema['description']}, not {shown(fault.instance)}"


def shown(value: Any) -> str:
    """A client's value as it is quoted back: never long, whatever was sent."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case dict():
            return "an object"
        case list():
            return "a list"
        case str() if len(value) > 40:
            return repr(value[:37] + "...")
        case _:
            return repr(value)
