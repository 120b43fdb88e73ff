# SPDX-License-Identifier: Apache-2.0
"""The contributor's guide, held to the tree that it tells of."""

import importlib
import re

from promise_blazar.tests import base, tree
from promise_blazar.tests.unit import test_imports

GUIDE = tree.ROOT / "doc" / "source" / "contributor"
OWN = tree.ROOT / "promise_blazar"
#: What a dotted name begins with that is one of ours, with or without the package's own.
ROOTS = {path.stem for path in OWN.iterdir() if path.is_dir() or path.suffix == ".py"}

_QUOTED = re.compile(r"``([^`]+)``")
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.\w+)*")
#: Paths of ours, quoted or in a directive.
_PATH = re.compile(r"\b(?:promise_blazar|nova_filter|tools|benchmarks|doc)/[\w./-]*\w")


def pages():
    return {path.name: path.read_text() for path in sorted(GUIDE.glob("*.rst"))}


def quoted(text):
    return [" ".join(found.split()) for found in _QUOTED.findall(text)]


def exists(name):
    """Is there a module of this name, or something that a module has?"""
    parts = name.removeprefix("promise_blazar.").split(".")
    for length in range(len(parts), 0, -1):
        module = ".".join(["promise_blazar", *parts[:length]])
        path = tree.ROOT.joinpath(*module.split("."))
        if path.is_dir() or path.with_suffix(".py").is_file():
            # A module that tests are in is not imported for its name alone.
            thing = importlib.import_module(module) if parts[length:] else module
            for word in parts[length:]:
                thing = getattr(thing, word, None)
            return thing is not None
    return False


def ours(name):
    root, _, rest = name.removeprefix("promise_blazar.").partition(".")
    return _DOTTED.fullmatch(name) and root in ROOTS and (rest or name in test_imports.ROOMS)


class TestNames(base.TestCase):
    def test_every_name_in_the_guide_is_there(self):
        names = {(page, name) for page, text in pages().items() for name in quoted(text)}
        found = {(page, name) for page, name in names if ours(name)}
        self.assertIn(("post.rst", "manager.ledger.store"), found)
        self.assertEqual([], sorted(each for each in found if not exists(each[1])))

    def test_every_path_in_the_guide_is_there(self):
        found = {(page, path) for page, text in pages().items() for path in _PATH.findall(text)}
        self.assertIn(("post.rst", "tools/trace-post"), found)
        missing = [each for each in found if not (tree.ROOT / each[1]).exists()]
        self.assertEqual([], sorted(missing))

    def test_a_name_that_is_not_there_is_found_out(self):
        self.assertTrue(exists("manager.ledger.store.LedgerStore.commit"))
        self.assertTrue(exists("promise_blazar.db.tables"))
        for name in ("manager.books", "manager.ledger.store.Books", "promise_blazar.nothing"):
            self.assertFalse(exists(name), name)


class TestHouse(base.TestCase):
    def setUp(self):
        super().setUp()
        self.page = pages()["index.rst"]

    def drawn(self):
        """The line of the drawing that each room is on."""
        drawing = self.page.partition(".. code-block:: text")[2].partition("\nA room")[0]
        return {
            name: number
            for number, line in enumerate(drawing.splitlines())
            for name in re.findall(r"[\w.]+", line)
            if name in test_imports.ROOMS or name in test_imports.JOINERS
        }

    def test_all_rooms_are_drawn(self):
        outer = {name for name in test_imports.ROOMS for other in test_imports.ROOMS
                 if other.startswith(f"{name}.")}  # fmt: skip
        rooms = {*test_imports.ROOMS, *test_imports.JOINERS} - outer
        self.assertEqual(rooms, self.drawn().keys() - outer)

    def test_arrows_go_down(self):
        line = self.drawn()
        wrong = [
            f"{name} -> {other}"
            for name, others in test_imports.ROOMS.items()
            for other in others
            if not line[name] < line[other]
        ]
        self.assertEqual([], wrong)

    def test_the_table_has_every_arrow(self):
        rows = re.findall(
            r"\n   \* - ``([\w.]+)``\n     - .*\n     -((?:.|\n(?!   \*|\n))*)", self.page
        )
        arrows = {name: set(quoted(sees)) for name, sees in rows}
        expected = {name: set(others) for name, others in test_imports.ROOMS.items()}
        # What is in the rooms inside it, and nothing else.
        del expected["cloud"]
        self.assertEqual(expected, arrows)
