# SPDX-License-Identifier: Apache-2.0
"""Suspend a process at a point until its ownership is over; another takes over; then wake it.

By then its lease is gone and the next tenant has every host. Nothing that the sleeper does may
reach either: its fence lets no further call out. Only a call that had passed the fence already
may still leave, and what that one brings about, reconcile takes away.
"""

from promise_blazar.tests.crash import invariants, kills
from promise_blazar.tests.crash.catalogue import OPERATIONS
from promise_blazar.tests.crash.forks import Failed, Fork, Line, in_fork
from promise_blazar.tests.crash.kills import LONG, Prepared
from promise_blazar.tests.crash.points import BEFORE, Point, watched
from promise_blazar.tests.crash.site import SharedClock, Site

#: The API's, with the tenant's token, and not under the ownership of a lease.
UNFENCED = "nova.server_group.create"

#: These look and sweep under no lease's ownership before they repair under one: their calls may
#: leave late.
UNOWNED = ("repair", "update-lost", "delete-lost", "adjust", "take-back")


def suspended(name: str) -> bool:
    """Whether this operation is one of those; who runs beside makes no difference here."""
    return name not in UNOWNED and OPERATIONS[name].beside is None


def sleepy(points: tuple[Point, ...]) -> list[Point]:
    """Every point but those inside a transaction.

    There the sleeper holds a lock, and nobody overtakes it before its database ends that.
    """
    return [point for point in points if not (point.commit and point.moment == BEFORE)]


def overtake(prepared: Prepared, point: Point) -> list[str]:
    """Fall asleep at this point; what is wrong afterwards, in words."""
    try:
        return in_fork(lambda: _overtake(prepared, point))
    except Failed as failed:
        return [str(failed)]


def _overtake(prepared: Prepared, point: Point) -> list[str]:
    with kills.copy_of(prepared) as directory:
        clock = SharedClock(prepared.seconds)
        fork = Fork(lambda line: _sleeper(prepared, point, directory, clock, line))
        site = kills.witness(directory, clock)
        fork.line.say()
        if not fork.line.hear():
            return [f"it never came there: {fork.answer()}"]
        found = [*_taken_over(site), *invariants.next_tenant(site)]
        servers = site.cloud.list_servers("other")
        fork.line.say()
        found += [f"a call left late: {call}" for call in fork.answer()]
        if site.boot("stranger", "m1.tiny"):
            found.append("a stranger's server is on a leased host")
        site.wait(LONG)
        site.live(1)
        if point.moment == BEFORE or point.name == UNFENCED:
            site.service.reconcile.run()
        if (left := site.cloud.list_servers("other")) != servers:
            found.append(f"of the servers {servers} there are {left}")
        found += invariants.faults(site)
        site.close()
    return found


def _sleeper(
    prepared: Prepared, point: Point, directory: object, clock: SharedClock, line: Line
) -> list[str]:
    """The calls that left after it woke up."""
    awake, left = False, []

    def reached(seen: Point) -> None:
        nonlocal awake
        if seen == point:
            line.say()
            line.hear()
            awake = True
        elif awake and seen.moment == BEFORE and not seen.commit and seen.name != UNFENCED:
            left.append(str(seen))

    line.hear()
    site = Site(directory, clock)
    with watched(reached):
        OPERATIONS[prepared.operation].act(site, prepared.facts)
    return left


def _taken_over(site: Site) -> list[str]:
    """The other finishes what was begun, and the tenant deletes the lease."""
    site.wait(LONG)
    site.live(3)
    found = invariants.faults(site)
    for lease in site.leases():
        site.call("DELETE", f"/v1/leases/{lease['id']}")
    site.live(8)
    return [*found, *(f"it is left: {lease}" for lease in site.leases())]
