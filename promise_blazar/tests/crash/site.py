# SPDX-License-Identifier: Apache-2.0
"""One process of the service with its API, on a database and a cloud that outlive it."""

import contextlib
import json
import mmap
import sqlite3
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from werkzeug.test import Client, TestResponse

from promise_blazar import exceptions, times
from promise_blazar.api.http.application import create_app
from promise_blazar.cloud.simulated import SimulatedCloud
from promise_blazar.db import migrate
from promise_blazar.db.session import Database
from promise_blazar.manager import composition
from promise_blazar.plugins.registry import InstalledTypes
from promise_blazar.tests import replicas
from promise_blazar.tests.functional.base import configuration

HOSTS = 5
BEGIN = datetime(2030, 1, 1, tzinfo=UTC)
#: A request waits for its work, however long somebody sleeps in the middle of it.
OPTIONS = {"manager__poll_interval": 1, "manager__prepare_wait": 600}

#: Every change of a status, whoever makes it and however it ends.
_HISTORY = """
CREATE TABLE history (
    number INTEGER PRIMARY KEY, kind TEXT, id TEXT, what TEXT, old TEXT, new TEXT);
CREATE TRIGGER lease_statuses AFTER UPDATE OF status ON leases WHEN old.status != new.status
    BEGIN INSERT INTO history (kind, id, what, old, new)
    VALUES ('lease', new.id, '', old.status, new.status); END;
CREATE TRIGGER event_statuses AFTER UPDATE OF status ON events WHEN old.status != new.status
    BEGIN INSERT INTO history (kind, id, what, old, new)
    VALUES ('event', new.lease_id, new.event_type, old.status, new.status); END;
"""


class SharedClock:
    """A ``promise_blazar.clock.Clock`` that moves only when told, in all forked processes."""

    def __init__(self, seconds: float = 0) -> None:
        self._memory = mmap.mmap(-1, 8)
        self.advance(seconds)

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return struct.unpack("d", self._memory[:8])[0]

    def advance(self, seconds: float) -> None:
        self._memory[:8] = struct.pack("d", self.monotonic() + seconds)


class Site:
    """A manager that has arrived, and acts only when told; an API in front of it.

    ``types``: that it knows; None: all. ``replica``: of its database, where it is followed.
    """

    def __init__(
        self, directory: Path, clock: SharedClock, types: InstalledTypes | None = None
    ) -> None:
        self.directory = directory
        self.clock = clock
        self.url = f"sqlite:///{directory}/service.sqlite"
        self.cloud = SimulatedCloud(directory / "cloud.sqlite", HOSTS, clock, sleep=clock.advance)
        conf = configuration(**OPTIONS)
        self.replica = replicas.of(self.url)
        self.service = composition.manager(conf, Database(self.url), self.cloud, clock, types)
        self.service.heartbeat.register()
        self._api = Client(create_app(conf, self.service, self.cloud, clock))

    @classmethod
    def founded(cls, directory: Path, clock: SharedClock) -> "Site":
        """The first one, with all hosts registered."""
        url = f"sqlite:///{directory}/service.sqlite"
        database = Database(url)
        migrate.sync(database)
        database.dispose()
        with contextlib.closing(sqlite3.connect(directory / "service.sqlite")) as db:
            db.executescript(_HISTORY)
        site = cls(directory, clock)
        for number in range(1, HOSTS + 1):
            site.must(201, "POST", "/v1/os-hosts", {"name": f"compute-{number}"}, "admin:admin")
        return site

    def close(self) -> None:
        self.service.stop()
        self.cloud.close()

    # Time

    def live(self, seconds: int) -> None:
        """Second by second, doing what is due."""
        for _ in range(seconds):
            self.clock.advance(1)
            self.service.heartbeat.beat()
            self.service.engine.run_due()

    def wait(self, seconds: int) -> None:
        """Second by second, doing nothing."""
        for _ in range(seconds):
            self.clock.advance(1)
            self.service.heartbeat.beat()

    def until(self, minute: float) -> None:
        """At once to this minute; what is due then is not done yet."""
        self.clock.advance(max(0.0, minute * 60 - self.clock.monotonic()))
        self.service.heartbeat.beat()

    def settle(self, done: Callable[[], object]) -> bool:
        """Live until something has come true; False: it does not within minutes."""
        for _ in range(150):
            self.live(1)
            if done():
                return True
        return False

    def minute(self, minute: float) -> str:
        """A time as Blazar's clients write it, in minutes from the beginning."""
        return (BEGIN + timedelta(minutes=minute)).strftime(times.MINUTE_FORMAT)

    # Requests

    def call(
        self, verb: str, path: str, body: Any = None, token: str = "alice:demo", **headers: str
    ) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._api.open(
            path,
            method=verb,
            data=None if body is None else json.dumps(body),
            content_type=None if body is None else "application/json",
            headers={"X-Auth-Token": token, **named},
        )

    def must(self, status: int, verb: str, path: str, *body: Any, **headers: str) -> Any:
        """The answer's JSON, of a request that has to be answered like this."""
        answer = self.call(verb, path, *body, **headers)
        if answer.status_code != status:
            raise AssertionError(f"{verb} {path}: {answer.status_code} {answer.text}")
        return answer.json

    def leases(self) -> list[dict[str, Any]]:
        return self.must(200, "GET", "/v1/leases", None, "admin:admin")["leases"]

    def lease(self, lease_id: str) -> dict[str, Any] | None:
        answer = self.call("GET", f"/v1/leases/{lease_id}", None, "admin:admin")
        return answer.json["lease"] if answer.status_code == 200 else None

    def boot(self, project: str, flavor: str, **hints: str | None) -> str | None:
        """The id of a server that got a host, else None."""
        given = {name: value for name, value in hints.items() if value is not None}
        try:
            found = self.cloud.create_server(project, "server", flavor, given)
        except exceptions.BadInput:  # a flavor or group that is not this project's
            return None
        if found.status == "ACTIVE":
            return found.id
        self.cloud.remove_server(found.id)
        return None

    def remove_servers(self) -> None:
        """Every tenant's, those that no list shows too."""
        for (server,) in self._rows("cloud.sqlite", "SELECT id FROM servers"):
            with contextlib.suppress(exceptions.NotFound):  # gone by now
                self.cloud.remove_server(server)

    # What there is

    def world(self, *tables: str) -> dict[str, list[tuple[Any, ...]]]:
        """These tables of the cloud, as they are."""
        return {name: self._rows("cloud.sqlite", f"SELECT * FROM {name}") for name in tables}

    def history(self) -> list[tuple[Any, ...]]:
        """kind, lease id, event type, old, new."""
        query = "SELECT kind, id, what, old, new FROM history ORDER BY number"
        return self._rows("service.sqlite", query, in_order=True)

    def booked(self, reservation: str) -> list[tuple[Any, ...]]:
        """The hosts of a reservation, and how many units of it each."""
        query = (
            "SELECT h.hypervisor_hostname, b.units FROM bookings b"
            " JOIN hosts h ON h.id = b.host_id JOIN reservations r ON r.id = b.reservation_id"
            f" WHERE r.uuid = '{reservation}' AND NOT b.deleted"
        )
        return self._rows("service.sqlite", query)

    def _rows(self, file: str, query: str, in_order: bool = False) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(self.directory / file)) as db:
            found = db.execute(query).fetchall()
        return found if in_order else sorted(found, key=repr)
