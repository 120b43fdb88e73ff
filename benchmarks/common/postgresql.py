# SPDX-License-Identifier: Apache-2.0
"""A throw-away PostgreSQL server that keeps its promises, as one in production does."""

import pathlib

from promise_blazar.tests import servers


class DurablePostgreSQL(servers.PostgreSQL):
    """As a production server is: what was committed outlives a crash, and statistics are kept."""

    def command(self, directory: pathlib.Path, port: int) -> list[str]:
        # Of two settings of one name the last counts.
        promises = ("fsync", "synchronous_commit", "full_page_writes", "autovacuum")
        return [*super().command(directory, port), *(f"-c{name}=on" for name in promises)]
