# SPDX-License-Identifier: Apache-2.0
"""What a process may be doing when it dies, and what must be true when another has carried on.

Each lease has a whole host, with a snapshot at the warning, and slots that stay together on one
host, in a server group.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from werkzeug.test import TestResponse

from promise_blazar.tests.crash.site import HOSTS, Site
from promise_blazar.tests.functional.base import HOST, INSTANCE

SNAPSHOT = {**HOST, "before_end": "snapshot"}
TOGETHER = {**INSTANCE, "affinity": True}
#: In minutes.
START, WARNING, END = 5, 45, 65
#: That an end takes at most, with servers that go slowly, once everything has settled.
_END_SECONDS = 8

#: What the later steps of an operation know from the earlier.
Facts = dict[str, Any]
#: Gives what the client was answered, if it is a request.
Act = Callable[[Site, Facts], TestResponse | None]


@dataclass(frozen=True, slots=True)
class Operation:
    """``arrange``: until just before; ``act``: what is cut off; ``check``: faults, in words.

    ``settled``: whether the lease is where the operation leads it, whoever finished that.
    ``beside``: what a manager lacks that runs beside, and is the first to see to what was cut off.
    """

    name: str
    arrange: Callable[[Site], Facts]
    act: Act
    settled: Callable[[Site, Facts], bool]
    check: Callable[[Site, Facts], Iterator[str]]
    beside: str | None = None


# What several of them begin with


def _body(site: Site) -> dict[str, Any]:
    return {
        "name": "lease",
        "start_date": site.minute(START),
        "end_date": site.minute(END),
        "before_end_date": site.minute(WARNING),
        "reservations": [SNAPSHOT, TOGETHER],
    }


def pending(site: Site) -> Facts:
    lease = site.must(201, "POST", "/v1/leases", _body(site))["lease"]
    return {"id": lease["id"], "before": _promise(lease)}


def started(site: Site) -> Facts:
    facts = pending(site)
    site.until(START)
    site.service.engine.run_due()
    lease = site.lease(facts["id"])
    servers = boot(site, lease)
    if lease["status"] != "ACTIVE" or None in servers:
        raise AssertionError(f"{servers}, {lease}")
    return {**facts, "before": _promise(lease), "servers": servers}


def boot(site: Site, lease: dict[str, Any], project: str = "demo") -> list[str | None]:
    """A server on the lease's host, and one in each of its slots; None for what is refused."""
    whole, slots = lease["reservations"]
    asked = [("m1.tiny", {"reservation": whole["id"]})]
    asked += [(slots["id"], {"group": slots["server_group_id"]})] * int(slots["amount"])
    return [site.boot(project, flavor, **hints) for flavor, hints in asked]


def _promise(lease: dict[str, Any]) -> dict[str, Any]:
    """What the tenant was told, but for what the work changes."""
    return {
        **{key: lease[key] for key in ("name", "start_date", "end_date")},
        "events": sorted((e["event_type"], e["time"]) for e in lease["events"]),
        "reservations": [
            {
                key: value
                for key, value in reservation.items()
                if key not in ("status", "updated_at", "server_group_id", "aggregate_id")
            }
            for reservation in lease["reservations"]
        ],
    }


def status(*wanted: str) -> Callable[[Site, Facts], bool]:
    def settled(site: Site, facts: Facts) -> bool:
        lease = site.lease(facts["id"])
        return (lease["status"] if lease else "GONE") in wanted

    return settled


# Create


def _create(site: Site, facts: Facts) -> TestResponse:
    return site.call("POST", "/v1/leases", _body(site), Idempotency_Key="once")


def _all_pending(site: Site, facts: Facts) -> bool:
    return all(lease["status"] == "PENDING" for lease in site.leases())


def _created_once(site: Site, facts: Facts) -> Iterator[str]:
    # The client had no answer, and asks again.
    lease = site.must(201, "POST", "/v1/leases", _body(site), Idempotency_Key="once")["lease"]
    facts["id"] = lease["id"]
    found = site.leases()
    if [lease["id"]] != [other["id"] for other in found]:
        yield f"asked for one lease twice, there are {found}"
    if lease["status"] != "PENDING":
        yield f"the lease is {lease['status']}"
    if lease["reservations"][1]["server_group_id"] is None:
        yield "there is no server group"


# Update


def _update_pending(site: Site, facts: Facts) -> TestResponse:
    whole, slots = site.lease(facts["id"])["reservations"]
    change = {
        "start_date": site.minute(START + 1),
        "reservations": [
            {"id": whole["id"], "min": 2, "max": 2},
            {"id": slots["id"], "amount": 3, "vcpus": 1, "affinity": False},
        ],
    }
    return site.call("PUT", f"/v1/leases/{facts['id']}", change)


def update_active(site: Site, facts: Facts) -> TestResponse:
    whole, slots = site.lease(facts["id"])["reservations"]
    change = {
        "end_date": site.minute(END + 10),
        "reservations": [
            {"id": whole["id"], "min": 2, "max": 2},
            {"id": slots["id"], "amount": 3},
        ],
    }
    return site.call("PUT", f"/v1/leases/{facts['id']}", change)


def all_or_nothing(act: Act) -> Callable[..., Iterator[str]]:
    def check(site: Site, facts: Facts) -> Iterator[str]:
        found = _promise(site.lease(facts["id"]))
        # The client had no answer, and asks again.
        answer = act(site, facts)
        after = _promise(site.lease(facts["id"]))
        if answer.status_code != 200:
            yield f"the update, asked for again: {answer.text}"
        if found not in (facts["before"], after):
            yield f"half an update: {found}, between {facts['before']} and {after}"
        if after == facts["before"]:
            yield f"the update, asked for again, did nothing: {after}"
        wanted = site.lease(facts["id"])["reservations"][1]
        if wanted["server_group_id"] is None:
            yield "there is no server group"
        yield from _refused_unchanged(site, facts)

    return check


