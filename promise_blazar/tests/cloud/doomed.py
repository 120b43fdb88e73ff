# SPDX-License-Identifier: Apache-2.0
"""A manager that dies, or falls asleep, at a point of its work that a test has chosen.

    python -m promise_blazar.tests.cloud.doomed DIRECTORY --config-file FILE ...

It is ``promise-blazar-manager`` as it is. From outside its commits and calls are watched, and its
calendar leaps when the test wants the next event to come. Both are ordered by files in the
directory, which all managers of a test share: so whichever of them comes to the point is hit,
and only that one.
"""

import contextlib
import fcntl
import os
import signal
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TextIO
from unittest import mock

from promise_blazar.clock import SystemClock
from promise_blazar.cmd import manager
from promise_blazar.tests.crash.points import AFTER, BEFORE, ENTER, Point, watched

#: Files of the directory: points until the blow, and what it is; how far the calendar is ahead;
#: the points that were passed.
COUNTDOWN, LEAD, JOURNAL = "countdown", "lead", "journal"

#: Threads whose work belongs to no lease.
_OF_NO_LEASE = ("MainThread", "heartbeat", "reconcile", "inventory sync", "purge")


def counts(point: Point, blow: signal.Signals) -> bool:
    """Is this a point for such a blow?

    Asleep inside a transaction it would hold a lock, which the database takes from it in time;
    asleep between the fence and its call it would make that call late. Both have tests.
    """
    if blow == signal.SIGKILL:
        return point.moment in (BEFORE, AFTER)
    return point.moment in (ENTER, AFTER)


class Fate:
    """What the test has ordered, in files."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def reached(self, point: Point) -> None:
        if threading.current_thread().name in _OF_NO_LEASE:
            return
        with contextlib.suppress(FileNotFoundError):
            blow = self._count_down(point)
            if blow is not None:
                os.kill(os.getpid(), blow)

    def _count_down(self, point: Point) -> signal.Signals | None:
        with _locked(self._directory / COUNTDOWN) as file:
            left, name = file.read().split()
            blow = signal.Signals[name]
            if not counts(point, blow):
                return None
            file.seek(0)
            file.truncate()
            file.write(f"{int(left) - 1} {name}")
            hit = int(left) == 1
            with (self._directory / JOURNAL).open("a") as journal:
                journal.write(f"{os.getpid()} {'dies' if hit else 'passes'} {point}\n")
            return blow if hit else None


class LeapingClock(SystemClock):
    """The machine's clocks, the calendar as far ahead as the file says."""

    def __init__(self, lead: Path) -> None:
        self._lead = lead

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=float(self._lead.read_text()))


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[TextIO]:
    with path.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def main() -> None:
    directory = Path(sys.argv.pop(1))
    with (
        mock.patch.object(manager, "SystemClock", return_value=LeapingClock(directory / LEAD)),
        watched(Fate(directory).reached),
    ):
        manager.main()


if __name__ == "__main__":
    main()
