# SPDX-License-Identifier: Apache-2.0
"""Waiters: how many requests of a process may wait for something at the same time.

Who waits holds a thread. Were all of them held, nobody else would be answered; so who finds no
place is answered at once.
"""

import contextlib
import contextvars
import threading
from collections.abc import Iterator

_hurried: contextvars.ContextVar[bool] = contextvars.ContextVar("hurried", default=False)


@contextlib.contextmanager
def hurried(asked: float | None) -> Iterator[None]:
    """What this thread does in this block, it does for a request whose sender waits so long at
    most for what can be done without (None: as long as is usual)."""
    token = _hurried.set(asked is not None and asked <= 0)
    try:
        yield
    finally:
        _hurried.reset(token)


def in_a_hurry() -> bool:
    """Whether the request that this thread works for found no place to wait."""
    return _hurried.get()


class Waiters:
    """``most``: the places. Safe to use from several threads."""

    def __init__(self, most: int) -> None:
        self._places = threading.BoundedSemaphore(most) if most > 0 else None

    @contextlib.contextmanager
    def place(self) -> Iterator[bool]:
        """A place for this block; False: there is none."""
        if self._places is None or not self._places.acquire(blocking=False):
            yield False
            return
        try:
            yield True
        finally:
            self._places.release()


class Patience:
    """How long requests wait for one thing. ``most``: seconds, for whom finds a place."""

    def __init__(self, most: float, waiters: Waiters) -> None:
        self._most = most
        self._waiters = waiters

    @contextlib.contextmanager
    def granted(self, asked: float | None) -> Iterator[float]:
        """The seconds that the request in this block may wait. ``asked``: the most that its sender
        waits for; None: as long as is usual."""
        wanted = self._most if asked is None else min(asked, self._most)
        if wanted <= 0:
            yield 0
            return
        with self._waiters.place() as free:
            yield wanted if free else 0
