# SPDX-License-Identifier: Apache-2.0
"""The books of one provider: the ledger in memory, and the only way to change what is promised.

The concurrency rule (architecture, section 4): a decision is taken on generation g and committed
together with g -> g + 1. Who loses that race decides once more while holding the provider's row,
which ends the race in one go. The truth is in the database; the arrays here only follow it.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from promise_blazar import exceptions, times
from promise_blazar.capacity.admission import Plan, Refusal, admit, holds
from promise_blazar.capacity.demand.request import AllocationRequest, Window
from promise_blazar.capacity.explanation import Explanation, explain
from promise_blazar.capacity.ledger import Ledger, LedgerHost
from promise_blazar.capacity.window_search import next_windows
from promise_blazar.clock import Clock
from promise_blazar.db import bookings, hosts, providers
from promise_blazar.db.session import MOST_RACES, Connection, Database, LostRace
from promise_blazar.model.host import Host
from promise_blazar.model.openstack_names import RESERVATION_CLASS

LOG = logging.getLogger(__name__)
T = TypeVar("T")


class Refused(Exception):
    """The answer is no, and why."""

    def __init__(self, explanation: Explanation) -> None:
        super().__init__(explanation.text)
        self.explanation = explanation


class LedgerStore:
    """Safe to use from several threads: they take turns, which also saves lost races."""

    def __init__(
        self, database: Database, provider_id: int, clock: Clock, timeout: float = 10
    ) -> None:
        self._database = database
        self.provider_id = provider_id
        self._clock = clock
        self._timeout = timeout
        self._turn = threading.Lock()
        self._ledger = Ledger()
        self._seen: int | None = None

    # Reading

    def read(self, question: Callable[[Ledger, int], T]) -> T:
        """The answer to a question (the ledger, now in microseconds) about the present books.

        The question must not keep the ledger. Raises ``Busy``, ``Unavailable``.
        """
        with self._my_turn():
            self._settle()
            return question(self._ledger, self._now())

    def rehearse(
        self, asks: Sequence[AllocationRequest], exclude: frozenset[int] = frozenset()
    ) -> None:
        """Would these asks be admitted? Raises ``Refused``, ``Busy``, ``Unavailable``."""
        with self._my_turn():
            self._settle()
            if isinstance(self._admit(asks, exclude), Refusal):
                raise self._refused(asks, exclude)

    # Deciding

    def decide(
        self,
        asks: Sequence[AllocationRequest],
        write: Callable[[Connection, Plan, int], T],
        exclude: frozenset[int] = frozenset(),
        done: Callable[[Connection], T | None] = lambda connection: None,
    ) -> T:
        """Admit the asks and commit what ``write`` does with the plan, or neither.

        ``write`` gets the transaction, the plan and the new generation, and may run more than
        once (each time in a new transaction); what it raises ends the decision. ``done`` looks,
        after a commit whose outcome is unknown, whether it happened, and answers as ``write``
        would. Raises ``Refused``, ``Busy``, ``Unavailable``.
        """
        with self._my_turn():
            for _ in range(MOST_RACES):
                try:
                    return self._decide_once(asks, write, exclude)
                except LostRace:
                    continue
                except exceptions.Unavailable:
                    with self._database.reader() as connection:
                        found = done(connection)
                    if found is None:
                        raise
                    return found
        raise exceptions.Busy(retry_after=1)

    def _decide_once(
        self,
        asks: Sequence[AllocationRequest],
        write: Callable[[Connection, Plan, int], T],
        exclude: frozenset[int],
    ) -> T:
        seen = self._catch_up()
        plan = self._admit(asks, exclude)
        if isinstance(plan, Refusal):
            if not self._moved(seen):
                raise self._refused(asks, exclude)
        else:
            with self._database.writer() as connection:
                if providers.advance_from(connection, self.provider_id, seen):
                    return write(connection, plan, seen + 1)
        # Somebody was faster. Once more, holding the row: nobody can be faster now.
        with self._database.writer() as connection:
            self._follow(connection, providers.lock(connection, self.provider_id))
            if isinstance(plan, Refusal) or not holds(
                self._ledger, _ahead(asks, self._now()), plan, self._now(), exclude
            ):
                plan = self._admit(asks, exclude)
            if isinstance(plan, Plan):
                generation = providers.advance(connection, self.provider_id)
                return write(connection, plan, generation)
        # Explained, which takes longer, without the row.
        raise self._refused(asks, exclude)

    def _admit(self, asks: Sequence[AllocationRequest], exclude: frozenset[int]) -> Plan | Refusal:
        now = self._now()
        return admit(self._ledger, _ahead(asks, now), now, exclude)

    def _refused(self, asks: Sequence[AllocationRequest], exclude: frozenset[int]) -> Refused:
        now = self._now()
        why = explain(self._ledger, _ahead(asks, now), now, exclude, alternatives=0)
        # As long a lease as was asked for, not what the present minute has left of it.
        when = next_windows(self._ledger, asks, now, exclude)
        return Refused(replace(why, alternatives=when.windows, looked_until=when.looked_until))

    # Writing what decides nothing

    def change(self, write: Callable[[Connection, int], T]) -> T:
        """Commit what ``write`` does at a new generation: releases, hosts, pins.

        ``write`` may run more than once, each time in a new transaction.
        """
        return self._database.transact(
            lambda connection: write(connection, providers.advance(connection, self.provider_id))
        )

    def bundle(self, amounts: dict[str, int]) -> int:
        """The number under which these amounts are booked."""
        text = bookings.bundle_text(amounts)
        for _ in range(MOST_RACES):
            try:
                with self._database.reader() as connection:
                    found = bookings.find_bundle(connection, text)
                if found is not None:
                    return found
                with self._database.writer() as connection:
                    return bookings.add_bundle(connection, text)
            except (LostRace, bookings.DuplicateBundle):
                continue
        raise exceptions.Busy(retry_after=1)

    # Following the truth

    def _settle(self) -> None:
        """Catch up until nothing has moved: what is read then is true, and of one instant."""
        while self._moved(self._catch_up()):
            pass

    def _catch_up(self) -> int:
        # The head first, then what changed after it was last seen. The other way round rows that
        # are committed in between would be missed for ever.
        with self._database.reader() as connection:
            while True:
                head = providers.head(connection, self.provider_id)
                before = self._seen
                self._follow(connection, head)
                if before is None or before >= head.generation:
                    return head.generation
                if providers.head(connection, self.provider_id).purged <= before:
                    return head.generation
                # Tombstones went while the changes were being read, perhaps unread.
                self._seen = None

    def _follow(self, connection: Connection, head: providers.Head) -> None:
        seen = self._seen
        if seen is None or not head.purged <= seen <= head.generation:
            # The first time; or tombstones that were missed are gone; or the database was
            # restored from a backup.
            self._seen = None
            self._ledger = Ledger()
            self._apply(connection, None)
        elif seen < head.generation:
            self._apply(connection, seen)
        self._seen = head.generation

    def _apply(self, connection: Connection, seen: int | None) -> None:
        if seen is None:
            host_rows = hosts.listed(connection, self.provider_id)
            rows = bookings.live(connection, self.provider_id, self._now())
        else:
            host_rows = hosts.changed(connection, self.provider_id, seen)
            rows = bookings.changed(connection, self.provider_id, seen)
        for host in host_rows:
            if host.tombstone:
                self._ledger.drop_host(host.id)
            else:
                self._ledger.put_host(_ledger_host(host))
        # What has ended and was let go of matters to no decision any more: the books would only
        # grow with history.
        now = self._now()
        over = [row[0] for row in rows if row[8] or (row[7] and row[6] <= now)]
        gone = set(over)
        live = [row[:8] for row in rows if row[0] not in gone]
        new = {row[3] for row in live if row[3] != -1 and not self._ledger.has_bundle(row[3])}
        if new:
            for number, amounts in bookings.bundles(connection, sorted(new)).items():
                self._ledger.put_bundle(number, amounts)
        self._ledger.drop_bookings(over)
        if live:
            self._ledger.put_bookings(*zip(*live, strict=True))

    def _moved(self, seen: int) -> bool:
        with self._database.reader() as connection:
            return providers.head(connection, self.provider_id).generation != seen

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=self._timeout):
            raise exceptions.Busy(retry_after=1)
        try:
            yield
        finally:
            self._turn.release()

    def _now(self) -> int:
        return times.to_micros(self._clock.now())


def _ahead(asks: Sequence[AllocationRequest], now: int) -> list[AllocationRequest]:
    """The asks without what is over: a lease from this minute on is not owed its past seconds.

    One that is over altogether, in this very minute, is judged as it is booked: for an instant.
    """
    ahead = []
    for ask in asks:
        start = max(ask.window.start, now)
        ahead.append(replace(ask, window=Window(start, max(ask.window.end, start + 1))))
    return ahead


def _ledger_host(host: Host) -> LedgerHost:
    return LedgerHost(
        id=host.id,
        name=host.hypervisor_hostname,
        zone=host.zone,
        capacity={k: v for k, v in host.lendable.items() if not k.startswith(RESERVATION_CLASS)},
        properties={
            **host.capabilities,
            "id": host.id,
            "availability_zone": host.zone,
            "cpu_info": host.cpu_info,
            "hypervisor_hostname": host.hypervisor_hostname,
            "hypervisor_type": host.hypervisor_type,
            "hypervisor_version": host.hypervisor_version,
            "local_gb": host.local_gb,
            "memory_mb": host.memory_mb,
            "reservable": host.reservable,
            "service_name": host.service_host,
            "vcpus": host.vcpus,
        },
        reservable=host.reservable and host.state == "ready",
    )
