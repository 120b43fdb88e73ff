# SPDX-License-Identifier: Apache-2.0
"""Does the service run on native threads, with eventlet out of reach?"""

import subprocess
import sys

from promise_blazar.tests import base, tree

#: The filter itself needs Nova, whose environment this is not.
ELSEWHERE = ("nova_filter.filters",)

IMPORT_ALL = """
import importlib, sys

sys.modules["eventlet"] = None  # from now on, importing it fails
for name in sys.argv[1:]:
    importlib.import_module(name)
print(len(sys.argv) - 1)
"""


class TestThreads(base.TestCase):
    def test_everything_imports_without_eventlet(self):
        names = [module.name for module in tree.product() if module.name not in ELSEWHERE]
        # Alembic's environment runs inside a migration only.
        names.remove("promise_blazar.db.migrations.env")
        done = subprocess.run(
            [sys.executable, "-c", IMPORT_ALL, *names], capture_output=True, text=True, check=False
        )
        self.assertEqual((0, str(len(names))), (done.returncode, done.stdout.strip()), done.stderr)
