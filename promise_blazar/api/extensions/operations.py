# SPDX-License-Identifier: Apache-2.0
"""Operations of our extensions as they are published: each with its schemas and its statuses."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from promise_blazar.api.extensions import answers, schemas
from promise_blazar.api.http.schema import Schema

#: What every operation may be answered.
ALWAYS = (400, 401, 403, 406, 503)


@dataclass(frozen=True, slots=True)
class Operation:
    """One verb at one path.

    ``answers``: the schema by status, None for an answer without a body. ``refusals``: statuses
    of problems, beside those of ``ALWAYS``. ``headers``: which of ``openapi.HEADERS`` it reads;
    ``answered_headers``: which it answers, when all is well.
    """

    id: str
    summary: str
    description: str
    query: Schema
    answers: Mapping[int, Schema | None]
    body: Schema | None = None
    refusals: tuple[int, ...] = ()
    headers: tuple[str, ...] = ()
    answered_headers: tuple[str, ...] = field(default=())


OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("GET", "/capacity"): Operation(
        "showCapacity",
        "Show capacity",
        "How much there is of each resource class over a window, how much of it is reserved, and"
        " how much is free. The figures of a class are those of the first instant at which least"
        " is available; a series has those of every instant at which one changes.",
        query=schemas.CAPACITY_QUERY,
        answers={200: answers.CAPACITY, 304: None},
        refusals=(429, 502),
        headers=("If-None-Match",),
        answered_headers=("ETag",),
    ),
    ("POST", "/availability"): Operation(
        "findWindows",
        "Find windows",
        "The earliest windows in which a lease of these reservations would be admitted; none is"
        " an answer too, with reasons.",
        query=schemas.NO_QUERY,
        body=schemas.AVAILABILITY,
        answers={200: answers.AVAILABILITY},
        refusals=(413, 415, 429),
    ),
    ("GET", "/capacity/adjustments"): Operation(
        "listAdjustments",
        "List adjustments",
        "Pages of adjustments that are not deleted.",
        query=schemas.ADJUSTMENT_LIST_QUERY,
        answers={200: answers.ADJUSTMENTS},
    ),
    ("POST", "/capacity/adjustments"): Operation(
        "createAdjustment",
        "Create adjustment",
        "Announces capacity for a window (positive amounts), withdraws it (negative ones), or sets"
        " some of another adjustment's aside for projects (a source).",
        query=schemas.ADJUSTMENT_CREATE_QUERY,
        body=schemas.ADJUSTMENT,
        answers={201: answers.ADJUSTMENT, 200: answers.ADJUSTMENT_TRIED},
        refusals=(409, 413, 415, 422),
        headers=("Idempotency-Key",),
    ),
    ("GET", "/capacity/adjustments/<adjustment_id>"): Operation(
        "showAdjustment",
        "Show adjustment",
        "One adjustment.",
        query=schemas.NO_QUERY,
        answers={200: answers.ADJUSTMENT},
        refusals=(404,),
    ),
    ("DELETE", "/capacity/adjustments/<adjustment_id>"): Operation(
        "deleteAdjustment",
        "Delete adjustment",
        "Takes an adjustment back. Forced, or only tried, it says whose promises that breaks.",
        query=schemas.ADJUSTMENT_DELETE_QUERY,
        answers={204: None, 200: answers.AFFECTED},
        refusals=(404, 409),
    ),
}
