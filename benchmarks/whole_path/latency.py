# SPDX-License-Identifier: Apache-2.0
"""The time that each request takes: the first table."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.common.figures import percentile
from benchmarks.whole_path.client import Answer, Client
from benchmarks.whole_path.leases import (
    CLIENTS,
    Calendar,
    Table,
    at_once,
    hosts,
    lease,
    made,
    slots,
    sound,
)

HOSTS = "POST /os-hosts"
INSTANCE = "POST /leases, virtual:instance, 1 slot"
HOST = "POST /leases, physical:host, 1"
INSTANCE_SOON = "POST /leases, virtual:instance, in five minutes"
HOST_SOON = "POST /leases, physical:host, in five minutes"
LIST = "GET /leases"
GET = "GET /leases/{id}"
DELETE_INSTANCE = "DELETE /leases/{id}, pending, virtual:instance"
DELETE_HOST = "DELETE /leases/{id}, pending, physical:host"
TOGETHER = f"POST /leases, virtual:instance, {CLIENTS} clients at once"

#: How often the leases that are to be there before are asked for: Blazar refuses some of those
#: that are asked for at once, where Placement confuses their resource classes.
_PATIENCE = 5


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of each request; of those at once also how many a second were accepted, and how
    many were not, although there was room."""

    seconds: Sequence[float]
    rate: float | None = None
    refused: int = 0

    @property
    def p50(self) -> float:
        return percentile(self.seconds, 50) * 1e3

    @property
    def p95(self) -> float:
        return percentile(self.seconds, 95) * 1e3


def register(admin: Client, names: Sequence[str]) -> Times:
    return _times([admin.request("POST", "/os-hosts", {"name": name}) for name in names])


def measure(
    user: Client, table: Table, calendar: Calendar, number: int, before: int, together: int
) -> dict[str, Times]:
    """``number`` of each request, with ``before`` leases there. Leaves only those behind."""
    missing = before
    for _ in range(_PATIENCE):
        crowd = [lease(*calendar.crowded(), **slots()) for _ in range(missing)]
        missing -= len(made(at_once(user, crowd)))
    if missing:
        raise RuntimeError(f"{missing} of the {before} leases before were refused each time")
    table.settle()
    found = {}

    instances = [user.create(lease(*calendar.crowded(), **slots())) for _ in range(number)]
    found[INSTANCE] = _times(instances)
    table.settle()
    ids = made(instances)
    found[LIST] = _times([user.request("GET", "/leases") for _ in range(number)])
    found[GET] = _times([user.request("GET", f"/leases/{name}") for name in ids])

    whole = [user.create(lease(*calendar.empty(), **hosts())) for _ in range(number)]
    found[HOST] = _times(whole)
    table.settle()
    for row, leases in ((DELETE_INSTANCE, ids), (DELETE_HOST, made(whole))):
        found[row] = _times([user.request("DELETE", f"/leases/{name}") for name in leases])
        table.settle()

    burst = [lease(*calendar.crowded(), **slots()) for _ in range(together)]
    began = time.perf_counter()
    answers = at_once(user, burst)
    took = time.perf_counter() - began
    good = [answer for answer in answers if answer.good]
    found[TOGETHER] = Times(_times(good).seconds, len(good) / took, together - len(good))
    table.settle()
    return found


def soon(user: Client, table: Table, calendar: Calendar, number: int) -> dict[str, Times]:
    """Creates of what has to be prepared at once; each is deleted before the next."""
    found = {}
    for row, reservation in ((INSTANCE_SOON, slots()), (HOST_SOON, hosts())):
        answers = []
        for _ in range(number):
            answers.append(user.create(lease(*calendar.soon(), **reservation)))
            table.settle()
            sound([user.request("DELETE", f"/leases/{answers[-1].lease_id}")])
            table.settle()
        found[row] = _times(answers)
    return found


def _times(answers: Sequence[Answer]) -> Times:
    """A wrong answer voids the speed."""
    return Times([answer.seconds for answer in sound(answers)])
