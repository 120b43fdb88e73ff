#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The time of a decision: admission, re-check and explanation over a random ledger.

    python -m benchmarks.ledger.run [--seed N] [--rounds N]

Prints the median and the quartiles in milliseconds. Bookings of one minute to a week are spread
over 90 days; the asks are of the middle of that time, where the books are fullest.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.common.machine import machine, versions
from promise_blazar.capacity.admission import Plan, admit, holds
from promise_blazar.capacity.demand.request import AllocationRequest, Window
from promise_blazar.capacity.demand.slots import Slots
from promise_blazar.capacity.demand.whole_hosts import WholeHosts
from promise_blazar.capacity.explanation import explain
from promise_blazar.capacity.ledger import Ledger, LedgerHost
from promise_blazar.capacity.resource_query import parse
from promise_blazar.capacity.window_search import MINUTE

DAY = 24 * 60 * MINUTE
SIZES = ((300, 3_000), (10_000, 1_000_000))


def filled(hosts: int, bookings: int, seed: int) -> Ledger:
    dice = np.random.default_rng(seed)
    ledger = Ledger()
    capacity = {"VCPU": 32, "MEMORY_MB": 131072, "DISK_GB": 2000}
    for number in range(1, hosts + 1):
        ledger.put_host(
            LedgerHost(number, f"compute-{number}", "nova", capacity, {"vcpus": 32}, True)
        )
    for number in range(4):
        vcpus = 1 + number
        ledger.put_bundle(
            number, {"VCPU": vcpus, "MEMORY_MB": 2048 * vcpus, "DISK_GB": 20 * vcpus}
        )
    starts = dice.integers(0, 90 * DAY // MINUTE, bookings) * MINUTE
    lengths = dice.integers(1, 7 * DAY // MINUTE, bookings) * MINUTE
    ledger.put_bookings(
        ids=np.arange(1, bookings + 1),
        reservations=dice.integers(1, max(2, bookings // 2), bookings),
        hosts=dice.integers(1, hosts + 1, bookings),
        bundles=dice.integers(0, 4, bookings),
        units=np.ones(bookings, dtype=np.int64),
        starts=starts,
        ends=starts + lengths,
        released=np.zeros(bookings, dtype=np.int64),
    )
    return ledger


def measured(work: Callable[[], object], rounds: int) -> str:
    work()
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        times.append((time.perf_counter() - begun) * 1000)
    low, middle, high = statistics.quantiles(times, n=4)
    return f"{middle:9.2f} ({low:.2f} to {high:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    print(machine())
    print(versions("numpy"))
    print(f"seed {options.seed}, {options.rounds} rounds, ms: median (quartiles)")
    query = parse('[">=", "$vcpus", "8"]')
    assert query is not None
    slot = {"VCPU": 2, "MEMORY_MB": 4096, "DISK_GB": 20}
    for hosts, bookings in SIZES:
        begun = time.perf_counter()
        ledger = filled(hosts, bookings, options.seed)
        loaded = (time.perf_counter() - begun) * 1000
        print(f"\n{hosts} hosts, {bookings} bookings (made and loaded in {loaded:.0f} ms)")
        for days in (1, 30):
            window = Window(40 * DAY, (40 + days) * DAY)
            asks = {
                "4 slots, any mix": Slots(4, slot, None, (query,)),
                "4 slots, apart": Slots(4, slot, False, (query,)),
                "0 to 4 whole hosts": WholeHosts(0, 4, (query,)),
            }
            for name, demand in asks.items():
                ask = AllocationRequest("a", demand, window)
                plan = admit(ledger, [ask], 0)
                assert isinstance(plan, Plan)
                admitted = measured(partial(admit, ledger, [ask], 0), options.rounds)
                print(f"  admit    {days:2} days, {name:20} {admitted}")
                again = measured(partial(holds, ledger, [ask], plan, 0), options.rounds)
                print(f"  re-check {days:2} days, {name:20} {again}")
            for name, refused in (
                ("all hosts whole", WholeHosts(hosts, hosts)),
                ("too many slots", Slots(16 * hosts, slot, None)),
            ):
                ask = AllocationRequest("a", refused, window)
                answer = explain(ledger, [ask], 0)
                assert answer.reasons
                explained = measured(
                    partial(explain, ledger, [ask], 0), max(3, options.rounds // 3)
                )
                found = "found" if answer.alternatives else "none"
                print(f"  explain  {days:2} days, {name:20} {explained}; other window: {found}")


if __name__ == "__main__":
    main()
