# SPDX-License-Identifier: Apache-2.0
"""The whole service in a test: REST in front, a real database and a simulated cloud behind."""

import contextlib
import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest import mock

import sqlalchemy
from oslo_config import cfg
from werkzeug.test import Client, TestResponse

from promise_blazar import times
from promise_blazar.api import simulated
from promise_blazar.api.dialects import DIALECTS
from promise_blazar.api.http.application import create_app
from promise_blazar.api.http.dialect import Dialect
from promise_blazar.cloud import fence
from promise_blazar.cloud.simulated import SimulatedCloud
from promise_blazar.conf import opts
from promise_blazar.db import leases, migrate
from promise_blazar.db.session import Database
from promise_blazar.db.tables import Booking
from promise_blazar.manager import composition
from promise_blazar.manager.contract.interface import Manager
from promise_blazar.manager.queries.local_reader import local_reader
from promise_blazar.manager.service import ManagerService
from promise_blazar.plugins import registry
from promise_blazar.plugins.registry import InstalledTypes
from promise_blazar.tests import base
from promise_blazar.tests.fakes import ManualClock

HOST = {
    "resource_type": "physical:host",
    "min": 1,
    "max": 1,
    "hypervisor_properties": "",
    "resource_properties": "",
}
INSTANCE = {
    "resource_type": "virtual:instance",
    "vcpus": 2,
    "memory_mb": 2048,
    "disk_gb": 10,
    "amount": 2,
    "affinity": None,
    "resource_properties": "",
}

#: Nobody boots while a lease ends, so that nothing has to settle; tests of ends say otherwise.
AT_ONCE = {"nova__settle_seconds": 0}


def sync(url: str) -> None:
    """Fills an empty database; for ``DatabaseTestCase.prepare``."""
    database = Database(url)
    migrate.sync(database)
    database.dispose()


def configuration(**overrides: Any) -> cfg.ConfigOpts:
    """A configuration of its own; overrides by ``group__option``."""
    conf = cfg.ConfigOpts()
    opts.register(conf)
    conf(["--config-file=/dev/null"], project="promise-blazar")
    conf.set_override("auth_strategy", "noauth", "api")
    # A manager that acts only when it is told to has let go of nothing by then.
    conf.set_override("delete_wait", 0, "manager")
    for name, value in overrides.items():
        group, option = name.split("__")
        conf.set_override(option, value, group)
    return conf


