# SPDX-License-Identifier: Apache-2.0
"""Adoption of rules: those of this release are put in force when every manager knows them.

From then on a manager of an earlier release that is started decides nothing. Until then those of
both releases decide side by side.
"""

import logging
from collections.abc import Callable

from promise_blazar.db import heartbeats, providers
from promise_blazar.db.session import Database
from promise_blazar.manager.provider import ProviderRuntime
from promise_blazar.model.manager import RULES

LOG = logging.getLogger(__name__)

#: Seconds between two looks.
PERIOD = 60.0


class RulesAdoption:
    """``dead``: the managers that are known to be."""

    def __init__(
        self, database: Database, provider: ProviderRuntime, dead: Callable[[], frozenset[str]]
    ) -> None:
        self._database = database
        self._provider = provider
        self._dead = dead

    def run(self) -> None:
        """Raises ``Unavailable``, ``Busy``: the next look makes up for it."""
        dead = self._dead()
        with self._database.reader() as connection:
            in_force = providers.head(connection, self._provider.id).rules
            behind = heartbeats.without_rules(connection, RULES, dead)
        if in_force >= RULES or behind:
            return
        adopted = self._provider.ledger.change(
            lambda connection, generation: providers.adopt_rules(
                connection, self._provider.id, dead
            )
        )
        if adopted:
            LOG.info("Rules %d are in force: every manager knows them", RULES)
