# SPDX-License-Identifier: Apache-2.0
"""The leases that are asked for, and what has become of them, looked up in the tables.

In the tables, since looking through the API would be load of its own, and both services keep
the status where the API reads it.
"""

import random
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy

from benchmarks.whole_path.client import Answer, Client
from benchmarks.whole_path.sides import Side

HANG_GUARD = 180
_UNSETTLED = ("CREATING", "UPDATING", "STARTING", "TERMINATING", "DELETING")
#: Until then nothing is leased but what the tests of lateness ask for.
_LATER = timedelta(days=10)
CLIENTS = 8


def lease(start: datetime, end: datetime, **reservation: Any) -> dict[str, Any]:
    """A request, in the form that both understand."""
    return {
        "name": "benchmark",
        "start_date": start.strftime("%Y-%m-%d %H:%M"),
        "end_date": end.strftime("%Y-%m-%d %H:%M"),
        "reservations": [reservation],
        "events": [],
    }


def slots(
    amount: int = 1, vcpus: int = 1, on: str = "", affinity: bool | None = None
) -> dict[str, Any]:
    return {
        "resource_type": "virtual:instance",
        "vcpus": vcpus,
        "memory_mb": 512,
        "disk_gb": 1,
        "amount": amount,
        "affinity": affinity,
        "resource_properties": f'["==", "$hypervisor_hostname", "{on}"]' if on else "",
    }


def hosts(least: int = 1) -> dict[str, Any]:
    return {
        "resource_type": "physical:host",
        "min": least,
        "max": least,
        "hypervisor_properties": "",
        "resource_properties": "",
    }


class Calendar:
    """Windows drawn from the seed, and windows of which nobody else has any part."""

    def __init__(self, seed: int) -> None:
        now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        self._crowded = now + _LATER
        self._empty = now + 4 * _LATER
        self._random = random.Random(seed)

    def crowded(self) -> tuple[datetime, datetime]:
        """A day that begins within twenty."""
        start = self._crowded + timedelta(hours=self._random.randrange(480))
        return start, start + timedelta(days=1)

    def soon(self) -> tuple[datetime, datetime]:
        """An hour that begins in five minutes."""
        start = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=5)
        return start, start + timedelta(hours=1)

    def empty(self) -> tuple[datetime, datetime]:
        start, self._empty = self._empty, self._empty + timedelta(hours=2)
        return start, start + timedelta(hours=1)


class Table:
    """``leases`` in the database of a side."""

    def __init__(self, side: Side) -> None:
        url = sqlalchemy.make_url(side.cloud.database_url(side.database))
        self._engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")

    def close(self) -> None:
        self._engine.dispose()

    def statuses(self, leases: Iterable[str]) -> dict[str, str]:
        """Of those that are there."""
        query = sqlalchemy.text("SELECT id, status FROM leases WHERE id IN :ids").bindparams(
            sqlalchemy.bindparam("ids", list(leases), expanding=True)
        )
        with self._engine.connect() as connection:
            return {row.id: row.status for row in connection.execute(query)}

    def settle(self) -> None:
        """Wait until nothing is under way. Raises ``RuntimeError``."""
        query = sqlalchemy.text("SELECT count(*) FROM leases WHERE status IN :s").bindparams(
            sqlalchemy.bindparam("s", _UNSETTLED, expanding=True)
        )

        def settled() -> bool:
            with self._engine.connect() as connection:
                return not connection.execute(query).scalar_one()

        wait(settled, "leases are still under way", 0.1)

    def instants(self, leases: Iterable[str], reached: Iterable[str]) -> dict[str, datetime]:
        """When each was first seen in one of these states, looking twenty times a second."""
        waiting, wanted = set(leases), set(reached)
        seen: dict[str, datetime] = {}

        def all_seen() -> bool:
            now = datetime.now(UTC)
            for name, status in self.statuses(waiting).items():
                if status in wanted:
                    seen[name] = now
                    waiting.discard(name)
            return not waiting

        wait(all_seen, f"{sorted(wanted)} not reached by all", 0.05)
        return seen


def wait(happened: Callable[[], bool], otherwise: str, pause: float) -> None:
    """Raises ``RuntimeError`` when it does not in three minutes."""
    deadline = time.monotonic() + HANG_GUARD
    while not happened():
        if time.monotonic() > deadline:
            raise RuntimeError(otherwise)
        time.sleep(pause)


def at_once(client: Client, requests: Iterable[dict[str, Any]]) -> list[Answer]:
    """Creates by so many clients, each with one request at a time."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(client.create, requests))


def remove(client: Client, leases: Iterable[str]) -> list[Answer]:
    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(lambda name: client.request("DELETE", f"/leases/{name}"), leases))


def sound(answers: Sequence[Answer]) -> Sequence[Answer]:
    """The same. Raises ``RuntimeError`` for one that was refused."""
    for answer in answers:
        if not answer.good:
            raise RuntimeError(f"refused with {answer.status}: {answer.body}")
    return answers


def made(answers: Iterable[Answer]) -> list[str]:
    """Ids of the leases that were accepted."""
    return [answer.lease_id for answer in answers if answer.good]
