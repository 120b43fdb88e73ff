#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The time that a host takes from one lease to the next, whose window begins as the first ends.

    python -m benchmarks.punctuality.handover [--rounds N] [--latency MS] [--settle S]

One manager, in this process, and a host with a server of the first lease's. Printed: from due
until the first is TERMINATED, and until the second is ACTIVE; released is what a look no earlier
than ``[nova] settle_seconds`` after the door was closed finds empty.
"""

import argparse
import sys
import time
from datetime import datetime, timedelta

from benchmarks.common.machine import machine, versions
from benchmarks.punctuality.starts import CALLER, CLOCK, HANG_GUARD, Site, row, site
from promise_blazar.manager.contract.messages import LeaseRequest, ReservationRequest
from promise_blazar.model.states import EventStatus, EventType

RESERVATION = ReservationRequest(
    "physical:host", {"min": 1, "max": 1, "hypervisor_properties": "", "resource_properties": ""}
)
LEAD = timedelta(seconds=8)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--latency", type=int, default=200, help="of each call, in milliseconds")
    parser.add_argument("--settle", type=float, help="[nova] settle_seconds")
    parser.add_argument("--seed", type=int, default=1, help="nothing is random here")
    options = parser.parse_args()
    settings = {} if options.settle is None else {"nova__settle_seconds": options.settle}
    ended, active = [], []
    with site(1) as here:
        here.manager.stop()
        here.begin(**settings)
        here.register(1)
        here.cloud.set_faults(latency_ms=options.latency)
        for _ in range(options.rounds):
            first, second, due = one(here)
            ended.append(reached(here, first, EventType.END, due))
            active.append(reached(here, second, EventType.START, due))
            here.manager.delete_lease(CALLER, second)
    print(machine())
    print(versions("SQLAlchemy", "psycopg", "numpy"))
    asked = "default" if options.settle is None else f"{options.settle:g} s"
    print(f"{options.rounds} rounds, {options.latency} ms a call, settle_seconds {asked}")
    print(row("due to TERMINATED", ended))
    print(row("due to ACTIVE of the next", active))
    return 0


def one(here: Site) -> tuple[str, str, datetime]:
    """A lease that runs and has a server, the one that follows, and when that is due."""
    now = CLOCK.now()
    due = now + LEAD
    first = lease(here, now, due)
    reached(here, first, EventType.START, now)
    second = lease(here, due, due + timedelta(minutes=5))
    (reservation,) = here.manager.get_lease(CALLER, first).reservations
    hints = {"reservation": reservation.id}
    here.cloud.create_server(CALLER.project_id, "server", "m1.tiny", hints)
    return first, second, due


def lease(here: Site, start: datetime, end: datetime) -> str:
    request = LeaseRequest("next", start.isoformat(), end.isoformat(), None, (RESERVATION,))
    return here.manager.create_lease(CALLER, request).id


def reached(here: Site, lease_id: str, event: EventType, due: datetime) -> float:
    """Seconds after due at which an event was done. Raises ``RuntimeError``."""
    deadline = time.monotonic() + HANG_GUARD
    while time.monotonic() < deadline:
        _, status, changed = here.events()[lease_id, event]
        if status == EventStatus.DONE:
            return (changed - due).total_seconds()
        time.sleep(0.2)
    raise RuntimeError(f"{event} of lease {lease_id} is not done")


if __name__ == "__main__":
    sys.exit(main())
