# SPDX-License-Identifier: Apache-2.0
"""Calls of the service to the simulated cloud: announced, slowed, failed, and then done.

A call announces itself, waits for the injected latency, meets its injected fault, if there are
any, and then is one transaction. An injected fault of the kind ``after`` comes behind it.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from typing import TypeVar

from promise_blazar.cloud import fence
from promise_blazar.cloud.simulated import faults
from promise_blazar.cloud.simulated.refusals import Refused, error
from promise_blazar.cloud.simulated.world import World

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]


class Calls:
    """The service's way to the world. ``sleep``: how an injected latency passes, in seconds.

    Both kinds of call raise what the work raises, ``CloudUnavailable``, and ``CloudError`` for
    what is refused.
    """

    def __init__(self, world: World, sleep: Callable[[float], None]) -> None:
        self._world = world
        self._sleep = sleep

    def read(self, call: str, work: Work[T]) -> T:
        """What the work finds, in one consistent view of the world."""
        with self._call(call), self._world.reading() as db:
            return work(db)

    def write(self, call: str, work: Work[T]) -> T:
        """What the work answers, once all that it changed is kept."""
        with self._call(call), self._world.writing() as db:
            return work(db)

    @contextlib.contextmanager
    def _call(self, call: str) -> Iterator[None]:
        """Announce the call, let it suffer what it must, and give its errors their names."""
        with fence.under_way(call):
            fence.announce(call)
            try:
                fault = faults.strike(self._world, call)
                if fault and fault.latency_ms:
                    self._sleep(fault.latency_ms / 1000)
                failing = fault if fault and fault.fail_next else None
                if failing and not failing.after:
                    raise error(call, failing.status, "an injected fault, before the work")
                yield
                if failing:
                    raise error(call, failing.status, "an injected fault, after the work")
            except Refused as refused:
                raise error(call, refused.status, refused.detail) from None
            except sqlite3.OperationalError as trouble:  # locked for too long, a full disk
                raise error(call, None, str(trouble)) from trouble
