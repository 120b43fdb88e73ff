# SPDX-License-Identifier: Apache-2.0
"""Tidiness of the house, in what no linter looks at."""

import ast

from promise_blazar import exceptions
from promise_blazar.tests import base, tree

SPDX = "# SPDX-License-Identifier: Apache-2.0"
LONGEST = 400
#: What asks the machine for the time, as written in a call.
MACHINE_TIME = {
    "date.today",
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "datetime.now",
    "datetime.today",
    "datetime.utcnow",
    "time.time",
    "time.time_ns",
    "timeutils.utcnow",
    "timeutils.utcnow_ts",
}


def programs():
    """The files under tools and benchmarks that are source, whatever their suffix."""
    for directory in ("tools", "benchmarks"):
        for path in sorted((tree.ROOT / directory).rglob("*")):
            if path.suffix in ("", ".py", ".sh") and path.is_file():
                yield path


def calls(module):
    """Line and written name of everything called in a module."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


class TestHouse(base.TestCase):
    def test_every_file_names_its_licence_first(self):
        sources = {module.path: module.text for module in tree.modules()}
        sources.update((path, path.read_text()) for path in programs())
        without = []
        for path, text in sources.items():
            lines = text.splitlines()
            first = lines[1:2] if lines and lines[0].startswith("#!") else lines[:1]
            if text and first != [SPDX]:
                without.append(str(path.relative_to(tree.ROOT)))
        self.assertEqual([], without)

    def test_no_module_is_long(self):
        long = [
            f"{module}: {len(module.text.splitlines())} lines"
            for module in tree.modules()
            if len(module.text.splitlines()) > LONGEST
        ]
        self.assertEqual([], long)

    def test_only_commands_print(self):
        found = [
            f"{module}:{line}"
            for module in tree.product()
            if not tree.inside(module.name, "promise_blazar.cmd")
            for line, name in calls(module)
            if name == "print"
        ]
        self.assertEqual([], found)

    def test_d56_no_error_is_made_and_not_raised(self):
        """The linter's PLW0133 knows Python's own exceptions; here are those of this project."""
        own = {name for name, value in vars(exceptions).items() if isinstance(value, type)}
        found = [
            f"{module}:{node.lineno} {ast.unparse(node)}"
            for module in tree.modules()
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and ast.unparse(node.value.func).rpartition(".")[2] in own
        ]
        self.assertEqual([], found)

    def test_only_the_clock_asks_the_machine_for_the_time(self):
        found = [
            f"{module}:{line} {name}"
            for module in tree.product()
            if module.name != "promise_blazar.clock"
            for line, name in calls(module)
            if name in MACHINE_TIME
        ]
        self.assertEqual([], found)

    def test_every_module_says_what_it_is_for(self):
        # An empty package, and the tests' packages, need no words.
        without = [
            str(module)
            for module in tree.product()
            if module.tree.body and ast.get_docstring(module.tree) is None
        ]
        self.assertEqual([], without)

    def test_no_module_begins_with_a_question(self):
        # It says what it is, noun first: that is what one searches for.
        found = [
            f"{module}: {docstring.splitlines()[0]}"
            for module in tree.product()
            if (docstring := ast.get_docstring(module.tree))
            and docstring.splitlines()[0].endswith("?")
        ]
        self.assertEqual([], found)
