# SPDX-License-Identifier: Apache-2.0
"""A manager that lacks a resource type, or rules, beside those that know all."""

import contextlib
from typing import TYPE_CHECKING

from werkzeug.test import Client

from promise_blazar import exceptions
from promise_blazar.tests.lacking import lacking, types_without

if TYPE_CHECKING:
    from promise_blazar.tests.functional.base import ServiceTestCase


class Beside:
    """``client``: speaks to its API, in a block of ``acting``, like all that it does."""

    def __init__(self, world: "ServiceTestCase", lacks: str) -> None:
        self._lacks = lacks
        world.types = types_without(lacks)
        with self.acting():
            self._service = world.manager()
            self.client = Client(world.application(self._service))
        world.types = None

    def acting(self) -> contextlib.AbstractContextManager[None]:
        return lacking(self._lacks)

    def run_due(self) -> None:
        with self.acting():
            self._service.heartbeat.beat()
            self._service.engine.run_due()

    def reconcile(self) -> None:
        """Or not, where rules are in force that it does not know."""
        with self.acting(), contextlib.suppress(exceptions.Unavailable):
            self._service.reconcile.run()

    def leave(self) -> None:
        with self.acting():
            self._service.stop()
