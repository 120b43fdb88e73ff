# SPDX-License-Identifier: Apache-2.0
"""The life of one lease, step by step, any of which may be cut off and is then carried on.

Whole hosts, with a snapshot at the warning, and slots that stay together on another host. A
step is an act, which a dying manager may leave unanswered, and what must have come of it in the
end, by whomever.
"""

import datetime
import uuid
from collections.abc import Callable
from typing import Any

from promise_blazar.tests.cloud import site, soundness
from promise_blazar.tests.cloud.asking import Answer, Asker
from promise_blazar.tests.cloud.managers import Managers

_WHOLE = {
    "resource_type": "physical:host",
    "min": 1,
    "max": 1,
    "hypervisor_properties": "",
    "resource_properties": "",
    "before_end": "snapshot",
}
_SLOTS = {
    "resource_type": "virtual:instance",
    "vcpus": 1,
    "memory_mb": 1024,
    "disk_gb": 1,
    "amount": 1,
    "affinity": True,
    "resource_properties": "",
}
#: In minutes from the beginning.
_START, _WARNING, _END = 3, 20, 30

#: How many points a manager may die at in each step, roughly; past the last one it is over.
STEPS = {
    "create": 30,
    "update_pending": 20,
    "start": 40,
    "update_active": 40,
    "warn": 24,
    "end": 90,
    "delete": 90,
    "delete_ended": 3,
}
#: How many points there are at the least at which one may fall asleep.
LEAST = {"start": 20, "delete": 40}


