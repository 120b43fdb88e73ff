# SPDX-License-Identifier: Apache-2.0
"""What CI runs, and that it ends in time."""

import re
import subprocess

from promise_blazar.tests import base, tree

PROGRAM = tree.ROOT / ".ci" / "run"
#: Seconds that a run may take.
LONGEST = 75 * 60


class TestRun(base.TestCase):
    def test_its_limits_add_up_to_what_a_run_may_take(self):
        (text,) = re.findall(r"LIMITS=\((.*?)\n\)", PROGRAM.read_text(), re.DOTALL)
        limits = {name: int(seconds) for name, seconds in re.findall(r"\[(\S+)\]=(\d+)", text)}
        self.assertLessEqual({"install", "style", "test", "cloud-test"}, limits.keys())
        self.assertLessEqual(sum(limits.values()), LONGEST)

    def test_every_step_has_a_limit(self):
        text = re.sub(r"^ *#.*", "", PROGRAM.read_text(), flags=re.MULTILINE)
        begun = set(re.findall(r"\b(?:step|begin) ([a-z][a-z-]*) \w", text))
        self.assertEqual(set(re.findall(r"\[([a-z-]+)\]=\d+", text)), begun)

    def test_bash_can_read_it(self):
        subprocess.run(["/bin/bash", "-n", PROGRAM], check=True)
