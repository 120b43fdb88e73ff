# SPDX-License-Identifier: Apache-2.0
"""Threads of the service: native ones, and no more than are counted here."""

import ast
import subprocess
import sys
from collections import Counter

from promise_blazar.tests import base, tree

#: The filter itself needs Nova, whose environment this is not.
ELSEWHERE = ("nova_filter.filters",)

#: What makes threads, by module, and how often it stands there. A new one has to be argued for:
#: durable work, and what comes back, is a job of the engine's, not a loop of its own.
THREADS = {
    # Two that may wait for a manager's health, so that no request does.
    "promise_blazar.api.http.health": {"concurrent.futures.ThreadPoolExecutor": 1},
    # Inventories that are fetched side by side, for the length of a call.
    "promise_blazar.cloud.openstack.compute.hypervisors": {"ThreadPoolExecutor": 1},
    # What a lease has side by side, bounded for all and for each.
    "promise_blazar.cloud.parallel": {"ThreadPoolExecutor": 1},
    # The listener to the bus, and the WSGI server of the commands that have one.
    "promise_blazar.cmd.manager": {"threading.Thread": 1},
    "promise_blazar.cmd.serve": {"threading.Thread": 1},
    "promise_blazar.manager.ownership.heartbeat": {"threading.Thread": 1},
    # The first connection to the broker, which oslo.messaging makes without a bound.
    "promise_blazar.manager.rpc.client": {"threading.Thread": 1},
    # The loop, and its workers: for what somebody waits for, and of a lane for each of three
    # sorts of work: leases that are due, jobs, and leases that can wait.
    "promise_blazar.manager.workflow.engine": {"ThreadPoolExecutor": 2, "threading.Thread": 1},
}
#: Loops that wait, by module: each is one of the threads above, or ends by itself.
LOOPS = {
    # A signal that comes late.
    "promise_blazar.cmd.common": 1,
    "promise_blazar.manager.ownership.heartbeat": 1,
    "promise_blazar.manager.workflow.engine": 1,
    # A quarter of a second at most.
    "promise_blazar.manager.workflow.idle_gate": 1,
    # A request, as long as it may.
    "promise_blazar.manager.workflow.progress": 1,
    # A command of the shell, as long as it is told to.
    "promise_blazar.osc.commands.leases": 1,
}
MAKERS = ("Thread", "Timer", "ThreadPoolExecutor", "ProcessPoolExecutor", "Process")

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

    def test_threads_and_periodic_loops_are_counted(self):
        made, loops = {}, Counter()
        for module in tree.product():
            calls = Counter(
                ast.unparse(node.func)
                for node in ast.walk(module.tree)
                if isinstance(node, ast.Call)
                and ast.unparse(node.func).rpartition(".")[2] in MAKERS
            )
            if calls:
                made[module.name] = dict(calls)
            for node in ast.walk(module.tree):
                if isinstance(node, ast.While) and _waits(node):
                    loops[module.name] += 1
        self.assertEqual(THREADS, made)
        self.assertEqual(LOOPS, dict(loops))


def _waits(loop: ast.While) -> bool:
    """Is there anything in the loop that passes the time?"""
    called = (
        ast.unparse(node.func).rpartition(".")[2]
        for node in ast.walk(loop)
        if isinstance(node, ast.Call)
    )
    return any(name in ("wait", "sleep", "join") for name in called)
