# SPDX-License-Identifier: Apache-2.0
"""Cache of leases as they were shown last.

What has not changed is neither asked for nor rendered again. It is never an answer by itself: each
request asks the manager which revisions there are now.
"""

import contextlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cachetools import LRUCache

#: Leases that are remembered, of all projects. Each takes one to two kilobytes.
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Shown:
    """A lease as it was shown.

    ``text``: the lease in JSON. ``project_id`` and ``user_id`` are what policies look at.
    """

    id: str
    revision: int
    project_id: str
    user_id: str
    text: bytes


class LeaseCache:
    """Shown leases by project; the project that was not asked for longest is forgotten first.

    Safe in threads. An older revision may replace a newer one: then it is asked for again.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._lock = threading.Lock()
        # A project takes as much room as it has leases.
        self._projects: LRUCache[str, dict[str, Shown]] = LRUCache(most, getsizeof=len)

    def of(self, project_id: str | None) -> Mapping[str, Shown]:
        """What is remembered of a project, or of all (None), by the ids of the leases."""
        with self._lock:
            if project_id is not None:
                return dict(self._projects.get(project_id, {}))
            return {k: v for leases in self._projects.values() for k, v in leases.items()}

    def one(self, project_id: str, lease_id: str) -> Shown | None:
        """What is remembered of a lease of this project; None: nothing."""
        with self._lock:
            return self._projects.get(project_id, {}).get(lease_id)

    def keep(self, shown: Shown) -> None:
        """Remember one lease."""
        with self._lock:
            leases = self._projects.pop(shown.project_id, {})
            leases[shown.id] = shown
            self._remember(shown.project_id, leases)

    def replace(self, project_id: str | None, shown: Sequence[Shown]) -> None:
        """Remember all that there is of a project, or at all (None): the rest has gone.

        A list with more leases than are remembered changes nothing.
        """
        if len(shown) > self._projects.maxsize:
            return
        found: dict[str, dict[str, Shown]] = {}
        for each in shown:
            found.setdefault(each.project_id, {})[each.id] = each
        with self._lock:
            if project_id is None:
                self._projects.clear()
            else:
                self._projects.pop(project_id, None)
            for name, leases in found.items():
                self._remember(name, leases)

    def _remember(self, project_id: str, leases: dict[str, Shown]) -> None:
        """Where nothing is: in place of another size, too many others would be forgotten."""
        with contextlib.suppress(ValueError):  # more than all of them may have together
            self._projects[project_id] = leases
