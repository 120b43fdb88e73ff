# SPDX-License-Identifier: Apache-2.0
"""Whether what was promised is there, the third table: more is asked for than there is."""

from benchmarks.whole_path.client import Client
from benchmarks.whole_path.leases import (
    CLIENTS,
    Calendar,
    Table,
    at_once,
    hosts,
    lease,
    made,
    remove,
    slots,
)

LAST_HOST = f"{CLIENTS} creates at once for the last host, accepted"
LAST_SLOT = f"{CLIENTS} creates at once for the last slot, accepted"
FULL_HOST = "one after another on a full host, accepted of 3"
BEYOND = "answer beyond capacity"


def last_host(user: Client, table: Table, calendar: Calendar, number: int) -> int:
    """All of ``number`` hosts but one are leased: how many get that one?"""
    window = calendar.empty()
    filler = [user.create(lease(*window, **hosts(number - 1))).lease_id]
    return _race(user, table, filler, lease(*window, **hosts()))


def last_slot(user: Client, table: Table, calendar: Calendar, number: int) -> int:
    """A slot of 8 VCPU fills a host; all hosts but one have theirs."""
    window = calendar.empty()
    filler = [user.create(lease(*window, **slots(number - 1, vcpus=8))).lease_id]
    return _race(user, table, filler, lease(*window, **slots(vcpus=8)))


def full_host(user: Client, table: Table, calendar: Calendar, host: str) -> int:
    """A host of 8 VCPU has eight slots of one; then one more is asked for, three times."""
    window = calendar.empty()
    filler = [user.create(lease(*window, **slots(8, on=host))).lease_id]
    more = made([user.create(lease(*window, **slots(on=host))) for _ in range(3)])
    remove(user, filler + more)
    table.settle()
    return len(more)


def beyond(user: Client, calendar: Calendar, number: int) -> list[int]:
    """The status of the answers to one host too many, and to one slot too many."""
    window = calendar.empty()
    asked = [hosts(number + 1), slots(number + 1, vcpus=8)]
    return [user.create(lease(*window, **each)).status for each in asked]


def _race(user: Client, table: Table, filler: list[str], wanted: dict) -> int:
    accepted = made(at_once(user, [wanted] * CLIENTS))
    remove(user, filler + accepted)
    table.settle()
    return len(accepted)
