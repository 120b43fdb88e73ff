#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Figure R4: what is doubled, lost or left over when a tenth of the calls to OpenStack go wrong.

    python -m benchmarks.reliability.faults [--cycles N] [--faults P] [--clients N] [--seed N]
                                            [--database D] [--rounds N]

So many lives of leases, under two managers at work with their times compressed: created, used,
changed, and ended or deleted at any moment. Of the calls some fail, some time out although they
worked, some come late, some come twice. When all leases are gone two cycles of reconcile run, and
nothing of ours may be in OpenStack or the books; a look at both while it all happens must never
find anything sold twice. Exit status 1 if anything does. In each further round, which begins with
nothing, the seed is the next.
"""

import argparse
import contextlib
import os
import pathlib
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar
from unittest import mock

from benchmarks.common.clouds import CloudOf
from benchmarks.common.machine import machine, versions
from promise_blazar import exceptions, times
from promise_blazar.clock import SystemClock
from promise_blazar.cloud.simulated import SimulatedCloud
from promise_blazar.cloud.simulated.calls import Calls
from promise_blazar.cloud.simulated.refusals import error
from promise_blazar.context import RequestContext
from promise_blazar.db.session import Database
from promise_blazar.manager import composition
from promise_blazar.manager.contract.messages import (
    HostRequest,
    LeaseChange,
    LeaseRequest,
    LeaseView,
    ReservationChange,
    ReservationRequest,
)
from promise_blazar.manager.service import ManagerService
from promise_blazar.model.openstack_names import (
    FLAVOR,
    RESERVATION_CLASS,
    child_provider_of,
)
from promise_blazar.model.states import EventStatus, LeaseStatus
from promise_blazar.tests import databases, servers
from promise_blazar.tests.functional.base import HOST, INSTANCE, configuration, sync
from promise_blazar.tests.stateful import promises

T = TypeVar("T")
CLOCK = SystemClock()
CALLER = RequestContext("user", "project", "req-faults")
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
#: Of faults, each as often as the others.
KINDS = 4
#: How long the end of everything may take.
PATIENCE = 180.0
TYPES = {"physical:host": HOST, "virtual:instance": INSTANCE}


class FaultyCalls(Calls):
    """A part of the calls goes wrong, each kind of wrong as often as the others."""

    def __init__(self, part: float, chance: random.Random, *way: Any) -> None:
        super().__init__(*way)
        self.part = part
        self.struck: Counter[str] = Counter()
        self._chance = chance
        self._spared: set[int] = set()

    @contextlib.contextmanager
    def well(self) -> Iterator[None]:
        """Nothing goes wrong in this block, in this thread."""
        self._spared.add(threading.get_ident())
        try:
            yield
        finally:
            self._spared.discard(threading.get_ident())

    def _draw(self, *names: str) -> str | None:
        if threading.get_ident() in self._spared:
            return None
        for name in names:
            if self._chance.random() < self.part / KINDS:
                self.struck[name] += 1
                return name
        return None

    @contextlib.contextmanager
    def _call(self, call):
        with super()._call(call):
            self.struck["calls"] += 1
            fault = self._draw("failed", "lost the answer", "late")
            if fault == "late":
                time.sleep(self._chance.uniform(0.1, TIMES["openstack__call_timeout"]))
            if fault == "failed":
                raise error(call, 503, "an injected failure")
            yield
        if fault == "lost the answer":
            raise error(call, None, "an injected time-out, after the work")

    def write(self, call, work):
        answer = super().write(call, work)
        if self._draw("came twice"):
            # The first answer is the one that arrived, whatever the second is.
            with contextlib.suppress(exceptions.PromiseBlazarError):
                super().write(call, work)
        return answer


class FaultyCloud(CloudOf):
    def __init__(self, path: pathlib.Path, part: float, chance: random.Random) -> None:
        def make(*way: Any) -> FaultyCalls:
            self.calls = FaultyCalls(part, chance, *way)
            return self.calls

        super().__init__(make, path, HOSTS)

    def well(self) -> contextlib.AbstractContextManager[None]:
        """Nothing goes wrong in this block, in this thread."""
        return self.calls.well()


class Tenant:
    """Lives of leases, one after another."""

    def __init__(
        self, managers: list[ManagerService], cloud: SimulatedCloud, chance: random.Random
    ) -> None:
        self.managers = managers
        self.cloud = cloud
        self.chance = chance
        self.tally: Counter[str] = Counter()
        self.leases: list[str] = []

    def live_while(self, lives: Iterator[int]) -> None:
        for _ in lives:
            lease = None
            while lease is None:
                lease = self.create()
            self.live(lease)

    def live(self, lease: LeaseView) -> None:
        """Up to where the lease is left to its end, or its deletion has begun."""
        for _ in range(self.chance.randint(1, 4)):
            time.sleep(self.chance.uniform(0, 1))
            self.chance.choice((self.boot, self.update, self.look))(lease)
        if self.chance.random() < 0.4:
            self.any().delete_lease(CALLER, lease.id)

    def any(self) -> ManagerService:
        return self.chance.choice(self.managers)

    def create(self) -> LeaseView | None:
        kind = self.chance.choice(("physical:host", *["virtual:instance"] * 3))
        values = {name: value for name, value in TYPES[kind].items() if name != "resource_type"}
        start = CLOCK.now() + timedelta(seconds=self.chance.uniform(0, 3))
        end = start + timedelta(seconds=self.chance.uniform(12, 20))
        request = LeaseRequest(
            "life", start.isoformat(), end.isoformat(), None, (ReservationRequest(kind, values),)
        )
        try:
            lease = self.any().create_lease(CALLER, request)
        except exceptions.NotEnoughHosts:
            self.tally["refused"] += 1
            time.sleep(0.2)
            return None
        except exceptions.CloudError:
            # It was never made, as far as anybody knows.
            self.tally["create failed"] += 1
            return None
        except exceptions.Busy:
            self.tally["busy"] += 1
            return None
        self.tally["created"] += 1
        self.leases.append(lease.id)
        return lease

    def boot(self, lease: LeaseView) -> None:
        (reservation,) = lease.reservations
        kind = reservation.resource_type
        flavor = "m1.tiny" if kind == "physical:host" else reservation.id
        hints = {"reservation": reservation.id}
        try:
            server = self.cloud.create_server(CALLER.project_id, "server", flavor, hints)
        except exceptions.BadInput:
            return  # the flavor is not there yet, or any more
        self.tally["booted" if server.status == "ACTIVE" else "boot refused"] += 1

    def update(self, lease: LeaseView) -> None:
        (reservation,) = lease.reservations
        name = "max" if reservation.resource_type == "physical:host" else "amount"
        grown = ReservationChange(reservation.id, {name: self.chance.randint(1, 3)})
        end = (CLOCK.now() + timedelta(seconds=self.chance.uniform(6, 20))).isoformat()
        change = self.chance.choice((LeaseChange(end=end), LeaseChange(reservations=(grown,))))
        try:
            self.any().update_lease(CALLER, lease.id, change)
            self.tally["updated"] += 1
        except exceptions.PromiseBlazarError:
            self.tally["update refused"] += 1

    def look(self, lease: LeaseView) -> None:
        self.any().get_lease(CALLER, lease.id)


class Auditor(threading.Thread):
    """Looks at the books and at OpenStack while everything happens."""

    def __init__(self, url: str, cloud: SimulatedCloud) -> None:
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
    cloud = FaultyCloud(directory / "cloud.sqlite", options.faults / 100, chance)
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
    with cloud.well():
        drifts = [manager.reconcile.run() for manager in managers]
        left = leftovers(cloud)
    booked = promises.read(promises.engine(url)).promises
    for manager in managers:
        manager.stop()
    print(
        f"  {time.monotonic() - began:.0f} s; " + ", ".join(f"{n} {w}" for w, n in tally.items())
    )
    print("  calls: " + ", ".join(f"{count} {what}" for what, count in cloud.calls.struck.items()))
    found = [len(drift.leftovers) + len(drift.missing) + len(drift.stray) for drift in drifts]
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
            managers[1].delete_lease(CALLER, lease)
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


def leftovers(cloud: SimulatedCloud) -> list[str]:
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
        # One that no host would take is on none, and its tenant's to delete.
        *(f"server {server.id}" for server in cloud.list_servers() if server.host),
    ]


if __name__ == "__main__":
    sys.exit(main())
