# SPDX-License-Identifier: Apache-2.0
"""Messages about adjustments: signed, windowed changes of the capacity on offer.

As of ``messages``: plain values that survive JSON; times that a client may call ``now`` are text.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

#: The most reservations that are named as affected: in an answer, and of each in a list.
LISTED: Final = 1_000
LISTED_EACH: Final = 10


@dataclass(frozen=True, slots=True)
class AdjustmentRequest:
    """An adjustment to be made. ``resources``: signed amounts by resource class.

    ``end`` None: it never ends. ``zone`` None: it counts for the provider, and serves no request
    that names a zone. ``source``: the adjustment that it is carved out of, for these projects
    alone. ``force``: also where promises are broken by it. ``provider`` None: the default one.
    ``id``: the UUID that it is to have, chosen by who sends the request, so that a message which
    arrives twice asks for one adjustment; None: the manager chooses.
    """

    resources: dict[str, int]
    start: str = "now"
    end: str | None = None
    zone: str | None = None
    source: str | None = None
    project_ids: tuple[str, ...] = ()
    force: bool = False
    provider: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class AdjustmentView:
    """An adjustment as it is shown. ``end`` None: it never ends.

    ``id``: a UUID; empty in what a dry run shows. ``affected``: the first reservations, by start,
    of the ``affected_count`` that a forced one breaks the promises of.
    """

    id: str
    provider: str
    zone: str | None
    start: datetime
    end: datetime | None
    resources: dict[str, int]
    source: str | None = None
    project_ids: tuple[str, ...] = ()
    created_at: datetime | None = None
    affected: tuple[str, ...] = ()
    affected_count: int = 0


@dataclass(frozen=True, slots=True)
class AffectedView:
    """The first ``reservations``, by start, of the ``count`` whose promises are broken."""

    reservations: tuple[str, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True)
class AdjustmentSelection:
    """Adjustments out of many: those that meet the conditions, and of these the next ``limit``.

    ``sort``: ``created_at``, ``id``, ``zone``, ``start`` or ``end``; what is the same there stands
    in the order of ids. ``start``, ``end``: a window that their own overlap; None is open.
    ``marker``: the id of the last one of the page before. ``limit`` None: all.
    """

    provider: str | None = None
    zone: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    source: str | None = None
    limit: int | None = None
    marker: str | None = None
    sort: str = "created_at"
    descending: bool = False


@dataclass(frozen=True, slots=True)
class AdjustmentPage:
    """``more``: whether there are others behind the last of these."""

    adjustments: tuple[AdjustmentView, ...]
    more: bool = False
