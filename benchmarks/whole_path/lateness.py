# SPDX-License-Identifier: Apache-2.0
"""The lateness of starts and ends: the second table.

As a user sees it, from due to ACTIVE or TERMINATED. For starts also to the first request of
Nova that names the lease, as its log has it; a look at the aggregates goes before.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.common.figures import percentile
from benchmarks.whole_path.client import Client
from benchmarks.whole_path.leases import Table, at_once, hosts, lease, made, remove, slots, sound
from benchmarks.whole_path.sides import Cloud

ONE_START = "start of one lease"
ONE_END = "end of one lease"
INSTANCES = "start of 20 instance leases at one instant"
HOSTS = "start of a host lease for each host at one instant"
_INSTANCES = 20
#: Leases last this long at least, where their end is not waited for.
_LONG = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Late:
    """Seconds after due. ``calls``: to the first request that names the lease.

    ``failed``: how many leases were in ERROR instead.
    """

    seconds: Sequence[float]
    calls: Sequence[float] = ()
    failed: int = 0

    def figures(self) -> tuple[float, ...]:
        """First, p50, last; of none, nothing."""
        if not self.seconds:
            return ()
        return min(self.seconds), percentile(self.seconds, 50), max(self.seconds)


class Watch:
    """``lead``: what 20 creates take the service, and more."""

    def __init__(self, user: Client, table: Table, cloud: Cloud) -> None:
        self._user = user
        self._table = table
        self._log = cloud.log_of("nova-api")
        self.lead = timedelta(seconds=30)

    def one_start(self) -> Late:
        return self._many([slots()])

    def one_end(self) -> Late:
        end = _next_minute(self.lead)
        now = datetime.now(UTC).replace(second=0)
        [answer] = sound([self._user.create(lease(now, end, **slots()))])
        self._table.instants([answer.lease_id], ["ACTIVE", "ERROR"])
        if datetime.now(UTC) >= end:
            raise RuntimeError("a lease of now was not started before it had to end")
        ended = self._table.instants([answer.lease_id], ["TERMINATED", "ERROR"])
        return Late(_after(end, ended.values()))

    def instances(self) -> Late:
        return self._many([slots()] * _INSTANCES)

    def hosts(self, number: int) -> Late:
        """``number`` leases, asked for one after another: all must start."""
        return self._many([hosts()] * number, in_turn=True)

    def fully(self, number: int) -> tuple[int, int, int]:
        """So many hosts, all free, and so many leases of one asked for by 8 clients.

        How many were accepted, and of these became ACTIVE and ERROR.
        """
        due = _next_minute(self.lead)
        answers = at_once(self._user, [lease(due, due + _LONG, **hosts())] * number)
        leases = made(answers)
        self._table.instants(leases, ["ACTIVE", "ERROR"])
        reached = list(self._table.statuses(leases).values())
        self._remove(leases)
        return len(leases), reached.count("ACTIVE"), reached.count("ERROR")

    def _many(self, wanted: Sequence[dict[str, Any]], in_turn: bool = False) -> Late:
        due = _next_minute(self.lead)
        requests = [lease(due, due + _LONG, **each) for each in wanted]
        if in_turn:
            answers = [self._user.create(request) for request in requests]
        else:
            answers = at_once(self._user, requests)
        leases = made(answers)
        if datetime.now(UTC) >= due or len(leases) < len(wanted):
            raise RuntimeError(f"{len(leases)} leases only, at {datetime.now(UTC)} for {due}")
        # Some of what was made then may not have been in the answer.
        self._table.settle()
        shown = [self._user.request("GET", f"/leases/{name}").body["lease"] for name in leases]
        late = self._starts(shown, due)
        self._remove(leases)
        return late

    def _starts(self, leases: Sequence[dict[str, Any]], due: datetime) -> Late:
        ids = [each["id"] for each in leases]
        position = self._log.stat().st_size
        time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds() - 0.2))
        seen = self._table.instants(ids, ["ACTIVE", "ERROR"])
        reached = self._table.statuses(ids)
        active = [instant for name, instant in seen.items() if reached.get(name) == "ACTIVE"]
        with self._log.open() as log:
            log.seek(position)
            requests = _requests(log.read(), due)
        calls = [first for each in leases if (first := _first(requests, each, due)) is not None]
        return Late(_after(due, active), calls, len(ids) - len(active))

    def _remove(self, leases: Sequence[str]) -> None:
        remove(self._user, leases)
        self._table.settle()


def _next_minute(lead: timedelta) -> datetime:
    """The first that is so far away: Blazar knows no shorter time."""
    instant = datetime.now(UTC) + lead
    return instant.replace(second=0, microsecond=0) + timedelta(minutes=1)


_REQUEST = re.compile(r'^(\S+ \S+) .*requestlog.*"[A-Z]+ (\S+)" .* time: ([0-9.]+)$', re.MULTILINE)


def _requests(log: str, due: datetime) -> list[tuple[float, str]]:
    """Seconds after due, and path, of each request in this part of Nova's log."""
    found = []
    for match in _REQUEST.finditer(log):
        # Logged in the machine's time, when it was answered.
        answered = datetime.fromisoformat(match[1]).astimezone(UTC)
        found.append(((answered - due).total_seconds() - float(match[3]), match[2]))
    return found


def _first(
    requests: Sequence[tuple[float, str]], leased: dict[str, Any], due: datetime
) -> float | None:
    reservation = leased["reservations"][0]
    names = [f"/flavors/{reservation['id']}"]
    if reservation.get("aggregate_id"):
        names.append(f"/os-aggregates/{reservation['aggregate_id']}/")
    return min(
        (at for at, path in requests if at >= 0 and any(name in path + "/" for name in names)),
        default=None,
    )


def _after(due: datetime, instants: Any) -> list[float]:
    return [(instant - due).total_seconds() for instant in instants]
