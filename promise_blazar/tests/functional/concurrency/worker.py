# SPDX-License-Identifier: Apache-2.0
"""A manager in a process of its own, below the RPC: told what to do on its standard input.

    python -m promise_blazar.tests.functional.concurrency.worker URL CLOUD OPTIONS

One JSON object a line each way: ``{"do": name, ...}``, and its answer.
"""

import json
import random
import sys
import threading
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

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
from promise_blazar.tests.functional.base import HOST, INSTANCE, configuration
from promise_blazar.tests.functional.concurrency import audit

ALICE = RequestContext("alice", "demo", "req-1")
#: How often a request may be told to come again before that is called starvation.
PATIENCE = 50
#: Hosts that the actors register and remove.
COMING_AND_GOING = ("compute-5", "compute-6")


def request(values, start="now", end="2040-01-01 00:00"):
    """A lease of one reservation."""
    own = {name: value for name, value in values.items() if name != "resource_type"}
    return LeaseRequest(
        "race", start, end, None, (ReservationRequest(values["resource_type"], own),)
    )


class Worker:
    def __init__(self, url, cloud, options):
        self.url = url
        self.clock = SystemClock()
        self.service = composition.manager(
            configuration(**json.loads(options)), Database(url), SimulatedCloud(cloud), self.clock
        )
        self.service.start()

    def create(self, values, start, end):
        return self.service.create_lease(ALICE, request(values, start, end)).id

    def race(self, threads, values, start, end):
        """All threads ask for the same at once; what each was answered, and how often Busy."""
        begin = threading.Barrier(threads)

        def run(_):
            begin.wait()
            for busy in range(PATIENCE):
                try:
                    return "sold", busy, self.create(values, start, end)
                except exceptions.Busy:
                    continue
                except exceptions.NotEnoughHosts as refused:
                    return "refused", busy, refused.message
            return "starved", PATIENCE, ""

        return self._run(threads, run)

    def mix(self, threads, seed, count):
        """Threads that create, change and delete leases at random, and one that moves hosts."""

        def run(number):
            tally, errors = Counter(), []
            actor = _Actor(self.service, self.clock, random.Random(f"{seed} {number}"), number)
            for _ in range(count):
                try:
                    tally[actor.act()] += 1
                except (exceptions.Conflict, exceptions.BadInput, exceptions.Forbidden) as refusal:
                    tally[refusal.code] += 1
                except (exceptions.NotFound, exceptions.Busy) as refusal:
                    tally[refusal.code] += 1
                except Exception:  # noqa: BLE001 - a fault: whatever it is, the test fails with it
                    errors.append(traceback.format_exc())
            return tally, errors

        return self._run(threads, run)

    def _run(self, threads, run):
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(run, range(threads)))

    def strayed(self):
        """Where the ledger in memory differs from the database."""
        ledger_store = self.service.ledger
        return audit.strayed(ledger_store, self.url, self.clock)


class _Actor:
    """Somebody with leases."""

    def __init__(self, service, clock, rng, number):
        self.service = service
        self.clock = clock
        self.rng = rng
        self.leases = []
        self.moves_hosts = number == 0

    def act(self):
        if self.moves_hosts:
            return self.rng.choice((self.add_host, self.remove_host))()
        if not self.leases or self.rng.random() < 0.3:
            return self.create()
        return self.rng.choice((self.update, self.delete))()

    def create(self):
        lease = self.service.create_lease(ALICE, request(self.values(), *self.window()))
        self.leases.append(lease)
        return "create"

    def update(self):
        lease = self.rng.choice(self.leases)
        start, end = self.window()
        kind = lease.reservations[0].resource_type
        values = {"min": 1, "max": self.rng.randint(1, 2)}
        if kind == "virtual:instance":
            values = {"amount": self.rng.randint(1, 6)}
        resized = (ReservationChange(lease.reservations[0].id, values),)
        change = self.rng.choice(
            (
                LeaseChange(start=start, end=end),
                LeaseChange(end=end),
                LeaseChange(reservations=resized),
                LeaseChange(end=end, reservations=resized),
            )
        )
        self.service.update_lease(ALICE, lease.id, change)
        return "update"

    def delete(self):
        lease = self.leases.pop(self.rng.randrange(len(self.leases)))
        self.service.delete_lease(ALICE, lease.id)
        return "delete"

    def values(self):
        if self.rng.random() < 0.3:
            return HOST | {"max": self.rng.randint(1, 2)}
        affinity = self.rng.choice((None, True, False))
        amount = self.rng.randint(1, 3)
        return INSTANCE | {"vcpus": 5, "amount": amount, "affinity": affinity}

    def window(self):
        now = self.clock.now()
        length = timedelta(minutes=self.rng.randint(2, 120))
        if self.rng.random() < 0.3:
            return "now", (now + length).isoformat()
        start = now + timedelta(minutes=self.rng.randint(2, 600))
        end = start + length
        return start.isoformat(), end.isoformat()

    def add_host(self):
        self.service.create_host(ALICE, HostRequest(self.rng.choice(COMING_AND_GOING)))
        return "add host"

    def remove_host(self):
        name = self.rng.choice(COMING_AND_GOING)
        for host in self.service.list_hosts(ALICE):
            if host.hypervisor_hostname == name:
                self.service.delete_host(ALICE, host.id)
        return "remove host"


def main():
    worker = Worker(*sys.argv[1:])
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        answer = getattr(worker, order.pop("do"))(**order)
        print(json.dumps(answer), flush=True)
    worker.service.stop()


if __name__ == "__main__":
    main()
