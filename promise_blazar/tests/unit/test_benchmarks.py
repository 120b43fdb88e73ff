# SPDX-License-Identifier: Apache-2.0
"""Every benchmark can be imported and asked for help, wherever what it measures has moved."""

import contextlib
import importlib
import io
from unittest import mock

from promise_blazar.tests import base, tree

#: Started by a benchmark with the code of its peer, which is not here.
ELSEWHERE = {
    "benchmarks.admission.peer_inside",
    "benchmarks.ask.earlier",
    "benchmarks.ask.peer_inside",
}


def programs():
    """The modules under benchmarks that are run."""
    for path in sorted((tree.ROOT / "benchmarks").rglob("*.py")):
        name = ".".join(path.relative_to(tree.ROOT).with_suffix("").parts)
        if '__name__ == "__main__"' in path.read_text() and name not in ELSEWHERE:
            yield name


class TestBenchmarks(base.TestCase):
    def test_each_says_what_it_can_be_asked(self):
        self.assertIn("benchmarks.ledger.run", list(programs()))
        for name in programs():
            with self.subTest(name), contextlib.redirect_stdout(io.StringIO()) as said:
                benchmark = importlib.import_module(name)
                with (
                    mock.patch("sys.argv", [name, "--help"]),
                    self.assertRaises(SystemExit) as ended,
                ):
                    benchmark.main()
                self.assertEqual(0, ended.exception.code)
                self.assertIn("--seed", said.getvalue())

    def test_others_are_not_kept_waiting_is_measured_at_any_size(self):
        small = "--hosts 25 --bookings 200 --refusals 3 --creates 2 --warm-up 0 --target 600"
        benchmark = importlib.import_module("benchmarks.stalls.run")
        with (
            contextlib.redirect_stdout(io.StringIO()) as said,
            mock.patch("sys.argv", ["benchmarks.stalls.run", *small.split()]),
        ):
            self.assertEqual(0, benchmark.main(), said.getvalue())
        for crowd in ("nobody", "100 reservations", "30 days"):
            self.assertIn(f"beside {crowd}: ", said.getvalue())
        self.assertEqual(3, said.getvalue().count("small create, another manager"))

    def test_each_is_in_the_readme_of_its_folder(self):
        for name in programs():
            folder = name.split(".")[1]
            text = (tree.ROOT / "benchmarks" / folder / "README.rst").read_text()
            self.assertIn(f"python -m {name} ", text)
