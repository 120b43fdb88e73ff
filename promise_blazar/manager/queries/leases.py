# SPDX-License-Identifier: Apache-2.0
"""Leases as they are shown, and what is new about them.

Who asks again and again, as every client does that waits for something, is told only what it
does not know yet: a revision for each lease decides, read before the rest, so that what is
shown is never older than the revision it is shown with.
"""

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from promise_blazar import exceptions, times
from promise_blazar.db import archive, lease_pages, leases
from promise_blazar.db.session import ReadHandle
from promise_blazar.manager.contract.messages import (
    LeaseList,
    LeasePage,
    LeaseSelection,
    LeaseView,
)
from promise_blazar.manager.queries.utilization import utilization
from promise_blazar.manager.queries.views import lease_view
from promise_blazar.plugins.contract import ResourceType

#: More changed leases than this are found faster by reading all of them.
_FEW = 200
#: Leases that are read by one statement.
_AT_ONCE = 1_000


class LeaseQueries:
    """See ``interface.Reader`` for what each answers."""

    def __init__(
        self, database: ReadHandle, provider_id: int, kinds: Mapping[str, ResourceType]
    ) -> None:
        self._database = database
        self._provider_id = provider_id
        self._kinds = kinds

    def get(self, lease_id: str) -> LeaseView:
        with self._database.reader() as connection:
            lease = leases.get(connection, lease_id)
            document = archive.document(connection, lease_id) if lease is None else None
        if document is not None:
            return replace(msgspec.json.decode(document, type=LeaseView), archived=True)
        if lease is None:
            raise exceptions.NotFound(object={"lease_id": lease_id})
        return lease_view(lease, self._kinds)

    def look_at(self, lease_id: str, revision: int) -> LeaseView | None:
        with self._database.reader() as connection:
            if leases.revision(connection, lease_id) == revision:
                return None
        return self.get(lease_id)

    def listed(self, project_id: str | None, known: Mapping[str, int]) -> LeaseList:
        there = None
        with self._database.reader() as connection:
            if known:
                there = leases.revisions(connection, self._provider_id, project_id)
                new = [lease_id for lease_id, n in there.items() if known.get(lease_id) != n]
                if len(new) <= _FEW:
                    found = leases.these(connection, new) if new else ()
                else:
                    there = None
            if there is None:
                found = leases.listed(connection, self._provider_id, project_id)
        views = tuple(lease_view(lease, self._kinds) for lease in found)
        if there is None:
            return LeaseList(tuple(view.id for view in views), views)
        # Some may have been removed since their revisions were read.
        gone = set(new).difference(view.id for view in views)
        return LeaseList(tuple(each for each in there if each not in gone), views)

    def page(self, project_id: str | None, selection: LeaseSelection) -> LeasePage:
        mine = lease_pages.of_project(self._provider_id, project_id)
        wanted = lease_pages.meeting(
            selection.name, selection.status, selection.start, selection.end
        )
        order, limit = selection.sort, selection.limit
        with self._database.reader() as connection:
            after = None
            if selection.marker is not None:
                after = lease_pages.place(connection, mine, order, selection.marker)
                if after is None:
                    raise exceptions.BadInput(f"marker: there is no lease {selection.marker}")
            most = None if limit is None else limit + 1
            found = lease_pages.ids(
                connection, mine & wanted, order, selection.descending, after, most
            )
            used = None
            if selection.utilization:
                if selection.start is None or selection.end is None:
                    raise exceptions.BadInput("utilization: of a window, from start to end")
                window = times.to_micros(selection.start), times.to_micros(selection.end)
                used = utilization(connection, self._provider_id, mine & wanted, *window)
            shown = {
                lease.id: lease_view(lease, self._kinds)
                for n in range(0, len(found), _AT_ONCE)
                for lease in leases.these(connection, found[n : n + _AT_ONCE])
            }
        # Some may have been removed since their ids were read.
        there = tuple(shown[each] for each in found[:limit] if each in shown)
        return LeasePage(there, limit is not None and len(found) > limit, used)
