#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The lateness of a thousand starts within one minute, when each call takes 200 ms.

    python -m benchmarks.punctuality.burst [--leases N] [--seconds S] [--latency MS]
                                           [--seed N] [--lead S]

One manager with its defaults, in this process. Exit status 1 if the lateness (from due to the
first call to OpenStack) or the time from due to ACTIVE misses its target at the 99th percentile.
"""

import argparse
import random
import statistics
import sys
import time
from datetime import timedelta

from benchmarks.common.figures import percentile
from benchmarks.common.machine import machine, versions
from benchmarks.common.sql_count import counted
from benchmarks.punctuality.starts import CLOCK, SLOTS_A_HOST, row, site, wait_until

#: Seconds; to ACTIVE that, and the calls that a start makes one after the other.
TARGET = 2.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--leases", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60, help="in which they start")
    parser.add_argument("--latency", type=int, default=200, help="of each call, in milliseconds")
    parser.add_argument("--seed", type=int, default=20300101)
    parser.add_argument("--lead", type=float, help="seconds to prepare the leases in")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    hosts = -(-options.leases // SLOTS_A_HOST)
    print(machine())
    print(versions("SQLAlchemy", "psycopg", "numpy"))
    print(f"seed {options.seed}, {options.leases} leases in {options.seconds:g} s, ", end="")
    print(f"{options.latency} ms a call", flush=True)
    with site(hosts) as here:
        here.register(hosts)
        lead = options.lead if options.lead is not None else 20 + options.leases * 0.1
        begin = CLOCK.now() + timedelta(seconds=lead)
        offsets = sorted(chance.uniform(0, options.seconds) for _ in range(options.leases))
        leases = here.create([begin + timedelta(seconds=offset) for offset in offsets])
        here.cloud.set_faults(latency_ms=options.latency)
        wait_until(begin - timedelta(seconds=0.5))
        used = time.process_time()
        with counted() as count:
            wait_until(begin + timedelta(seconds=options.seconds))
            starts = here.started(leases)
        used = time.process_time() - used
    late = [start.lateness for start in starts]
    active = [start.until_active for start in starts]
    sequence = statistics.mode(len(start.calls) for start in starts)
    target = TARGET + sequence * options.latency / 1000
    print(row("due to first call (lateness)", late))
    print(row("due to ACTIVE", active))
    print(f"  calls in sequence {sequence}: {', '.join(starts[0].calls)}")
    print(
        f"  SQL statements a start {count.statements / len(leases):.1f}, "
        f"processor {used / len(leases) * 1000:.0f} ms (OpenStack's simulation included)"
    )
    good = percentile(late, 99) <= TARGET and percentile(active, 99) <= target
    print(f"  targets, p99: {TARGET:g} s and {target:g} s: {'met' if good else 'MISSED'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
