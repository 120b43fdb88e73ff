# SPDX-License-Identifier: Apache-2.0
"""The ledger of this commit, filled with a world of the benchmark."""

import numpy as np

from benchmarks.ask.world import BUNDLES, CAPACITY, World, zone
from promise_blazar.capacity.ledger import Ledger, LedgerHost


def filled(world: World) -> Ledger:
    """Instants are those of the world: 0 is its first midnight."""
    ledger = Ledger()
    for number in range(1, world.hosts + 1):
        ledger.put_host(LedgerHost(number, f"compute-{number}", zone(number), CAPACITY, {}, True))
    for number, amounts in BUNDLES.items():
        ledger.put_bundle(number, amounts)
    ledger.put_bookings(
        np.arange(1, len(world) + 1),
        world.reservation,
        world.host,
        world.bundle,
        world.units,
        world.start,
        world.end,
        np.zeros(len(world), dtype=np.int64),
    )
    return ledger
