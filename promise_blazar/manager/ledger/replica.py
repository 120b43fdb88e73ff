# SPDX-License-Identifier: Apache-2.0
"""Copy of the ledger in memory that follows the rows of its provider.

The truth is in the database; the arrays here only follow it, by the generations at which rows
changed. Whoever uses one does so alone: ``LedgerStore`` has the lock.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Final

import numpy as np

from promise_blazar import times
from promise_blazar.capacity.ledger import Ledger, LedgerHost
from promise_blazar.capacity.supply import LedgerAdjustment
from promise_blazar.clock import Clock
from promise_blazar.db import adjustments, bookings, hosts, providers
from promise_blazar.db.session import Connection, Database
from promise_blazar.model.adjustment import Adjustment
from promise_blazar.model.booking import WHOLE
from promise_blazar.model.host import Host
from promise_blazar.model.openstack_names import RESERVATION_CLASS
from promise_blazar.model.states import HostState

#: Places of what is looked at here in a ``bookings.LedgerRow``.
_BUNDLE, _END, _RELEASED, _DELETED = (
    bookings.LedgerRow._fields.index(name) for name in ("bundle", "end", "released", "deleted")
)
_WIDTH: Final = len(bookings.LedgerRow._fields)
#: No project's id.
_NOBODY: Final = ""


class LedgerReplica:
    """``ledger``: the arrays, true as of the generation that was last caught up with.

    ``bundles``: the numbers of the bundles in it, by their texts. ``seen``: that generation; None:
    nothing was loaded yet. ``went_back``: how often the database was found to have
    another history.
    """

    def __init__(self, database: Database, provider_id: int, clock: Clock) -> None:
        self._database = database
        self._provider_id = provider_id
        self._clock = clock
        self.seen: providers.Mark | None = None
        self.went_back = 0
        self.ledger = Ledger()
        self.bundles: dict[str, int] = {}

    def catch_up(self) -> providers.Mark:
        """The generation that the arrays are true of now: the newest, at some instant of this."""
        # The head first, then what changed after it was last seen. The other way round rows that
        # are committed in between would be missed for ever.
        with self._database.reader() as connection:
            while True:
                before = self.seen
                head = providers.head(connection, self._provider_id, before)
                self.follow(connection, head)
                if before is None or not head.continues or before.generation >= head.generation:
                    return head.mark
                if providers.head(connection, self._provider_id, before).continues:
                    return head.mark
                # Tombstones went while the changes were being read, perhaps unread.
                self.seen = None

    def follow(self, connection: Connection, head: providers.Head) -> None:
        """Read what changed until this head, in the transaction that has read it."""
        seen = self.seen
        if seen is None or not head.continues:
            # The first time; or tombstones that were missed are gone; or the database went back
            # and has another history since.
            if seen is not None and head.purged <= seen.generation:
                self.went_back += 1
            self.seen = None
            self.ledger, self.bundles = Ledger(), {}
            self._load(connection)
        elif seen.generation < head.generation:
            for host in hosts.changed(connection, self._provider_id, seen.generation):
                self._put_host(host)
            for adjustment in adjustments.changed(connection, self._provider_id, seen.generation):
                self._put_adjustment(adjustment)
            self._put_bookings(
                connection, bookings.changed(connection, self._provider_id, seen.generation)
            )
        self._put_owners(connection)
        self.seen = head.mark

    def owners(self, reservations: Sequence[int]) -> dict[int, str]:
        """Whose these reservations are, as of ``owners``."""
        with self._database.reader() as connection:
            return owners(connection, reservations)

    def moved(self, seen: providers.Mark) -> bool:
        """Whether anything was committed since this generation, or it is of another history."""
        with self._database.reader() as connection:
            return providers.head(connection, self._provider_id).mark != seen

    def _load(self, connection: Connection) -> None:
        for host in hosts.listed(connection, self._provider_id):
            self._put_host(host)
        for adjustment in adjustments.live(connection, self._provider_id):
            self._put_adjustment(adjustment)
        now = times.to_micros(self._clock.now())
        for rows in bookings.live(connection, self._provider_id, now):
            self._put_bookings(connection, rows)

    def _put_host(self, host: Host) -> None:
        if host.tombstone:
            self.ledger.drop_host(host.id)
        else:
            self.ledger.put_host(_ledger_host(host))

    def _put_adjustment(self, adjustment: Adjustment) -> None:
        if adjustment.deleted:
            self.ledger.drop_adjustment(adjustment.id)
        else:
            self.ledger.put_adjustment(ledger_adjustment(adjustment))

    def _put_owners(self, connection: Connection) -> None:
        """Whose the reservations are, which matters where there are carve-outs."""
        unowned = self.ledger.unowned()
        if unowned:
            self.ledger.put_owners(owners(connection, unowned))

    def _put_bookings(self, connection: Connection, rows: Sequence[bookings.LedgerRow]) -> None:
        # A block at once: as objects of Python's, a million bookings take five times the room.
        block = np.fromiter(chain.from_iterable(rows), np.int64, len(rows) * _WIDTH)
        block = block.reshape(-1, _WIDTH)
        # What has ended and was let go of matters to no decision any more: the arrays would only
        # grow with history.
        past = block[:, _END] <= times.to_micros(self._clock.now())
        over = (block[:, _DELETED] != 0) | ((block[:, _RELEASED] != 0) & past)
        live = block[~over]
        bundles = (b for b in np.unique(live[:, _BUNDLE]).tolist() if b != WHOLE)
        new = [number for number in bundles if not self.ledger.has_bundle(number)]
        if new:
            for number, amounts in bookings.bundles(connection, new).items():
                self.ledger.put_bundle(number, amounts)
                self.bundles[bookings.bundle_text(amounts)] = number
        self.ledger.drop_bookings(block[over, 0])
        if len(live):
            self.ledger.put_bookings(*live[:, :_DELETED].T)


def owners(connection: Connection, reservations: Sequence[int]) -> dict[int, str]:
    """The projects of reservations, by their numbers; nobody's where one is gone, as its bookings
    will be."""
    found = dict.fromkeys(reservations, _NOBODY)
    return found | adjustments.owners(connection, reservations)


def _ledger_host(host: Host) -> LedgerHost:
    return LedgerHost(
        id=host.id,
        name=host.hypervisor_hostname,
        zone=host.zone,
        capacity={k: v for k, v in host.lendable.items() if not k.startswith(RESERVATION_CLASS)},
        properties=host.properties,
        reservable=host.reservable and host.state == HostState.READY,
        last_choice=not host.up,
    )


def ledger_adjustment(adjustment: Adjustment) -> LedgerAdjustment:
    """An adjustment as the ledger has it."""
    return LedgerAdjustment(
        id=adjustment.id,
        zone=adjustment.zone,
        start=adjustment.start,
        end=adjustment.end,
        amounts=adjustment.amounts,
        source=adjustment.source,
        projects=frozenset(adjustment.projects),
    )
