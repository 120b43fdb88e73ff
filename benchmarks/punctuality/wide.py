#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The start of one lease of many hosts, when each call takes 200 ms.

    python -m benchmarks.punctuality.wide [--hosts N] [--latency MS] [--rounds N]

One manager with its defaults, in this process; leases one after another. Exit status 1 if the
time from due to ACTIVE misses its target once.
"""

import argparse
import sys
from datetime import timedelta

from benchmarks.common.machine import machine, versions
from benchmarks.punctuality.starts import CALLER, CLOCK, row, site, wait_until
from promise_blazar.manager.contract.messages import LeaseRequest, ReservationRequest

TARGET = 5.0
LEAD = timedelta(seconds=60)
LONG = timedelta(minutes=2)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--latency", type=int, default=200, help="of each call, in milliseconds")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1, help="nothing is random here")
    options = parser.parse_args()
    print(machine())
    print(versions("SQLAlchemy", "psycopg", "numpy"))
    print(f"{options.hosts} hosts, {options.latency} ms a call, {options.rounds} leases")
    count = {"min": options.hosts, "max": options.hosts}
    queries = {"hypervisor_properties": "", "resource_properties": ""}
    reservation = ReservationRequest("physical:host", {**count, **queries})
    starts = []
    with site(options.hosts) as here:
        here.register(options.hosts)
        for _ in range(options.rounds):
            due = CLOCK.now() + LEAD
            times = (due.isoformat(), (due + LONG).isoformat())
            request = LeaseRequest("wide", *times, None, (reservation,))
            lease = here.manager.create_lease(CALLER, request).id
            here.cloud.set_faults(latency_ms=options.latency)
            wait_until(due)
            starts += here.started([lease])
            here.cloud.set_faults()
            here.manager.delete_lease(CALLER, lease)
    active = [start.until_active for start in starts]
    print(row("due to first call (lateness)", [start.lateness for start in starts]))
    print(row("due to ACTIVE", active))
    good = max(active) <= TARGET
    print(f"  calls {len(starts[0].calls)}; target {TARGET:g} s: {'met' if good else 'MISSED'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
