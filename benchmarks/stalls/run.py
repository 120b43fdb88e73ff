# SPDX-License-Identifier: Apache-2.0
"""What a crowd of refusals costs others: small creates beside 32 of them at once.

    python -m benchmarks.stalls.run [--database NAME]

Threads ask one manager, again and again, for what it refuses: a hundred reservations that each
fit alone and not together, or all hosts for thirty days. Meanwhile a thread of the same manager,
and another manager process, make small leases. Exit status 1 if one in a hundred of these takes
longer than the target, or if anything was answered but by its lease, its refusal or Busy.
"""

import argparse
import contextlib
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from unittest import mock

from benchmarks.common.environments import ROOT
from benchmarks.common.figures import percentile
from benchmarks.common.machine import machine, versions
from benchmarks.stalls.world import CAPACITY, fill
from promise_blazar import exceptions, times
from promise_blazar.clock import SystemClock
from promise_blazar.cloud.simulated import SimulatedCloud
from promise_blazar.context import RequestContext
from promise_blazar.db.session import Database
from promise_blazar.manager import composition
from promise_blazar.manager.contract.messages import LeaseRequest, ReservationRequest
from promise_blazar.manager.service import ManagerService
from promise_blazar.tests import databases, servers
from promise_blazar.tests.functional.base import configuration, sync

CLOCK = SystemClock()
CALLER = RequestContext("user", "project", "req-stalls")
#: Days until the windows that are asked for: in the middle of what is booked.
AHEAD = 40
NOTHING = {"hypervisor_properties": "", "resource_properties": ""}


def slots(amount: int, vcpus: int) -> ReservationRequest:
    shape = {"vcpus": vcpus, "memory_mb": 1024 * vcpus, "disk_gb": 1, "resource_properties": ""}
    return ReservationRequest("virtual:instance", {**shape, "amount": amount, "affinity": None})


def lease(days: int, *reservations: ReservationRequest) -> LeaseRequest:
    start = times.floor_minute(CLOCK.now()) + timedelta(days=AHEAD)
    end = start + timedelta(days=days)
    return LeaseRequest("stall", start.isoformat(), end.isoformat(), None, reservations)


def many(hosts: int) -> LeaseRequest:
    """A hundred reservations of ten sizes, of which each fits alone.

    Together they would nearly fill the hosts, were nothing booked.
    """
    vcpus = CAPACITY["VCPU"] // 4
    each = max(1, hosts * 9 // 250)
    return lease(1, *(slots(each + number % 10, vcpus) for number in range(100)))


def long(hosts: int) -> LeaseRequest:
    """All hosts for thirty days, which will be free at some time."""
    return lease(30, ReservationRequest("physical:host", {"min": hosts, "max": hosts, **NOTHING}))


KINDS = {"100 reservations": many, "30 days": long}


def small() -> LeaseRequest:
    return lease(1, slots(1, 1))


def created(service: ManagerService, count: int) -> list[float]:
    """Seconds of so many creates, a tenth of a second apart; for ever if told to come again."""
    took = []
    for _ in range(count):
        began = time.perf_counter()
        try:
            service.create_lease(CALLER, small())
            took.append(time.perf_counter() - began)
        except exceptions.Busy:
            took.append(math.inf)
        time.sleep(0.1)
    return took


def manager(url: str, cloud_file: pathlib.Path) -> ManagerService:
    options = {"manager__reconcile_interval": 0, "manager__prepare_wait": 0}
    options["manager__ownership_seconds"] = 600
    conf = configuration(**options)
    service = composition.manager(conf, Database(url), SimulatedCloud(cloud_file, 1), CLOCK)
    service.heartbeat.register()
    service.create_lease(CALLER, small())  # which loads the ledger
    return service


def manage(url: str, cloud_file: str) -> None:
    """The other manager: makes as many leases as each line of its input says."""
    service = manager(url, pathlib.Path(cloud_file))
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(created(service, int(line))), flush=True)
    service.stop()


@contextlib.contextmanager
def another(url: str, cloud_file: pathlib.Path) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.stalls.run", "--manage", url, str(cloud_file)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError("the other manager ended")
        yield process
        process.stdin.close()
        process.wait()
    finally:
        process.kill()


