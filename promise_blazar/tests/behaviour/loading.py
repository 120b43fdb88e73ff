# SPDX-License-Identifier: Apache-2.0
"""Loader of behaviour tests: gabbi's files in a folder, as tests on each database.

A file is a sequence of requests with a service of its own (``worlds``). Its tests keep their
order, since a worker runs the file's suite and not a list of ids; and each of them first runs what
stands before it and has not run, so that one can be run alone. An id is
``<module>_<database>.<file>_<test>.test_request``: by it ``.stestr.conf`` keeps the tests of a
file and database in one process, and ``tools/test`` tells which databases ran. File names are
therefore written with hyphens.

Another dialect needs a folder of files and a module like ``test_v1`` that loads it.
"""

import unittest
from pathlib import Path

from gabbi import driver

from promise_blazar.tests import databases
from promise_blazar.tests.behaviour.worlds import Stage


def behaviour(loader: unittest.TestLoader, module: str, folder: Path) -> unittest.TestSuite:
    """The tests in the files of a folder, for the module that loads them."""
    suite = unittest.TestSuite()
    for database in databases.DATABASES:
        stage = Stage(database)
        suite.addTest(
            driver.build_tests(
                str(folder),
                loader,
                # gabbi asks for the application while it loads, long before there is one.
                intercept=lambda stage=stage: stage,
                fixture_module=stage,
                test_loader_name=f"{module}_{database}",
            )
        )
    return suite
