# SPDX-License-Identifier: Apache-2.0
"""Admission as an earlier commit decides it, in a process that has that commit's code: tells the
seconds of one for each number of days that it reads.

Started by ``benchmarks.ask.run`` with the path of that code and this folder; it knows the names
of the release ee2a01f alone.
"""

import sys
import time

import numpy as np
import world

from promise_blazar.capacity.admission import Plan, admit
from promise_blazar.capacity.demand import Ask, Slots, Window
from promise_blazar.capacity.ledger import Host, Ledger


def filled(drawn: world.World) -> Ledger:
    ledger = Ledger()
    for number in range(1, drawn.hosts + 1):
        name, zone = f"compute-{number}", world.zone(number)
        ledger.put_host(Host(number, name, zone, world.CAPACITY, {}, True))
    for number, amounts in world.BUNDLES.items():
        ledger.put_bundle(number, amounts)
    ledger.put_bookings(
        np.arange(1, len(drawn) + 1),
        drawn.reservation,
        drawn.host,
        drawn.bundle,
        drawn.units,
        drawn.start,
        drawn.end,
        np.zeros(len(drawn), dtype=np.int64),
    )
    return ledger


def main() -> None:
    seed, hosts, bookings = map(int, sys.argv[1:])
    ledger = filled(world.scattered(seed, hosts, bookings))
    print("ready", flush=True)
    for line in sys.stdin:
        demand = Slots(world.ASKED, world.SLOT, None)
        begun = time.perf_counter()
        answer = admit(ledger, [Ask("a", demand, Window(*world.middle(int(line))))], 0)
        print(time.perf_counter() - begun, flush=True)
        if not isinstance(answer, Plan):
            raise RuntimeError(f"refused: {answer}")


if __name__ == "__main__":
    main()
