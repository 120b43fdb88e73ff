# SPDX-License-Identifier: Apache-2.0
"""Calls to independent objects of OpenStack, side by side: bounded in the process, and per lease.

Whoever asks works itself, and is helped by threads that the process shares. So nobody waits for
threads that others occupy, and calls may be side by side inside calls that are. What one lease
takes, with all that it has side by side, is bounded: it leaves threads to the others.
"""

import contextvars
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from promise_blazar import exceptions

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Threads of a process that help.
THREADS = 128
#: Of these, the most that help one asker; with itself, the calls of a lease at a time.
HELPERS = 49

_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="beside")
#: Places for helpers that whoever asked first shares with what is asked on its behalf.
_places: contextvars.ContextVar[threading.Semaphore] = contextvars.ContextVar("places")


def each(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """The results of ``work`` for each item, in the order of the items.

    Helpers work in copies of the caller's context: its fence holds there too. After a failure
    nothing more is begun; when all that was begun has ended, the failure is raised: of several
    the first, but one that is not OpenStack's, such as the fence's, before all others.
    """
    shared = _Shared(work, list(items))
    context = contextvars.copy_context()
    if _places not in context:
        context.run(_places.set, threading.Semaphore(HELPERS))
    context.run(shared.run)
    return shared.results()


class _Shared(Generic[Item, Result]):
    """Items that several threads take one by one."""

    def __init__(self, work: Callable[[Item], Result], items: list[Item]) -> None:
        self._work = work
        self._left = deque(enumerate(items))
        self._found: dict[int, Result] = {}
        self._errors: list[BaseException] = []
        self._helpers: list[Future[None]] = []
        self._lock = threading.Lock()

    def run(self) -> None:
        """Work on what is left, with helpers, until nothing is and all have ended."""
        self._take_turns()
        # Those that have not begun find nothing left; to wait for them is to wait for others.
        for helper in self._helpers:
            if not helper.cancel():
                helper.exception()

    def results(self) -> list[Result]:
        """In the order of the items. Raises what the work raised."""
        if self._errors:
            raise next((e for e in self._errors if not _of_openstack(e)), self._errors[0])
        return [self._found[number] for number in sorted(self._found)]

    def _take_turns(self) -> None:
        while (turn := self._next()) is not None:
            number, item = turn
            try:
                self._found[number] = self._work(item)
            except BaseException as error:  # noqa: BLE001 - raised to whoever asked
                with self._lock:
                    self._errors.append(error)
                    self._left.clear()

    def _next(self) -> tuple[int, Item] | None:
        """The next item; for those after it help is asked for."""
        with self._lock:
            if not self._left:
                return None
            turn = self._left.popleft()
            if self._left:
                self._ask_for_help()
            return turn

    def _ask_for_help(self) -> None:
        places = _places.get()
        if not places.acquire(blocking=False):
            return
        try:
            helper = _pool.submit(contextvars.copy_context().run, self._take_turns)
        except RuntimeError:  # the process is about to end
            places.release()
            return
        # Also when it is cancelled.
        helper.add_done_callback(lambda _: places.release())
        self._helpers.append(helper)


def _of_openstack(error: BaseException) -> bool:
    return isinstance(error, exceptions.CloudError | exceptions.NotFound)
