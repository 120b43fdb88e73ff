# SPDX-License-Identifier: Apache-2.0
"""Calls and answers as they are written on the bus: JSON whose types both ends know."""

import functools
import inspect
import typing
from collections.abc import Mapping
from typing import Any

import msgspec

from promise_blazar.context import RequestContext
from promise_blazar.manager.contract.interface import Manager
from promise_blazar.manager.rpc import versions

#: The member of a message's context that says for how long the request is good.
SECONDS_LEFT = "seconds_left"

#: The calls of each endpoint.
ENDPOINTS: Mapping[str, tuple[str, ...]] = {
    "leases": (
        "create_lease",
        "get_lease",
        "look_at_lease",
        "list_leases",
        "page_leases",
        "update_lease",
        "delete_lease",
        "set_server_group",
    ),
    "hosts": (
        "create_host",
        "get_host",
        "list_hosts",
        "update_host",
        "delete_host",
        "list_allocations",
        "list_properties",
        "set_property",
    ),
    "adjustments": (
        "create_adjustment",
        "get_adjustment",
        "list_adjustments",
        "delete_adjustment",
    ),
    "questions": ("capacity", "availability"),
    "process": ("health",),
}


@functools.cache
def _types(call: str) -> dict[str, Any]:
    hints = typing.get_type_hints(getattr(Manager, call))
    return {name: hints[name] for name in hints if name != "context"}


@functools.cache
def _signature(call: str) -> inspect.Signature:
    return inspect.signature(getattr(Manager, call))


def encode(value: Any) -> Any:
    return msgspec.to_builtins(value)


def decode_arguments(call: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Raises ``msgspec.ValidationError`` for a peer that speaks otherwise."""
    types = _types(call)
    return {name: msgspec.convert(value, types[name]) for name, value in arguments.items()}


def decode_context(ctxt: Mapping[str, Any]) -> RequestContext | None:
    """The caller, if there is one: oslo.messaging adds members of its own (``client_timeout``)."""
    return msgspec.convert(dict(ctxt), RequestContext) if "user_id" in ctxt else None


def encode_answer(value: Any) -> str:
    """As text: oslo.messaging writes all it carries as JSON twice over, and an answer may be a
    list of thousands of leases."""
    return msgspec.json.encode(value).decode()


def decode_answer(call: str, answer: str) -> Any:
    return msgspec.json.decode(answer, type=_types(call)["return"])


def bind(call: str, positional: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call by name, without ``self``, the context, and what came later and
    says nothing."""
    signature = _signature(call)
    bound = signature.bind(None, *positional, **named).arguments
    arguments = {k: v for k, v in bound.items() if k not in ("self", "context")}
    return versions.pared(call, signature, arguments)
