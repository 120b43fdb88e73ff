# SPDX-License-Identifier: Apache-2.0
"""Where can a process die? See every commit and every outgoing call as it passes.

The product is watched from outside: its database's transactions and its one door to OpenStack,
the simulated one and the real one.
"""

import contextlib
import itertools
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from unittest import mock

from promise_blazar.cloud import fence, parallel
from promise_blazar.cloud.openstack.transport import Transport
from promise_blazar.cloud.simulated.calls import Calls
from promise_blazar.db.session import Database

#: Before the transaction begins, or the fence is asked; before the commit, or the call's work;
#: after it.
ENTER, BEFORE, AFTER = "enter", "before", "after"


@dataclass(frozen=True, slots=True)
class Point:
    """``number``: of the commit or call in its operation; ``name``: who commits, or the call."""

    number: int
    name: str
    moment: str

    @property
    def commit(self) -> bool:
        return self.name.startswith("commit ")

    def __str__(self) -> str:
        return f"{self.moment} {self.number} ({self.name})"


@contextlib.contextmanager
def watched(reached: Callable[[Point], object]) -> Iterator[None]:
    """Tell ``reached`` of each point of this process, in the thread that has come to it."""
    numbers = itertools.count(1)
    this = threading.local()
    writer, announce, send = Database.writer, fence.announce, Transport.send
    call_of = Calls._call  # noqa: SLF001 - the only place that sees a call end

    @contextlib.contextmanager
    def watched_writer(database):
        number, name = next(numbers), f"commit {_writing()}"
        reached(Point(number, name, ENTER))
        with writer(database) as connection:
            yield connection
            reached(Point(number, name, BEFORE))
        reached(Point(number, name, AFTER))

    def watched_announce(call):
        this.number, this.call = next(numbers), call
        reached(Point(this.number, call, ENTER))
        announce(call)
        reached(Point(this.number, call, BEFORE))

    @contextlib.contextmanager
    def watched_call(cloud, call):
        with call_of(cloud, call):
            yield
        reached(Point(this.number, call, AFTER))

    def watched_send(*arguments, **named):
        answer = send(*arguments, **named)
        reached(Point(this.number, this.call, AFTER))
        return answer

    with (
        one_after_another(),
        mock.patch.object(Database, "writer", watched_writer),
        mock.patch.object(fence, "announce", watched_announce),
        mock.patch.object(Calls, "_call", watched_call),
        mock.patch.object(Transport, "send", watched_send),
    ):
        yield


def one_after_another() -> contextlib.AbstractContextManager[object]:
    """No calls side by side in this block: so a point has the same number in every run."""
    return mock.patch.object(parallel, "HELPERS", 0)


def _writing() -> str:
    """Who writes: the use case, and not the ledger or the database that it writes through."""
    frame = sys._getframe(2)  # noqa: SLF001 - there is no other way to a caller's name
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith("promise_blazar.manager.") and not module.startswith(
            "promise_blazar.manager.ledger."
        ):
            return f"{module.removeprefix('promise_blazar.manager.')}.{frame.f_code.co_name}"
        frame = frame.f_back
    return "of nobody known"
