# SPDX-License-Identifier: Apache-2.0
"""An upgrade as the documents say it, while requests come: which release may speak to which.

API processes and managers of both releases are real processes, and so is the broker between them.
"""

import time
from collections.abc import Callable
from typing import Any

from promise_blazar.tests.functional.base import HOST, INSTANCE
from promise_blazar.tests.upgrade.releases import PATIENCE, Api, Release, Site

HOSTS = 4
#: What each API answers alike.
SHOWN = ("/v1/leases", "/v1/os-hosts", "/v1/os-hosts/allocations", "/v1/os-hosts/properties?all=1")
ALICE = "alice:demo"
END, LATER = "2999-01-01 00:00", "2999-02-01 00:00"


def check(expected: object, found: object, what: str) -> None:
    if found != expected:
        raise AssertionError(f"{what}: {found!r} instead of {expected!r}")


def until(question: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not question():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} never happened")
        time.sleep(0.1)


def say(words: str) -> None:
    print(f"ok  {words}", flush=True)


def upgrade(old: Release, new: Release, site: Site) -> None:
    """Raises ``AssertionError`` with what is not as it has to be."""
    check((0, ""), site.manage(old, "db", "sync"), "the old db sync")
    manager = site.manager(old)
    fronts = {
        f"an API of {old.name}": site.api(old, database=False),
        f"an API of {old.name} with a database": site.api(old, database=True),
    }
    first = next(iter(fronts.values()))
    for number in range(1, HOSTS + 1):
        status, answer = first.ask("POST", "/v1/os-hosts", {"name": f"compute-{number}"})
        check(201, status, f"a host: {answer}")
    before = made(first, "made before the upgrade")
    say(f"{old.name} serves, and has a lease")

    # An API may be restarted, with the new code, before anything else is.
    fronts[f"an API of {new.name}"] = site.api(new, database=False)
    fronts[f"an API of {new.name} with a database"] = site.api(new, database=True)
    serve(fronts, before, f"a manager of {old.name}")

    status, said = site.manage(new, "db", "sync")
    check((1, True), (status, "Stop them, and run this again" in said), f"db sync: {said}")
    say(f"db sync of {new.name} refuses while that manager runs")
    check(0, site.stop(manager), "the old manager's end")
    check((0, ""), site.manage(new, "db", "sync"), "db sync once it has ended")
    status, said = site.manage(old, "db", "version")
    check((0, True), (status, said.strip() > "0001"), f"the schema's version: {said}")
    status, answer = first.ask("POST", "/v1/leases", lease("unanswered"), ALICE)
    check(503, status, f"a create that no manager answers in time: {answer}")
    say("db sync is done once it has ended; a create waits for a manager, and is answered 503")

    manager = site.manager(new)
    until(lambda: first.ask("GET", "/healthcheck")[0] == 200, "a new manager's answer")
    # Begun anew it finds tables that are not its release's, and asks managers instead.
    fronts[f"an API of {old.name} that is begun after it"] = site.api(old, database=True)
    serve(fronts, before, f"a manager of {new.name}")
    check(False, "unanswered" in names(first), "what was answered 503 is made")

    path = f"/v1/leases/{before['id']}"
    check(200, first.ask("PUT", path, {"end_date": LATER}, ALICE)[0], "its update")
    check(204, first.ask("DELETE", path, token=ALICE)[0], "its end")
    until(lambda: first.ask("GET", path)[0] == 404, "its end")
    say(f"the lease that was made before is prolonged and deleted through an API of {old.name}")
    check((0, ""), site.manage(new, "audit"), "what OpenStack has, and was promised")
    check(0, site.stop(manager), "the new manager's end")


def serve(fronts: dict[str, Api], before: dict[str, Any], behind: str) -> None:
    """Everything that changes something, and what reads, through each API."""
    first = next(iter(fronts.values()))
    for name, front in fronts.items():
        for path in SHOWN:
            check(first.ask("GET", path), front.ask("GET", path), f"{path} through {name}")
        found = front.ask("GET", f"/v1/leases/{before['id']}")[1]["lease"]
        check(before, found, f"the lease made before the upgrade, through {name}")
        new = made(front, f"made through {name}")
        path = f"/v1/leases/{new['id']}"
        status, answer = front.ask("PUT", path, {"name": "renamed", "end_date": LATER}, ALICE)
        check((200, "renamed"), (status, answer["lease"]["name"]), f"an update: {answer}")
        check(answer, front.ask("GET", path)[1], f"the lease after it, through {name}")
        check(True, "renamed" in names(front), f"the list has it, through {name}")
        big = lease("too big", {**HOST, "min": 99, "max": 99})
        status, answer = front.ask("POST", "/v1/leases", big, ALICE)
        check((409, True), (status, bool(answer.get("reasons"))), f"a refusal: {answer}")
        status, answer = front.ask("PUT", "/v1/os-hosts/1", {"gpu": "True"})
        check((200, "True"), (status, answer["host"].get("gpu")), f"a property: {answer}")
        # Not its end: a name without values is listed by the release before, and not by this one.
        check(200, front.ask("PUT", "/v1/os-hosts/1", {"gpu": "False"})[0], "its change")
        check(204, front.ask("DELETE", path, token=ALICE)[0], "a delete")
        until(lambda path=path, front=front: front.ask("GET", path)[0] == 404, "its end")
        say(f"{name} makes, shows, updates, refuses and deletes before {behind}")


def names(front: Api) -> set[str]:
    """Of the leases there are."""
    return {each["name"] for each in front.ask("GET", "/v1/leases", None, ALICE)[1]["leases"]}


def made(front: Api, name: str) -> dict[str, Any]:
    """A lease of a host and of slots that has started, as it is shown then."""
    status, answer = front.ask("POST", "/v1/leases", lease(name, HOST, INSTANCE), ALICE)
    check(201, status, f"a create: {answer}")
    path = f"/v1/leases/{answer['lease']['id']}"
    until(lambda: front.ask("GET", path)[1]["lease"]["status"] == "ACTIVE", f"the start: {name}")
    found: dict[str, Any] = front.ask("GET", path)[1]["lease"]
    return found


def lease(name: str, *reservations: dict[str, Any]) -> dict[str, Any]:
    wanted = list(reservations or (INSTANCE,))
    return {"name": name, "start_date": "now", "end_date": END, "reservations": wanted}
