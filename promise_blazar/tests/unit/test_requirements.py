# SPDX-License-Identifier: Apache-2.0
"""The page that names the tests of each requirement, held to the tests that there are."""

import ast
import re

import yaml

from promise_blazar.tests import base, tree
from promise_blazar.tests.unit import test_guide

PAGE = tree.ROOT / "doc" / "source" / "contributor" / "requirements.rst"
TESTS = tree.ROOT / "promise_blazar" / "tests"
#: On capacity: what it is, how it is asked for, changed and shared.
ASKED_FOR = (
    "R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R14", "R15", "R19", "R39", "R47", "R48",
    "R57", "R64", "R66", "R92",
)  # fmt: skip
_ROW = re.compile(r"(?ms)^   \* - (R\d+)\n     - (.*?)\n     - (.*?)(?=^   \* - |\Z)")


def rows():
    """Of each requirement, the tests that the page names."""
    found = _ROW.findall(PAGE.read_text())
    return [(number, test_guide.quoted(tests)) for number, _, tests in found]


def names(path):
    """Of the tests in a file, one of behaviour or one of Python."""
    text = (TESTS / path).read_text()
    if path.endswith(".yaml"):
        return [test["name"] for test in yaml.safe_load(text)["tests"]]
    functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef))
    return [node.name for node in functions if node.name.startswith("test_")]


class TestRequirements(base.TestCase):
    def test_each_is_there_once(self):
        self.assertEqual(list(ASKED_FOR), [number for number, _ in rows()])

    def test_each_has_tests_and_they_are_there(self):
        for number, tests in rows():
            self.assertNotEqual([], tests, number)
            for test in tests:
                path, _, name = test.partition(": ")
                with self.subTest(requirement=number, test=test):
                    self.assertIn(name, names(path))
