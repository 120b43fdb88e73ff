# SPDX-License-Identifier: Apache-2.0
"""The service of an earlier release in one process, and how its work is cut off.

Imported by story.py, whose directory is then on the path; promise_blazar is that release's.
"""

import contextlib
import random
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import names
from names import Database, outgoing
from werkzeug.test import Client

from promise_blazar import times
from promise_blazar.cloud.simulated import SimulatedCloud
from promise_blazar.db import hosts, leases, migrate, providers
from promise_blazar.tests.fakes import ManualClock
from promise_blazar.tests.functional.base import INSTANCE, configuration

BEGIN = datetime(2030, 1, 1, tzinfo=UTC)
ADMIN, ALICE = "admin:admin", "alice:demo"
#: Of the simulated cloud.
HOSTS = 24
#: Seconds in which a call that is to be cut off is reached.
PATIENCE = 30.0
#: Seconds of the story between two heartbeats.
STEP = 2.0
#: What the manifest keeps the answers to.
SHOWN = (
    "/v1/leases",
    "/v1/os-hosts",
    "/v1/os-hosts/allocations",
    "/v1/os-hosts/properties?detail=1&all=1",
)


@dataclass(frozen=True, slots=True)
class Stop:
    """A call that does not leave. Who makes it waits from ``reached`` until ``go_on``."""

    reached: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)


class Stops:
    """The calls to OpenStack that are stopped, by their names; each name once."""

    def __init__(self) -> None:
        self._armed: dict[str, Stop] = {}
        self._announce = outgoing.announce
        outgoing.announce = self._announced

    def _announced(self, call: str) -> None:
        self._announce(call)
        stop = self._armed.pop(call, None)
        if stop is not None:
            stop.reached.set()
            stop.go_on.wait()

    @contextlib.contextmanager
    def before(self, *calls: str) -> Iterator[tuple[Stop, ...]]:
        """A block whose work comes to these calls, and no further. Raises ``TimeoutError``."""
        stops = tuple(Stop() for _ in calls)
        self._armed.update(zip(calls, stops, strict=True))
        yield stops
        for call, stop in zip(calls, stops, strict=True):
            if not stop.reached.wait(PATIENCE):
                raise TimeoutError(f"{call} is not reached")


