# SPDX-License-Identifier: Apache-2.0
"""Operations on a database that went back, by an asynchronous failover, while OpenStack did not.

What was done for the lease since has to be done again, or undone, upon what it has left there.
"""

from collections.abc import Iterator

from werkzeug.test import TestResponse

from promise_blazar.tests.crash.operations import (
    Facts,
    Operation,
    all_or_nothing,
    at_end,
    deletable,
    delete,
    ended,
    in_order,
    in_use,
    run_to_the_end,
    started,
    status,
    update_active,
)
from promise_blazar.tests.crash.site import Site


def _before_the_start(site: Site) -> Facts:
    """It started and is used, and all but the transaction that created it is lost."""
    # What managers do at first moves the generation, too.
    site.service.engine.run_due()
    before = site.replica.generation()
    facts = started(site)
    site.replica.fail_over(site.replica.generation() - before - 1, first=True)
    return facts


def _start_again(site: Site, facts: Facts) -> None:
    # Who created it then is found to be dead first.
    site.live(10)


def _used_again(site: Site, facts: Facts) -> Iterator[str]:
    there = {server.id for server in site.cloud.list_servers("demo")}
    if there != set(facts["servers"]):
        yield f"of the servers {facts['servers']} there are {there}"
    for server in there:
        site.cloud.remove_server(server)
    yield from in_use(site, facts)


def _before_the_update(site: Site) -> Facts:
    facts = started(site)
    before = site.replica.generation()
    answer = update_active(site, facts)
    site.service.engine.run_due()
    if answer.status_code != 200 or site.lease(facts["id"])["status"] != "ACTIVE":
        raise AssertionError(answer.text)
    site.replica.fail_over(site.replica.generation() - before)
    return facts


def _put_right(site: Site, facts: Facts) -> None:
    site.service.engine.run_due()
    site.service.reconcile.run()
    # The hosts that it gave back are seen next.
    site.service.reconcile.run()


def _as_known(site: Site, facts: Facts) -> bool:
    return status("ACTIVE")(site, facts) and in_order(site, facts)


def _before_the_end(site: Site) -> Facts:
    facts = at_end(site)
    before = site.replica.generation()
    run_to_the_end(site, facts)
    if not status("TERMINATED")(site, facts):
        raise AssertionError(site.lease(facts["id"]))
    site.replica.fail_over(site.replica.generation() - before)
    return facts


def _before_the_deletion(site: Site) -> Facts:
    facts = deletable(site)
    before = site.replica.generation()
    delete(site, facts)
    if not status("GONE")(site, facts):
        raise AssertionError(site.lease(facts["id"]))
    site.replica.fail_over(site.replica.generation() - before)
    site.cloud.set_server_reclaim_seconds(0)
    return facts


def _delete_again(site: Site, facts: Facts) -> TestResponse:
    answer = site.call("DELETE", f"/v1/leases/{facts['id']}")
    site.live(8)
    return answer


def _gone(site: Site, facts: Facts) -> Iterator[str]:
    if not status("GONE")(site, facts):
        yield from _deleted_again(site, facts)


def _deleted_again(site: Site, facts: Facts) -> Iterator[str]:
    site.service.reconcile.run()
    whole, slots = site.lease(facts["id"])["reservations"]
    # The server group is gone for good: only the tenant's token could make another.
    booted = [
        site.boot("demo", "m1.tiny", reservation=whole["id"]),
        site.boot("demo", slots["id"]),
    ]
    if None in booted:
        yield f"a lease that is there again cannot be used: {booted}"
    _delete_again(site, facts)
    if not status("GONE")(site, facts):
        yield f"it is left: {site.lease(facts['id'])}"


FAILED_OVER = (
    Operation("start-again", _before_the_start, _start_again, status("ACTIVE"), _used_again),
    Operation(
        "update-lost",
        _before_the_update,
        _put_right,
        _as_known,
        all_or_nothing(update_active),
    ),
    Operation("end-again", _before_the_end, run_to_the_end, status("TERMINATED"), ended),
    Operation(
        "delete-again",
        _before_the_deletion,
        _delete_again,
        status("GONE", "ACTIVE"),
        _gone,
    ),
    Operation("delete-lost", _before_the_deletion, _put_right, _as_known, _deleted_again),
)