class Crowd:
    """Threads that are refused until told to stop. ``answers`` counts what they are told."""

    def __init__(self, service: ManagerService, request: LeaseRequest, size: int) -> None:
        self.answers: Counter[str] = Counter()
        self.longest = 0.0
        self._service = service
        self._request = request
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(size)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        while not self._over.is_set():
            began = time.perf_counter()
            try:
                self._service.create_lease(CALLER, self._request)
                self.answers["admitted"] += 1
            except exceptions.NotEnoughHosts as refused:
                bare = refused.facts["reasons"][0]["check"] == "unexplained"
                self.answers["refused, without hints" if bare else "refused, with hints"] += 1
            except exceptions.Busy as busy:
                self.answers["busy"] += 1
                self._over.wait(busy.facts["retry_after"])
            self.longest = max(self.longest, time.perf_counter() - began)


def measure(options: argparse.Namespace, url: str, directory: pathlib.Path) -> bool:
    sync(url)
    database = Database(url)
    with database.writer() as connection:
        fill(connection, options.hosts, options.bookings, options.seed)
    database.dispose()
    good = True
    service = manager(url, directory / "cloud.sqlite")
    with another(url, directory / "cloud.sqlite") as other, ThreadPoolExecutor(1) as pool:
        for name in ("nobody", *KINDS):
            size = 0 if name == "nobody" else options.refusals
            crowd = Crowd(service, KINDS.get(name, many)(options.hosts), size)
            time.sleep(options.warm_up)
            other.stdin.write(f"{options.creates}\n")
            other.stdin.flush()
            theirs = pool.submit(other.stdout.readline)
            mine = created(service, options.creates)
            found = {"same manager": mine, "another manager": json.loads(theirs.result())}
            crowd.stop()
            good &= report(name, found, crowd, options.target) or not size
    service.stop()
    return good


def report(name: str, found: dict[str, list[float]], crowd: Crowd, target: float) -> bool:
    good = not crowd.answers["admitted"]
    print(f"\nbeside {name}: " + (", ".join(f"{n} {w}" for w, n in crowd.answers.items()) or "-"))
    if crowd.answers:
        print(f"  the longest of these answers took {crowd.longest:.2f} s")
    for where, took in found.items():
        slow = percentile(took, 99)
        good &= slow <= target
        print(
            f"  small create, {where:16} median {percentile(took, 50):6.3f} s  "
            f"p99 {slow:6.3f} s  most {max(took):6.3f} s  (target p99 {target} s: "
            f"{'yes' if slow <= target else 'NO'})",
            flush=True,
        )
    return good


def main() -> int:
    if sys.argv[1:2] == ["--manage"]:
        manage(*sys.argv[2:])
        return 0
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    names = ("sqlite", *servers.VARIABLES)
    parser.add_argument("--database", choices=names, default="sqlite")
    parser.add_argument("--hosts", type=int, default=10_000)
    parser.add_argument("--bookings", type=int, default=1_000_000)
    parser.add_argument("--refusals", type=int, default=32)
    parser.add_argument("--creates", type=int, default=200)
    parser.add_argument("--warm-up", type=float, default=3)
    parser.add_argument("--target", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=20300101)
    options = parser.parse_args()
    print(machine())
    print(versions("SQLAlchemy", "psycopg", "PyMySQL", "numpy"))
    print(
        f"seed {options.seed}, {options.hosts} hosts, {options.bookings} bookings, "
        f"{options.refusals} refusals at once, {options.creates} creates, {options.database}",
        flush=True,
    )
    running = contextlib.nullcontext({}) if options.database == "sqlite" else servers.running()
    with running as addresses, mock.patch.dict(os.environ, addresses):
        if options.database != "sqlite" and servers.VARIABLES[options.database] not in os.environ:
            print(f"{options.database}: not installed here")
            return 2
        with (
            databases.fresh_database(options.database) as url,
            tempfile.TemporaryDirectory() as directory,
        ):
            return 0 if measure(options, url, pathlib.Path(directory)) else 1


if __name__ == "__main__":
    sys.exit(main())
