# SPDX-License-Identifier: Apache-2.0
"""Documents of our extensions, from what a manager answers.

Instants are written in UTC with ``Z``, and fractions of a second only where there are any.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import flask
import msgspec
import numpy as np

from promise_blazar import times
from promise_blazar.api.http import bodies, compression
from promise_blazar.manager.contract.adjustments import (
    AdjustmentPage,
    AdjustmentView,
    AffectedView,
)
from promise_blazar.manager.contract.questions import (
    AvailabilityAnswer,
    CapacityAnswer,
    CapacityFigures,
    CapacitySeries,
    ReasonView,
    WindowView,
)

#: In microseconds.
_SECOND = 1_000_000
#: Five numbers of a class, in JSON.
_FIGURES = '{"total":%d,"reserved":%d,"used":%d,"available":%d,"shortfall":%d}'


@dataclass(frozen=True, slots=True)
class Tagged:
    """A document, in JSON, that is worth an ETag: whoever has it already need not be sent it
    again. It may be large, and is compressed for whoever accepts that."""

    text: bytes


def write(document: Any, status: int) -> flask.Response:
    """A response with this document as JSON; to a ``Tagged`` one that the caller has, 304.

    The tag is a digest of the answer itself: one that has changed, by whatever, by the passing of
    time too, never has an old tag, and what does not change the answer leaves it.
    """
    if not isinstance(document, Tagged):
        return bodies.write(document, status)
    text = document.text
    response = bodies.write(text, status)
    response.set_etag(hashlib.sha256(text).hexdigest()[:32])
    # Of the caller's own view, and as old as it is asked for.
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.add("X-Auth-Token")
    response.make_conditional(flask.request)
    return compression.compress(response, flask.request)


def instant(at: datetime) -> str:
    """``2030-01-01T00:00:00Z``"""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def window(view: WindowView) -> dict[str, Any]:
    return {"start": instant(view.start), "end": instant(view.end)}


def capacity(answer: CapacityAnswer) -> bytes:
    """``{"window", "capacity", "series", "fits"}``, the last two where they were asked for."""
    document: dict[str, Any] = {
        "window": {"start": instant(answer.start), "end": instant(answer.end)},
        "capacity": {
            name: {**_figures(each), "at": instant(each.at)}
            for name, each in answer.capacity.items()
        },
    }
    if answer.series is not None:
        document["series"] = msgspec.Raw(_series(answer.series))
    if answer.fits is not None:
        fits = answer.fits
        document["fits"] = {"pool": fits.pool, "hosts": fits.hosts, "count": fits.count}
    return msgspec.json.encode(document)


def _series(series: CapacitySeries) -> bytes:
    """``[{"at", <class>: {"total" ...} ...} ...]``, in JSON.

    By one template for all of the instants, of which there may be a hundred thousand.
    """
    if not series.at:
        return b"[]"
    classes = sorted(series.columns)
    template = '{"at":"%s"' + "".join(f',"{name}":{_FIGURES}' for name in classes) + "}"
    columns: list[Iterable[Any]] = [_instants(series.at)]
    for name in classes:
        found = series.columns[name]
        columns += (
            found.total,
            found.reserved,
            found.used,
            found.available,
            found.shortfall,
        )
    return ("[" + ",".join(template % row for row in zip(*columns, strict=True)) + "]").encode()


def _instants(micros: Sequence[int]) -> list[str]:
    """As ``instant`` writes them; ten times as fast where all are whole seconds, as most are."""
    at = np.array(micros, dtype=np.int64)
    if (at % _SECOND).any():
        return [instant(times.from_micros(each)) for each in micros]
    text = np.datetime_as_string(at.astype("datetime64[us]"), unit="s")
    return [f"{each}Z" for each in text.tolist()]


def _figures(view: CapacityFigures) -> dict[str, int]:
    return {
        "total": view.total,
        "reserved": view.reserved,
        "used": view.used,
        "available": view.available,
        "shortfall": view.shortfall,
    }


def availability(answer: AvailabilityAnswer) -> dict[str, Any]:
    """``{"windows", "reasons", "fits"}``, and ``searched_until`` where the search ended first."""
    document: dict[str, Any] = {
        "windows": [window(each) for each in answer.windows],
        "reasons": [_reason(each) for each in answer.reasons],
        "fits": answer.fits,
    }
    if answer.searched_until is not None:
        document["searched_until"] = instant(answer.searched_until)
    return document


def _reason(view: ReasonView) -> dict[str, Any]:
    return {
        "check": view.check,
        "reservation": view.reservation,
        "hosts": view.hosts,
        "text": view.text,
        "window": None if view.window is None else window(view.window),
    }


def adjustment(view: AdjustmentView) -> dict[str, Any]:
    """The document of an adjustment; its id is null in what a dry run shows."""
    return {
        "id": view.id or None,
        "provider": view.provider,
        "zone": view.zone,
        "start": instant(view.start),
        "end": None if view.end is None else instant(view.end),
        "resources": view.resources,
        "source": view.source,
        "project_ids": list(view.project_ids),
        "affected": list(view.affected),
        "affected_count": view.affected_count,
        "created_at": None if view.created_at is None else instant(view.created_at),
    }


def affected(view: AffectedView) -> dict[str, Any]:
    """``{"affected", "affected_count"}``."""
    return {"affected": list(view.reservations), "affected_count": view.count}


def adjustments(page: AdjustmentPage) -> dict[str, Any]:
    """``{"adjustments", "adjustments_links"}``: with where the next page is, if there is one."""
    ids = [view.id for view in page.adjustments] if page.more else []
    return {
        "adjustments": [adjustment(view) for view in page.adjustments],
        "adjustments_links": _next(ids),
    }


def _next(ids: Sequence[str]) -> list[dict[str, str]]:
    if not ids:
        return []
    query = flask.request.args.to_dict() | {"marker": ids[-1]}
    return [{"rel": "next", "href": f"{flask.request.base_url}?{urlencode(query)}"}]
