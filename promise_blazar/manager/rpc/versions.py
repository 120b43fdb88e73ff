# SPDX-License-Identifier: Apache-2.0
"""Versions of the calls: what managers of earlier releases lack, and what is asked of them.

An API and managers of two releases run side by side during an upgrade. A manager takes messages of
its own version and of all before. A call is sent at the version that it needs, so that what is as
old as the oldest manager is never refused; one that needs more is sent when every living manager
has it. What can be done without is left out until then. What an older peer does not know of an
answer it leaves out, and takes the default of what is missing; so answers may grow without a
version.
"""

import dataclasses
import inspect
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

#: Of the first release, and of whatever ``SINCE`` does not name.
FIRST = "1.0"
#: Of this release.
VERSION = "1.2"
#: The version that a call came with (``forget_lease``), an argument of an earlier call
#: (``create_lease.dry_run``), or a field of an earlier message (``LeaseRequest.before_end``).
#: Arguments and fields have defaults, which mean what was before them.
SINCE: Mapping[str, str] = {
    "LeaseRequest.events": "1.1",
    "page_leases": "1.1",
    "create_lease.wait": "1.1",
    "update_lease.wait": "1.1",
    "delete_lease.wait": "1.1",
    "set_server_group.policy": "1.1",
    "LeaseRequest.id": "1.1",
    "ReservationRequest.id": "1.1",
    "LeaseChange.groups": "1.1",
    "LeaseSelection.utilization": "1.2",
    "list_adjustments": "1.2",
    "get_adjustment": "1.2",
    "create_adjustment": "1.2",
    "delete_adjustment": "1.2",
    "capacity": "1.2",
    "availability": "1.2",
}
#: Those without which the call means the same, and is only less sure or less quick.
DISPENSABLE = frozenset(
    {
        "create_lease.wait",
        "update_lease.wait",
        "delete_lease.wait",
        "set_server_group.policy",
        "LeaseRequest.id",
        "ReservationRequest.id",
        "LeaseChange.groups",
    }
)


def newer(version: str, other: str) -> bool:
    return _numbers(version) > _numbers(other)


def least(versions: Iterable[str]) -> str:
    """What all of these know; of none, what every release does."""
    return min(versions, key=_numbers, default=FIRST)


def pared(call: str, signature: inspect.Signature, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments without those that came later and are at their defaults."""
    return {
        name: value
        for name, value in arguments.items()
        if f"{call}.{name}" not in SINCE or value != signature.parameters[name].default
    }


def needed(call: str, arguments: Mapping[str, Any]) -> str:
    """The version that a call needs, with what its pared arguments say."""
    parts = [call, *(f"{call}.{name}" for name in arguments)]
    if SINCE:
        parts += _said(list(arguments.values()))
    return max((SINCE.get(part, FIRST) for part in parts), key=_numbers)


def without_dispensable(call: str, arguments: Mapping[str, Any], version: str) -> dict[str, Any]:
    """The arguments without what can be done without and is newer than this version."""
    left = {part for part in DISPENSABLE if newer(SINCE.get(part, FIRST), version)}
    return {
        name: _without(value, left)
        for name, value in arguments.items()
        if f"{call}.{name}" not in left
    }


def _without(value: Any, parts: Collection[str]) -> Any:
    """A message, and all that it holds, with these fields at their defaults."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kept = {
            field.name: default(field)
            if f"{type(value).__name__}.{field.name}" in parts
            else _without(getattr(value, field.name), parts)
            for field in dataclasses.fields(value)
        }
        return dataclasses.replace(value, **kept)
    if isinstance(value, list | tuple):
        return type(value)(_without(each, parts) for each in value)
    return value


def _said(value: Any) -> Iterator[str]:
    """The fields that are not at their defaults, of all messages in a value."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            content = getattr(value, field.name)
            if content != default(field):
                yield f"{type(value).__name__}.{field.name}"
                yield from _said(content)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _said(each)


def default(field: "dataclasses.Field[Any]") -> Any:
    """What an older peer means; ``MISSING``: it has none."""
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
