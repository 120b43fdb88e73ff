# SPDX-License-Identifier: Apache-2.0
"""Adjustments as they are shown, with whom they affect still."""

from collections.abc import Sequence

from promise_blazar import exceptions, times
from promise_blazar.capacity.ledger import OPEN
from promise_blazar.db import adjustments, affected, providers
from promise_blazar.db.affected import Listed
from promise_blazar.db.session import Connection, ReadHandle
from promise_blazar.manager.contract.adjustments import (
    LISTED,
    LISTED_EACH,
    AdjustmentPage,
    AdjustmentSelection,
    AdjustmentView,
)
from promise_blazar.model.adjustment import Adjustment


class AdjustmentQueries:
    """See ``interface.Reader`` for what each answers."""

    def __init__(self, database: ReadHandle, provider_id: int) -> None:
        self._database = database
        self._provider_id = provider_id

    def get(self, adjustment_id: str) -> AdjustmentView:
        with self._database.reader() as connection:
            found = adjustments.get(connection, adjustment_id)
            if found is None:
                raise exceptions.NotFound(object={"adjustment_id": adjustment_id})
            return views(connection, [found], LISTED)[0]

    def page(self, selection: AdjustmentSelection) -> AdjustmentPage:
        order, limit = selection.sort, selection.limit
        if order not in adjustments.ORDERS:
            words = ", ".join(sorted(adjustments.ORDERS))
            raise exceptions.BadInput(f"sort: adjustments can be in the order of {words}")
        with self._database.reader() as connection:
            provider = provider_named(connection, selection.provider, self._provider_id)
            wanted = adjustments.meeting(
                provider,
                selection.zone,
                None if selection.start is None else times.to_micros(selection.start),
                None if selection.end is None else times.to_micros(selection.end),
                selection.source,
            )
            after = None
            if selection.marker is not None:
                after = adjustments.place(connection, wanted, order, selection.marker)
                if after is None:
                    raise exceptions.BadInput(f"marker: there is no adjustment {selection.marker}")
            most = None if limit is None else limit + 1
            found = adjustments.page(connection, wanted, order, selection.descending, after, most)
            shown = views(connection, found[:limit], LISTED_EACH)
        return AdjustmentPage(tuple(shown), limit is not None and len(found) > limit)


def provider_named(connection: Connection, name: str | None, default: int) -> int:
    """The id of a provider; None: the default one. Raises ``BadInput``."""
    if name is None:
        return default
    number = providers.find(connection, name)
    if number is None:
        raise exceptions.BadInput(f"provider: there is no {name}")
    return number


def views(connection: Connection, found: Sequence[Adjustment], most: int) -> list[AdjustmentView]:
    """These adjustments as they are shown, each with so many at most of those that they affect
    still."""
    names = providers.names(connection)
    sources = adjustments.uuids(connection, {each.source for each in found if each.source})
    theirs = affected.listed(connection, [each.id for each in found], most)
    return [
        view(each, names[each.provider_id], sources.get(each.source or 0), theirs.get(each.id))
        for each in found
    ]


def view(
    adjustment: Adjustment, provider: str, source: str | None, theirs: Listed | None = None
) -> AdjustmentView:
    """``source``: the uuid of what it is carved out of."""
    never = adjustment.end >= OPEN
    return AdjustmentView(
        id=adjustment.uuid,
        provider=provider,
        zone=adjustment.zone,
        start=times.from_micros(adjustment.start),
        end=None if never else times.from_micros(adjustment.end),
        resources=dict(adjustment.amounts),
        source=source,
        project_ids=adjustment.projects,
        created_at=adjustment.created_at,
        affected=theirs.uuids if theirs else (),
        affected_count=theirs.count if theirs else 0,
    )
