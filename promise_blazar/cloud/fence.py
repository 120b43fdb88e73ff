# SPDX-License-Identifier: Apache-2.0
"""The fence around calls to OpenStack: each is announced, and may be stopped, as it leaves.

Every adapter announces each call here just before its first byte is sent. Whoever owns a lease's
work puts a fence around it: a function that raises when the owner may no longer act. So a manager
that was overtaken, or was asleep for too long, stops before the next call and not after it. It may
also watch how long calls are under way.
"""

import contextlib
import contextvars
from collections.abc import Callable, Iterator

#: Takes the name of the call, e.g. ``nova.aggregate.add_host``; raises to stop it.
Fence = Callable[[str], None]
#: Takes the name of a call, and is entered as long as it is under way.
Watch = Callable[[str], contextlib.AbstractContextManager[object]]

_fence: contextvars.ContextVar[Fence | None] = contextvars.ContextVar("fence", default=None)
_watch: contextvars.ContextVar[Watch | None] = contextvars.ContextVar("watch", default=None)


@contextlib.contextmanager
def fenced(fence: Fence, watch: Watch | None = None) -> Iterator[None]:
    """Ask ``fence`` before every outgoing call of this block, and let ``watch`` see it."""
    token, watched = _fence.set(fence), _watch.set(watch)
    try:
        yield
    finally:
        _watch.reset(watched)
        _fence.reset(token)


def under_way(call: str) -> contextlib.AbstractContextManager[object]:
    """A call is on its way in this block: it is to be announced, sent and answered."""
    watch = _watch.get()
    return contextlib.nullcontext() if watch is None else watch(call)


def announce(call: str) -> None:
    """A call is about to leave. Raises what the fence raises."""
    fence = _fence.get()
    if fence is not None:
        fence(call)
