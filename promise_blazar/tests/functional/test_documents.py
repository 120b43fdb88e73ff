# SPDX-License-Identifier: Apache-2.0
"""The newcomer's path: every command of README and ``using.rst``, as written, in order."""

import argparse
import os
import re
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path

from promise_blazar import times
from promise_blazar.cmd import manage
from promise_blazar.conf import blazar, unheeded
from promise_blazar.tests import base, tree
from promise_blazar.tests.functional.reader import Shell, blocks
from promise_blazar.tests.functional.test_commands import CommandTestCase

#: The address in the documents; a test has a port of its own.
ADDRESS = "127.0.0.1:1234"
#: States in which a lease stays by itself.
SETTLED = ("PENDING", "ACTIVE", "TERMINATED")
#: Sections of Nova's file that documents name.
NOVA = ("scheduler", "filter_scheduler", "promise_blazar")


def nameless(text):
    """The text with the same word for every id."""
    return re.sub("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", text)


class TestCommands(CommandTestCase):
    def setUp(self):
        super().setUp()
        self.address = f"127.0.0.1:{self.free_port()}"
        self.url = f"http://{self.address}"
        self.shell = Shell(self.directory)
        self.addCleanup(self.shell.close)

    def serve(self, command):
        """What runs until it is stopped, so that its reader takes another shell."""
        program, *arguments = command.split()
        self.assertEqual(f".venv/bin/{Path(program).name}", program)
        arguments = [each.replace("demo-state", f"{self.directory}/state") for each in arguments]
        process = self.start(Path(program).name, *arguments)
        self.assertIn(self.address, process.stdout.readline())

    def follow(self, document):
        """Type it all; what is printed."""
        printed = []
        for block in blocks(document):
            block = block.replace(ADDRESS, self.address)
            if "──" in block:
                continue  # a picture
            if block.startswith("make "):
                self.assert_targets(block)
            elif "promise-blazar-standalone" in block:
                self.serve(block)
            else:
                self.eventually(self.settled)
                printed.append(self.shell.run(block))
                self.assertNotIn("FAILED", printed[-1], f"{block}\n{printed[-1]}")
        return "\n".join(printed)

    def assert_targets(self, block):
        makefile = (tree.ROOT / "Makefile").read_text()
        for line in block.splitlines():
            target = line.removeprefix("make ")
            self.assertRegex(makefile, rf"(?m)^{re.escape(target)}:")

    def settled(self):
        """As for a reader, who is slower than the service."""
        return all(map(self.at_rest, self.leases()))

    def leases(self):
        return self.request(f"{self.url}/v1/leases", "admin:x")[1]["leases"]

    def at_rest(self, lease):
        (start,) = (each for each in lease["events"] if each["event_type"] == "start_lease")
        ahead = times.parse_date(start["time"]) > datetime.now(UTC)
        return lease["status"] in SETTLED and (start["status"] == "DONE" or ahead)

    def test_i_every_command_runs_as_written(self):
        readme = self.follow("README.rst")
        self.assertIn('"host":"compute-1"', readme.replace(" ", ""))
        self.assertIn("No valid host was found", readme)

        using = self.follow("doc/source/using.rst")
        self.assertIn("a100", using)
        servers = self.servers(using)
        self.assertEqual({"train-1": "ACTIVE", "shop-1": "ACTIVE"}, servers)
        self.assertIn('"fits":', using)
        self.eventually(lambda: not self.leases())

    def test_the_shells_commands_print_what_is_shown(self):
        printed = nameless(self.follow("doc/source/shell.rst")).splitlines()
        text = (tree.ROOT / "doc/source/shell.rst").read_text()
        shown = re.findall(r"^\.\. code-block:: text\n\n((?: +.*\n|\n)+)", text, re.MULTILINE)
        self.assertGreater(len(shown), 1)
        for line in nameless("".join(shown)).splitlines():
            self.assertIn(line[4:], printed)
        self.run_program(text.rpartition(".. code-block:: python\n")[2])

    def run_program(self, text):
        """Run a program in Python as a user who is logged in, to its good end."""
        access = {"OS_AUTH_TYPE": "admin_token", "OS_TOKEN": "alice:demo"}
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", textwrap.dedent(text)],
            env=os.environ | access | {"OS_ENDPOINT": f"{self.url}/v1"},
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertEqual(3, done.stdout.count("\n"), done.stdout)

    def servers(self, printed):
        """The status of each server that was made, by its name."""
        found = re.findall(r'"name": ?"(\S+?)".*?"status": ?"(\w+)"', printed)
        return dict(found)


class TestOperator(base.TestCase):
    """What operators are told to type, and to set."""

    def setUp(self):
        super().setUp()
        self.documents = [
            *(tree.ROOT / "doc/source").rglob("*.rst"),
            *(tree.ROOT / name for name in ("README.rst", "CONTRIBUTING.rst")),
        ]

    def test_i_commands_of_operators_are_there(self):
        typed = set()
        for path in self.documents:
            for block in blocks(path.relative_to(tree.ROOT)):
                typed |= set(re.findall(r"(?m)^promise-blazar-manage (\w.*?)(?:  +#.*)?$", block))
        self.assertGreater(len(typed), 5)
        parser = argparse.ArgumentParser()
        manage.add_commands(parser.add_subparsers())
        for words in typed:
            with self.subTest(words):
                parser.parse_args(words.split())

    def test_i_options_that_documents_name_are_there(self):
        named = set()
        for path in self.documents:
            named |= set(re.findall(r"``\[([\w:]+)\]\s+(\w+)``", path.read_text()))
        known = unheeded.known_options({})
        self.assertGreater(len(named), 5)
        for section, option in named:
            ours = option in known.get(section, ()) or blazar.fate(section, option)
            self.assertTrue(ours or section in NOVA, f"[{section}] {option}")


class TestReferences(base.TestCase):
    def test_i_the_reference_of_the_api_is_built_with_the_documents_and_named(self):
        makefile = (tree.ROOT / "Makefile").read_text()
        self.assertIn("api-ref/source doc/build/html/api-ref", makefile)
        for document in ("README.rst", "doc/source/index.rst", "doc/source/using.rst"):
            self.assertIn("api-ref", (tree.ROOT / document).read_text(), document)

    def test_titles_are_underlined_as_long_as_they_are(self):
        """Else the documents are not built; and what a merge leaves behind looks like that."""
        for path in (*(tree.ROOT / "doc/source").rglob("*.rst"), tree.ROOT / "README.rst"):
            lines = ["", *path.read_text().splitlines(), "", ""]
            for number, line in enumerate(lines):
                if set(line) == {"="}:
                    over = lines[number - 1] == "" and lines[number + 2] == line
                    title = lines[number + 1] if over else lines[number - 1]
                    self.assertTrue(0 < len(title) <= len(line), f"{path}: {number}")