class Story:
    """The service, told what to do. One manager at a time; it acts only when told to."""

    def __init__(self, url: str, cloud_file: Path) -> None:
        self.clock = ManualClock(BEGIN)
        self.url = url
        self.cloud = SimulatedCloud(cloud_file, HOSTS, self.clock, sleep=self.clock.advance)
        self.stops = Stops()
        #: The leases by the names they are known by here: their ids, and what cut them off.
        self.leases: dict[str, str] = {}
        self.cut_off: dict[str, tuple[str, ...]] = {}
        database = Database(url)
        migrate.sync(database)
        database.dispose()

    def employ(self, **options: Any) -> None:
        """A manager from now on, with an API in front of it."""
        conf = configuration(**{**names.OPTIONS, **options})
        self.database = Database(self.url)
        self.manager = names.manager(conf, self.database, self.cloud, self.clock)
        self._api = Client(names.application(conf, self.manager, self.cloud, self.clock))

    # Time

    def wait(self, seconds: float, act: bool = False) -> None:
        """Heartbeats go on; what is due is done only with ``act``."""
        while seconds > 0:
            step = min(STEP, seconds)
            self.clock.advance(step)
            names.beat(self.manager)
            if act:
                self.manager.engine.run_due()
            seconds -= step

    def until(self, minute: float, act: bool = False) -> None:
        self.wait(minute * 60 - self.clock.monotonic(), act)

    def run_due(self) -> None:
        self.manager.engine.run_due()

    @staticmethod
    def minute(minute: float) -> str:
        return (BEGIN + timedelta(minutes=minute)).strftime(times.MINUTE_FORMAT)

    # Requests

    def must(
        self, status: int, verb: str, path: str, body: Any = None, token: str = ADMIN, **more: str
    ) -> Any:
        """The answer's JSON, of a request that has to be answered like this."""
        answer = self._api.open(
            path,
            method=verb,
            json=body,
            headers={"X-Auth-Token": token, **more},
        )
        if answer.status_code != status:
            raise AssertionError(f"{verb} {path}: {answer.status_code} {answer.text}")
        return answer.json

    def register(self, number: int, key: str = "", **capabilities: str) -> str:
        """A host on lend; its id."""
        body = {"name": f"compute-{number}", **capabilities}
        headers = {"Idempotency-Key": key} if key else {}
        return str(self.must(201, "POST", "/v1/os-hosts", body, **headers)["host"]["id"])

    def lease(
        self,
        name: str,
        *reservations: dict[str, Any],
        end: float,
        start: float | None = None,
        warning: float | None = None,
        token: str = ALICE,
        key: str = "",
    ) -> dict[str, Any]:
        """A lease that is made; its JSON. Times in minutes from the beginning; None: now."""
        body = {
            "name": name,
            "start_date": "now" if start is None else self.minute(start),
            "end_date": self.minute(end),
            "reservations": list(reservations),
        }
        if warning is not None:
            body["before_end_date"] = self.minute(warning)
        headers = {"Idempotency-Key": key} if key else {}
        lease = self.must(201, "POST", "/v1/leases", body, token, **headers)["lease"]
        self.leases[name] = lease["id"]
        return lease

    def show(self, name: str) -> dict[str, Any]:
        return self.must(200, "GET", f"/v1/leases/{self.leases[name]}")["lease"]

    def update(self, name: str, *changes: dict[str, Any]) -> None:
        """Each reservation is changed by its dictionary."""
        reservations = self.show(name)["reservations"]
        body = {
            "reservations": [
                {"id": reservation["id"], **change}
                for reservation, change in zip(reservations, changes, strict=True)
            ]
        }
        self.must(200, "PUT", f"/v1/leases/{self.leases[name]}", body, ALICE)

    def delete(self, name: str) -> None:
        self.must(204, "DELETE", f"/v1/leases/{self.leases[name]}", token=ALICE)

    def boot(self, name: str) -> None:
        """A server in each reservation of the lease."""
        for reservation in self.show(name)["reservations"]:
            hints, flavor = {"reservation": reservation["id"]}, "m1.tiny"
            if reservation["resource_type"] == INSTANCE["resource_type"]:
                hints, flavor = {}, reservation["id"]
                if reservation["server_group_id"] is not None:
                    hints = {"group": reservation["server_group_id"]}
            server = self.cloud.create_server("demo", f"server of {name}", flavor, hints)
            if server.status != "ACTIVE":
                raise AssertionError(f"{name}: {server.fault}")

    # Trouble

    def cut(self, name: str, work: Callable[[], object], *calls: str) -> None:
        """Some work that never comes back, before these calls."""
        with self.stops.before(*calls):
            threading.Thread(target=work, daemon=True).start()
        self.cut_off[name] = calls

    def cut_after_the_answer(self, name: str, ask: Callable[[], object], call: str) -> None:
        """The work that a request began, before this call; the request itself is answered."""
        with self.stops.before(call):
            ask()
        self.cut_off[name] = (call,)

    def find(self, name: str) -> None:
        """The id of a lease whose create is never answered."""
        found = self.must(200, "GET", "/v1/leases")["leases"]
        (self.leases[name],) = (lease["id"] for lease in found if lease["name"] == name)

    def let_go(self, name: str) -> None:
        """Wait until nobody works on a lease. Raises ``TimeoutError``."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with self.database.reader() as connection:
                lease = leases.get(connection, self.leases[name])
            if lease is not None and lease.owner is None:
                return
            time.sleep(0.01)
        raise TimeoutError(f"{name} is still worked on")

    def slowly(self, call: str, name: str, *reservations: dict[str, Any], **fault: Any) -> None:
        """A create that is answered while its work is before this call, which then fails."""
        with self.stops.before(call) as (stop,):
            self.lease(name, *reservations, start=65, end=200)
        self.cloud.set_faults(call, **fault)
        stop.go_on.set()
        self.let_go(name)

    # What there is

    def notes(self) -> dict[str, Any]:
        found = {lease["id"]: lease for lease in self.must(200, "GET", "/v1/leases")["leases"]}
        missing = set(self.leases.values()) ^ found.keys()
        if missing:
            raise AssertionError(f"leases that are not as they should be: {missing}")
        with self.database.reader() as connection:
            provider = providers.find(connection, providers.DEFAULT)
            managers = sorted(names.beats(connection))
            lent = {
                name: hosts.named(connection, provider, name)
                for name in (f"compute-{number}" for number in range(1, HOSTS + 1))
            }
        return {
            "now": self.clock.now().isoformat(),
            "managers": managers,
            "leases": {
                name: {
                    "id": lease_id,
                    "status": found[lease_id]["status"],
                    "resource_types": [
                        each["resource_type"] for each in found[lease_id]["reservations"]
                    ],
                    "cut_off": self.cut_off.get(name, ()),
                }
                for name, lease_id in self.leases.items()
            },
            "hosts": {name: (host.id, host.state) for name, host in lent.items() if host},
            "shown": {path: self.must(200, "GET", path) for path in SHOWN},
        }


def repeatable() -> None:
    """The same ids each time, and no name of the machine."""
    numbers, lock = random.Random(1), threading.Lock()

    def uuid4() -> uuid.UUID:
        with lock:
            return uuid.UUID(int=numbers.getrandbits(128), version=4)

    uuid.uuid4 = uuid4
    socket.gethostname = lambda: "controller-1"
