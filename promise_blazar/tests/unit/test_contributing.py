# SPDX-License-Identifier: Apache-2.0
"""CONTRIBUTING names every folder of tests and every environment of tox."""

import configparser

from promise_blazar.tests import base, tree

TEXT = (tree.ROOT / "CONTRIBUTING.rst").read_text()


class TestContributing(base.TestCase):
    def test_it_names_every_folder_of_tests(self):
        folders = {
            path.parent.name for path in (tree.ROOT / "promise_blazar/tests").glob("*/__init__.py")
        }
        self.assertIn("unit", folders)
        self.assertEqual([], [name for name in sorted(folders) if f"``{name}``" not in TEXT])

    def test_it_names_every_environment(self):
        ini = configparser.ConfigParser(interpolation=None)
        ini.read(tree.ROOT / "tox.ini")
        found = [name.partition(":")[2] for name in ini.sections() if ":" in name]
        names = [name for name in found if "{" not in name]  # py3{11,12,13}
        self.assertIn("soak", names)
        self.assertEqual([], [name for name in names if f"``{name}``" not in TEXT])
