# SPDX-License-Identifier: Apache-2.0
"""Inventory sync: lent hosts are recorded as they are now.

What Nova and Placement say of them now is recorded, also where more has been promised than is
left: facts are no matter of admission. Our records are read first and OpenStack second, and only
a record that is still as it was read is changed: should two managers look at the same time, one
does not undo what the other has just learnt. What slips through is put right by the next look.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from promise_blazar import times
from promise_blazar.capacity.overcommit import Commitments
from promise_blazar.clock import Clock
from promise_blazar.cloud.contract.compute import Hypervisor
from promise_blazar.db import hosts
from promise_blazar.db.session import Connection, Database
from promise_blazar.manager.hosts.facts import facts_of, inventory_of
from promise_blazar.manager.provider import ProviderRuntime
from promise_blazar.model.host import Host
from promise_blazar.model.states import HostState

LOG = logging.getLogger(__name__)

#: Hosts that are written in one transaction, which keeps everybody else from deciding.
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Change:
    """Of one host: in words, and the hypervisor it is now (None: that cannot be recorded)."""

    host: Host
    words: tuple[str, ...]
    there: Hypervisor | None = None


@dataclass(frozen=True, slots=True)
class Stock:
    """``changes``: of hosts that are not what is recorded; ``overbooked``: what is promised of
    hosts and not there, in words; ``down``: names of hosts that are out of service."""

    changes: tuple[Change, ...]
    overbooked: tuple[str, ...]
    down: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        return not (self.changes or self.overbooked or self.down)

    def lines(self) -> list[str]:
        """For people."""
        return [
            *(
                f"host {change.host.hypervisor_hostname}: {words}"
                for change in self.changes
                for words in change.words
            ),
            *self.overbooked,
            *(f"host {name} is out of service" for name in self.down),
        ]


class InventorySync:
    def __init__(self, database: Database, clock: Clock, provider: ProviderRuntime) -> None:
        self._database = database
        self._clock = clock
        self._provider = provider
        self._cloud = provider.cloud
        self._names = provider.names

    def run(self) -> Stock:
        """Look, record what has changed, and say so. Raises as ``look`` does."""
        changes, down = self._compared()
        self.record(changes)
        stock = Stock(changes, self._overbooked(), down)
        for line in stock.lines():
            LOG.warning("Inventory sync: %s", line)
        return stock

    def look(self) -> Stock:
        """What differs now; nothing is changed. Raises ``CloudError``, ``Unavailable``,
        ``Busy``."""
        changes, down = self._compared()
        return Stock(changes, self._overbooked(), down)

    def changes(self) -> tuple[Change, ...]:
        return self._compared()[0]

    def _compared(self) -> tuple[tuple[Change, ...], tuple[str, ...]]:
        with self._database.reader() as connection:
            lent = hosts.listed(connection, self._provider.id)
        lent = [host for host in lent if host.state == HostState.READY]
        found = self._cloud.hypervisors.list({host.hypervisor_uuid for host in lent})
        there = {hypervisor.uuid: hypervisor for hypervisor in found}
        compared = [self._compare(host, there.get(host.hypervisor_uuid)) for host in lent]
        down = (each.host for each in compared if each.there is not None and not each.there.up)
        names = tuple(host.hypervisor_hostname for host in down)
        return tuple(change for change in compared if change.words), names

    def record(self, changes: Sequence[Change]) -> None:
        """Each whose host is still as it was; a later look sees the others."""
        known = [(each.host, each.there) for each in changes if each.there is not None]
        for first in range(0, len(known), _AT_ONCE):
            self._provider.ledger.change(partial(self._write, known[first : first + _AT_ONCE]))

    def _write(
        self,
        some: Sequence[tuple[Host, Hypervisor]],
        connection: Connection,
        generation: int,
    ) -> None:
        # The provider's row is ours: nobody changes a host between this look and the writing.
        same = hosts.unchanged(connection, {host.id: host.generation for host, _ in some})
        now = {"generation": generation, "updated_at": self._clock.now()}
        still = [(host, there) for host, there in some if host.id in same]
        values = {host.id: {**self._values(host, there), **now} for host, there in still}
        hosts.set_hosts(connection, values)
        hosts.set_inventories(connection, {host.id: inventory_of(there) for host, there in still})

    def _compare(self, host: Host, there: Hypervisor | None) -> Change:
        if there is None:
            return Change(host, ("Nova does not know it any more",))
        if not there.inventory:
            # Its compute is registering it just now, or never will: nobody knows what it has.
            return Change(host, ("Placement has no inventory of it",))
        words = [
            _words(name, getattr(host, name), now)
            for name, now in self._values(host, there).items()
            if now != getattr(host, name)
        ]
        inventory = inventory_of(there)
        words += [
            f"its {name} is {_shown(inventory.get(name))} and was {_shown(old)}"
            for name in sorted(inventory.keys() | host.inventory.keys())
            if (old := host.inventory.get(name)) != inventory.get(name)
        ]
        return Change(host, tuple(words), there)

    def _values(self, host: Host, there: Hypervisor) -> dict[str, Any]:
        """The columns of the host as it is now."""
        values = facts_of(there)
        if there.zone.startswith(self._names.zone_prefix):
            values["zone"] = host.zone  # its own, and not that of the lease which has it
        # One that goes down stays on offer: that says nothing of next week.
        return {**values, "reservable": host.reservable or there.up}

    def _overbooked(self) -> tuple[str, ...]:
        return tuple(
            f"host {each.host} is promised {each.promised} {each.resource_class} of the "
            f"{each.capacity} that it has, from {times.from_micros(each.since).isoformat()}"
            for each in self._provider.ledger.read(Commitments).excesses()
        )


def _words(name: str, before: object, now: object) -> str:
    if name == "reservable":
        return "it is in service, and was not when it was lent"
    if name == "cpu_info":  # pages of it
        return "its cpu_info is another one"
    return f"its {name} is {now} and was {before}"


def _shown(inventory: tuple[int, int, float] | None) -> str:
    if inventory is None:
        return "nothing"
    total, reserved, ratio = inventory
    return f"{total} (reserved {reserved}, ratio {ratio:g})"
