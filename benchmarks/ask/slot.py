#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The time to find the earliest slot for eight hosts, beside trying each hour.

    python -m benchmarks.ask.slot

Hosts are lent whole for 85 % of ninety days, and eight of them are free for three days together
first on day 60. Trying each hour from now on, with one admission each, has to find the same.
Exit status 1 for a wrong answer or a missed target.
"""

import argparse
import sys
import time

from benchmarks.ask.books import filled
from benchmarks.ask.world import DAY, DAYS, HOUR, Gap, World, crowded
from benchmarks.common.figures import Spread
from benchmarks.common.machine import machine, versions
from promise_blazar.capacity.admission import Plan, admit
from promise_blazar.capacity.demand.request import AllocationRequest, Window
from promise_blazar.capacity.demand.whole_hosts import WholeHosts
from promise_blazar.capacity.ledger import Ledger
from promise_blazar.capacity.window_search import next_windows

LOAD = 0.85
GAP = Gap(hosts=8, start=60 * DAY, length=3 * DAY)
#: Hosts; milliseconds that the search may take (p50).
TARGETS = {1_000: 100.0, 10_000: 1000.0}
#: Of the first of them.
TIMES_AS_FAST = 50


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=20300101)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--hosts", type=int, nargs="*", default=list(TARGETS))
    options = parser.parse_args()
    print(machine())
    print(versions("numpy"))
    print(f"seed {options.seed}; {options.rounds} searches after one to warm up")
    good = True
    for hosts in options.hosts:
        good &= measure(crowded(options.seed, hosts, GAP, LOAD), options.rounds)
    return 0 if good else 1


def measure(drawn: World, rounds: int) -> bool:
    ledger, hosts = filled(drawn), drawn.hosts
    lent = float((drawn.end - drawn.start).sum()) / (hosts * DAYS * DAY)
    print(f"\n{hosts} hosts, {len(drawn)} bookings, lent for {lent:.0%} of the time")
    request = AllocationRequest("a", WholeHosts(GAP.hosts, GAP.hosts), Window(0, GAP.length))
    took = []
    for turn in range(rounds + 1):
        begun = time.perf_counter()
        found = next_windows(ledger, [request], 0)
        if turn:
            took.append((time.perf_counter() - begun) * 1000)
    begun = time.perf_counter()
    hour = by_the_hour(ledger)
    hourly = (time.perf_counter() - begun) * 1000
    spread = Spread.of(took)
    print(f"  search: {spread.median:.1f} ms (IQR {spread.iqr:.1f}); each hour: {hourly:.0f} ms")
    start = found.windows[0].start if found.windows else None
    good = says(f"it starts on day {GAP.start / DAY:g}", start == GAP.start)
    good &= says("as trying each hour finds", start == hour)
    if hosts in TARGETS:
        target = TARGETS[hosts]
        good &= says(f"at most {target:.0f} ms", spread.median <= target)
        if hosts == min(TARGETS):
            times = hourly / spread.median
            good &= says(
                f"{times:.0f} times as fast (target {TIMES_AS_FAST})", times >= TIMES_AS_FAST
            )
    return good


def by_the_hour(ledger: Ledger) -> int | None:
    """The first hour from which an admission finds room; None: none in the ninety days."""
    demand = WholeHosts(GAP.hosts, GAP.hosts)
    for start in range(0, DAYS * DAY, HOUR):
        request = AllocationRequest("a", demand, Window(start, start + GAP.length))
        if isinstance(admit(ledger, [request], 0), Plan):
            return start
    return None


def says(what: str, good: bool) -> bool:
    print(f"  {'yes' if good else 'NO '} {what}")
    return good


if __name__ == "__main__":
    sys.exit(main())
