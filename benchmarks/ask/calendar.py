#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The time and bytes of a calendar of ninety days by zone, beside Blazar 18.0.0.

    python -m benchmarks.ask.calendar

Run it with an interpreter that has promise-blazar installed, on a machine with PostgreSQL's
server. Blazar comes by name from the package index into ``--workdir`` (once). Both services get
the same hosts and leases in databases of their own. The calendar says how many VCPUs are lent in
each zone at every instant at which that changes: ours by one GET for each zone, Blazar's by its
list of allocations, summed by the client. Exit status 1 if the two differ, or for a missed target.
"""

import argparse
import contextlib
import gzip
import http.client
import json
import pathlib
import subprocess
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent import futures
from datetime import UTC, datetime, timedelta

import sqlalchemy
from oslo_config import cfg

from benchmarks.admission import fill
from benchmarks.admission import world as leases
from benchmarks.admission.peer import CONFIGURATION
from benchmarks.admission.run import PEER, analyse
from benchmarks.ask.world import DAY, DAYS, HOUR, MINUTE, ZONES, Gap, World, crowded, zone
from benchmarks.common.environments import ROOT, environment
from benchmarks.common.figures import Spread
from benchmarks.common.machine import machine, versions
from benchmarks.common.postgresql import DurablePostgreSQL
from promise_blazar.api.http.application import create_app
from promise_blazar.clock import SystemClock
from promise_blazar.cloud.simulated import SimulatedCloud
from promise_blazar.cmd.serve import Serving
from promise_blazar.conf import opts
from promise_blazar.db import migrate
from promise_blazar.db.session import Database
from promise_blazar.manager import composition

LOAD = 0.85
GAP = Gap(hosts=8, start=60 * DAY, length=3 * DAY)
TIMES_AS_FAST, OF_THE_BYTES = 20, 0.1
VCPU = leases.CAPACITY["VCPU"]
#: VCPUs that are lent from an instant on, by zone.
Calendar = dict[str, list[tuple[datetime, int]]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--hosts", type=int, default=500)
    parser.add_argument("--seed", type=int, default=20300101)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--minutes", action="store_true", help="leases begin at any minute, not at full hours"
    )
    parser.add_argument("--workdir", type=pathlib.Path, default=ROOT / "build/benchmark-admission")
    parser.add_argument("--at-once", type=int, default=2, help="our connections")
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(*options.serve)
        return 0
    options.workdir = options.workdir.resolve()
    python = environment(sys.executable, options.workdir, PEER)
    server = DurablePostgreSQL.find()
    if server is None:
        parser.error("PostgreSQL's server is not installed here")
    print(machine())
    print(f"{versions('SQLAlchemy', 'psycopg', 'numpy')}; {', '.join(PEER)}")
    grid = MINUTE if options.minutes else HOUR
    drawn = crowded(options.seed, options.hosts, GAP, LOAD, grid)
    print(
        f"seed {options.seed}: {drawn.hosts} hosts, {len(drawn)} leases; "
        f"{options.rounds} turns after one to warm up"
    )
    try:
        return measure(options, drawn, python, server.start())
    finally:
        server.stop()


def measure(options: argparse.Namespace, drawn: World, python: pathlib.Path, server: str) -> int:
    told = rows(drawn)
    took: dict[str, list[float]] = {"ours": [], "Blazar": []}
    with contextlib.ExitStack() as stack:
        ours_url, blazar_url = databases(server)
        port = stack.enter_context(our_service(ours_url, told, options.workdir))
        ours = [connected(port) for _ in range(options.at_once)]
        blazar, zones = stack.enter_context(
            blazar_service(blazar_url, told, python, options.workdir)
        )
        for turn in range(options.rounds + 1):
            mine, seconds, size = ours_calendar(ours, ZONES)
            theirs, their_seconds, their_size = blazar_calendar(blazar, zones)
            if turn:
                took["ours"].append(seconds * 1000)
                took["Blazar"].append(their_seconds * 1000)
    for name, each, octets in (
        ("ours", took["ours"], size),
        ("Blazar", took["Blazar"], their_size),
    ):
        spread = Spread.of(each)
        print(f"  {name:8} p50 {spread.median:9.1f} ms (IQR {spread.iqr:.1f}), {octets} bytes")
    changes = sum(len(each) for each in mine.values())
    good = says(f"both calendars are the same, {changes} changes", mine == theirs)
    fast = Spread.of(took["Blazar"]).median / Spread.of(took["ours"]).median
    part = size / their_size
    quick = says(f"{fast:.1f} times as fast (target {TIMES_AS_FAST})", fast >= TIMES_AS_FAST)
    small = says(f"{part:.3f} of the bytes (target {OF_THE_BYTES})", part <= OF_THE_BYTES)
    return 0 if good and (options.minutes or (quick and small)) else 1


# What both have


def rows(drawn: World) -> leases.World:
    """Each booking as a lease of one whole host."""
    first = leases.begin()
    columns = zip(drawn.host.tolist(), drawn.start.tolist(), drawn.end.tolist(), strict=True)
    found = []
    for number, (host, start, end) in enumerate(columns, 1):
        begins, ends = (first + timedelta(microseconds=each) for each in (start, end))
        booking = leases.Booking(f"compute-{host}", None, 1, begins, ends)
        ids = (str(uuid.UUID(int=2 * number + each)) for each in range(2))
        found.append(leases.Lease(*ids, begins, ends, None, 1, (booking,)))
    hosts = tuple(f"compute-{number}" for number in range(1, drawn.hosts + 1))
    return leases.World(hosts, tuple(found))


def zone_of(name: str) -> str:
    return zone(int(name.removeprefix("compute-")))


def databases(server: str) -> Iterator[str]:
    admin = sqlalchemy.create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for name in ("ours", "blazar"):
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
            url = sqlalchemy.make_url(server).set(database=name)
            yield url.render_as_string(hide_password=False)
    admin.dispose()


# Ours


@contextlib.contextmanager
def our_service(url: str, told: leases.World, workdir: pathlib.Path) -> Iterator[int]:
    """The port of our API, which is in a process of its own with its manager."""
    database = Database(url)
    migrate.sync(database)
    with database.writer() as connection:
        fill.fill_ours(connection, told)
        for name in told.hosts:
            connection.exec_driver_sql(
                "UPDATE hosts SET zone = %s WHERE hypervisor_hostname = %s", (zone_of(name), name)
            )
    analyse(url)
    program = [sys.executable, "-W", "ignore", "-m", "benchmarks.ask.calendar"]
    with (workdir / "ours.log").open("wb") as errors:
        process = subprocess.Popen(
            [*program, "--serve", url, str(workdir / "cloud.sqlite")],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        yield said_port(process)
    finally:
        process.stdin.close()
        process.wait()


def said_port(process: subprocess.Popen) -> int:
    port = process.stdout.readline()
    if not port:
        raise RuntimeError("the service ended; its log is in the working directory")
    return int(port)


def serve(url: str, cloud_file: str) -> None:
    """Our service on this database, until the standard input ends."""
    conf = cfg.ConfigOpts()
    opts.register(conf)
    conf(["--config-file=/dev/null"], project="promise-blazar")
    conf.set_override("ownership_seconds", 600, "manager")
    conf.set_override("auth_strategy", "noauth", "api")
    clock = SystemClock()
    pathlib.Path(cloud_file).unlink(missing_ok=True)
    cloud = SimulatedCloud(cloud_file, 1)
    service = composition.manager(conf, Database(url), cloud, clock)
    service.heartbeat.register()
    application = create_app(conf, service, cloud, clock, [])
    serving = Serving(application, "127.0.0.1", 0, conf.api.threads, 2**20)
    print(serving.port, flush=True)
    sys.stdin.read()
    serving.stop()
    service.stop()


def ours_calendar(
    connections: Sequence[http.client.HTTPConnection], zones: Sequence[str]
) -> tuple[Calendar, float, int]:
    """The calendar, and the seconds and the octets of the bodies that it takes."""
    first = leases.begin()
    window = f"start={minute(first)}&end={minute(first + timedelta(days=DAYS))}"
    headers = {"X-Auth-Token": "admin:admin:admin", "Accept-Encoding": "gzip"}
    found: Calendar = {}
    sizes: list[int] = []

    def ask(number: int) -> None:
        for name in zones[number :: len(connections)]:
            path = f"/v1/capacity?{window}&zone={name}&resource_class=VCPU"
            text, size = got(connections[number], path, headers)
            sizes.append(size)
            found[name] = [
                (datetime.fromisoformat(each["at"]), each["VCPU"]["reserved"])
                for each in json.loads(text)["series"]
            ]

    begun = time.perf_counter()
    with futures.ThreadPoolExecutor(len(connections)) as pool:
        list(pool.map(ask, range(len(connections))))
    return found, time.perf_counter() - begun, sum(sizes)


def minute(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%MZ")


# Blazar


@contextlib.contextmanager
def blazar_service(
    url: str, told: leases.World, python: pathlib.Path, directory: pathlib.Path
) -> Iterator[tuple[http.client.HTTPConnection, dict[str, str]]]:
    """A connection to its API; and the zones of its hosts by id, which clients know beforehand."""
    driver = sqlalchemy.make_url(url).set(drivername="postgresql+psycopg2")
    configuration = directory / "blazar-calendar.conf"
    configuration.write_text(
        CONFIGURATION.format(
            url=driver.render_as_string(hide_password=False), log=directory / "blazar.log"
        )
    )
    program = [python, "-W", "ignore", "-m", "benchmarks.ask.peer_inside", configuration]
    with (directory / "errors.log").open("wb") as errors:
        subprocess.run([*program, "schema"], check=True, stderr=errors, cwd=ROOT)
        engine = sqlalchemy.create_engine(url)
        with engine.begin() as connection:
            fill.fill_blazar(connection, told)
        with engine.connect() as connection:
            names = connection.exec_driver_sql("SELECT id, hypervisor_hostname FROM computehosts")
            zones = {number: zone_of(name) for number, name in names}
        engine.dispose()
        analyse(url)
        process = subprocess.Popen(
            program,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        yield connected(said_port(process)), zones
    finally:
        process.stdin.close()
        process.wait()


def blazar_calendar(
    connection: http.client.HTTPConnection, zones: dict[str, str]
) -> tuple[Calendar, float, int]:
    """The same of its list of allocations: every host that is lent has all its VCPUs lent."""
    headers = {
        "X-User-Id": "user",
        "X-Project-Id": "project",
        "X-Roles": "admin",
        "X-Service-Catalog": "[]",
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
    }
    begun = time.perf_counter()
    text, octets = got(connection, "/v1/os-hosts/allocations", headers)
    changes: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for host in json.loads(text)["allocations"]:
        of_zone = changes[zones[host["resource_id"]]]
        for reservation in host["reservations"]:
            of_zone[reservation["start_date"]] += VCPU
            of_zone[reservation["end_date"]] -= VCPU
    found: Calendar = {}
    first = leases.begin()
    last = first + timedelta(days=DAYS)
    for name, of_zone in changes.items():
        lent, found[name] = 0, [(first, 0)]
        for at, change in sorted(of_zone.items()):
            instant = datetime.fromisoformat(at).replace(tzinfo=UTC)
            lent += change
            if instant == first:
                found[name] = [(first, lent)]
            elif change and instant < last:
                found[name].append((instant, lent))
    return found, time.perf_counter() - begun, octets


def connected(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=600)


def got(
    connection: http.client.HTTPConnection, path: str, headers: dict[str, str]
) -> tuple[bytes, int]:
    """The body, and its octets on the way. Raises ``RuntimeError`` for any other answer."""
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    text = answer.read()
    octets = len(text)
    if answer.getheader("Content-Encoding") == "gzip":
        text = gzip.decompress(text)
    if answer.status != http.HTTPStatus.OK:
        raise RuntimeError(f"{path}: {answer.status}: {text.decode()}")
    return text, octets


def says(what: str, good: bool) -> bool:
    print(f"  {'yes' if good else 'NO '} {what}")
    return good


if __name__ == "__main__":
    sys.exit(main())
