# SPDX-License-Identifier: Apache-2.0
"""Copy of the ledger in memory that follows the rows of its provider.

The truth is in the database; the arrays here only follow it, by the generations at which rows
changed. Whoever uses one does so alone: ``LedgerStore`` has the lock.
"""

from promise_blazar import times
from promise_blazar.capacity.ledger import Ledger, LedgerHost
from promise_blazar.clock import Clock
from promise_blazar.db import bookings, hosts, providers
from promise_blazar.db.session import Connection, Database
from promise_blazar.model.booking import WHOLE
from promise_blazar.model.host import Host
from promise_blazar.model.openstack_names import RESERVATION_CLASS
from promise_blazar.model.states import HostState


class LedgerReplica:
    """``ledger``: the arrays, true as of the generation that was last caught up with.

    ``bundles``: the numbers of the bundles in it, by their texts.
    """

    def __init__(self, database: Database, provider_id: int, clock: Clock) -> None:
        self._database = database
        self._provider_id = provider_id
        self._clock = clock
        self._seen: int | None = None
        self.ledger = Ledger()
        self.bundles: dict[str, int] = {}

    def catch_up(self) -> int:
        """The generation that the arrays are true of now: the newest, at some instant of this."""
        # The head first, then what changed after it was last seen. The other way round rows that
        # are committed in between would be missed for ever.
        with self._database.reader() as connection:
            while True:
                head = providers.head(connection, self._provider_id)
                before = self._seen
                self.follow(connection, head)
                if before is None or before >= head.generation:
                    return head.generation
                if providers.head(connection, self._provider_id).purged <= before:
                    return head.generation
                # Tombstones went while the changes were being read, perhaps unread.
                self._seen = None

    def follow(self, connection: Connection, head: providers.Head) -> None:
        """Read what changed until this head, in the transaction that has read it."""
        seen = self._seen
        if seen is None or not head.purged <= seen <= head.generation:
            # The first time; or tombstones that were missed are gone; or the database was
            # restored from a backup.
            self._seen = None
            self.ledger, self.bundles = Ledger(), {}
            self._apply(connection, None)
        elif seen < head.generation:
            self._apply(connection, seen)
        self._seen = head.generation

    def _apply(self, connection: Connection, seen: int | None) -> None:
        if seen is None:
            host_rows = hosts.listed(connection, self._provider_id)
            rows = bookings.live(connection, self._provider_id, times.to_micros(self._clock.now()))
        else:
            host_rows = hosts.changed(connection, self._provider_id, seen)
            rows = bookings.changed(connection, self._provider_id, seen)
        for host in host_rows:
            if host.tombstone:
                self.ledger.drop_host(host.id)
            else:
                self.ledger.put_host(_ledger_host(host))
        # What has ended and was let go of matters to no decision any more: the arrays would only
        # grow with history.
        now = times.to_micros(self._clock.now())
        over = [row[0] for row in rows if row[8] or (row[7] and row[6] <= now)]
        gone = set(over)
        live = [row[:8] for row in rows if row[0] not in gone]
        new = {row[3] for row in live if row[3] != WHOLE and not self.ledger.has_bundle(row[3])}
        if new:
            for number, amounts in bookings.bundles(connection, sorted(new)).items():
                self.ledger.put_bundle(number, amounts)
                self.bundles[bookings.bundle_text(amounts)] = number
        self.ledger.drop_bookings(over)
        if live:
            self.ledger.put_bookings(*zip(*live, strict=True))

    def moved(self, seen: int) -> bool:
        """Whether anything was committed since this generation."""
        with self._database.reader() as connection:
            return providers.head(connection, self._provider_id).generation != seen


def _ledger_host(host: Host) -> LedgerHost:
    return LedgerHost(
        id=host.id,
        name=host.hypervisor_hostname,
        zone=host.zone,
        capacity={k: v for k, v in host.lendable.items() if not k.startswith(RESERVATION_CLASS)},
        properties=host.properties,
        reservable=host.reservable and host.state == HostState.READY,
    )
