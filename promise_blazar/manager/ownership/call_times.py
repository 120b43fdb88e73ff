# SPDX-License-Identifier: Apache-2.0
"""Times of calls to OpenStack: how long one may be under way, as others of its kind were.

Nobody may take a lease over while a call of its owner may still take effect. Most calls are
answered in a fraction of a second; so that a dead manager's leases need not wait for the longest
that one may take, a call is reckoned with for its usual time, until calls of its kind have taken
longer. From then on the kind is reckoned with for its whole time.
"""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from promise_blazar.clock import Clock

#: Seconds that a kind is remembered for after a call that took longer than usual.
MEMORY = 600.0
#: The last words of the names of calls that change nothing, so that they can come late.
_READS = frozenset({"find", "list", "show"})


@dataclass(frozen=True, slots=True)
class CallLimits:
    """Seconds. ``usual``: within which calls are answered as a rule; ``longest``: that one may
    take; ``own``: that those of some names may take instead."""

    usual: float
    longest: float
    own: Mapping[str, float] = field(default_factory=dict)


class CallTimes:
    """What calls of this process under ownership take, and what has to be reckoned with."""

    def __init__(self, clock: Clock, limits: CallLimits) -> None:
        self._clock = clock
        self.limits = limits
        self.usual = min(limits.usual, limits.longest)
        self._lock = threading.Lock()
        self._slow: dict[str, float] = {}
        self._under_way: dict[object, float] = {}

    @contextlib.contextmanager
    def watch(self, call: str) -> Iterator[None]:
        """A call is under way in this block; for ``cloud.fence``."""
        key, since = object(), self._clock.monotonic()
        reckoned = self.reckoned(call)
        with self._lock:
            self._under_way[key] = reckoned
        try:
            yield
        finally:
            now = self._clock.monotonic()
            with self._lock:
                del self._under_way[key]
                if now - since > self.usual and not _reads(call):
                    self._slow[call] = now + MEMORY

    def reckoned(self, call: str) -> float:
        """Seconds for which a call that leaves now is to be reckoned with."""
        if _reads(call):
            return self.usual
        with self._lock:
            slow = self._slow.get(call, float("-inf")) > self._clock.monotonic()
        own = self.limits.own.get(call)
        if own is not None and (slow or own > self.limits.longest):
            return own
        return self.limits.longest if slow else self.usual

    def longest(self) -> float:
        """Seconds for which calls that are under way, or may leave unasked, are reckoned with."""
        now = self._clock.monotonic()
        with self._lock:
            self._slow = {call: until for call, until in self._slow.items() if until > now}
            found = [self.usual, *self._under_way.values()]
            found += [self.limits.own.get(call, self.limits.longest) for call in self._slow]
        return max(found)


def _reads(call: str) -> bool:
    return call.rpartition(".")[2] in _READS
