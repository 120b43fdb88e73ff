# SPDX-License-Identifier: Apache-2.0
"""Inputs as clients of Blazar send them: numbers and queries as text, affinity in many words."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from promise_blazar import exceptions
from promise_blazar.capacity import resource_query

#: What fits every database's INTEGER; far above any cloud.
LARGEST = 2**31 - 1

_AFFINITY = {"true": True, "false": False, "none": None, "null": None, "": None}


class Heeded(Mapping[str, Any]):
    """A client's keys, and which of them nobody has looked at."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self.unheeded = set(values)

    def __getitem__(self, name: str) -> Any:
        self.unheeded.discard(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        self.unheeded.clear()
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def integer(values: Mapping[str, Any], name: str, least: int) -> int:
    """A whole number, also as text. Raises ``MissingParameter``, ``MalformedParameter``."""
    value = _required(values, name)
    if isinstance(value, str) and value.strip().isdecimal() and len(value) <= 12:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= LARGEST:
        raise exceptions.MalformedParameter(
            f"Malformed parameter {name}: a whole number of at least {least} is needed, "
            f"not {shown(value)}",
            param=name,
        )
    return value


def affinity(values: Mapping[str, Any], name: str = "affinity") -> bool | None:
    """True, False or None, also as the texts that clients send for them."""
    value = values.get(name)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _AFFINITY:
        return _AFFINITY[value.lower()]
    raise exceptions.MalformedParameter(
        f"Malformed parameter {name}: true, false or null is needed, not {shown(value)}",
        param=name,
    )


def properties(values: Mapping[str, Any], name: str) -> str:
    """The text of a property query that is sound, as it was sent.

    Raises ``MissingParameter``, ``MalformedRequirements``.
    """
    value = values.get(name)
    if value is None and name in values:
        return ""  # as clients that fill in every key say that there is no condition
    value = _required(values, name)
    if isinstance(value, list):
        value = json.dumps(value)
    if not isinstance(value, str):
        raise exceptions.MalformedRequirements(rqrms=shown(value))
    _parsed(value, strict=True)
    return value


def _parsed(text: str, strict: bool = False) -> resource_query.Query | None:
    """Raises ``MalformedRequirements`` with what is wrong."""
    try:
        return resource_query.parse(text, strict)
    except resource_query.QueryError as error:
        raise exceptions.MalformedRequirements(
            f"Malformed requirements {shown(text)}: {error}", rqrms=shown(text)
        ) from None


def queries(*texts: str) -> tuple[resource_query.Query, ...]:
    """The conditions in these texts; empty ones are none."""
    return tuple(found for found in map(_parsed, texts) if found is not None)


def one_of(values: Mapping[str, Any], name: str, choices: tuple[str, ...], default: str) -> str:
    value = values.get(name, default)
    if value not in choices:
        raise exceptions.MalformedParameter(
            f"Malformed parameter {name}: one of {', '.join(map(repr, choices))} is needed, "
            f"not {shown(value)}",
            param=name,
        )
    return str(value)


def shown(value: Any) -> str:
    """A value in an error text, cut to a readable length."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _required(values: Mapping[str, Any], name: str) -> Any:
    if values.get(name) is None:
        raise exceptions.MissingParameter(param=name)
    return values[name]
