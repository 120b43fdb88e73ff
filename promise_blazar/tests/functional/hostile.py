# SPDX-License-Identifier: Apache-2.0
"""Hostile requests that are well-formed HTTP: near the truth, and wrong in a few places."""

import json
from collections.abc import Mapping
from datetime import timedelta, timezone
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from promise_blazar.tests.functional.base import HOST, INSTANCE

TEXTS = st.one_of(
    st.sampled_from(
        [
            "", " ", "\0", "\x1b[2J", "a\r\nb", "\x9b", "\u2028", "\u202e", "\ud800", "\udfff",
            "\ufeff", "\U0001f575" * 40, "x" * 64, "x" * 65, "x" * 81, "x" * 256, "x" * 17_000,
            "../..", "/", "a/b", "x.json", "%s%n", "{0}{param}", "null", "true", "NaN", "-1",
            "1e400", "9" * 5_000, "$", "'; --", "physical:host", "virtual:instance",
            "compute-1", "admin", "trust_id", "id", "gpu",
        ]
    ),
    st.text(max_size=12),
    st.text(st.characters(categories=("Cs", "Cc", "Cf", "Zl", "Zp", "No")), max_size=6),
)  # fmt: skip
NUMBERS = st.one_of(
    st.sampled_from(
        [0, -1, 1, 2**31, 2**31 - 1, 2**63 - 1, -(2**63), 2**63, 10**400, 0.5, -0.0, 1e308]
    ),
    st.integers(),
    st.floats(),
)
OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
DATES = st.one_of(
    st.sampled_from(
        [
            "now", "2030-01-01 00:10", "2030-01-01 00:00", "0001-01-01 00:00",
            "9999-12-31 23:59", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-14:00",
            "0001-01-01T00:00:00+14:00", "2030-01-01T00:30:00Z",
            "2030-01-01T00:59:59.999999+00:00", "2030-02-30 00:00", "0000-00-00 00:00",
            "10000-01-01 00:00", "2030-01-01T24:00:00Z", "\u0662030-02-01 10:00",
            "1969-12-31 23:59",
        ]
    ),
    st.datetimes(timezones=st.one_of(st.none(), OFFSETS)).map(lambda instant: instant.isoformat()),
)  # fmt: skip
NAMES = st.sampled_from(["$vcpus", "$gpu", "$rack", "$trust_id", "$", "vcpus", "$\0", "$\ud800"])
_COMPARISONS = st.tuples(
    st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "==", "~"]),
    st.one_of(NAMES, NAMES, TEXTS),
    st.one_of(TEXTS, NUMBERS, st.none(), st.booleans()),
).map(list)
_QUERIES = st.recursive(
    _COMPARISONS,
    lambda inner: st.tuples(
        st.sampled_from(["and", "or", "not", "xor"]), st.lists(inner, min_size=1, max_size=3)
    ).map(lambda parts: [parts[0], *parts[1]]),
    max_leaves=6,
)
#: Depths about which parsers and writers of JSON give up, each at its own.
DEPTHS = st.one_of(st.integers(1, 20), st.integers(900, 1_000), st.integers(1, 4_000))
QUERIES = st.one_of(
    _QUERIES.map(json.dumps),
    _QUERIES.map(json.dumps),
    _QUERIES,
    DEPTHS.map(lambda depth: "[" * depth + "]" * depth),
    DEPTHS.map(lambda depth: '["not", ' * (depth // 5) + '["=", "$a", 1]' + "]" * (depth // 5)),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, DATES, QUERIES)
VALUES = st.one_of(
    SCALARS,
    st.lists(SCALARS, max_size=3),
    st.dictionaries(TEXTS, SCALARS, max_size=3),
    st.integers(1, 40).map(lambda depth: _nested(depth)),
)
MEMBERS = st.one_of(
    TEXTS, st.sampled_from(["id", "status", "events", "resource_type", "min", "amount", "private"])
)


def _nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


#: What is expected under a name, and yet may be anything of its kind.
KINDS: Mapping[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("start_date", "end_date", "before_end_date", "time", "event_date"), DATES),
    **dict.fromkeys(("start", "end", "earliest", "latest"), DATES),
    **dict.fromkeys(("hypervisor_properties", "resource_properties"), QUERIES),
    **dict.fromkeys(("min", "max", "amount", "vcpus", "memory_mb", "disk_gb"), NUMBERS),
    **dict.fromkeys(("duration", "limit", "VCPU", "INSTANCE", "CUSTOM_LICENCE"), NUMBERS),
    **dict.fromkeys(("name", "event_type", "resource_type", "gpu", "rack"), TEXTS),
}


@st.composite
def mutated(draw: st.DrawFn, document: Any) -> Any:
    """The document with a few of its values, of whatever depth, replaced, removed or added."""
    document = json.loads(json.dumps(document))
    for _ in range(draw(st.integers(0, 3))):
        places = [document, *_inside(document)]
        place = draw(st.sampled_from(range(len(places))))
        if not isinstance(places[place], dict | list):
            continue
        where = places[place]
        if isinstance(where, list):
            if where and draw(st.booleans()):
                where[draw(st.integers(0, len(where) - 1))] = draw(VALUES)
            else:
                where.append(draw(VALUES))
        else:
            known = sorted(where)
            name = draw(st.one_of(st.sampled_from(known), MEMBERS) if known else MEMBERS)
            if draw(st.integers(0, 5)) == 0:
                where.pop(name, None)
            else:
                kind = KINDS.get(name, VALUES)
                where[name] = draw(kind if draw(st.booleans()) else VALUES)
    return document


def _inside(value: Any) -> list[Any]:
    inner = list(value.values() if isinstance(value, dict) else value)
    return [
        each
        for found in inner
        if isinstance(found, dict | list)
        for each in (found, *_inside(found))
    ]


def lease_bodies(document: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Bodies near one that asks for a lease or for a change of one."""

    def with_query(query: Any) -> dict[str, Any]:
        first, *others = document["reservations"]
        return {**document, "reservations": [{**first, "resource_properties": query}, *others]}

    def with_dates(dates: tuple[str, ...]) -> dict[str, Any]:
        start, end, before_end = dates
        return {**document, "start_date": start, "end_date": end, "before_end_date": before_end}

    return st.one_of(
        mutated(document),
        QUERIES.map(with_query),
        st.tuples(DATES, DATES, st.one_of(st.none(), DATES)).map(with_dates),
    )


def path_part(text: str) -> str:
    """Any text as a part of a path or a query, whatever it is."""
    return quote(text, safe="", errors="surrogatepass")


LEASE = {
    "name": "n",
    "start_date": "now",
    "end_date": "2030-01-01 01:00",
    "before_end_date": None,
    "reservations": [HOST, INSTANCE],
    "events": [{"event_type": "notification", "time": "2030-01-01 00:30"}],
}
CHANGE = {
    "name": "m",
    "end_date": "2030-01-01 02:00",
    "reservations": [{"id": "", "min": 1, "max": 2, "resource_properties": ""}],
}
#: What each operation takes, near enough to be looked at closely.
BODIES: Mapping[tuple[str, str], Any] = {
    ("POST", "/leases"): LEASE,
    ("PUT", "/leases/<lease_id>"): CHANGE,
    ("POST", "/os-hosts"): {"name": "compute-4", "gpu": "1"},
    ("PUT", "/os-hosts/<host_id>"): {"gpu": "1", "rack": None},
    ("PATCH", "/os-hosts/properties/<path:name>"): {"private": True},
    ("POST", "/availability"): {
        "reservations": [HOST, INSTANCE],
        "duration": 3600,
        "earliest": "2030-01-01 00:10",
        "latest": "2030-01-03 00:00",
        "limit": 2,
    },
    ("POST", "/capacity/adjustments"): {
        "provider": "default",
        "zone": None,
        "start": "now",
        "end": "2030-01-02 00:00",
        "resources": {"VCPU": -1, "INSTANCE": 5, "CUSTOM_LICENCE": 1},
        "source": None,
        "project_ids": [],
        "force": False,
    },
}
PARAMETERS = (
    "dry_run", "all", "detail", "limit", "marker", "sort", "name", "status", "start", "end",
    "lease_id", "reservation_id", "x",
)  # fmt: skip
WORDS = st.sampled_from(
    [
        "true", "1", "false", "2", "10", "name:desc", "PENDING", "start_date", "start:asc",
        "default", "nova", "VCPU", "INSTANCE", "CUSTOM_X", "m1.tiny", "demo",
        "2030-01-01T00:10:00Z",
    ]
)  # fmt: skip
HEADERS = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20)
