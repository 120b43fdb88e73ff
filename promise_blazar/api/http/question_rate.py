# SPDX-License-Identifier: Apache-2.0
"""Rate of questions: how many of them each project may ask within a minute.

Counted by ``limits``, over a window that slides: in this process, or in memcached for all
processes together. While memcached is away each process counts for itself.
"""

import hashlib
import math
import threading

from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter
from oslo_log import log as logging

from promise_blazar import exceptions
from promise_blazar.clock import Clock

LOG = logging.getLogger(__name__)

IN_PROCESS = "memory://"
#: Seconds that memcached may take, and how long one that was away is not asked again.
_PATIENCE = 1
_LOOK_AGAIN = 30.0
_MINUTE = 60


class QuestionRate:
    """At most ``most`` a minute for each project; 0: as many as they like.

    ``storage``: ``memory://``, or ``memcached://host:port[,host:port...]``. Safe in threads.
    """

    def __init__(self, most: int, storage: str, clock: Clock) -> None:
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._look_at = 0.0
        if not most:
            return
        self._item = RateLimitItemPerMinute(most, namespace="promise-blazar-questions")
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared = None if storage == IN_PROCESS else _shared(storage)

    def spend(self, project_id: str) -> None:
        """One question of this project. Raises ``TooManyRequests``."""
        if not self._most:
            return
        # Whatever a project is called, memcached takes it.
        key = hashlib.sha256(project_id.encode()).hexdigest()
        limiter = self._limiter()
        try:
            self._hit(limiter, key)
        except (StorageError, OSError) as error:
            LOG.warning("%s; questions are counted in this process alone", error)
            with self._lock:
                self._look_at = self._clock.monotonic() + _LOOK_AGAIN
            self._hit(self._own, key)

    def _limiter(self) -> SlidingWindowCounterRateLimiter:
        if self._shared is None:
            return self._own
        with self._lock:
            away = self._clock.monotonic() < self._look_at
        return self._own if away else self._shared

    def _hit(self, limiter: SlidingWindowCounterRateLimiter, key: str) -> None:
        if limiter.hit(self._item, key):
            return
        free_at = limiter.get_window_stats(self._item, key).reset_time
        wait = math.ceil(free_at - self._clock.now().timestamp())
        raise exceptions.TooManyRequests(most=self._most, retry_after=min(max(wait, 1), _MINUTE))


def _shared(storage: str) -> SlidingWindowCounterRateLimiter:
    found = storage_from_string(
        storage, wrap_exceptions=True, connect_timeout=_PATIENCE, timeout=_PATIENCE
    )
    return SlidingWindowCounterRateLimiter(found)
