# SPDX-License-Identifier: Apache-2.0
"""Clients that lease all the time, and what they were told: is it true in the end?

Each works alone, one request after the other, and remembers every answer, or that there was none.
"""

import contextlib
import random
import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from promise_blazar.tests.cloud.asking import Answer, Asker

#: Said by the service when it is sure.
_NOTHING = ("nothing was done", "nothing was changed")
_SLOTS = {
    "resource_type": "virtual:instance",
    "vcpus": 1,
    "memory_mb": 512,
    "disk_gb": 1,
    "affinity": None,
    "resource_properties": "",
}
_HOST = {
    "resource_type": "physical:host",
    "min": 1,
    "max": 1,
    "hypervisor_properties": "",
    "resource_properties": "",
}


@dataclass
class Wish:
    """A lease that somebody wanted, and what is known of it.

    ``created``: whether it is, None for not known; ``amounts`` that it may have; ``deletion``
    asked for, and whether it was granted.
    """

    body: dict[str, Any]
    key: str | None
    created: bool | None = None
    id: str | None = None
    amounts: set[int] = field(default_factory=set)
    deletion: str | None = None

    @property
    def name(self) -> str:
        return str(self.body["name"])

    def learn(self, answer: Answer) -> None:
        """From the answer to its create."""
        if answer.status == 201:
            self.created, self.id = True, answer.body["lease"]["id"]
        elif not answer.come_again or any(words in answer.text for words in _NOTHING):
            self.created = False
        else:
            self.created = None


class Client(threading.Thread):
    """Creates, updates and deletes leases until it is told to stop."""

    def __init__(self, number: int, seed: str, stop: threading.Event) -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self._asker = Asker("demo", patience=70)
        self._rng = random.Random(f"{seed} {number}")
        self._told_to_stop = stop
        self.wishes: list[Wish] = []
        self.answers: Counter[str] = Counter()

    def run(self) -> None:
        while not self._told_to_stop.is_set():
            mine = [w for w in self.wishes if w.created and w.deletion is None]
            choice = self._rng.random()
            if not mine or choice < 0.5:
                self._create_one()
            elif choice < 0.75:
                self._update_one(self._rng.choice(mine))
            else:
                self._delete_one(self._rng.choice(mine))

    def _ask(self, verb: str, path: str, body: Any = None, key: str | None = None) -> Answer:
        answer = self._asker.ask(verb, path, body, key)
        self.answers[f"{verb} {answer.status}"] += 1
        if answer.come_again:
            self._told_to_stop.wait(1)  # what it was told
        return answer

    def _create_one(self) -> None:
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        start = self._rng.choice(("now", (now + timedelta(minutes=1)).strftime("%Y-%m-%d %H:%M")))
        end = now + timedelta(minutes=self._rng.choice((2, 3, 60)))
        amount = self._rng.randint(1, 3)
        body = {
            "name": f"load-{uuid.uuid4()}",
            "start_date": start,
            "end_date": end.strftime("%Y-%m-%d %H:%M"),
            "reservations": [_HOST if self._rng.random() < 0.2 else _SLOTS | {"amount": amount}],
        }
        key = str(uuid.uuid4()) if self._rng.random() < 0.5 else None
        wish = Wish(body, key, amounts={amount})
        self.wishes.append(wish)
        wish.learn(self._ask("POST", "/leases", body, key))

    def _update_one(self, wish: Wish) -> None:
        lease = self._asker.ask("GET", f"/leases/{wish.id}")
        if lease.status != 200 or "amount" not in lease.body["lease"]["reservations"][0]:
            return
        reservation = lease.body["lease"]["reservations"][0]
        amount = int(reservation["amount"]) + 1
        change = {"reservations": [{"id": reservation["id"], "amount": amount}]}
        answer = self._ask("PUT", f"/leases/{wish.id}", change)
        if answer.status == 200:
            wish.amounts = {amount}
        elif answer.come_again and not any(words in answer.text for words in _NOTHING):
            wish.amounts.add(amount)

    def _delete_one(self, wish: Wish) -> None:
        wish.deletion = "asked for"
        answer = self._ask("DELETE", f"/leases/{wish.id}")
        if answer.status in (204, 404):
            wish.deletion = "granted"


@contextlib.contextmanager
def clients(count: int, seed: str) -> Iterator[list[Client]]:
    """They lease until the end of the block; then each has had its last answer."""
    stop = threading.Event()
    found = [Client(number, seed, stop) for number in range(count)]
    for client in found:
        client.start()
    try:
        yield found
    finally:
        stop.set()
        for client in found:
            client.join()


def ask_again(wishes: list[Wish]) -> None:
    """What was not answered and has a key is asked for once more."""
    asker = Asker("demo")
    for wish in wishes:
        if wish.created is None and wish.key is not None:
            wish.learn(asker.insist("POST", "/leases", wish.body, wish.key))


def unsettled(wishes: list[Wish]) -> list[str]:
    """What is not, or not yet, as it was told and as the dates ask for."""
    now = datetime.now(UTC)
    by_name = defaultdict(list)
    for lease in Asker("demo").leases():
        by_name[lease["name"]].append(lease)
    return [line for wish in wishes for line in _unlike(wish, by_name.pop(wish.name, []), now)]


def _unlike(wish: Wish, found: list[dict[str, Any]], now: datetime) -> Iterator[str]:
    if len(found) > 1:
        yield f"{wish} is there {len(found)} times"
    if wish.created is False and found:
        yield f"{wish} was refused, and is there"
    if wish.created and not found and wish.deletion is None:
        yield f"{wish} was made, and is not there"
    if wish.deletion == "granted" and found:
        yield f"{wish} was deleted, and is there"
    for lease in found:
        if lease["status"] != (wanted := _wanted(lease, now)):
            yield f"{wish} is {lease['status']}, {lease['status_reason']}, instead of {wanted}"
        amount = lease["reservations"][0].get("amount")
        if amount is not None and int(amount) not in wish.amounts:
            yield f"{wish} has {amount}"


def _wanted(lease: dict[str, Any], now: datetime) -> str:
    start, end = (
        datetime.fromisoformat(lease[key]).replace(tzinfo=UTC)
        for key in ("start_date", "end_date")
    )
    if now < start:
        return "PENDING"
    return "ACTIVE" if now < end else "TERMINATED"
