# SPDX-License-Identifier: Apache-2.0
"""A simulated OpenStack a part of whose calls goes wrong, each kind of wrong as often as others.

Boots that were scheduled and have taken nothing yet are claimed in the middle of the service's
calls, whatever it is about just then.
"""

import contextlib
import pathlib
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.common.clouds import CloudOf
from promise_blazar import exceptions
from promise_blazar.cloud.simulated.calls import Calls
from promise_blazar.cloud.simulated.compute.servers import Boot
from promise_blazar.cloud.simulated.refusals import error

#: Of faults, each as often as the others.
KINDS = 4


class FaultyCalls(Calls):
    """``between``: what others do when a call is about to be made. ``longest``: seconds that a
    call may take."""

    def __init__(
        self,
        part: float,
        longest: float,
        chance: random.Random,
        between: Callable[[], object],
        *way: Any,
    ) -> None:
        super().__init__(*way)
        self.part = part
        self.struck: Counter[str] = Counter()
        self._longest = longest
        self._chance = chance
        self._between = between
        self._spared: set[int] = set()

    @contextlib.contextmanager
    def well(self) -> Iterator[None]:
        """Nothing goes wrong in this block, in this thread."""
        self._spared.add(threading.get_ident())
        try:
            yield
        finally:
            self._spared.discard(threading.get_ident())

    def _draw(self, *names: str) -> str | None:
        if threading.get_ident() in self._spared:
            return None
        for name in names:
            if self._chance.random() < self.part / KINDS:
                self.struck[name] += 1
                return name
        return None

    @contextlib.contextmanager
    def _call(self, call):
        self._between()
        with super()._call(call):
            self.struck["calls"] += 1
            fault = self._draw("failed", "lost the answer", "late")
            if fault == "late":
                time.sleep(self._chance.uniform(0.1, self._longest))
            if fault == "failed":
                raise error(call, 503, "an injected failure")
            yield
        if fault == "lost the answer":
            raise error(call, None, "an injected time-out, after the work")

    def write(self, call, work):
        answer = super().write(call, work)
        if self._draw("came twice"):
            # The first answer is the one that arrived, whatever the second is.
            with contextlib.suppress(exceptions.PromiseBlazarError):
                super().write(call, work)
        return answer


class FaultyCloud(CloudOf):
    """``part`` of the calls goes wrong; a call takes ``longest`` seconds at most."""

    def __init__(
        self, path: pathlib.Path, hosts: int, part: float, longest: float, chance: random.Random
    ) -> None:
        self._hanging: list[Boot] = []
        self._lock = threading.Lock()
        self._dice = random.Random(chance.random())

        def make(*way: Any) -> FaultyCalls:
            self.calls = FaultyCalls(part, longest, chance, self._claim_some, *way)
            return self.calls

        super().__init__(make, path, hosts)

    def well(self) -> contextlib.AbstractContextManager[None]:
        """Nothing goes wrong in this block, in this thread."""
        return self.calls.well()

    def heal(self) -> None:
        """Nothing goes wrong any more, in no thread."""
        self.calls.part = 0

    def hang(self, boot: Boot) -> None:
        """From now on it is claimed when a call is made."""
        with self._lock:
            self._hanging.append(boot)

    def claim(self, boot: Boot) -> None:
        """Unless it was claimed already."""
        with self._lock:
            if boot not in self._hanging:
                return
            self._hanging.remove(boot)
        with contextlib.suppress(exceptions.NotFound):  # its tenant has deleted it
            self.claim_server(boot)

    def _claim_some(self) -> None:
        with self._lock:
            some = [boot for boot in self._hanging if self._dice.random() < 0.3]
        for boot in some:
            self.claim(boot)
