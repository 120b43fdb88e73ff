# SPDX-License-Identifier: Apache-2.0
"""The deadline of a request: past it nothing is committed for it any more.

A message may lie in a broker, be delivered twice, or be held by a process that is suspended. Its
sender has long given up and told its client so; what is done then would surprise everybody.

The message says for how many seconds it is good, as its sender has no other clock in common with
who receives it. They are counted from its receipt, on a clock that never stands still. The time
before the receipt is the broker's to count: a message that nobody fetches for as long expires. So
no wall clocks are compared, nothing depends on how far those of two machines are apart, and what
is asked for may still happen for at most twice as long as the sender waits.
"""

import contextlib
import contextvars
from collections.abc import Callable, Iterator

from promise_blazar import exceptions
from promise_blazar.clock import Clock

_left: contextvars.ContextVar[Callable[[], float] | None] = contextvars.ContextVar(
    "seconds_left", default=None
)


@contextlib.contextmanager
def within(seconds: float, clock: Clock) -> Iterator[None]:
    """What this thread commits for the request in this block, it commits within so long."""
    until = clock.monotonic() + seconds
    with _limited(lambda: until - clock.monotonic()):
        yield


@contextlib.contextmanager
def lifted() -> Iterator[None]:
    """In this block there is none: to take back what was made may come late."""
    with _limited(None):
        yield


def check() -> None:
    """The last act of a transaction that a request asks for. Raises ``Unavailable``."""
    left = _left.get()
    if left is not None and left() < 0:
        raise exceptions.Unavailable(
            "The request came too late, or took too long; nothing was changed, ask again",
            what="request",
            retry_after=1,
        )


@contextlib.contextmanager
def _limited(left: Callable[[], float] | None) -> Iterator[None]:
    token = _left.set(left)
    try:
        yield
    finally:
        _left.reset(token)
