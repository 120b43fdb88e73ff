#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Figure R6: the lateness of 999 starts beside leases that are stuck.

    python -m benchmarks.punctuality.isolation [--leases N] [--seconds S] [--latency MS]
                                               [--seed N] [--lead S]

Twice the same on new sites, without and with trouble for as long as the others start: a lease
that has ended and whose server never vanishes, and one whose every call hangs until it times out.
Exit status 1 if the others' lateness (from due to the first call to OpenStack) at the 99th
percentile is more than 1 s above that without.
"""

import argparse
import random
import sys
import time
from datetime import timedelta

from benchmarks.common.figures import percentile
from benchmarks.common.machine import machine, versions
from benchmarks.punctuality.starts import CALLER, CLOCK, SLOTS_A_HOST, Site, row, site, wait_until
from promise_blazar import exceptions
from promise_blazar.conf import cloud
from promise_blazar.manager.contract.messages import LeaseChange

TARGET = 1.0
NEVER = 1e9
#: What a call to OpenStack may take, by default.
TIMEOUT = next(o.default for o in cloud.OPENSTACK_OPTS if o.name == "call_timeout")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--leases", type=int, default=999)
    parser.add_argument("--seconds", type=float, default=600, help="in which they start")
    parser.add_argument("--latency", type=int, default=200, help="of each call, in milliseconds")
    parser.add_argument("--seed", type=int, default=20300101)
    parser.add_argument("--lead", type=float, help="seconds to prepare the leases in")
    options = parser.parse_args()
    print(machine())
    print(versions("SQLAlchemy", "psycopg", "numpy"))
    print(f"seed {options.seed}, {options.leases} leases in {options.seconds:g} s, ", end="")
    print(f"{options.latency} ms a call", flush=True)
    without, beside = measure(options, stuck=False), measure(options, stuck=True)
    more = percentile(beside, 99) - percentile(without, 99)
    good = more <= TARGET
    print(f"  p99 beside stuck leases {more:+.3f} s (target {TARGET:g} s): ", end="")
    print("met" if good else "MISSED")
    return 0 if good else 1


def measure(options: argparse.Namespace, stuck: bool) -> list[float]:
    """How late each of the others began."""
    hosts = -(-options.leases // SLOTS_A_HOST) + 1
    chance = random.Random(options.seed)
    with site(hosts) as here:
        here.register(hosts)
        lead = options.lead if options.lead is not None else 20 + options.leases * 0.1
        begin = CLOCK.now() + timedelta(seconds=lead)
        offsets = sorted(chance.uniform(0, options.seconds) for _ in range(options.leases))
        leases = here.create([begin + timedelta(seconds=offset) for offset in offsets])
        hanging = make_trouble(here) if stuck else []
        here.cloud.set_faults(latency_ms=options.latency)
        wait_until(begin + timedelta(seconds=options.seconds))
        starts = here.started(leases)
        for lease in hanging:
            found = here.manager.get_lease(CALLER, lease)
            calls = len(here.watch.calls[lease])
            print(f"  stuck: {found.status}, {calls} calls, {found.status_reason}")
            if found.status in ("ACTIVE", "TERMINATED"):
                raise RuntimeError(f"lease {lease} was not stuck")
        here.watch.held = lambda ownership, call: None
    late = [start.lateness for start in starts]
    print(row("lateness " + ("beside stuck leases" if stuck else "without"), late), flush=True)
    return late


def make_trouble(here: Site) -> list[str]:
    """A lease that cannot end, and one that cannot start."""
    ending, hanging = here.create([CLOCK.now(), CLOCK.now()])

    def hang(ownership: object, call: str) -> None:
        if ownership.lease_id == hanging:
            time.sleep(TIMEOUT)
            raise exceptions.CloudUnavailable("timed out", call=call, detail="timed out")

    here.watch.held = hang
    here.started([ending])
    (reservation,) = here.manager.get_lease(CALLER, ending).reservations
    here.cloud.create_server(CALLER.project_id, "server", reservation.id)
    here.cloud.set_server_delete_seconds(NEVER)
    here.manager.update_lease(CALLER, ending, LeaseChange(end=CLOCK.now().isoformat()))
    return [ending, hanging]


if __name__ == "__main__":
    sys.exit(main())
