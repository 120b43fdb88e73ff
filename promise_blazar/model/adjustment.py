# SPDX-License-Identifier: Apache-2.0
"""Adjustments: signed, windowed changes of the capacity on offer, as they are on record."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Adjustment:
    """``id``: the number that the database gives, 0 before that. ``zone`` None: of the provider.

    ``start``, ``end``: microseconds, as in the ledger. ``amounts``: signed, by resource class.
    ``source``: the number of the adjustment that it is carved out of, for these ``projects``
    alone. All but ``deleted`` never changes.
    """

    id: int
    uuid: str
    provider_id: int
    zone: str | None
    start: int
    end: int
    source: int | None
    deleted: bool
    generation: int
    created_at: datetime
    amounts: Mapping[str, int]
    projects: tuple[str, ...] = ()
