# SPDX-License-Identifier: Apache-2.0
"""Messages of questions to the ledger: what is free, when, and why not.

As of ``messages``: plain values that survive JSON; times that a client may call ``now`` are text.
``project_id``: whose view is asked for; None: the whole provider's, which is an administrator's.
"""

from dataclasses import dataclass, field
from datetime import datetime

from promise_blazar.manager.contract.messages import ReservationRequest


@dataclass(frozen=True, slots=True)
class FlavorContent:
    """A flavor, as the caller's own token sees it. ``amounts``: by resource class."""

    id: str
    name: str
    amounts: dict[str, int]


@dataclass(frozen=True, slots=True)
class CapacityQuestion:
    """Capacity of a window. ``end`` None: of the instant ``start``.

    ``zone`` None: of the provider. ``resource_classes``: none are all tracked ones. ``flavor``:
    how many of it fit is asked as well. ``series``: so is every change inside the window.
    """

    start: str = "now"
    end: str | None = None
    zone: str | None = None
    provider: str | None = None
    resource_classes: tuple[str, ...] = ()
    flavor: FlavorContent | None = None
    series: bool = True
    project_id: str | None = None


@dataclass(frozen=True, slots=True)
class CapacityFigures:
    """Of one class, at the first instant ``at`` of a window at which least is available.

    In units of the class: ``total = reserved + used + available - shortfall``; neither of the last
    two is negative, and one of them is 0.
    """

    total: int
    reserved: int
    used: int
    available: int
    shortfall: int
    at: datetime


@dataclass(frozen=True, slots=True)
class SeriesColumns:
    """The figures of one class, one entry for each instant of a series."""

    total: tuple[int, ...]
    reserved: tuple[int, ...]
    used: tuple[int, ...]
    available: tuple[int, ...]
    shortfall: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CapacitySeries:
    """The figures by class from each instant on, until the next one.

    ``at``: microseconds since 1970, rising; the first is the start of the window. Columns, since
    there may be a hundred thousand instants.
    """

    at: tuple[int, ...]
    columns: dict[str, SeriesColumns]


@dataclass(frozen=True, slots=True)
class FlavorFits:
    """How many of a flavor fit, all through the window: by the figures of the ``pool``, packed
    whole on ``hosts``, and the smaller of both."""

    pool: int
    hosts: int
    count: int


@dataclass(frozen=True, slots=True)
class CapacityAnswer:
    """The window as it was understood, and its figures by class.

    Of an instant, ``end`` is ``start``. ``series``: None where it was not asked for.
    """

    start: datetime
    end: datetime
    capacity: dict[str, CapacityFigures]
    series: CapacitySeries | None = None
    fits: FlavorFits | None = None


@dataclass(frozen=True, slots=True)
class AvailabilityQuestion:
    """The earliest windows of ``duration`` seconds in which all of these would be admitted.

    ``earliest`` None: now; ``latest``: of the end; None: 90 days after ``earliest``.
    """

    reservations: tuple[ReservationRequest, ...]
    duration: int
    earliest: str | None = None
    latest: str | None = None
    limit: int = 1
    project_id: str | None = None


@dataclass(frozen=True, slots=True)
class WindowView:
    """Half-open: ``[start, end)``."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class ReasonView:
    """Why a reservation would be refused, as of ``exceptions.NotEnoughHosts``.

    ``reservation``: its place among those asked for. ``hosts``: how many this keeps out.
    """

    check: str
    hosts: int
    text: str
    window: WindowView | None = None
    reservation: int = 0


@dataclass(frozen=True, slots=True)
class AvailabilityAnswer:
    """The windows, earliest first.

    ``searched_until``: where the search stopped, since its budget was spent; what would fit after
    that instant is not known. ``reasons``, ``fits``: why there is no window, as the first
    one that was looked at was refused.
    """

    windows: tuple[WindowView, ...]
    searched_until: datetime | None = None
    reasons: tuple[ReasonView, ...] = ()
    fits: dict[str, int] = field(default_factory=dict)