class Life:
    def __init__(self, managers: Managers) -> None:
        self._managers = managers
        self._client = Asker("demo")
        self._user = site.user("demo")
        self._admin = site.user("admin")
        self._began = managers.now().replace(second=0, microsecond=0)
        self._key = str(uuid.uuid4())
        self.name = f"life-{self._key}"
        self.id = ""
        self.servers: list[str] = []

    def steps(self, *, to_its_end: bool) -> list[str]:
        last = ["end", "delete_ended"] if to_its_end else ["delete"]
        return ["create", "update_pending", "start", "update_active", "warn", *last]

    def act(self, step: str) -> Callable[[], object]:
        return getattr(self, f"_{step}")  # type: ignore[no-any-return]

    def settle(self, step: str) -> None:
        """Wait until the step is done, and ask again for what it was asked for."""
        getattr(self, f"_after_{step}")()

    # Create

    def _create(self) -> Answer:
        body = {
            "name": self.name,
            "start_date": self._minute(_START),
            "end_date": self._minute(_END),
            "before_end_date": self._minute(_WARNING),
            "reservations": [_WHOLE, _SLOTS],
        }
        return self._client.ask("POST", "/leases", body, self._key)

    def _after_create(self) -> None:
        """The client had no answer, and asks again; there is one lease all the same."""

        def asked() -> Answer | None:
            answer = self._create()
            return None if answer.come_again else answer

        answer: Answer = site.eventually("the create is answered", asked)
        assert answer.status == 201, answer
        self.id = answer.body["lease"]["id"]
        lease = self._wait("PENDING")
        assert lease["reservations"][1]["server_group_id"], f"no server group: {lease}"
        found = [each["id"] for each in self._client.leases() if each["name"] == self.name]
        assert found == [self.id], f"asked for one lease, and there are {found}"

    # Update

    def _update_pending(self) -> Answer:
        return self._update(hosts=2, slots=2, end=_END + 5)

    def _update_active(self) -> Answer:
        return self._update(hosts=3, slots=3, end=_END + 10)

    def _after_update_pending(self) -> None:
        self._updated("PENDING", self._update_pending, hosts=2, slots=2, end=_END + 5)

    def _after_update_active(self) -> None:
        self._updated("ACTIVE", self._update_active, hosts=3, slots=3, end=_END + 10)

    def _update(self, hosts: int, slots: int, end: int) -> Answer:
        whole, slot = self._reservations()
        change = {
            "end_date": self._minute(end),
            "before_end_date": self._minute(_WARNING),
            "reservations": [
                {"id": whole["id"], "min": hosts, "max": hosts},
                {"id": slot["id"], "amount": slots},
            ],
        }
        return self._client.ask("PUT", f"/leases/{self.id}", change)

    def _updated(
        self, status: str, again: Callable[[], Answer], hosts: int, slots: int, end: int
    ) -> None:
        """All of it or nothing; and all of it when it is asked for once more."""
        before = self._asked(self._wait(status))

        def asked() -> Answer | None:
            answer = again()
            return None if answer.come_again else answer

        answer: Answer = site.eventually("the update is answered", asked)
        assert answer.status == 200, answer
        after = self._asked(self._wait(status))
        wanted = (hosts, slots, end)
        assert after == wanted, f"it is {after} instead of {wanted}"
        assert before == wanted or not set(before) & set(wanted), f"half an update: {before}"

    def _asked(self, lease: dict[str, Any]) -> tuple[int, int, int]:
        whole, slots = lease["reservations"]
        end = datetime.datetime.fromisoformat(lease["end_date"]).replace(tzinfo=datetime.UTC)
        minutes = round((end - self._began).total_seconds() / 60)
        return int(whole["max"]), int(slots["amount"]), minutes

    # By the clock

    def _start(self) -> None:
        self._leap(_START)

    def _after_start(self) -> None:
        """Its tenant uses it, and a stranger cannot."""
        self._wait("ACTIVE")
        whole, slots = self._reservations()
        tiny = self._user.flavor_id("m1.tiny")
        group = {"group": slots["server_group_id"]}
        self.servers = [
            *self._user.boot(tiny, {"reservation": whole["id"]}),
            *self._user.boot(slots["id"], group),
        ]
        stranger = site.user("other").boot(tiny, {"reservation": whole["id"]})
        states = [self._admin.settled(server)["status"] for server in (*self.servers, *stranger)]
        self._admin.delete(stranger)
        assert states == ["ACTIVE", "ACTIVE", "ERROR"], states

    def _warn(self) -> None:
        self._leap(_WARNING)

    def _after_warn(self) -> None:
        def warned() -> bool:
            events = {e["event_type"]: e["status"] for e in self._lease()["events"]}
            assert events["before_end_lease"] != "ERROR", events
            return bool(events["before_end_lease"] == "DONE")

        site.eventually("the lease is warned of", warned)
        server = self._admin.nova("GET", f"/servers/{self.servers[0]}")["server"]
        images = self._user.connection.image
        made = list(images.images(name=f"reserved_{server['name']}"))
        assert len(made) == 1, f"not one snapshot, but {made}"
        images.delete_image(made[0].id)

    def _end(self) -> None:
        self._leap(_END + 10)

    def _after_end(self) -> None:
        lease = self._wait("TERMINATED")
        statuses = {each["status"] for each in lease["reservations"]}
        assert statuses == {"deleted"}, lease
        self._servers_are_gone()

    # Delete

    def _delete(self) -> Answer:
        return self._client.ask("DELETE", f"/leases/{self.id}")

    def _after_delete(self) -> None:
        answer = self._client.insist("DELETE", f"/leases/{self.id}")
        assert answer.status in (204, 404), answer
        site.eventually("the lease is gone", lambda: self._client.lease(self.id) is None)
        self._servers_are_gone()

    _delete_ended, _after_delete_ended = _delete, _after_delete

    # All of them

    def remove(self) -> None:
        """What a test that failed has left."""
        for lease in self._client.leases():
            if lease["name"] == self.name:
                soundness.remove(lease["id"])

    def _servers_are_gone(self) -> None:
        for server in self.servers:
            self._admin.wait_gone(server)

    def _leap(self, minute: int) -> None:
        self._managers.leap(self._began + datetime.timedelta(minutes=minute))

    def _minute(self, minute: int) -> str:
        instant = self._began + datetime.timedelta(minutes=minute)
        return instant.strftime("%Y-%m-%d %H:%M")

    def _lease(self) -> dict[str, Any]:
        lease = self._client.lease(self.id)
        assert lease is not None, f"lease {self.id} is gone"
        return lease

    def _reservations(self) -> list[dict[str, Any]]:
        return list(self._lease()["reservations"])

    def _wait(self, status: str) -> dict[str, Any]:
        def there() -> dict[str, Any] | None:
            lease = self._lease()
            assert lease["status"] != "ERROR", lease
            return lease if lease["status"] == status else None

        found: dict[str, Any] = site.eventually(f"lease {self.id} is {status}", there)
        return found
