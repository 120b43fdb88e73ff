#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The lateness of starts after a restart with 10,000 pending events, each of which runs once.

    python -m benchmarks.punctuality.restart [--events N] [--due N] [--down S] [--seed N]
                                             [--lead S]

A manager prepares leases and is stopped; some of their starts fall due while it is away, others
soon after. Everything else that is pending belongs to leases of the coming months. Exit status 1
if no start begins within 2 s of the manager's being ready, or if an event was lost or run twice.
Those that fall due right after it wait behind those that were missed.
"""

import argparse
import random
import sys
import time
from datetime import timedelta

from sqlalchemy import update

from benchmarks.admission.fill import EVENTS, fill_ours
from benchmarks.admission.world import draw
from benchmarks.common.machine import machine, versions
from benchmarks.punctuality.starts import CLOCK, SLOTS_A_HOST, row, site, wait_until
from promise_blazar.db import tables
from promise_blazar.db.session import Database
from promise_blazar.model.states import EventStatus

TARGET = 2.0
#: Seconds after the restart in which the leases that were not missed start.
SOON = 10.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--due", type=int, default=200, help="leases that start now, of them all")
    parser.add_argument("--down", type=float, default=10, help="seconds without a manager")
    parser.add_argument("--seed", type=int, default=20300101)
    parser.add_argument("--lead", type=float, help="seconds to prepare the leases in")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    waiting = options.events // len(EVENTS) - options.due
    hosts = max(waiting // 10, -(-options.due // SLOTS_A_HOST))
    print(machine())
    print(versions("SQLAlchemy", "psycopg", "numpy"))
    with site(hosts) as here:
        database = Database(here.url)
        with database.writer() as connection:
            fill_ours(connection, draw(options.seed, hosts, waiting))
            for hypervisor in here.cloud.hypervisors.list():
                known = tables.Host.hypervisor_hostname == hypervisor.name
                connection.execute(
                    update(tables.Host).where(known).values(hypervisor_uuid=hypervisor.uuid)
                )
        database.dispose()
        lead = options.lead if options.lead is not None else 10 + options.due * 0.1
        begin = CLOCK.now() + timedelta(seconds=lead)
        spread = options.down + SOON
        offsets = sorted(chance.uniform(0, spread) for _ in range(options.due))
        leases = here.create([begin + timedelta(seconds=offset) for offset in offsets])
        wait_until(begin - timedelta(seconds=1))
        here.manager.stop()
        pending = {key for key, event in here.events().items() if event[1] == EventStatus.UNDONE}
        print(f"seed {options.seed}, {len(pending)} events pending, ", end="")
        print(f"no manager for {options.down:g} s", flush=True)
        wait_until(begin + timedelta(seconds=options.down))
        began = time.perf_counter()
        here.begin()
        ready, took = CLOCK.now(), time.perf_counter() - began
        wait_until(begin + timedelta(seconds=spread))
        starts = here.started(leases)
        events = here.events()
    missed = [s for s in starts if s.due <= ready]
    later = [s for s in starts if s.due > ready]
    since_ready = [(s.first_call - ready).total_seconds() for s in missed]
    print(f"  ready after {took:.3f} s")
    print(row(f"{len(missed)} missed: ready to first call", since_ready))
    print(row(f"{len(later)} due later: lateness", [s.lateness for s in later]))
    # A step that was cut off is done again from its beginning; its last call leaves once.
    twice = [s for s in starts if s.calls.count(s.calls[-1]) > 1]
    lost = pending - events.keys()
    early = [
        key
        for key, (due, status, _) in events.items()
        if status != EventStatus.UNDONE and due > CLOCK.now()
    ]
    print(f"  events lost {len(lost)}, run twice {len(twice)}, run before their time {len(early)}")
    first = min(later, key=lambda start: start.due)
    print(f"  first missed {min(since_ready):.3f} s after ready, ", end="")
    print(f"first due after ready {first.lateness:.3f} s late")
    good = min(since_ready) <= TARGET and not (lost or twice or early)
    print(f"  target, {TARGET:g} s: {'met' if good else 'MISSED'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
