# SPDX-License-Identifier: Apache-2.0
"""Periodic tasks, beside everything else.

``futurist.periodics`` does the same with a thread more and no less code: what a task raises has
to be told apart either way.
"""

import logging
import threading
from collections.abc import Callable

from promise_blazar import exceptions
from promise_blazar.db.session import LostRace

LOG = logging.getLogger(__name__)


class Periodic:
    """Runs ``work`` every ``seconds``, the first time after one such pause; 0: never.

    What fails is logged, and tried again at the next turn.
    """

    def __init__(self, name: str, seconds: float, work: Callable[[], object]) -> None:
        self._name = name
        self._seconds = seconds
        self._work = work
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        if self._seconds:
            self._thread.start()

    def stop(self) -> None:
        """Returns when the turn under way, if any, is over."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            try:
                self._work()
            except (exceptions.PromiseBlazarError, LostRace) as error:
                LOG.warning("%s: %s; again in %g s", self._name, error, self._seconds)
            except Exception:
                # A fault of ours must not end what nobody would start again.
                LOG.exception("%s failed; again in %g s", self._name, self._seconds)
