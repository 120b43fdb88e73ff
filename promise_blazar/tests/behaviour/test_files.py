# SPDX-License-Identifier: Apache-2.0
"""Rules that gabbi does not hold the files to, though ids and grouping rest on them."""

from pathlib import Path
from typing import Any

import yaml

from promise_blazar.tests import base
from promise_blazar.tests.behaviour.worlds import WORLDS

FILES = sorted(Path(__file__).parent.glob("*/*.yaml"))


def read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text())


class TestFiles(base.TestCase):
    def test_there_are_some(self) -> None:
        self.assertIn("leases", [path.stem for path in FILES])

    def test_their_names_have_no_underscore(self) -> None:
        self.assertEqual([], [path.name for path in FILES if "_" in path.name])

    def test_each_has_one_world(self) -> None:
        for path in FILES:
            (world,) = read(path)["fixtures"]
            self.assertIn(world, WORLDS, path)

    def test_names_differ_within_a_file_and_fit_into_an_id(self) -> None:
        for path in FILES:
            names = [test["name"] for test in read(path)["tests"]]
            self.assertEqual(sorted(set(names)), sorted(names), path)
            self.assertEqual([], [name for name in names if set(name) & set(".'\"")], path)
