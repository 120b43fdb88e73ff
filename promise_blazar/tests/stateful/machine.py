# SPDX-License-Identifier: Apache-2.0
"""Everything that tenants, operators and a bad day can do, in any order, one step at a time."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from promise_blazar.tests import replicas
from promise_blazar.tests.functional.base import HOST, INSTANCE
from promise_blazar.tests.lacking import LACKS
from promise_blazar.tests.stateful.supply import Adjusting
from promise_blazar.tests.stateful.world import ADMIN, LACKING, PROJECTS, World

MANAGERS = st.sampled_from((0, 1))
#: Who is asked: one of these, or the manager beside them that lacks something.
ASKED = st.sampled_from((0, 1, LACKING))
TOKENS = st.sampled_from(PROJECTS)
#: Which of the leases there are, by its place in their list.
CHOICE = st.integers(0, 7)
COMPUTES = st.integers(1, World.hosts)

HOSTS = st.builds(
    lambda least, more, where: {
        **HOST,
        "min": least,
        "max": least + more,
        "resource_properties": where,
    },
    st.integers(1, 2),
    st.integers(0, 1),
    st.sampled_from(("", '["=", "$hypervisor_hostname", "compute-2"]')),
)
SLOTS = st.builds(
    lambda vcpus, amount, affinity: {
        **INSTANCE,
        "vcpus": vcpus,
        "amount": amount,
        "affinity": affinity,
    },
    st.sampled_from((4, 8, 20)),
    st.integers(1, 4),
    st.sampled_from((None, True, False)),
)
#: Minutes from now; None: at once.
STARTS = st.sampled_from((None, 1, 2, 10))
LENGTHS = st.sampled_from((2, 10, 30))


class Histories(Adjusting, RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.world.setUp()

    def teardown(self) -> None:
        try:
            self.world.recover()
            self.world.check()
            self.world.check_settled()
            self.world.check_gone()
            self.world.check()
        finally:
            self.world.tearDown()
            self.world.doCleanups()

    @invariant()
    def all_is_well(self) -> None:
        self.world.check()

    # Tenants

    @rule(
        manager=ASKED,
        token=TOKENS,
        reservations=st.lists(HOSTS | SLOTS, min_size=1, max_size=2),
        start=STARTS,
        length=LENGTHS,
    )
    def create(
        self,
        manager: int,
        token: str,
        reservations: list[dict[str, Any]],
        start: int | None,
        length: int,
    ) -> None:
        body = self.world.body(
            *reservations,
            start="now" if start is None else self.ahead(start),
            end=self.minutes() + (start or 0) + length,
        )
        answer = self.world.ask(manager, "POST", "/v1/leases", body, token)
        if answer.status_code == 201:
            self.world.promised[answer.json["lease"]["id"]] = token
        else:
            refusals = (404, 409, 502, 503, *self.lacks(manager, 400))
            assert answer.status_code in refusals, answer.text

    @rule(
        token=TOKENS,
        reservations=st.lists(HOSTS | SLOTS, min_size=3, max_size=5),
        start=STARTS,
        length=LENGTHS,
    )
    def crowd(
        self, token: str, reservations: list[dict[str, Any]], start: int | None, length: int
    ) -> None:
        """Several leases of the same time, of one manager and the other in turns."""
        for number, reservation in enumerate(reservations):
            self.create(number % 2, token, [reservation], start, length)

    @rule(
        manager=ASKED,
        which=CHOICE,
        start=STARTS,
        length=LENGTHS | st.none(),
        size=st.integers(1, 4) | st.none(),
    )
    def update(
        self, manager: int, which: int, start: int | None, length: int | None, size: int | None
    ) -> None:
        lease = self.chosen(which)
        if lease is None:
            return
        change: dict[str, Any] = {}
        if start is not None:
            change["start_date"] = self.ahead(start)
        if length is not None:
            change["end_date"] = self.ahead((start or 0) + length)
        if size is not None:
            first = lease["reservations"][0]
            whole = first["resource_type"] == "physical:host"
            sizes = {"min": 1, "max": size} if whole else {"amount": size}
            change["reservations"] = [{"id": first["id"], **sizes}]
        token = self.world.promised[lease["id"]]
        before = self.world.everything()
        answer = self.world.ask(manager, "PUT", f"/v1/leases/{lease['id']}", change, token)
        if answer.status_code != 200:
            assert answer.status_code in (400, 403, 404, 409, 503), answer.text
            after = self.world.everything()
            assert before == after, f"I6: {answer.text}: {before} {after}"

    @rule(manager=ASKED, which=CHOICE)
    def delete(self, manager: int, which: int) -> None:
        lease = self.chosen(which)
        if lease is None:
            return
        token = self.world.promised[lease["id"]]
        answer = self.world.ask(manager, "DELETE", f"/v1/leases/{lease['id']}", token=token)
        assert answer.status_code in (204, *self.lacks(manager, 503)), answer.text
        if answer.status_code == 204:
            del self.world.promised[lease["id"]]

    @rule(manager=ASKED, which=CHOICE, own=st.booleans())
    def look(self, manager: int, which: int, own: bool) -> None:
        """I7: another project's lease is as if it did not exist."""
        lease = self.chosen(which)
        if lease is None:
            return
        mine = self.world.promised[lease["id"]]
        token = mine if own else next(other for other in PROJECTS if other != mine)
        for verb in ("GET",) if own else ("GET", "DELETE"):
            answer = self.world.ask(manager, verb, f"/v1/leases/{lease['id']}", token=token)
            assert answer.status_code == (200 if own else 404), answer.text

    @rule(which=CHOICE, own=st.booleans(), hinted=st.booleans())
    def boot(self, which: int, own: bool, hinted: bool) -> None:
        """I7: a server with the hint of another project's lease is nowhere."""
        lease = self.chosen(which)
        if lease is None or not hinted:
            self.world.boot()
            return
        first = lease["reservations"][0]
        mine = self.world.promised[lease["id"]]
        token = mine if own else next(other for other in PROJECTS if other != mine)
        if first["resource_type"] == "physical:host":
            server = self.world.boot(token=token, reservation=first["id"])
        else:
            flavors = self.world.call("GET", "/simulated/flavors", token=token).json["flavors"]
            if first["id"] not in {flavor["id"] for flavor in flavors}:
                return
            server = self.world.boot(first["id"], token)
        welcome = own or (lease["id"], token) in self.world.shared
        assert welcome or server["status"] == "ERROR", f"I7: {server}"

    @rule(which=CHOICE)
    def remove_server(self, which: int) -> None:
        servers = self.world.cloud.list_servers()
        if servers:
            self.world.cloud.remove_server(servers[which % len(servers)].id)

    @rule(seconds=st.sampled_from((0, 3600)))
    def defer_deletions(self, seconds: int) -> None:
        self.world.cloud.set_server_reclaim_seconds(seconds)

    @rule(seconds=st.sampled_from((0, 4, 40)))
    def build_slowly(self, seconds: int) -> None:
        """Servers have their room, and name their hosts late."""
        self.world.cloud.set_server_build_seconds(seconds)

    # Operators

    @rule(which=CHOICE)
    def share(self, which: int) -> None:
        lease = self.chosen(which)
        if lease is not None and not self.world.cloud.list_faults():
            mine = self.world.promised[lease["id"]]
            self.world.share(lease, next(other for other in PROJECTS if other != mine))

    @rule(manager=ASKED, number=COMPUTES)
    def add_host(self, manager: int, number: int) -> None:
        body = {"name": f"compute-{number}"}
        answer = self.world.ask(manager, "POST", "/v1/os-hosts", body, ADMIN)
        assert answer.status_code in (201, 409, 502, 503), answer.text

    @rule(manager=ASKED, number=COMPUTES)
    def remove_host(self, manager: int, number: int) -> None:
        host = self.world.registered_hosts().get(f"compute-{number}")
        if host is not None:
            path = f"/v1/os-hosts/{host['id']}"
            answer = self.world.ask(manager, "DELETE", path, token=ADMIN)
            assert answer.status_code in (204, 409, 502, 503), answer.text

    @rule(manager=ASKED)
    def reconcile(self, manager: int) -> None:
        if not self.world.cloud.list_faults():
            self.world.reconcile(manager)

    @rule(lacks=st.sampled_from(LACKS) | st.none())
    def accompany(self, lacks: str | None) -> None:
        """A manager that lacks a type or rules comes to run beside the others; or it goes."""
        self.world.accompany(lacks)

    # A bad day

    @rule(
        count=st.integers(1, 4),
        status=st.sampled_from((None, 503, 409)),
        after=st.booleans(),
        latency=st.sampled_from((0, 0, 1500, 6000)),
    )
    def break_calls(self, count: int, status: int | None, after: bool, latency: int) -> None:
        self.world.cloud.set_faults(
            fail_next=count, status=status, after=after, latency_ms=latency
        )

    @rule()
    def mend_calls(self) -> None:
        self.world.cloud.clear_faults()

    @rule(manager=MANAGERS)
    def silence(self, manager: int) -> None:
        """It neither beats nor works, and still answers requests."""
        self.world.blocked_without_reason = {manager}

    @rule()
    def wake(self) -> None:
        self.world.blocked_without_reason.clear()

    @rule(
        lost=st.integers(1, replicas.MOST),
        first=st.booleans(),
        manager=MANAGERS,
        token=TOKENS,
        reservations=st.lists(HOSTS | SLOTS, max_size=replicas.MOST + 1),
    )
    def fail_over(
        self,
        lost: int,
        first: bool,
        manager: int,
        token: str,
        reservations: list[dict[str, Any]],
    ) -> None:
        """The database goes back, and one manager goes on before the other looks."""
        self.world.fail_over(lost, first)
        for reservation in reservations:
            self.create(manager, token, [reservation], 10, 10)

    @rule(seconds=st.sampled_from((0, 2, 9, 60, 300, 1200)))
    def pass_time(self, seconds: int) -> None:
        self.world.pass_time(seconds)

    # What they choose from

    def chosen(self, which: int) -> dict[str, Any] | None:
        """A lease that somebody was promised, as it is now."""
        ids = list(self.world.promised)
        return self.world.lease_list().get(ids[which % len(ids)]) if ids else None

    def lacks(self, manager: int, status: int) -> tuple[int, ...]:
        """What only a manager that lacks something may answer."""
        return (status,) if manager == LACKING and self.world.beside is not None else ()

    def minutes(self) -> int:
        """Whole minutes since the history began."""
        return int(self.world.clock.monotonic() // 60)

    def ahead(self, minutes: int) -> str:
        return self.world.minute(self.minutes() + minutes)
