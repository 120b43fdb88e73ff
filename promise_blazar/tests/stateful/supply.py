# SPDX-License-Identifier: Apache-2.0
"""What operators do to the capacity on offer, in any order beside all else."""

from datetime import datetime
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from promise_blazar import times
from promise_blazar.capacity.ledger import LedgerHost
from promise_blazar.tests.stateful import offers, promises
from promise_blazar.tests.stateful.world import ADMIN, PROJECTS, World

_MANAGERS = st.sampled_from((0, 1))
_CHOICE = st.integers(0, 7)
_ZONES = st.sampled_from((None, None, "nova"))
#: Minutes from now, and minutes; None: at once, and for ever.
_STARTS = st.sampled_from((None, 1, 10))
_LENGTHS = st.sampled_from((None, 2, 30))
_AMOUNTS = st.sampled_from(
    (
        {"VCPU": -16},
        {"VCPU": -40},
        {"VCPU": 16},
        {"INSTANCE": 3},
        {"INSTANCE": -1},
        {"VCPU": -8, "INSTANCE": 4},
        {"MEMORY_MB": -130000},
    )
)


class Adjusting:
    """Steps of a history. ``loose``: promises may be above what is on offer, as an operator has
    forced it, or has taken a host away."""

    world: World
    loose: bool = False

    def minutes(self) -> int:
        raise NotImplementedError

    def ahead(self, minutes: int) -> str:
        raise NotImplementedError

    @rule(
        manager=_MANAGERS,
        resources=_AMOUNTS,
        zone=_ZONES,
        start=_STARTS,
        length=_LENGTHS,
        force=st.booleans(),
    )
    def adjust(
        self,
        manager: int,
        resources: dict[str, int],
        zone: str | None,
        start: int | None,
        length: int | None,
        force: bool,
    ) -> None:
        body: dict[str, Any] = {"resources": resources, "force": force}
        if zone is not None:
            body["zone"] = zone
        body["start"] = "now" if start is None else self.ahead(start)
        if length is not None:
            body["end"] = self.ahead((start or 0) + length)
        self._post(manager, body)

    @rule(
        manager=_MANAGERS,
        which=_CHOICE,
        projects=st.sampled_from((PROJECTS[:1], PROJECTS[1:], PROJECTS)),
        share=st.integers(1, 16),
        force=st.booleans(),
    )
    def carve_out(
        self,
        manager: int,
        which: int,
        projects: tuple[str, ...],
        share: int,
        force: bool,
    ) -> None:
        sources = [
            each
            for each in self._adjustments()
            if each["source"] is None and min(each["resources"].values()) > 0
        ]
        if not sources:
            return
        source = sources[which % len(sources)]
        begun = datetime.fromisoformat(source["start"]) <= self.world.clock.now()
        body = {
            "resources": {
                name: max(1, min(share, amount // 2))
                for name, amount in source["resources"].items()
            },
            "source": source["id"],
            "project_ids": [token.partition(":")[2] for token in projects],
            "start": "now" if begun else source["start"],
            "force": force,
        }
        self._post(manager, body)

    @rule(manager=_MANAGERS, which=_CHOICE, force=st.booleans())
    def withdraw(self, manager: int, which: int, force: bool) -> None:
        there = self._adjustments()
        if not there:
            return
        path = f"/v1/capacity/adjustments/{there[which % len(there)]['id']}"
        answer = self.world.ask(
            manager, "DELETE", f"{path}?force={str(force).lower()}", token=ADMIN
        )
        assert answer.status_code in (200, 204, 409, 503), answer.text
        if answer.status_code == 200:
            self._see(answer.json["affected"], force)

    @invariant()
    def pools_are_kept(self) -> None:
        hosts = self._hosts()
        if self.loose:
            return
        supply = offers.read(self.world.ledger_store)
        if supply.adjustments:
            store = promises.read(self.world.ledger_store)
            now = times.to_micros(self.world.clock.now())
            found = offers.Compressed(hosts, store.promises, supply, now).shortages()
            assert not found, f"I9: {found}: {supply} {store.promises}"

    def _hosts(self) -> list[LedgerHost]:
        """The registered hosts; one that is gone takes what it had along."""
        store = promises.read(self.world.ledger_store)
        known = self.world.service.ledger.access.replica.ledger.hosts
        before = getattr(self, "_known", set())
        self._known = set(store.capacity)
        self.loose |= bool(before - self._known)
        zone = {number: host.zone for number, host in known.items()}
        return [
            LedgerHost(number, str(number), zone.get(number, "nova"), has, {}, True)
            for number, has in store.capacity.items()
        ]

    def _post(self, manager: int, body: dict[str, Any]) -> None:
        answer = self.world.ask(manager, "POST", "/v1/capacity/adjustments", body, ADMIN)
        assert answer.status_code in (201, 400, 409, 503), answer.text
        if answer.status_code == 201:
            self._see(answer.json["affected"], body["force"])

    def _see(self, affected: list[str], force: bool) -> None:
        assert force or not affected, f"unasked: {affected}"
        self.loose |= bool(affected)

    def _adjustments(self) -> list[dict[str, Any]]:
        answer = self.world.ask(0, "GET", "/v1/capacity/adjustments", token=ADMIN)
        found: list[dict[str, Any]] = answer.json["adjustments"]
        return found
