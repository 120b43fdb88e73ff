# SPDX-License-Identifier: Apache-2.0
"""The fence around calls to OpenStack: each is announced, and may be stopped, as it leaves.

Every adapter announces each call here just before it is made. Whoever owns a lease's work puts
a fence around it: a function that raises when the owner may no longer act. So a manager that
was overtaken, or was asleep for too long, stops before the next call and not after it.
"""

import contextlib
import contextvars
from collections.abc import Callable, Iterator

#: Takes the name of the call, e.g. ``nova.aggregate.add_host``; raises to stop it.
Fence = Callable[[str], None]

_fence: contextvars.ContextVar[Fence | None] = contextvars.ContextVar("fence", default=None)


@contextlib.contextmanager
def fenced(fence: Fence) -> Iterator[None]:
    """Ask ``fence`` before every outgoing call of this thread, in this block."""
    token = _fence.set(fence)
    try:
        yield
    finally:
        _fence.reset(token)


def announce(call: str) -> None:
    """A call is about to leave. Raises what the fence raises."""
    fence = _fence.get()
    if fence is not None:
        fence(call)
