# SPDX-License-Identifier: Apache-2.0
"""What the project's test cases share."""

from typing import ClassVar

from oslotest import base

from promise_blazar.tests import databases


class TestCase(base.BaseTestCase):
    """oslotest's: captured logs and output, a home and temporary directory of its own."""


class DatabaseTestCase(TestCase):
    """A test with a database of its own, at ``url``; multiply with ``on_each_database``."""

    #: The name of the database; ``on_each_database`` sets it.
    database: ClassVar[str] = "sqlite"
    #: Fills the database, once a process; a ``staticmethod`` that takes the URL.
    prepare: ClassVar[databases.Prepare | None] = None

    def setUp(self) -> None:
        super().setUp()
        self.url = self.enterContext(databases.fresh_database(self.database, self.prepare))
