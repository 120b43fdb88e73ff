# SPDX-License-Identifier: Apache-2.0
"""The project's own source as something to ask questions about."""

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: What is installed.
PACKAGES = ("promise_blazar", "nova_filter")


@dataclass(frozen=True)
class Module:
    """One file of Python. ``name`` is its dotted name, of a package its directory's."""

    path: Path
    name: str
    text: str

    @functools.cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, str(self.path))

    @functools.cached_property
    def imports(self) -> tuple[tuple[int, str], ...]:
        """Line and dotted name of everything imported, wherever in the file; of ``from a
        import b``, that is ``a.b``.
        """
        return tuple(self._imports())

    def _imports(self) -> Iterator[tuple[int, str]]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                source = self._absolute(node)
                yield from ((node.lineno, f"{source}.{alias.name}") for alias in node.names)

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.name.split(".")
        steps = node.level - (self.path.name == "__init__.py")
        return ".".join([*package[: len(package) - steps], *filter(None, [node.module])])

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))


def inside(name: str, *packages: str) -> bool:
    """Is the dotted name one of these, or in one of them?"""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@functools.cache
def modules() -> tuple[Module, ...]:
    """Every module that is installed, the tests too."""
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if "build" in parts:  # what an installation of the filter leaves behind
                continue
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found.append(Module(path, name, path.read_text()))
    return tuple(found)


def product() -> Iterator[Module]:
    """The same without the tests."""
    return (each for each in modules() if not inside(each.name, "promise_blazar.tests"))
