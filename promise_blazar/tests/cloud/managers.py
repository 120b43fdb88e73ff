# SPDX-License-Identifier: Apache-2.0
"""Managers on the real cloud that a test can kill at any point, in place of the cloud's own."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from promise_blazar.tests import tree
from promise_blazar.tests.cloud import clients, doomed, site

OPTIONS = "options.conf"
OURS = ("promise-blazar-manager-1", "promise-blazar-manager-2")

#: Ownership as short as the calls of this cloud allow, so that a takeover takes seconds. Reconcile
#: is off: what a dead manager leaves is for its heir, and not for the sweeper.
QUICK = """
[openstack]
call_timeout = 3
[manager]
heartbeat_interval = 0.5
ownership_seconds = 4
reconcile_interval = 0
"""


class Manager:
    """One process of ``doomed``, from when it is ready."""

    def __init__(self, directory: Path, number: int) -> None:
        self._log = directory / f"manager-{number}.log"
        options = str(directory / OPTIONS)
        files = ["--config-file", str(site.config_file()), "--config-file", options]
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", doomed.__name__, str(directory), *files],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=tree.ROOT,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> str:
        return self._log.read_text()

    def await_saying(self, words: str) -> None:
        """Wait until they stand in its log."""

        def said() -> bool:
            assert self._process.poll() is None, f"a manager ended:\n{self.log}"
            return words in self.log

        site.eventually(f"a manager says {words}", said)

    def runs(self) -> bool:
        return self._process.poll() is None

    def killed(self) -> bool:
        """Was it, by now? Raises ``AssertionError`` when it ended otherwise."""
        status = self._process.poll()
        assert status in (None, -signal.SIGKILL), f"a manager ended with {status}:\n{self.log}"
        return status is not None

    def asleep(self) -> bool:
        state = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state == "T"

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def wake(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """In order: it finishes what it has under way."""
        if self._process.poll() is None:
            self.wake()
            self._process.terminate()
            try:
                self._process.wait(site.PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"a manager does not stop:\n{self.log}") from None


class Managers:
    """Two of them, again and again; what happens to them, and what time they take it to be."""

    def __init__(self, directory: Path, options: str) -> None:
        self._directory = directory
        self._count = 0
        self._lead = timedelta()
        self.alive: list[Manager] = []
        self._write(doomed.LEAD, "0")
        self._write(OPTIONS, options)

    @classmethod
    @contextlib.contextmanager
    def instead(cls, options: str) -> Iterator["Managers"]:
        """The cloud's own managers stand back meanwhile. ``options``: a configuration file's."""
        directory = site.home() / f"log/doomed-{time.monotonic_ns()}"
        directory.mkdir()
        clients.service("stop", *OURS)
        managers = cls(directory, options)
        try:
            managers.complete()
            yield managers
        finally:
            with contextlib.ExitStack() as stack:
                stack.callback(clients.service, "start", *OURS)
                for manager in managers.alive:
                    stack.callback(manager.stop)

    def complete(self) -> None:
        """As many as there should be, each at work."""
        while len(self.alive) < len(OURS):
            self._count += 1
            self.alive.append(Manager(self._directory, self._count))
        for manager in self.alive:
            manager.await_saying(" is ready")

    # Points

    def order(self, blow: signal.Signals, after: int) -> None:
        """Whoever comes to the point of this number from now on is hit."""
        (self._directory / doomed.JOURNAL).unlink(missing_ok=True)
        self._write(doomed.COUNTDOWN, f"{after} {blow.name}")

    def calm(self) -> list[str]:
        """No blow any more; the points that were passed since it was ordered, in words."""
        (self._directory / doomed.COUNTDOWN).unlink(missing_ok=True)
        journal = self._directory / doomed.JOURNAL
        return journal.read_text().splitlines() if journal.exists() else []

    def hit(self) -> Manager | None:
        """Who is dead, or asleep, by now."""
        return next((m for m in self.alive if m.killed() or m.asleep()), None)

    # Time

    def now(self) -> datetime:
        return datetime.now(UTC) + self._lead

    def leap(self, instant: datetime) -> None:
        """Just past this instant, if it is still to come."""
        self._lead += max(timedelta(), instant + timedelta(seconds=1) - self.now())
        self._write(doomed.LEAD, str(self._lead.total_seconds()))

    def _write(self, name: str, text: str) -> None:
        # At once: a manager may be reading it.
        new = self._directory / f"{name}.new"
        new.write_text(text)
        new.rename(self._directory / name)