def _refused_unchanged(site: Site, facts: Facts) -> Iterator[str]:
    """I6: a refused update changes nothing."""
    before = site.lease(facts["id"])
    slots = before["reservations"][1]
    change = {"reservations": [{"id": slots["id"], "amount": 10_000}]}
    answer = site.call("PUT", f"/v1/leases/{facts['id']}", change)
    after = site.lease(facts["id"])
    if answer.status_code != 409 or before != after:
        yield f"a refused update, {answer.text}, changed {before} into {after}"


# Start, warning, end


def at_start(site: Site) -> Facts:
    facts = pending(site)
    site.until(START)
    return facts


def _at_warning(site: Site) -> Facts:
    facts = started(site)
    site.until(WARNING)
    return facts


def at_end(site: Site) -> Facts:
    facts = _at_warning(site)
    site.service.engine.run_due()
    _crowd(site, facts)
    site.until(END)
    return facts


def _crowd(site: Site, facts: Facts) -> None:
    """A member's server that has not named its host, a SOFT_DELETED one; all go slowly."""
    whole = site.lease(facts["id"])["reservations"][0]["id"]
    site.cloud.set_server_delete_seconds(2)
    site.cloud.set_server_reclaim_seconds(3600)
    gone = site.boot("demo", "m1.tiny", reservation=whole)
    (shared,) = (each for each in site.cloud.aggregates.list() if each.name == whole)
    site.cloud.aggregates.set_metadata(shared.id, {"member": " Y "})
    if gone is None:
        raise AssertionError("there is no room for one more server")
    site.cloud.remove_server(gone)
    site.cloud.set_server_build_seconds(3600)
    late = site.cloud.create_server("member", "late", "m1.tiny", {"reservation": whole})
    site.cloud.set_server_build_seconds(0)
    if late.status != "BUILD":
        raise AssertionError(f"the member is not let in: {late}")


def run_due(site: Site, facts: Facts) -> None:
    site.service.engine.run_due()


def in_use(site: Site, facts: Facts) -> Iterator[str]:
    lease = site.lease(facts["id"])
    if any(boot(site, lease, "stranger")):
        yield "a stranger can use the lease"
    servers = boot(site, lease)
    if None in servers:
        yield f"the tenant cannot use the lease: {servers}"
    yield from _refused_unchanged(site, facts)


def _warned_once(site: Site, facts: Facts) -> Iterator[str]:
    (event,) = (
        e for e in site.lease(facts["id"])["events"] if e["event_type"] == "before_end_lease"
    )
    if event["status"] != "DONE":
        yield f"the warning is {event['status']}"
    images = [row for row in site.world("images")["images"] if row[2] is not None]
    if [row[2] for row in images] != facts["servers"][:1]:
        yield f"not one snapshot of {facts['servers'][0]}, but {images}"
    yield from _refused_unchanged(site, facts)


def _warning_is_done(site: Site, facts: Facts) -> bool:
    events = {e["event_type"]: e["status"] for e in site.lease(facts["id"])["events"]}
    return events["before_end_lease"] == "DONE"


def run_to_the_end(site: Site, facts: Facts) -> None:
    site.service.engine.run_due()
    site.live(_END_SECONDS)


def ended(site: Site, facts: Facts) -> Iterator[str]:
    statuses = {r["status"] for r in site.lease(facts["id"])["reservations"]}
    if statuses != {"deleted"}:
        yield f"reservations are {statuses}"


# Delete


def delete(site: Site, facts: Facts) -> None:
    site.call("DELETE", f"/v1/leases/{facts['id']}")
    site.service.engine.run_due()
    site.live(_END_SECONDS)


def deleted(site: Site, facts: Facts) -> Iterator[str]:
    # The client had no answer, and asks again.
    answer = site.call("DELETE", f"/v1/leases/{facts['id']}")
    site.live(_END_SECONDS)
    if answer.status_code not in (204, 404) or site.lease(facts["id"]) is not None:
        yield f"deleted again: {answer.status_code}, {site.lease(facts['id'])}"


def deletable(site: Site) -> Facts:
    facts = started(site)
    _crowd(site, facts)
    return facts


# Repair


def _astray(site: Site) -> Facts:
    facts = pending(site)
    _, slots = site.lease(facts["id"])["reservations"]
    site.cloud.flavors.delete(slots["id"])
    return facts


def _repair(site: Site, facts: Facts) -> None:
    site.service.reconcile.run()


def in_order(site: Site, facts: Facts) -> bool:
    return site.service.reconcile.run().clean


LIVES = (
    Operation("create", lambda site: {}, _create, _all_pending, _created_once),
    Operation(
        "update-pending",
        pending,
        _update_pending,
        status("PENDING"),
        all_or_nothing(_update_pending),
    ),
    Operation(
        "update-active",
        started,
        update_active,
        status("ACTIVE"),
        all_or_nothing(update_active),
    ),
    Operation("start", at_start, run_due, status("ACTIVE"), in_use),
    Operation("before_end", _at_warning, run_due, _warning_is_done, _warned_once),
    Operation("end", at_end, run_to_the_end, status("TERMINATED"), ended),
    Operation("delete-pending", pending, delete, status("GONE", "PENDING"), deleted),
    Operation("delete-active", deletable, delete, status("GONE", "ACTIVE"), deleted),
    Operation("repair", _astray, _repair, in_order, all_or_nothing(_update_pending)),
)

#: What the next tenant asks for when a lease is gone: every host there is.
EVERYTHING = {**HOST, "min": HOSTS, "max": HOSTS}
