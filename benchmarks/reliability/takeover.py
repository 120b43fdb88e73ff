#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Figure R5: the time that a lease waits when the manager that works on it is killed.

    python -m benchmarks.reliability.takeover [--kills N] [--managers N] [--database D]
                                              [--heartbeat S] [--ownership S] [--usual S]
                                              [--call S]

Manager processes on one database start and end leases on a simulated OpenStack that takes its
time. One after another they are killed with SIGKILL in the middle of it. Printed: the time from
the kill to the first call to OpenStack that another manager makes for a lease of the dead one (or
to the takeover itself, where no call was left to be made). Without options the settings are the
defaults; a 99th percentile above 5 s fails the run, and so does a lease that nobody takes over.
The database is PostgreSQL, where a server is installed; else SQLite, in memory where that can be
(on a disk it is the queue for its one write lock that is measured).

A heartbeat is seen within an interval, and the first look after the ownership has run out finds
who is silent: a takeover takes at most that and one interval, and what the machine adds; while
calls take longer than usual, as much more. What it costs is printed: what a manager with nothing
to do sends to the database, and what it has of a processor.
"""

import argparse
import contextlib
import json
import logging
import multiprocessing
import os
import random
import signal
import statistics
import sys
import threading
import time
from datetime import timedelta
from unittest import mock

import sqlalchemy

from benchmarks.common.machine import machine
from benchmarks.common.sql_count import counted
from promise_blazar.clock import SystemClock
from promise_blazar.cloud.simulated import SimulatedCloud
from promise_blazar.context import RequestContext
from promise_blazar.db import heartbeats
from promise_blazar.db.session import Database
from promise_blazar.db.tables import Lease
from promise_blazar.manager import composition
from promise_blazar.manager.contract.messages import HostRequest, LeaseRequest, ReservationRequest
from promise_blazar.manager.ownership.heartbeat import Heartbeat
from promise_blazar.manager.ownership.work import WorkOwnership
from promise_blazar.tests import databases, servers
from promise_blazar.tests.crash.kills import scratch
from promise_blazar.tests.functional.base import HOST, configuration, sync

LIMIT = 5.0
#: How long the last takeovers are waited for.
PATIENCE = 120.0
#: Of each call to OpenStack.
LATENCY_MS = 400
CLOCK = SystemClock()
#: Forked from a process without threads that has imported what they need; else it is measured
#: how long the machine imports.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    [
        "promise_blazar.manager.service",
        "promise_blazar.plugins.physical_host",
        "promise_blazar.tests.databases",
        "promise_blazar.tests.functional.base",
        "promise_blazar.tests.crash.kills",
        "psycopg",
    ]
)
CONTEXT = RequestContext("admin", "admin", "req-takeover")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--managers", type=int, default=5, help="alive at a time")
    parser.add_argument(
        "--database",
        choices=("sqlite", *servers.VARIABLES),
        default="postgresql" if servers.PostgreSQL.find() else "sqlite",
    )
    parser.add_argument("--heartbeat", type=float, help="[manager] heartbeat_interval")
    parser.add_argument("--ownership", type=float, help="[manager] ownership_seconds")
    parser.add_argument("--usual", type=float, help="[openstack] usual_call_time")
    parser.add_argument("--call", type=float, help="[openstack] call_timeout")
    parser.add_argument("--seed", type=int, default=20300101)
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    print(machine(), flush=True)
    with scratch() as directory, database_of(arguments, directory) as url:
        sync(url)
        run = Run(arguments, directory, url)
        idle = run.idle()
        return report(arguments, run.measured(), idle)


@contextlib.contextmanager
def database_of(arguments, directory):
    """The address of an empty one."""
    if arguments.database == "sqlite":
        yield f"sqlite:///{directory}/database.sqlite"
        return
    with (
        servers.running() as addresses,
        mock.patch.dict(os.environ, addresses),
        databases.fresh_database(arguments.database) as url,
    ):
        yield url


def settings(arguments, **more):
    """The configuration: the defaults, where nothing else is asked for."""
    asked = {
        "manager__heartbeat_interval": arguments.heartbeat,
        "manager__ownership_seconds": arguments.ownership,
        "openstack__usual_call_time": arguments.usual,
        "openstack__call_timeout": arguments.call,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    return configuration(**{"manager__minutes_before_end_lease": 0, **given, **more})


# A manager


def work(arguments, directory, url, log, ready):
    """A manager that tells of each lease it takes, and of each call that its fence lets out."""
    fence_of = Heartbeat.fence
    told = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def fence(heartbeat, ownership):
        check = fence_of(heartbeat, ownership)
        if not isinstance(ownership, WorkOwnership):
            return check  # of a job

        def tell(call):
            line = json.dumps([heartbeat.id, ownership.lease_id, time.monotonic(), call])
            os.write(told, line.encode() + b"\n")

        def check_and_tell(call):
            check(call)
            tell(call)

        tell(None)
        return check_and_tell

    Heartbeat.fence = fence
    logging.disable(logging.CRITICAL)
    cloud = SimulatedCloud(directory / "cloud.sqlite")
    manager = composition.manager(settings(arguments), Database(url), cloud, CLOCK)
    manager.start()
    ready.send(manager.heartbeat.id)
    signal.pause()


class Process:
    """A manager from its being ready to its end; a process of its own, and soon there."""

    def __init__(self, *place):
        self._ready, other = PROCESSES.Pipe()
        self._process = PROCESSES.Process(target=work, args=(*place, other), daemon=True)
        self._process.start()
        other.close()
        self.id = None

    def ready(self):
        if self.id is None:
            self.id = self._ready.recv()
        return self

    def kill(self):
        """When, by a clock that all processes share."""
        now = time.monotonic()
        self._process.kill()
        self._process.join()
        return now


# The measurement


class Run:
    def __init__(self, arguments, directory, url):
        self._arguments = arguments
        self._place = (arguments, directory, url, directory / "calls.log")
        self._log = directory / "calls.log"
        self._rng = random.Random(arguments.seed)
        self._stopping = threading.Event()
        self._database = Database(url)
        self._cloud = SimulatedCloud(directory / "cloud.sqlite", 40)
        # Takes requests and does no work: its ownership outlasts the run, and it never looks.
        conf = settings(arguments, manager__ownership_seconds=100_000)
        self._front = composition.manager(conf, self._database, self._cloud, CLOCK)
        self._front.heartbeat.register()
        for number in range(1, 41):
            self._front.create_host(CONTEXT, HostRequest(f"compute-{number}"))
        self._cloud.set_faults(latency_ms=LATENCY_MS)

    def measured(self):
        """Of each kill: seconds to the takeover of each of the dead one's leases."""
        tenants = threading.Thread(target=self._tenants)
        tenants.start()
        # One survives them all: else it would be measured how long newcomers look at the dead.
        steady = self._process().ready()
        living = [self._process() for _ in range(self._arguments.managers - 1)]
        kills = []
        try:
            while len(kills) < self._arguments.kills:
                time.sleep(self._rng.uniform(0.5, 2))
                victim = living.pop(0).ready()
                if not self._owned(victim.id) and self._known(victim.id):
                    living.append(victim)
                    continue
                killed = victim.kill()
                # Nothing, if it was about to be done, or goes by another id since it was late.
                if owned := self._owned(victim.id):
                    kills.append((killed, victim.id, owned))
                living.append(self._process())
            self._wait_until_taken_over([dead for _, dead, _ in kills])
        finally:
            self._stopping.set()
            tenants.join()
            for process in (steady, *living):
                process.kill()
            self._front.stop()
        return [delays for kill in kills if (delays := self._delays(*kill, kills))]

    def _wait_until_taken_over(self, dead):
        """From them all, and the first call is made. Raises ``AssertionError``: it never is."""
        deadline = time.monotonic() + PATIENCE
        while left := frozenset().union(*map(self._owned, dead)):
            if time.monotonic() > deadline:
                raise AssertionError(f"leases {sorted(left)} are not taken over")
            time.sleep(0.5)
        time.sleep(2)

    def idle(self):
        """Of a manager with nothing to do, before there are others: statements that it sends in a
        second, and its share of a processor."""
        conf = settings(self._arguments)
        idle = composition.manager(conf, self._database, self._cloud, CLOCK)
        idle.start()
        seconds = 10 * conf.manager.heartbeat_interval
        before = time.process_time()
        with counted() as count:
            time.sleep(seconds)
        used = time.process_time() - before
        idle.stop()
        return count.statements / seconds, used / seconds

    def _process(self):
        return Process(*self._place)

    def _tenants(self):
        """Lend a host, take it back as soon as it is lent, and so on."""
        values = {name: value for name, value in HOST.items() if name != "resource_type"}
        while not self._stopping.wait(0.25):
            found = self._front.list_leases(CONTEXT).changed
            for lease in found:
                if lease.status in ("ACTIVE", "ERROR"):
                    self._front.delete_lease(CONTEXT, lease.id)
            if len(found) < 10:
                end = (CLOCK.now() + timedelta(hours=1)).isoformat()
                asked = (ReservationRequest("physical:host", values),)
                self._cloud.clear_faults()
                self._front.create_lease(CONTEXT, LeaseRequest("busy", "now", end, None, asked))
                self._cloud.set_faults(latency_ms=LATENCY_MS)

    def _owned(self, manager):
        with self._database.reader() as connection:
            rows = connection.execute(sqlalchemy.select(Lease.id).where(Lease.owner == manager))
            return frozenset(rows.scalars())

    def _known(self, manager):
        with self._database.reader() as connection:
            return manager in heartbeats.beats(connection)

    def _delays(self, killed, dead, owned, kills):
        told = [json.loads(line) for line in self._log.read_text().splitlines()]
        found = []
        for lease in owned:
            after = [
                (at, call)
                for who, which, at, call in told
                if which == lease and who != dead and at > killed
            ]
            # There may have been nothing left to be called.
            calls = [at for at, call in after if call is not None] or [at for at, _ in after]
            first = min(calls, default=None)
            # Taken over by somebody who was killed over it: that kill has this lease too.
            again = any(
                killed < when and lease in theirs and (first is None or when < first)
                for when, _, theirs in kills
            )
            if first is None and not again:
                raise AssertionError(f"lease {lease} was never taken over")
            found += [] if again else [first - killed]
        return found


