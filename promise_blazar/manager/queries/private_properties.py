# SPDX-License-Identifier: Apache-2.0
"""Private properties: what of them the queries that a caller sends must not see."""

from collections.abc import Iterable

from promise_blazar.capacity.resource_query import Query
from promise_blazar.context import RequestContext
from promise_blazar.db import hosts
from promise_blazar.db.session import Database, ReadHandle


def hidden_from(
    context: RequestContext, database: Database | ReadHandle, queries: Iterable[Query]
) -> tuple[str, ...]:
    """Names of private properties in queries that this caller sends now, if it must not know them.

    For these queries no host has such properties, now and later, as if there were none: what is on
    record of a query says so, since a later look with other eyes would tell what was hidden.
    """
    names = frozenset[str]().union(*(query.keys for query in queries))
    if context.is_admin or not names:
        return ()
    with database.reader() as connection:
        private = {each.name for each in hosts.properties(connection) if each.private}
    return tuple(sorted(names & private))
