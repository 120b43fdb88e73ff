# SPDX-License-Identifier: Apache-2.0
"""Installing the filter into Nova's environment brings the filter and nothing else."""

import ast
import email
import pathlib
import shutil
import subprocess
import sys
import tempfile

from oslotest import base

import nova_filter

HERE = pathlib.Path(nova_filter.__file__).parent

#: What a nova-scheduler has anyway.
IN_NOVA = {"nova", "nova_filter", "oslo_config"}


def python(*arguments: str, cwd: pathlib.Path) -> str:
    """Run this interpreter; its output."""
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, check=True, capture_output=True, text=True
    ).stdout


class Distribution(base.BaseTestCase):
    def setUp(self) -> None:
        super().setUp()
        scratch = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.source = scratch / "nova_filter"
        self.source.mkdir()
        for name in ("pyproject.toml", "README.rst"):
            shutil.copy(HERE / name, self.source)
        for module in HERE.glob("*.py"):
            shutil.copy(module, self.source)
        self.installed = scratch / "installed"
        build = ("egg_info", "build_py", "--build-lib", str(self.installed))
        python("-c", "import setuptools; setuptools.setup()", "-q", *build, cwd=self.source)

    def test_requires_nothing(self) -> None:
        (information,) = self.source.glob("*.egg-info")
        metadata = email.message_from_string((information / "PKG-INFO").read_text())
        self.assertEqual("promise-blazar-nova-filter", metadata["Name"])
        self.assertIsNone(metadata.get_all("Requires-Dist"))
        self.assertFalse((information / "requires.txt").exists())

    def test_holds_the_package_and_no_other(self) -> None:
        expected = {f"nova_filter/{module.name}" for module in HERE.glob("*.py")}
        found = {str(path.relative_to(self.installed)) for path in self.installed.rglob("*.py")}
        self.assertEqual(expected, found)

    def test_decides_with_the_standard_library_alone(self) -> None:
        script = (
            f"import sys; sys.path.insert(0, {str(self.installed)!r});"
            "from nova_filter import decision;"
            "print(*{name.partition('.')[0] for name in sys.modules})"
        )
        loaded = set(python("-I", "-S", "-c", script, cwd=self.source).split())
        self.assertIn("nova_filter", loaded)
        self.assertEqual(set(), loaded - sys.stdlib_module_names - {"nova_filter", "__main__"})

    def test_imports_nothing_that_nova_has_not(self) -> None:
        for module in self.installed.rglob("*.py"):
            imported = set()
            for node in ast.walk(ast.parse(module.read_text())):
                if isinstance(node, ast.Import):
                    imported |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    self.assertEqual(0, node.level)
                    imported.add(str(node.module).partition(".")[0])
            self.assertEqual(set(), imported - sys.stdlib_module_names - IN_NOVA, module)
