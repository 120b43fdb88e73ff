#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The lateness of starts in an idle manager, with SQLite and a simulated OpenStack.

    python -m benchmarks.punctuality.idle [--leases N] [--latency MS] [--seed N]

Leases of one host each start one after another: in turns at once, and at an instant drawn from
the seed. Printed: from the later of due time and the end of the preparation (just before the
lease is PENDING) to the first call to OpenStack, and to ACTIVE. The first must be at most 1 s,
every time; a miss fails the run.
"""

import argparse
import contextlib
import random
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from benchmarks.common.clouds import CloudOf
from benchmarks.common.machine import machine
from promise_blazar.clock import SystemClock
from promise_blazar.cloud.simulated.calls import Calls
from promise_blazar.context import RequestContext
from promise_blazar.db import migrate
from promise_blazar.db.session import Database
from promise_blazar.manager import composition
from promise_blazar.manager.contract.messages import HostRequest, LeaseRequest, ReservationRequest
from promise_blazar.tests.functional.base import HOST, configuration

LIMIT = 1.0
CLOCK = SystemClock()
CONTEXT = RequestContext("admin", "admin", "req-punctuality")


#: The last call of a host lease's preparation; the next one is the first of its start.
PREPARED = "nova.aggregate.create"


class WatchedCalls(Calls):
    """Notes when each call leaves, and when it is answered."""

    def __init__(self, *way):
        super().__init__(*way)
        self.noted = []

    @contextlib.contextmanager
    def _call(self, call):
        left = CLOCK.now()
        with super()._call(call):
            yield
        self.noted.append((left, CLOCK.now(), call))

    def prepared_and_started(self):
        """When OpenStack had all of the preparation, and when the start's first call left."""
        calls = sorted(self.noted)
        last = [call for _, _, call in calls].index(PREPARED)
        return calls[last][1], calls[last + 1][0]


class WatchedCloud(CloudOf):
    def __init__(self, *place):
        def make(*way):
            self.calls = WatchedCalls(*way)
            return self.calls

        super().__init__(make, *place)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--leases", type=int, default=20)
    parser.add_argument("--latency", type=int, default=100, help="of each call, in milliseconds")
    parser.add_argument("--seed", type=int, default=20300101)
    arguments = parser.parse_args()
    print(machine())
    late = [
        measure(arguments.leases, latency, random.Random(arguments.seed))
        for latency in (0, arguments.latency)
    ]
    return int(any(late))


def measure(leases, latency, rng):
    """Whether a start was late."""
    with tempfile.TemporaryDirectory() as directory:
        database = Database(f"sqlite:///{directory}/database.sqlite")
        migrate.sync(database)
        cloud = WatchedCloud(Path(directory) / "cloud.sqlite", 2)
        manager = composition.manager(configuration(), database, cloud, CLOCK)
        manager.start()
        try:
            for number in (1, 2):
                manager.create_host(CONTEXT, HostRequest(f"compute-{number}"))
            cloud.set_faults(latency_ms=latency)
            # In turns: due after it is PENDING, and due before.
            starts = [start(manager, cloud, rng, bool(n % 2)) for n in range(leases)]
        finally:
            manager.stop()
            cloud.close()
    print(f"{leases} starts, {latency} ms a call")
    for name, seconds in zip(("first call", "ACTIVE"), zip(*starts, strict=True), strict=True):
        print(
            f"  {name:<11} median {statistics.median(seconds) * 1000:6.0f} ms,"
            f" worst {max(seconds) * 1000:6.0f} ms"
        )
    return max(first for first, _ in starts) > LIMIT


def start(manager, cloud, rng, at_once):
    """Seconds from due (or PENDING) to the first call, and to ACTIVE."""
    now = CLOCK.now()
    # Past what the prepare takes, so that the engine is asleep when the start is due.
    due = now if at_once else now + timedelta(seconds=rng.uniform(2, 4))
    values = {name: value for name, value in HOST.items() if name != "resource_type"}
    request = LeaseRequest(
        "punctual",
        due.isoformat(),
        (due + timedelta(hours=1)).isoformat(),
        None,
        (ReservationRequest("physical:host", values),),
    )
    cloud.calls.noted.clear()
    lease = manager.create_lease(CONTEXT, request)
    while manager.get_lease(CONTEXT, lease.id).status != "ACTIVE":
        time.sleep(0.005)
    active = CLOCK.now()
    prepared, first = cloud.calls.prepared_and_started()
    manager.delete_lease(CONTEXT, lease.id)
    while manager.list_leases(CONTEXT).changed:
        time.sleep(0.02)
    since = max(due, prepared)
    return (first - since).total_seconds(), (active - since).total_seconds()


if __name__ == "__main__":
    sys.exit(main())
