# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks of punctual starts share: a site with many leases, and what became of each.

A site is a manager with its defaults in this process, a PostgreSQL server of its own, durable as
in production, and a simulated OpenStack whose every call takes a given time.
"""

import contextlib
import pathlib
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy

from benchmarks.common.figures import percentile
from benchmarks.common.postgresql import DurablePostgreSQL
from promise_blazar.clock import SystemClock
from promise_blazar.cloud.fence import Fence
from promise_blazar.cloud.simulated import SimulatedCloud
from promise_blazar.context import RequestContext
from promise_blazar.db import migrate, tables
from promise_blazar.db.session import Database
from promise_blazar.manager import composition
from promise_blazar.manager.contract.messages import HostRequest, LeaseRequest, ReservationRequest
from promise_blazar.manager.ownership.work import WorkOwnership
from promise_blazar.manager.service import ManagerService
from promise_blazar.model.states import EventStatus, EventType
from promise_blazar.tests.functional.base import configuration

CLOCK = SystemClock()
CALLER = RequestContext("user", "project", "req-benchmark")
SLOT = {
    "vcpus": 1,
    "memory_mb": 1024,
    "disk_gb": 1,
    "amount": 1,
    "affinity": None,
    "resource_properties": "",
}
SLOTS_A_HOST = 32
#: Beyond what any start here takes.
HANG_GUARD = 60.0


@dataclass
class Watch:
    """Every call that left for a lease, by the lease. ``held``: what stops some of them."""

    calls: dict[str, list[tuple[datetime, str]]] = field(default_factory=lambda: defaultdict(list))
    held: Callable[[WorkOwnership, str], None] = lambda ownership, call: None

    def over(self, fence: Callable[[WorkOwnership], Fence]) -> Callable[[WorkOwnership], Fence]:
        def watched(ownership: WorkOwnership) -> Fence:
            check = fence(ownership)
            if not isinstance(ownership, WorkOwnership):
                return check  # of a job

            def look(call: str) -> None:
                check(call)
                self.calls[ownership.lease_id].append((CLOCK.now(), call))
                self.held(ownership, call)

            return look

        return watched


class Site:
    def __init__(self, url: str, directory: pathlib.Path, hosts: int) -> None:
        self.url = url
        self.cloud = SimulatedCloud(directory / "cloud.sqlite", hosts)
        self.watch = Watch()
        migrating = Database(url)
        migrate.sync(migrating)
        migrating.dispose()
        self.manager = self.begin()

    def begin(self, **options: Any) -> ManagerService:
        """A manager at work; ``manager`` from now on."""
        # No reconcile in between: it is one thread beside the engine, and not what is measured.
        conf = configuration(manager__reconcile_interval=0, **options)
        self.manager = composition.manager(conf, Database(self.url), self.cloud, CLOCK)
        heartbeat = self.manager.heartbeat
        heartbeat.fence = self.watch.over(heartbeat.fence)  # type: ignore[method-assign]
        self.manager.start()
        return self.manager

    def register(self, hosts: int) -> None:
        for number in range(1, hosts + 1):
            self.manager.create_host(CALLER, HostRequest(f"compute-{number}"))

    def create(self, due: Sequence[datetime], last: timedelta = timedelta(days=1)) -> list[str]:
        """Leases of one slot each, prepared; their ids in the order of ``due``."""

        def one(start: datetime) -> str:
            reservation = ReservationRequest("virtual:instance", SLOT)
            request = LeaseRequest(
                "benchmark",
                start.isoformat(),
                (start + last).isoformat(),
                None,
                (reservation,),
            )
            return self.manager.create_lease(CALLER, request).id

        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(one, due))

    def events(self) -> dict[tuple[str, str], tuple[datetime, str, datetime | None]]:
        """Time, status and last change of each event, by its lease and type."""
        engine = sqlalchemy.create_engine(self.url, poolclass=sqlalchemy.NullPool)
        event = tables.Event
        columns = (event.lease_id, event.event_type, event.time, event.status, event.updated_at)
        with engine.connect() as connection:
            rows = connection.execute(sqlalchemy.select(*columns)).all()
        return {(row[0], row[1]): tuple(row[2:]) for row in rows}

    def started(self, leases: Sequence[str]) -> list["Start"]:
        """What became of these leases, once all have started. Raises ``RuntimeError``."""
        deadline = time.monotonic() + HANG_GUARD
        while True:
            events = self.events()
            rows = [events[lease, EventType.START] for lease in leases]
            if all(status == EventStatus.DONE for _, status, _ in rows):
                break
            if time.monotonic() > deadline:
                late = [
                    lease
                    for lease in leases
                    if events[lease, EventType.START][1] != EventStatus.DONE
                ]
                raise RuntimeError(f"{len(late)} leases have not started, such as {late[0]}")
            time.sleep(1)
        found = []
        for lease, (due, _, active) in zip(leases, rows, strict=True):
            calls = [call for call in self.watch.calls[lease] if call[0] >= due]
            found.append(Start(due, calls[0][0], active, tuple(name for _, name in calls)))
        return found

    def stop(self) -> None:
        self.manager.stop()
        self.cloud.close()


@dataclass(frozen=True, slots=True)
class Start:
    due: datetime
    first_call: datetime
    active: datetime
    calls: tuple[str, ...]

    @property
    def lateness(self) -> float:
        """Seconds from due to the first call to OpenStack."""
        return (self.first_call - self.due).total_seconds()

    @property
    def until_active(self) -> float:
        """Seconds from due to ACTIVE."""
        return (self.active - self.due).total_seconds()


@contextlib.contextmanager
def site(hosts: int) -> Iterator[Site]:
    server = DurablePostgreSQL.find()
    if server is None:
        raise SystemExit("PostgreSQL's server is not installed here")
    with contextlib.ExitStack() as stack:
        stack.callback(server.stop)
        url = server.start()
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        made = Site(url, directory, hosts)
        stack.callback(made.stop)
        yield made


def row(name: str, values: Sequence[float]) -> str:
    figures = (percentile(values, 50), percentile(values, 99), max(values))
    return (
        f"  {name:36} p50 {figures[0]:7.3f} s  p99 {figures[1]:7.3f} s  most {figures[2]:7.3f} s"
    )


def wait_until(instant: datetime) -> None:
    """Raises ``RuntimeError`` when that is over already."""
    seconds = (instant - CLOCK.now()).total_seconds()
    if seconds < 0:
        raise RuntimeError(f"the preparation took {-seconds:.0f} s too long; give a longer --lead")
    threading.Event().wait(seconds)
