# SPDX-License-Identifier: Apache-2.0
"""Are the lent hosts still what they were when they were lent?

What Nova and Placement say of them now is recorded, also where more has been promised than is
left: facts are no matter of admission. Our records are read first and OpenStack second, and only
a record that is still as it was read is changed: of two managers, one of which stood still in
between, the later word of OpenStack stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from promise_blazar import times
from promise_blazar.capacity.overbooking import overbooked
from promise_blazar.clock import Clock
from promise_blazar.cloud.protocol import Cloud, Hypervisor
from promise_blazar.db import hosts
from promise_blazar.db.engine import Connection, Database
from promise_blazar.db.hosts import HostRecord
from promise_blazar.manager.books import Books
from promise_blazar.manager.hosts import READY, facts_of, inventory_of
from promise_blazar.plugins.base import Names


@dataclass(frozen=True, slots=True)
class Change:
    """Of one host, in words, and what is to be recorded: columns, and the inventory if it is
    another one. What cannot be recorded is only said."""

    host: HostRecord
    words: tuple[str, ...]
    values: Mapping[str, Any] = field(default_factory=dict)
    inventory: Mapping[str, tuple[int, int, float]] | None = None


class Stocktaking:
    def __init__(
        self, database: Database, books: Books, cloud: Cloud, names: Names, clock: Clock
    ) -> None:
        self._database = database
        self._books = books
        self._cloud = cloud
        self._names = names
        self._clock = clock

    def look(self) -> list[Change]:
        """The hosts that have changed. Raises ``CloudError``, ``Unavailable``."""
        with self._database.reader() as connection:
            lent = hosts.listed(connection, self._books.provider_id)
        there = {hypervisor.uuid: hypervisor for hypervisor in self._cloud.hypervisors()}
        changes = (
            self._compare(host, there.get(host.hypervisor_uuid))
            for host in lent
            if host.state == READY
        )
        return [change for change in changes if change.words]

    def record(self, changes: Sequence[Change]) -> None:
        """Each whose host is still as it was; a later look sees the others."""

        def write(connection: Connection, generation: int) -> None:
            stamps = {"generation": generation, "updated_at": self._clock.now()}
            for change in known:
                host, values = change.host, {**change.values, **stamps}
                same = hosts.set_host(
                    connection, host.id, values, state=READY, seen=host.generation
                )
                if same and change.inventory is not None:
                    hosts.set_inventory(connection, host.id, change.inventory)

        known = [each for each in changes if each.values or each.inventory is not None]
        if known:
            self._books.change(write)

    def overbooked(self) -> list[str]:
        """What is promised of hosts that do not have it, in words. Raises ``Unavailable``."""
        return [
            f"host {each.host} is promised {each.promised} {each.resource_class} of the "
            f"{each.there} that it has, from {times.from_micros(each.since).isoformat()}"
            for each in self._books.read(overbooked)
        ]

    def _compare(self, host: HostRecord, there: Hypervisor | None) -> Change:
        if there is None:
            return Change(host, ("Nova does not know it any more",))
        if not there.inventory:
            # Its compute is registering it just now, or never will: nobody knows what it has.
            return Change(host, ("Placement has no inventory of it",))
        words = []
        values = {name: now for name, now in facts_of(there).items() if now != getattr(host, name)}
        if there.zone.startswith(self._names.zone_prefix):
            values.pop("zone", None)  # that of the lease which has it
        words += [
            "its cpu_info is another one"  # pages of it
            if name == "cpu_info"
            else f"its {name} is {now} and was {getattr(host, name)}"
            for name, now in values.items()
        ]
        if there.up and not host.reservable:
            # One that goes down stays on offer: that says nothing of next week.
            values["reservable"] = True
            words.append("it is in service, and was not when it was lent")
        inventory = inventory_of(there)
        words += [
            f"its {name} is {_shown(inventory.get(name))} and was {_shown(old)}"
            for name in sorted(inventory.keys() | host.inventory.keys())
            if (old := host.inventory.get(name)) != inventory.get(name)
        ]
        other = None if inventory == host.inventory else inventory
        return Change(host, tuple(words), values, other)


def _shown(inventory: tuple[int, int, float] | None) -> str:
    if inventory is None:
        return "nothing"
    total, reserved, ratio = inventory
    return f"{total} (reserved {reserved}, ratio {ratio:g})"