class ServiceTestCase(base.DatabaseTestCase):
    """Time stands still until ``pass_time``; what is due then happens before it returns."""

    prepare = staticmethod(sync)
    #: Hosts of the simulated cloud, and how many of them are registered at first.
    hosts = 3
    registered = 3
    #: Options, as for ``configuration``.
    options: dict[str, Any] = {}  # noqa: RUF012 - replaced by subclasses, never changed
    #: The dialects that the API speaks.
    dialects: Sequence[Dialect] = DIALECTS

    #: The resource types that managers know; None: those that are installed.
    types: InstalledTypes | None = None

    def setUp(self) -> None:
        super().setUp()
        self.clock = self.make_clock()
        directory = self.enterContext(tempfile.TemporaryDirectory())
        self.cloud_file = Path(directory) / "cloud.sqlite"
        self.cloud = self.make_cloud(self.cloud_file)
        self.addCleanup(self.cloud.close)
        self.conf = configuration(**{**AT_ONCE, **self.options})
        self.service = self.manager()
        self.api = Client(self.application(self.service))
        for number in range(1, self.registered + 1):
            answer = self.call(
                "POST", "/v1/os-hosts", {"name": f"compute-{number}"}, "admin:admin"
            )
            self.assertEqual(201, answer.status_code, answer.text)

    def make_clock(self) -> ManualClock:
        return ManualClock()

    def make_cloud(self, path: Path) -> SimulatedCloud:
        return SimulatedCloud(path, self.hosts, self.clock, sleep=self.wait_for_the_cloud)

    def manager(self) -> ManagerService:
        """One more manager on the same database and cloud; it acts only in ``run_due``."""
        service = composition.manager(
            self.conf, Database(self.url), self.cloud, self.clock, self.types
        )
        service.heartbeat.register()
        self.addCleanup(service.stop)
        return service

    def wait_for_the_cloud(self, seconds: float) -> None:
        """How an injected latency passes; a test may do something meanwhile."""
        self.clock.advance(seconds)

    def application(self, service: Manager) -> Any:
        extensions = [simulated.blueprint(self.cloud)]
        return create_app(self.conf, service, self.cloud, self.clock, extensions, self.dialects)

    def with_a_database(self, manager: Manager, url: str = "") -> Client:
        """What speaks to an API process that has ``manager``, and the database for itself."""
        database = Database(url or self.url)
        self.addCleanup(database.dispose)
        kinds = registry.installed(self.conf.manager.plugins).classes
        return Client(self.application(local_reader(manager, database, kinds, self.clock)))

    def call(
        self,
        verb: str,
        path: str,
        body: Any = None,
        token: str = "alice:demo",
        headers: dict[str, str] | None = None,
    ) -> TestResponse:
        return self.api.open(
            path,
            method=verb,
            data=None if body is None else json.dumps(body),
            content_type=None if body is None else "application/json",
            headers={"X-Auth-Token": token, **(headers or {})},
        )

    def pass_time(self, seconds: float = 0) -> None:
        self.clock.advance(seconds)
        self.service.heartbeat.beat()
        self.service.engine.run_due()

    def minute(self, minutes: float) -> str:
        """The time so many minutes from the test's beginning, as Blazar's clients write it."""
        begin = datetime(2030, 1, 1, tzinfo=self.clock.now().tzinfo)
        instant = times.from_micros(times.to_micros(begin) + int(minutes * 60_000_000))
        return instant.strftime(times.MINUTE_FORMAT)

    # What most tests do

    def lease(
        self,
        *reservations: dict[str, Any],
        start: str = "now",
        end: float = 60,
        token: str = "alice:demo",
        **more: Any,
    ) -> dict[str, Any]:
        """A lease that is made; its JSON."""
        body = self.body(*reservations, start=start, end=end, **more)
        answer = self.call("POST", "/v1/leases", body, token)
        self.assertEqual(201, answer.status_code, answer.text)
        return answer.json["lease"]

    def body(
        self, *reservations: dict[str, Any], start: str = "now", end: float = 60, **more: Any
    ) -> dict[str, Any]:
        """What asks for a lease; ``end`` in minutes from the test's beginning."""
        return {
            "name": "lease",
            "start_date": start,
            "end_date": self.minute(end),
            "reservations": list(reservations),
            **more,
        }

    def active(
        self, *reservations: dict[str, Any], end: float = 60, **more: Any
    ) -> dict[str, Any]:
        """A lease that has started; its JSON."""
        lease = self.lease(*reservations, end=end, **more)
        self.pass_time()
        lease = self.show(lease)
        self.assertEqual("ACTIVE", lease["status"], lease["status_reason"])
        return lease

    def update(
        self, lease: dict[str, Any], token: str = "alice:demo", **change: Any
    ) -> TestResponse:
        return self.call("PUT", f"/v1/leases/{lease['id']}", change, token)

    def updated(self, lease: dict[str, Any], **change: Any) -> dict[str, Any]:
        """The lease after a change that is made; its JSON."""
        answer = self.update(lease, **change)
        self.assertEqual(200, answer.status_code, answer.text)
        return answer.json["lease"]

    def delete(self, lease: dict[str, Any], token: str = "alice:demo") -> TestResponse:
        return self.call("DELETE", f"/v1/leases/{lease['id']}", token=token)

    def show(self, lease: dict[str, Any]) -> dict[str, Any]:
        answer = self.call("GET", f"/v1/leases/{lease['id']}", token="admin:admin")
        self.assertEqual(200, answer.status_code, answer.text)
        return answer.json["lease"]

    def trouble(self, lease: dict[str, Any]) -> str | None:
        """The last trouble of a lease as operators are told."""
        database = Database(self.url)
        try:
            with database.reader() as connection:
                found = leases.get(connection, lease["id"])
        finally:
            database.dispose()
        return None if found is None else found.trouble

    def boot(
        self, flavor: str = "m1.tiny", token: str = "alice:demo", **hints: Any
    ) -> dict[str, Any]:
        """A server of the simulated cloud, ACTIVE or ERROR."""
        body = {"name": "server", "flavor": flavor, "image": "tiny", "hints": hints}
        answer = self.call("POST", "/simulated/servers", body, token)
        self.assertEqual(202, answer.status_code, answer.text)
        return answer.json["server"]

    def before_it_arrives(self, server_id: str) -> None:
        """As Nova shows a server between its scheduling and the first step of its build."""
        with contextlib.closing(sqlite3.connect(self.cloud_file)) as db:
            db.execute(
                "UPDATE servers SET status = 'BUILD', host = NULL WHERE id = ?", [server_id]
            )
            db.commit()

    def aggregates(self) -> dict[str, list[str]]:
        """The hosts of each aggregate, by its name."""
        return {found.name: sorted(found.hosts) for found in self.cloud.aggregates.list()}

    def event(self, lease: dict[str, Any], event_type: str) -> tuple[str, str]:
        """When, and its status."""
        (found,) = (e for e in lease["events"] if e["event_type"] == event_type)
        return found["time"], found["status"]

    def at(self, minutes: float) -> str:
        """The time so many minutes from the test's beginning, as the service shows it."""
        instant = datetime.strptime(self.minute(minutes), times.MINUTE_FORMAT)  # noqa: DTZ007
        return instant.isoformat(timespec="microseconds")

    def registered_hosts(self) -> dict[str, dict[str, Any]]:
        """The hosts on lend, by their names."""
        answer = self.call("GET", "/v1/os-hosts", token="admin:admin")
        return {host["hypervisor_hostname"]: host for host in answer.json["hosts"]}

    def held(self, reservation: dict[str, Any]) -> list[str]:
        """The names of the hosts that a reservation is promised."""
        names = {host["id"]: name for name, host in self.registered_hosts().items()}
        answer = self.call(
            "GET",
            f"/v1/os-hosts/allocations?reservation_id={reservation['id']}",
            token="admin:admin",
        )
        return sorted(
            names[host["resource_id"]]
            for host in answer.json["allocations"]
            if host["reservations"]
        )

    # What there is

    def cloud_objects(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything that OpenStack has, table by table."""
        with contextlib.closing(sqlite3.connect(self.cloud_file)) as db:
            tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            return {
                name: sorted(db.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
                for (name,) in tables
                if name not in ("faults", "sqlite_sequence")
            }

    def promises(self) -> list[tuple[Any, ...]]:
        """The ledger as it is in the database."""
        engine = sqlalchemy.create_engine(self.url, poolclass=sqlalchemy.NullPool)
        columns = (
            Booking.reservation_id,
            Booking.host_id,
            Booking.bundle_id,
            Booking.units,
            Booking.start,
            Booking.end,
            Booking.released,
        )
        with engine.connect() as connection:
            query = sqlalchemy.select(*columns).where(Booking.deleted.is_(False))
            return sorted(map(tuple, connection.execute(query)), key=repr)

    def everything(self) -> dict[str, Any]:
        """What users, operators and OpenStack can see, and what is promised."""
        shown = {
            path: self.call("GET", path, token="admin:admin").json
            for path in ("/v1/leases", "/v1/os-hosts", "/v1/os-hosts/properties?detail=1&all=1")
        }
        return {**shown, "promises": self.promises(), "cloud": self.cloud_objects()}

    @contextlib.contextmanager
    def nothing_changes(self) -> Iterator[None]:
        """A block after which all is as before, to the byte."""
        before = self.everything()
        yield
        self.assertEqual(before, self.everything())

    def calls_of(self, work: Callable[[], object]) -> set[str]:
        """The names of the calls to OpenStack that some work makes."""
        announce, seen = fence.announce, set()

        def listen(call: str) -> None:
            seen.add(call)
            announce(call)

        with mock.patch.object(fence, "announce", listen):
            work()
        return seen

    def refused(self, status: int, answer: TestResponse) -> str:
        """The sentence of an error in Blazar's form."""
        self.assertEqual(status, answer.status_code, answer.text)
        self.assertEqual(status, answer.json["error_code"])
        return answer.json["error_message"]
