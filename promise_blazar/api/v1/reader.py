# SPDX-License-Identifier: Apache-2.0
"""Requests of v1: the parts of a path, a query, a header and a body, as values for the manager."""

import re
from typing import Any

import flask
from oslo_utils import strutils

from promise_blazar import exceptions
from promise_blazar.api.http import requests
from promise_blazar.api.http.dialect import SUFFIX
from promise_blazar.api.http.requests import date
from promise_blazar.api.v1 import schemas, writer
from promise_blazar.manager.contract.messages import (
    EventRequest,
    HostRequest,
    LeaseChange,
    LeaseRequest,
    LeaseSelection,
    ReservationChange,
)

_UUID = re.compile(schemas.UUID)
_HOST_ID = re.compile("[0-9]{1,18}")
#: Names that no extra capability can have.
RESERVED = writer.HOST_COLUMNS | {"name"}
#: Columns that only the service writes: what a client has read of them may be old by now.
_STAMPS = frozenset({"created_at", "updated_at"})


def lease_id(text: str) -> str:
    """A lease's id from the path. Raises ``NotFound`` for what no lease can be called."""
    if not _UUID.fullmatch(text):
        raise exceptions.NotFound(object={"lease_id": text})
    return text


def host_id(text: str) -> str:
    """A host's id from the path. Raises ``NotFound`` for what no host can be called."""
    if not _HOST_ID.fullmatch(text):
        raise exceptions.NotFound(object={"host_id": text})
    return text


def dry_run() -> bool:
    """Whether it is only to be tried. Raises ``BadInput`` for neither yes nor no.

    Guessing might be dear.
    """
    query = flask.request.args.to_dict()
    schemas.MUTATION_QUERY.check(query)
    return bool(strutils.bool_from_string(query.get("dry_run", "false")))


def refuse_dry_run() -> None:
    """Refuse to try what cannot be tried. Raises ``BadInput``."""
    if dry_run():
        raise exceptions.BadInput("dry_run is not supported here; nothing was done")


def flag(name: str) -> bool:
    """Whether a word of the query is there and does not say no."""
    return bool(strutils.bool_from_string(flask.request.args.get(name, "false"), default=True))


def lease_request(body: dict[str, Any]) -> LeaseRequest:
    """What a lease is made from, of a body that its schema has passed.

    Raises ``InvalidDate``, ``MissingParameter``.
    """
    before_end = body.get("before_end_date")
    return LeaseRequest(
        name=body["name"],
        start=date(body["start_date"]),
        end=date(body["end_date"]),
        before_end=None if before_end is None else date(before_end),
        reservations=requests.reservations(body),
        events=tuple(map(_event, body.get("events") or ())),
    )


def _event(entry: dict[str, Any]) -> EventRequest:
    """``event_date`` is what the shell calls its time. Raises ``MissingParameter``."""
    time = entry.get("time", entry.get("event_date"))
    if time is None:
        raise exceptions.MissingParameter(param="time")
    return EventRequest(entry["event_type"], date(time))


def lease_change(body: dict[str, Any]) -> LeaseChange:
    """What is to change of a lease, the same way; members that are null change nothing."""
    dates = {
        key: None if body.get(key) is None else date(body[key])
        for key in ("start_date", "end_date", "before_end_date")
    }
    return LeaseChange(
        name=body.get("name"),
        start=dates["start_date"],
        end=dates["end_date"],
        before_end=dates["before_end_date"],
        reservations=tuple(
            ReservationChange(
                entry["id"],
                {k: v for k, v in entry.items() if k not in ("id", "resource_type")},
                entry.get("resource_type"),
            )
            for entry in body.get("reservations", ())
        ),
    )


def check_numbers(body: dict[str, Any]) -> None:
    """How many reservations and events a lease asks for, before the schema looks at each.

    Raises ``BadInput``.
    """
    requests.check_number_of_reservations(body)
    requests.check_number(body, "events", schemas.EVENTS)


def host_request(body: dict[str, Any]) -> HostRequest:
    """What a host is lent by: ``name`` is the hypervisor's; ``id``, Nova's for it, serves as well.

    Raises ``MissingParameter``, ``BadInput``.
    """
    extras = {key: value for key, value in body.items() if key not in ("name", "id")}
    name = body.get("name") or str(body.get("id", ""))
    if not name:
        raise exceptions.MissingParameter(param="name")
    return HostRequest(
        name, {key: value for key, value in capabilities(extras).items() if value is not None}
    )


def capabilities(extras: dict[str, Any]) -> dict[str, str | None]:
    """Capabilities as text; null takes one away. Raises ``BadInput`` for a name."""
    for key, value in extras.items():
        if len(key) > schemas.CAPABILITY_KEY:
            raise exceptions.BadInput("Extra capability key too long")
        # A database may take a name with a space behind it for the one without.
        odd = not key or not key.isprintable() or key != key.strip()
        if odd or (value is not None and not _is_segment(key)):
            raise exceptions.BadInput(f"{key!r} cannot be the name of an extra capability")
        if key in RESERVED:
            raise exceptions.BadInput(
                f"{key} is known of every host and cannot be an extra capability"
            )
    return {key: None if value is None else str(value) for key, value in extras.items()}


def _is_segment(name: str) -> bool:
    """Whether a name can be the end of a path, which clients put in order before they send it."""
    return name[0] != "/" and {".", ".."}.isdisjoint(name.split("/"))


def host_changes(body: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
    """An update of a host without what it repeats of the host's columns, as they are shown."""
    known = {**shown, "name": shown["hypervisor_hostname"]}
    return {
        name: value
        for name, value in body.items()
        if name not in known or (name not in _STAMPS and value != known[name])
    }


def property_names(name: str) -> tuple[str, ...]:
    """What the end of a path may be the name of; of a suffix it is told last whether it is one.

    Raises ``NotFound`` for what no property can be called.
    """
    names = dict.fromkeys((name + flask.request.environ.get(SUFFIX, ""), name))
    found = tuple(n for n in names if len(n) <= schemas.CAPABILITY_KEY and n.isprintable())
    if not found:
        raise exceptions.NotFound(object={"property_name": name})
    return found


def lease_selection() -> LeaseSelection | None:
    """Which leases the query asks for; None: all, in one list.

    ``limit`` asks for pages, and with it ``marker`` and ``sort`` count; ``utilization`` is of the
    window from ``start`` to ``end``. Raises ``BadInput``.
    """
    query = flask.request.args.to_dict()
    asked = query.keys() & {"limit", "name", "status", "start", "end", "utilization"}
    if not asked:
        return None
    paging = ("marker", "sort") if "limit" in query else ()
    query = {name: query[name] for name in (*asked, *paging) if name in query}
    schemas.LEASE_QUERY.check(query)
    sort, _, direction = query.get("sort", "created_at").partition(":")
    dates = requests.instants(query)
    return LeaseSelection(
        limit=int(query["limit"]) if paging else None,
        marker=query.get("marker"),
        sort=sort,
        descending=direction == "desc",
        name=query.get("name"),
        status=query.get("status"),
        start=dates.get("start"),
        end=dates.get("end"),
        utilization=bool(strutils.bool_from_string(query.get("utilization", "false"))),
    )


def allocation_filter() -> dict[str, str]:
    """The ``lease_id`` and ``reservation_id`` of the query, if any. Raises ``BadInput``."""
    query = flask.request.args.to_dict()
    schemas.ALLOCATION_QUERY.check(query)
    return {key: query[key] for key in ("lease_id", "reservation_id") if key in query}
