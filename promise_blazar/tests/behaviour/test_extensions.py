# SPDX-License-Identifier: Apache-2.0
"""Behaviour of our extensions: the files in ``extensions``, once for each database."""

import unittest
from pathlib import Path

from promise_blazar.tests.behaviour import loading


def load_tests(
    loader: unittest.TestLoader, standard: unittest.TestSuite, pattern: str | None
) -> unittest.TestSuite:
    return loading.behaviour(loader, __name__, Path(__file__).parent / "extensions")
