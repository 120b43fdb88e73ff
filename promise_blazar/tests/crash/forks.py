# SPDX-License-Identifier: Apache-2.0
"""Run something in a process of its own, forked from this one, which must have no threads."""

import os
import pickle
import sys
import traceback
from collections.abc import Callable
from typing import Any


class Failed(Exception):
    """The process raised, and what; or it ended otherwise."""


class Fork:
    """``work`` runs in a forked process; ``answer`` waits for what it returns.

    It can be spoken with: ``say`` and ``hear`` move one byte either way.
    """

    def __init__(self, work: Callable[["Line"], Any]) -> None:
        down_read, down_write = os.pipe()
        up_read, up_write = os.pipe()
        result_read, result_write = os.pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            for end in (down_write, up_read, result_read):
                os.close(end)
            _run(work, Line(down_read, up_write), result_write)
        for end in (down_read, up_write, result_write):
            os.close(end)
        self.line = Line(up_read, down_write)
        self._result = os.fdopen(result_read, "rb")

    def wait(self) -> int:
        """How it ended: an exit status, or minus the signal that killed it."""
        _, status = os.waitpid(self.pid, 0)
        self.line.close()
        self._result.close()
        return os.waitstatus_to_exitcode(status)

    def answer(self) -> Any:
        """Raises ``Failed``."""
        told = self._result.read()
        status = self.wait()
        if not told:
            raise Failed(f"it ended with {status}")
        failed, value = pickle.loads(told)  # noqa: S301 - our own child's
        if failed:
            raise Failed(value)
        return value


class Line:
    """Two pipes, one each way."""

    def __init__(self, reads: int, writes: int) -> None:
        self._reads, self._writes = reads, writes

    def say(self) -> None:
        os.write(self._writes, b"!")

    def hear(self) -> bool:
        """False: the other end is gone."""
        return bool(os.read(self._reads, 1))

    def close(self) -> None:
        os.close(self._reads)
        os.close(self._writes)


def _run(work: Callable[[Line], Any], line: Line, result: int) -> None:
    status = 1
    try:
        try:
            told = (False, work(line))
        except BaseException:  # noqa: BLE001 - it is told, and raised there
            told = (True, traceback.format_exc())
        with os.fdopen(result, "wb") as pipe:
            pipe.write(pickle.dumps(told))
        status = 0
    finally:
        os._exit(status)  # neither the parent's clean-up nor its output


def in_fork(work: Callable[[], Any]) -> Any:
    """What ``work`` returns, run in a process of its own. Raises ``Failed``."""
    return Fork(lambda line: work()).answer()
