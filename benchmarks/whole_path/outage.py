# SPDX-License-Identifier: Apache-2.0
"""What can be had while Nova is away, of what begins tomorrow; the fourth table."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from benchmarks.whole_path.client import Answer, Client
from benchmarks.whole_path.latency import Times
from benchmarks.whole_path.leases import Table, hosts, lease, slots

CREATED = "POST /leases, for tomorrow"
CHANGED = "PUT /leases/{id}, an hour longer and one slot more"
DELETED = "DELETE /leases/{id}"
STARTED = "start of what was made meanwhile"
_EACH = 10
#: From the change of a lease to its start: Nova takes a quarter of a minute to come back.
_LEAD = timedelta(seconds=90)


def without_nova(
    user: Client, table: Table, away: Callable[[], None], back: Callable[[], None]
) -> tuple[dict[str, Times], list[float]]:
    """Seconds of each request while Nova is away; and how late, in seconds, two leases became
    ACTIVE that were then moved to begin soon after it was back. Leaves nothing behind.

    Raises ``RuntimeError`` for a request that is refused.
    """
    found = {}
    away()
    try:
        start = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(days=1)
        end = start + timedelta(hours=2)
        wanted = [slots(), hosts()] * (_EACH // 2)
        made = [user.create(lease(start, end, **each)) for each in wanted]
        found[CREATED] = _times(made)
        ids = [answer.lease_id for answer in made]
        found[CHANGED] = _times([_longer(user, answer) for answer in made])
        found[DELETED] = _times([user.request("DELETE", f"/leases/{name}") for name in ids[2:]])
        due = (datetime.now(UTC) + _LEAD).replace(second=0, microsecond=0) + timedelta(minutes=1)
        for name in ids[:2]:
            _times([user.request("PUT", f"/leases/{name}", {"start_date": _text(due)})])
    finally:
        back()
    time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds() - 0.5))
    seen = table.instants(ids[:2], ["ACTIVE", "ERROR"])
    late = [(seen[name] - due).total_seconds() for name in ids[:2]]
    if "ERROR" in table.statuses(ids[:2]).values():
        raise RuntimeError("a lease that was made while Nova was away is in ERROR")
    for name in ids[:2]:
        user.request("DELETE", f"/leases/{name}")
    table.settle()
    return found, late


def _longer(user: Client, made: Answer) -> Answer:
    shown = made.body["lease"]
    end = datetime.fromisoformat(shown["end_date"]) + timedelta(hours=1)
    change: dict[str, object] = {"end_date": _text(end)}
    reservation = shown["reservations"][0]
    if "amount" in reservation:
        more = {"id": reservation["id"], "amount": reservation["amount"] + 1}
        change["reservations"] = [more]
    return user.request("PUT", f"/leases/{made.lease_id}", change)


def _text(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%d %H:%M")


def _times(answers: list[Answer]) -> Times:
    for answer in answers:
        if not answer.good:
            raise RuntimeError(f"refused with {answer.status}: {answer.body}")
    return Times([answer.seconds for answer in answers])
