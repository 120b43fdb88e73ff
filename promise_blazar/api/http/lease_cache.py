# SPDX-License-Identifier: Apache-2.0
"""What do we know of leases already? What was shown last, so that what has not changed is
neither asked for nor rendered again.

Never an answer by itself: each request asks the manager which revisions there are now.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: Leases that are remembered, of all projects. Each takes one to two kilobytes.
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Shown:
    """``text``: the lease in JSON. ``project_id`` and ``user_id`` are what policies look at."""

    id: str
    revision: int
    project_id: str
    user_id: str
    text: bytes


class Memory:
    """By project; the project that was not asked for longest is forgotten first.

    Safe in threads. An older revision may replace a newer one: then it is asked for again.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._projects: OrderedDict[str, dict[str, Shown]] = OrderedDict()
        self._count = 0

    def of(self, project_id: str | None) -> Mapping[str, Shown]:
        """What is remembered of a project, or of all (None), by the ids of the leases."""
        with self._lock:
            if project_id is None:
                return {k: v for leases in self._projects.values() for k, v in leases.items()}
            return dict(self._of(project_id))

    def one(self, project_id: str, lease_id: str) -> Shown | None:
        with self._lock:
            return self._of(project_id).get(lease_id)

    def keep(self, shown: Shown) -> None:
        with self._lock:
            leases = self._projects.setdefault(shown.project_id, {})
            self._count += shown.id not in leases
            leases[shown.id] = shown
            self._forget()

    def replace(self, project_id: str | None, shown: Sequence[Shown]) -> None:
        """All that there is of a project, or at all (None): what else is remembered has gone."""
        if len(shown) > self._most:
            return
        with self._lock:
            for name in [project_id] if project_id is not None else list(self._projects):
                self._count -= len(self._projects.pop(name, {}))
            for each in shown:
                self._projects.setdefault(each.project_id, {})[each.id] = each
            self._count += len(shown)
            self._forget()

    def _of(self, project_id: str) -> Mapping[str, Shown]:
        if project_id not in self._projects:
            return {}
        self._projects.move_to_end(project_id)
        return self._projects[project_id]

    def _forget(self) -> None:
        while self._count > self._most:
            _, leases = self._projects.popitem(last=False)
            self._count -= len(leases)
