#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Figure R4: what is doubled, lost or left over when a tenth of the calls to OpenStack go wrong.

    python -m benchmarks.reliability.faults [--cycles N] [--faults P] [--clients N] [--seed N]
                                            [--database D] [--rounds N]

So many lives of leases, under two managers at work with their times compressed: created, used,
shared, changed, and ended or deleted at any moment. Of the calls some fail, some time out although
they worked, some come late, some come twice. Servers are built slowly or deleted slowly, their
deletion is deferred, and boots take their room in the middle of the service's calls. When all
leases are gone two cycles of reconcile run, and nothing of ours may be in OpenStack or the books;
a look at both while it all happens must never find anything sold twice. Exit status 1 if anything
does. In each further round, which begins with nothing, the seed is the next.
"""

import argparse
import os
import pathlib
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar
from unittest import mock

from benchmarks.common.machine import machine, versions
from benchmarks.reliability.faulty_cloud import FaultyCloud
from benchmarks.reliability.lives import CALLER, CLOCK, Tenant, patiently
from promise_blazar import times
from promise_blazar.db.session import Database
from promise_blazar.manager import composition
from promise_blazar.manager.contract.messages import HostRequest
from promise_blazar.manager.service import ManagerService
from promise_blazar.model.openstack_names import (
    FLAVOR,
    RESERVATION_CLASS,
    child_provider_of,
)
from promise_blazar.model.states import EventStatus, LeaseStatus
from promise_blazar.tests import databases, servers
from promise_blazar.tests.functional.base import configuration, sync
from promise_blazar.tests.stateful import promises

T = TypeVar("T")
HOSTS = 40
#: Seconds. Everything is a good deal quicker than by default.
TIMES = {
    "manager__heartbeat_interval": 0.5,
    "manager__ownership_seconds": 4,
    "manager__retry_delay": 0.1,
    "manager__poll_interval": 0.1,
    "manager__start_wait": 20,
    "manager__prepare_wait": 2,
    "manager__reconcile_interval": 0,
    "openstack__call_timeout": 1,
}
#: How long the end of everything may take.
PATIENCE = 180.0


class Auditor(threading.Thread):
    """Looks at the books and at OpenStack while everything happens."""

    def __init__(self, url: str, cloud: FaultyCloud) -> None:
        super().__init__(daemon=True)
        self._ledger = promises.engine(url)
        self._cloud = cloud
        self._over = threading.Event()
        self.doubles: set[str] = set()
        self.looks = 0

    def run(self) -> None:
        while not self._over.wait(0.5):
            self.look()

    def look(self) -> None:
        now = times.to_micros(CLOCK.now())
        self.doubles.update(promises.load(promises.read(self._ledger), now).oversold)
        for host in self._cloud.list_hosts():
            # A host's own reservation has a zone; slots share it with each other alone.
            lent = [name for name in host.aggregates if name in self._whole()]
            if len(lent) > 1:
                self.doubles.add(f"{host.name} is handed over twice: {lent}")
        self.looks += 1

    def stop(self) -> None:
        self._over.set()
        self.join()
        self.look()
        self._ledger.dispose()

    def _whole(self) -> set[str]:
        with self._cloud.well():
            return {found.name for found in self._cloud.aggregates.list() if found.zone}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cycles", type=int, default=1000)
    parser.add_argument("--faults", type=float, default=10, help="per cent of the calls")
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--seed", type=int, default=20300101)
    parser.add_argument("--database", choices=("sqlite", *servers.VARIABLES), default="postgresql")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    print(machine())
    print(versions("SQLAlchemy", "numpy"))
    failed = 0
    for _ in range(options.rounds):
        failed |= run(options)
        options.seed += 1
    return failed


def run(options: argparse.Namespace) -> int:
    """The exit status of one round."""
    print(
        f"seed {options.seed}, {options.cycles} lives, {options.faults:g} % of the calls, ", end=""
    )
    print(f"two managers, {options.database}", flush=True)
    with (
        tempfile.TemporaryDirectory() as directory,
        servers.running() as addresses,
        mock.patch.dict(os.environ, addresses),
        databases.fresh_database(options.database) as url,
    ):
        sync(url)
        return measure(options, pathlib.Path(directory), url)


def measure(options: argparse.Namespace, directory: pathlib.Path, url: str) -> int:
    chance = random.Random(options.seed)
    longest = TIMES["openstack__call_timeout"]
    cloud = FaultyCloud(directory / "cloud.sqlite", HOSTS, options.faults / 100, longest, chance)
    conf = configuration(**TIMES)
    managers = [composition.manager(conf, Database(url), cloud, CLOCK) for _ in range(2)]
    for manager in managers:
        manager.start()
    with cloud.well():
        for number in range(1, HOSTS + 1):
            managers[0].create_host(CALLER, HostRequest(f"compute-{number}"))
    auditor = Auditor(url, cloud)
    auditor.start()
    began = time.monotonic()
    tally: Counter[str] = Counter()
    tenants = [
        Tenant(managers, cloud, random.Random(f"{options.seed} {number}"))
        for number in range(options.clients)
    ]
    lives = iter(range(options.cycles))
    with ThreadPoolExecutor(options.clients) as pool:
        for done in [pool.submit(tenant.live_while, lives) for tenant in tenants]:
            done.result()
    mine = [lease for tenant in tenants for lease in tenant.leases]
    for tenant in tenants:
        tally.update(tenant.tally)
    lost = outlive(managers, mine, tally)
    strange = {lease.id for lease in managers[0].list_leases(CALLER).changed}
    auditor.stop()
    cloud.heal()
    drifts = [manager.reconcile.run() for manager in managers]
    left = leftovers(cloud)
    booked = promises.read(promises.engine(url)).promises
    for manager in managers:
        manager.stop()
    print(
        f"  {time.monotonic() - began:.0f} s; " + ", ".join(f"{n} {w}" for w, n in tally.items())
    )
    print("  calls: " + ", ".join(f"{count} {what}" for what, count in cloud.calls.struck.items()))
    found = [
        len(drift.leftovers) + len(drift.missing) + len(drift.stray) + len(drift.late)
        for drift in drifts
    ]
    print(f"  reconcile had to put right {found[0]} things, then {found[1]}")
    print(
        f"  doubles {len(auditor.doubles)} in {auditor.looks} looks", *sorted(auditor.doubles)[:9]
    )
    print(f"  lost {len(lost)}, still there {len(strange)}", *lost[:9])
    print(f"  left over {len(left)} in OpenStack, {len(booked)} in the books", *left[:9])
    struck = cloud.calls.struck.total() - cloud.calls.struck["calls"]
    if options.faults and not struck:
        raise RuntimeError("no call went wrong: nothing was measured")
    good = not (auditor.doubles or lost or strange or left or booked)
    print(f"  target, all 0: {'met' if good else 'MISSED'}")
    cloud.close()
    return 0 if good else 1


def outlive(managers: list[ManagerService], leases: list[str], tally: Counter[str]) -> list[str]:
    """Wait for the end of all, delete them, and wait until they are gone; those that were lost."""
    lost = []
    for lease, deleted in eventually(lambda: ended(managers[0], leases)):
        if not deleted:
            found = managers[0].get_lease(CALLER, lease)
            tally[found.status] += 1
            undone = [
                f"{e.event_type} {e.status}" for e in found.events if e.status != EventStatus.DONE
            ]
            if found.status != LeaseStatus.TERMINATED or undone:
                lost.append(f"{found.status} {undone} {found.status_reason}")
            patiently(partial(managers[1].delete_lease, CALLER, lease))
    eventually(lambda: not managers[0].list_leases(CALLER).changed)
    return lost


def ended(manager: ManagerService, leases: list[str]) -> list[tuple[str, bool]] | None:
    """Each lease, and whether it is gone; None while one is neither gone nor over."""
    there = {lease.id: lease.status for lease in manager.list_leases(CALLER).changed}
    over = (LeaseStatus.TERMINATED, LeaseStatus.ERROR)
    if all(there.get(lease, LeaseStatus.TERMINATED) in over for lease in leases):
        return [(lease, lease not in there) for lease in leases]
    return None


def eventually(question: Callable[[], T]) -> T:
    """The first true answer. Raises ``RuntimeError`` after ``PATIENCE``."""
    deadline = time.monotonic() + PATIENCE
    while not (answer := question()):
        if time.monotonic() > deadline:
            raise RuntimeError("some leases neither end nor go")
        time.sleep(0.5)
    return answer


def leftovers(cloud: FaultyCloud) -> list[str]:
    """Everything in OpenStack that should not be there when there are no leases."""
    aggregates = {found.name: found.hosts for found in cloud.aggregates.list()}
    pool = aggregates.pop("freepool", ())
    slots = [
        f"{total} {name} on {host.name}"
        for host in cloud.list_hosts()
        for name, total in cloud.resource_providers.inventory(child_provider_of(host.name)).items()
    ]
    return [
        *(f"aggregate {name}" for name in aggregates),
        *(f"{host.name} out of the pool" for host in cloud.list_hosts() if host.name not in pool),
        *(f"flavor {name}" for name in cloud.flavors.with_prefix(FLAVOR)),
        *(f"class {name}" for name in cloud.resource_classes.with_prefix(RESERVATION_CLASS)),
        *slots,
        # One that no host would take has room on none, and is its tenant's to delete. What is
        # being built names no host, and what is SOFT_DELETED is in no list.
        *(
            f"server {server} on {host.name}"
            for host in cloud.hypervisors.list()
            for server in cloud.resource_providers.consumers(host.uuid)
        ),
    ]


if __name__ == "__main__":
    sys.exit(main())
