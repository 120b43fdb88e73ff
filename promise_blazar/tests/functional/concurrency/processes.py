# SPDX-License-Identifier: Apache-2.0
"""Start, order and kill manager processes."""

import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

#: A hang guard, far beyond what anything here takes.
DEADLINE = 120.0

WORKER = "promise_blazar.tests.functional.concurrency.worker"


class ManagerProcess:
    """A ``worker``, from its being ready until it is stopped or killed."""

    def __init__(self, url, cloud_file, **options):
        # Not a pipe: nobody would read it while it fills.
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", WORKER, url, str(cloud_file), json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=Path(__file__).parents[4],
        )
        self._ready = False

    def order(self, do, **arguments):
        """Begin with something; ``answer`` gives what came of it."""
        self._await_ready()
        self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self._process.stdin.flush()

    def answer(self):
        self._await_ready()
        return self._read()

    def ask(self, do, **arguments):
        self.order(do, **arguments)
        return self.answer()

    def kill(self):
        """SIGKILL: nothing is finished, nothing is said."""
        self._process.kill()
        self._process.wait()

    def suspend(self):
        """SIGSTOP: it lives, and does nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self):
        self._process.send_signal(signal.SIGCONT)

    def stop(self):
        """In order, as far as it still lives."""
        if self._process.poll() is None:
            self._process.stdin.close()
            try:
                self._process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                self.kill()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if not stream.closed:
                stream.close()

    def log(self):
        """What it had to say, so far."""
        self._log.seek(0)
        return self._log.read()

    def _await_ready(self):
        if not self._ready:
            self._ready = self._read() == "ready"

    def _read(self):
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(f"the manager process ended:\n{self.log()}")
        return json.loads(line)


def eventually(question):
    """The first true answer to a question that is asked again and again."""
    deadline = time.monotonic() + DEADLINE
    while not (answer := question()):
        if time.monotonic() > deadline:
            raise AssertionError("it never came to pass")
        time.sleep(0.05)
    return answer
