# SPDX-License-Identifier: Apache-2.0
"""At a point of an operation the database goes back, others go on, and the operation carries on.

What the database knows in the end is kept; nothing that it knows is sold twice; and of what it has
forgotten nothing is left in OpenStack but the tenants' servers, which these delete.
"""

from promise_blazar.tests import replicas
from promise_blazar.tests.crash import invariants, kills
from promise_blazar.tests.crash.catalogue import OPERATIONS
from promise_blazar.tests.crash.forks import Failed, Fork, Line, in_fork
from promise_blazar.tests.crash.kills import LONG, Prepared
from promise_blazar.tests.crash.points import Point, watched
from promise_blazar.tests.crash.site import SharedClock, Site
from promise_blazar.tests.functional.base import HOST
from promise_blazar.tests.functional.concurrency import audit

_STABLE = {"PENDING", "ACTIVE", "TERMINATED", "ERROR"}


def fail_over(prepared: Prepared, point: Point, lost: int) -> list[str]:
    """The database loses so many generations at this point; what is wrong afterwards, in words."""
    try:
        return in_fork(lambda: _fail_over(prepared, point, lost))
    except Failed as failed:
        return [str(failed)]


def _fail_over(prepared: Prepared, point: Point, lost: int) -> list[str]:
    with kills.copy_of(prepared) as directory:
        clock = SharedClock(prepared.seconds)
        fork = Fork(lambda line: _victim(prepared, point, lost, directory, clock, line))
        site = kills.witness(directory, clock)
        fork.line.say()
        if not fork.line.hear():
            return [f"it never came there: {fork.answer()}"]
        _go_on(site, lost)
        fork.line.say()
        found = fork.answer()
        found += _settled(site)
        found += _cleared(site, prepared)
        site.close()
    return found


def _victim(
    prepared: Prepared,
    point: Point,
    lost: int,
    directory: object,
    clock: SharedClock,
    line: Line,
) -> list[str]:
    """What is wrong with what it knows when it has carried on."""

    def reached(seen: Point) -> None:
        if seen == point:
            site.replica.fail_over(lost)
            line.say()
            line.hear()

    line.hear()
    site = Site(directory, clock)
    # As one that has run for a while, it has seen the books, and what OpenStack has of them.
    site.service.ledger.read(lambda ledger, now: None)
    site.service.reconcile.look()
    with site.replica.following(), watched(reached):
        answer = OPERATIONS[prepared.operation].act(site, dict(prepared.facts))
    found = []
    if answer is not None and answer.status_code == 500:
        found.append(f"the client is answered {answer.text}")
    site.live(2)
    site.remove_servers()
    # By the one that remembers.
    for _ in range(2):
        site.service.reconcile.run()
    found += audit.strayed(site.service.ledger, site.url, clock)
    site.close()
    return found


def _go_on(site: Site, lost: int) -> None:
    """Others decide, as much as was lost and more, on what the database knows now."""
    site.cloud.set_server_reclaim_seconds(0)
    site.cloud.set_server_delete_seconds(0)
    for number in range(lost + 1):
        body = {
            "name": f"other {number}",
            "start_date": site.minute(100 + 10 * number),
            "end_date": site.minute(110 + 10 * number),
            "reservations": [HOST],
        }
        site.must(201, "POST", "/v1/leases", body, "bob:other")
    body |= {
        "name": "other, now",
        "start_date": "now",
        "before_end_date": site.minute(85),
        "end_date": site.minute(90),
    }
    answer = site.call("POST", "/v1/leases", body, "bob:other")
    if answer.status_code not in (201, 409):
        raise AssertionError(answer.text)


def _settled(site: Site) -> list[str]:
    site.wait(LONG)
    if not site.settle(lambda: {lease["status"] for lease in site.leases()} <= _STABLE):
        return [f"it is never settled: {site.leases()}"]
    for _ in range(2):
        site.service.reconcile.run()
    return _faults(site)


def _faults(site: Site) -> list[str]:
    """All but starts in error: of leases whose hosts a forgotten one still had. They say so."""
    return [line for line in invariants.faults(site) if "IN_PROGRESS to ERROR" not in line]


def _cleared(site: Site, prepared: Prepared) -> list[str]:
    """All leases are deleted, and nothing of them is left."""
    for lease in site.leases():
        site.must(204, "DELETE", f"/v1/leases/{lease['id']}", None, "admin:admin")
    site.live(10)
    for _ in range(2):
        site.service.reconcile.run()
    return [
        *invariants.as_at_first(site, prepared.world),
        *invariants.next_tenant(site),
        *_faults(site),
    ]


def lost_at(number: int) -> int:
    """How many generations are lost at a point, by its number among those that are tried."""
    return 1 + number % replicas.MOST