def report(arguments, kills, idle):
    """The exit status."""
    statements, share = idle
    delays = sorted(delay for delays in kills for delay in delays)
    worst = sorted(max(delays) for delays in kills)
    conf = settings(arguments)
    print(
        f"heartbeat_interval {conf.manager.heartbeat_interval:g} s, ownership_seconds"
        f" {conf.manager.ownership_seconds:g} s, usual_call_time"
        f" {conf.openstack.usual_call_time:g} s, call_timeout {conf.openstack.call_timeout:g} s,"
        f" {arguments.managers} managers"
    )
    print(
        f"the price: a manager with nothing to do sends {statements:.1f} statements a second to"
        f" {arguments.database} and has {share:.1%} of a processor; calls may take"
        f" {conf.openstack.call_timeout:g} s, and after one longer than"
        f" {conf.openstack.usual_call_time:g} s a takeover takes as much longer"
    )
    soon = sum(delay <= LIMIT for delay in delays)
    print(
        f"{len(kills)} kills, {len(delays)} leases taken over, {soon} of them within {LIMIT:g} s;"
        f" load {os.getloadavg()[0]:.1f}"
    )
    for name, values in (("a lease", delays), ("all of a dead manager's", worst)):
        cuts = statistics.quantiles(values, n=100, method="inclusive")
        print(
            f"  {name:<24} p50 {cuts[49]:5.2f} s, p99 {cuts[98]:5.2f} s, max {values[-1]:5.2f} s"
        )
    names = ("heartbeat", "ownership", "usual", "call")
    default = all(getattr(arguments, name) is None for name in names)
    return int(default and statistics.quantiles(delays, n=100, method="inclusive")[98] > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
