#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Figure R1: what is promised twice, and what is refused although there is room.

    python -m benchmarks.reliability.oversell [--operations N] [--database D ...]
                                              [--ways W ...] [--seed N]

So many random operations (leases created, changed, deleted, refused by OpenStack) by two manager
processes in a small cloud that is asked for far more than it has; one after another in turns, and
32 at once; on every database that is installed. Promised / capacity is added up from the tables,
without the ledger's code, again and again while it happens. Every refusal is judged by the
capacity oracle on what the tables said when it was given. Exit status 1 if anything was promised
twice, if a refusal was false, or if the cloud was never nearly full.
"""

import argparse
import contextlib
import json
import os
import pathlib
import random
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
from benchmarks.common.machine import machine, versions
from promise_blazar import exceptions
from promise_blazar.clock import SystemClock
from promise_blazar.cloud.simulated import SimulatedCloud
from promise_blazar.context import RequestContext
from promise_blazar.db.session import Database
from promise_blazar.manager import composition
from promise_blazar.manager.contract.messages import (
    HostRequest,
    LeaseChange,
    LeaseRequest,
    ReservationChange,
    ReservationRequest,
)
from promise_blazar.manager.service import ManagerService
from promise_blazar.tests import databases, servers
from promise_blazar.tests.functional.base import configuration, sync
from promise_blazar.tests.stateful import promises
from promise_blazar.tests.stateful.refusals import Judge

CLOCK = SystemClock()
CALLER = RequestContext("user", "project", "req-oversell")
HOSTS = 8
MANAGERS = 2
#: Quarters of an hour ahead that leases lie in, and how many they last at most.
HORIZON, LONGEST = 24, 12
#: Of all the capacity, at the fullest instant.
NEARLY_FULL = 0.95
#: How often a request may be told to come again before that is called starvation.
PATIENCE = 50
SIZES = ((1, 4096), (2, 8192), (4, 16384), (8, 32768))


class Actor:
    """Somebody with leases, at one manager."""

    def __init__(self, service: ManagerService, cloud: SimulatedCloud, seed: str) -> None:
        self.service = service
        self.cloud = cloud
        self.chance = random.Random(seed)
        self.leases: list[tuple[str, str, str]] = []
        self.tally: Counter[str] = Counter()

    def act(self) -> None:
        draw = self.chance.random()
        if draw < 0.5 or not self.leases:
            what = self.create
        elif draw < 0.52:
            what = self.fail
        else:
            what = self.update if draw < 0.8 else self.delete
        for _ in range(PATIENCE):
            try:
                what()
            except exceptions.Busy:
                self.tally["busy"] += 1
                continue
            except exceptions.NotEnoughHosts:
                self.tally[f"{what.__name__} refused"] += 1
            except (exceptions.Conflict, exceptions.BadInput, exceptions.CloudError) as error:
                self.tally[f"{what.__name__}: {error.code}"] += 1
            else:
                self.tally[what.__name__] += 1
            return
        self.tally["starved"] += 1

    def create(self) -> None:
        kind, values = self.values()
        start, end = self.window()
        request = LeaseRequest("benchmark", start, end, None, (ReservationRequest(kind, values),))
        lease = self.service.create_lease(CALLER, request)
        self.leases.append((lease.id, lease.reservations[0].id, kind))

    def fail(self) -> None:
        """A create that OpenStack may refuse; whose it is depends on who comes first."""
        self.cloud.set_faults("nova.aggregate.create", fail_next=1, status=409)
        try:
            self.create()
        finally:
            self.cloud.clear_faults()

    def update(self) -> None:
        lease, reservation, kind = self.chance.choice(self.leases)
        start, end = self.window()
        name = "max" if kind == "physical:host" else "amount"
        resized = (ReservationChange(reservation, {name: self.chance.randint(1, 8)}),)
        self.service.update_lease(
            CALLER,
            lease,
            self.chance.choice(
                (
                    LeaseChange(start=start, end=end),
                    LeaseChange(reservations=resized),
                    LeaseChange(start=start, end=end, reservations=resized),
                )
            ),
        )

    def delete(self) -> None:
        lease, *_ = self.leases.pop(self.chance.randrange(len(self.leases)))
        self.service.delete_lease(CALLER, lease)

    def values(self) -> tuple[str, dict[str, object]]:
        if self.chance.random() < 0.15:
            most = self.chance.randint(1, 3)
            values = {"min": self.chance.randint(1, most), "max": most}
            empty = {"hypervisor_properties": "", "resource_properties": ""}
            return "physical:host", {**values, **empty}
        vcpus, memory = self.chance.choice(SIZES)
        return "virtual:instance", {
            "vcpus": vcpus,
            "memory_mb": memory,
            "disk_gb": self.chance.choice((0, 10, 100)),
            "amount": self.chance.randint(1, 8),
            "affinity": self.chance.choice((None, None, True, False)),
            "resource_properties": "",
        }

    def window(self) -> tuple[str, str]:
        quarter = timedelta(minutes=15)
        # Ahead of everything that happens here: nothing starts in between.
        first = BEGIN + quarter * self.chance.randrange(HORIZON)
        return first.isoformat(), (first + quarter * self.chance.randint(1, LONGEST)).isoformat()


BEGIN = CLOCK.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=1)


def manage(url: str, cloud_file: str, threads: int, seed: str) -> None:
    """A manager process: does as many operations as each line of its input says."""
    cloud = SimulatedCloud(cloud_file)
    service = composition.manager(
        configuration(manager__reconcile_interval=0), Database(url), cloud, CLOCK
    )
    judge = Judge(service, url, CLOCK)
    service.start()
    actors = [Actor(service, cloud, f"{seed} {number}") for number in range(threads)]
    print("ready", flush=True)
    with ThreadPoolExecutor(threads) as pool:
        for line in sys.stdin:
            share = int(line)

            def act(actor: Actor, share: int = share) -> None:
                for _ in range(share):
                    actor.act()

            list(pool.map(act, actors))
            print("done", flush=True)
    tally: Counter[str] = Counter()
    for actor in actors:
        tally.update(actor.tally)
    service.stop()
    judge.stop()
    print(json.dumps([tally, judge.tally, judge.false[:3]]), flush=True)


@contextlib.contextmanager
def processes(url: str, cloud_file: pathlib.Path, threads: int, seed: str) -> Iterator[list]:
    with contextlib.ExitStack() as stack:
        started = []
        for number in range(MANAGERS):
            order = ["--manage", url, str(cloud_file), str(threads), f"{seed} {number}"]
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.reliability.oversell", *order],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            started.append(process)
        for process in started:
            expect(process, "ready")
        yield started


def expect(process: subprocess.Popen, word: str) -> None:
    line = process.stdout.readline().strip()
    if line != word:
        raise RuntimeError(f"a manager process ended, or said {line!r}")


def order(process: subprocess.Popen, operations: int) -> None:
    process.stdin.write(f"{operations}\n")
    process.stdin.flush()


class Auditor:
    """Adds up what is promised, whenever it is told to look."""

    def __init__(self, url: str) -> None:
        self._source = promises.engine(url)
        self.host = self.cloud = 0.0
        self.looks = 0
        self.oversold: list[str] = []

    def look(self) -> None:
        load = promises.load(promises.read(self._source))
        self.host, self.cloud = max(self.host, load.host), max(self.cloud, load.cloud)
        self.oversold += load.oversold
        self.looks += 1

    def look_until(self, over: threading.Event) -> None:
        while not over.wait(0.2):
            self.look()


def measure(database: str, ways: int, operations: int, seed: str) -> bool:
    with (
        tempfile.TemporaryDirectory() as directory,
        databases.fresh_database(database) as url,
    ):
        sync(url)
        cloud_file = pathlib.Path(directory) / "cloud.sqlite"
        cloud = SimulatedCloud(cloud_file, HOSTS)
        service = composition.manager(configuration(), Database(url), cloud, CLOCK)
        for number in range(1, HOSTS + 1):
            service.create_host(CALLER, HostRequest(f"compute-{number}"))
        service.stop()
        cloud.close()
        auditor = Auditor(url)
        began = time.monotonic()
        with processes(url, cloud_file, max(1, ways // MANAGERS), seed) as managers:
            if ways == 1:
                for number in range(operations):
                    order(managers[number % MANAGERS], 1)
                    expect(managers[number % MANAGERS], "done")
                    auditor.look()
            else:
                over = threading.Event()
                looking = threading.Thread(target=auditor.look_until, args=(over,))
                looking.start()
                for process in managers:
                    order(process, -(-operations // ways))
                for process in managers:
                    expect(process, "done")
                over.set()
                looking.join()
            seconds = time.monotonic() - began
            auditor.look()
            done, judged, false = Counter(), Counter(), []
            for process in managers:
                process.stdin.close()
                tally, verdicts, examples = json.loads(process.stdout.readline())
                done.update(tally)
                judged.update(verdicts)
                false += examples
        return report(database, ways, seconds, auditor, done, judged, false)


def report(
    database: str,
    ways: int,
    seconds: float,
    auditor: Auditor,
    done: Counter[str],
    judged: Counter[str],
    false: list[str],
) -> bool:
    operations = sum(count for what, count in done.items() if what != "busy")
    good = not auditor.oversold and not judged["false"] and not done["starved"]
    good &= auditor.host <= 1 and auditor.cloud >= NEARLY_FULL
    print(
        f"{database:10} {ways:2} at once  {operations:6} operations {seconds:5.0f} s  "
        f"a host {auditor.host:.3f}, the cloud {auditor.cloud:.3f} ({auditor.looks} looks)  "
        f"refusals: {judged['right']} right, {judged['false']} false, "
        f"{judged['moved']} not judged  {'good' if good else 'BAD'}"
    )
    print("  " + ", ".join(f"{count} {what}" for what, count in sorted(done.items())), flush=True)
    for words in (*auditor.oversold[:3], *false[:3]):
        print(f"  {words}")
    return good


def main() -> int:
    if sys.argv[1:2] == ["--manage"]:
        url, cloud_file, threads, seed = sys.argv[2:]
        manage(url, cloud_file, int(threads), seed)
        return 0
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    names = ("sqlite", *servers.VARIABLES)
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--database", choices=names, nargs="+", default=names)
    parser.add_argument("--ways", type=int, nargs="+", default=(1, 32))
    parser.add_argument("--seed", type=int, default=20300101)
    options = parser.parse_args()
    print(machine())
    print(versions("SQLAlchemy", "psycopg", "PyMySQL", "numpy"))
    print(f"seed {options.seed}, {HOSTS} hosts, {MANAGERS} manager processes", flush=True)
    good = True
    with servers.running() as addresses, mock.patch.dict(os.environ, addresses):
        for name in options.database:
            if name in servers.VARIABLES and servers.VARIABLES[name] not in addresses:
                print(f"{name}: not installed here")
                continue
            for ways in options.ways:
                good &= measure(name, ways, options.operations, f"{options.seed} {name} {ways}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
