# SPDX-License-Identifier: Apache-2.0
"""Host aggregates: calls ``nova.aggregate.list``, ``.show``, ``.create``, ``.update``,
``.set_metadata``, ``.add_host``, ``.remove_host``, ``.delete``.

Nova finds aggregates by number only, so a name costs one listing, which grows with every lease
that there is. So the numbers that went with names are remembered, and a name without one is
taken for new: Nova refuses a second aggregate of a name. Nova keeps the availability zone among
the metadata; here the zone stands apart.

Changes of one aggregate wait for each other. Nova tells its scheduler at each change which hosts
the aggregate has, as it read them before: of two that meet, the later message can lack the
earlier one's host, and the scheduler believes it until the aggregate is changed again.

An aggregate that several processes change (the freepool) is therefore looked at again after the
last of a process's changes that come together. Nova answers a change with what it told the
scheduler: if that is not what the aggregate is, somebody else's change has met it, and one that
changes nothing has Nova tell it anew. Of several messages the last was so looked at by whoever
caused it, which is enough.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any

from cachetools import FIFOCache

from promise_blazar import exceptions
from promise_blazar.cloud.contract.compute import Aggregate
from promise_blazar.cloud.openstack.compute.nova import Nova
from promise_blazar.cloud.openstack.errors import calling, may_be_race, may_have_happened
from promise_blazar.cloud.openstack.serialize import KeyedLock

_ZONE = "availability_zone"
#: Names whose numbers are remembered; one that is forgotten costs a refusal and a listing.
_REMEMBERED = 10_000
#: Seconds that a change waits for those of the same aggregate before it: they may be many.
_PATIENCE = 60
#: Times that an aggregate is told of anew while others change it; they then do so themselves.
_MOST_TOLD = 5

LOG = logging.getLogger(__name__)


class Aggregates:
    """``contract.compute.Aggregates`` on a real Nova.

    ``shared``: the names of those that other processes change at the same time.
    """

    def __init__(self, nova: Nova, shared: Collection[str] = ()) -> None:
        self._nova = nova
        self._shared_names = frozenset(shared)
        self._shared: set[int] = set()
        #: What Nova's scheduler was told last of a shared one by changes of ours; None: unknown.
        #: Without those that were looked at since.
        self._told: dict[int, Aggregate | None] = {}
        self._api = nova.client.aggregates
        self._host_locks = KeyedLock()
        self._aggregate_locks = KeyedLock(_PATIENCE)
        self._lock = threading.Lock()
        self._numbers: FIFOCache[str, int] = FIFOCache(_REMEMBERED)

    def list(self) -> tuple[Aggregate, ...]:
        # Not paged by Nova.
        with calling("nova.aggregate.list", self._nova.list_timeout):
            return tuple(self._read(found) for found in self._api.list())

    def get(self, aggregate_id: int) -> Aggregate:
        with calling("nova.aggregate.show", self._nova.call_timeout):
            return self._read(self._api.get(aggregate_id))

    def ensure(
        self, name: str, zone: str | None, metadata: Mapping[str, str], number: int | None = None
    ) -> Aggregate:
        """Without ``zone`` the zone stays as it is: Nova can change one, but not take it away."""
        aggregate = self._known(name, number) or self._create(name, zone)
        self._remember(aggregate)
        # Nova's answers to both show the whole aggregate, unlike that to a create.
        if zone is not None and aggregate.zone != zone:
            aggregate = self._change(
                aggregate.id,
                "nova.aggregate.update",
                lambda: self._api.update(aggregate.id, {_ZONE: zone}),
            )
        missing = {
            key: value for key, value in metadata.items() if aggregate.metadata.get(key) != value
        }
        if missing:
            aggregate = self._set_metadata(aggregate.id, missing)
        return aggregate

    def set_metadata(self, aggregate_id: int, metadata: Mapping[str, str | None]) -> None:
        self._set_metadata(aggregate_id, metadata)

    def add_host(self, aggregate_id: int, service_host: str) -> None:
        try:
            self._change(
                aggregate_id,
                "nova.aggregate.add_host",
                lambda: self._api.add_host(aggregate_id, service_host),
                service_host,
            )
        except exceptions.CloudError as error:
            # Nova says 409 to a host that is a member and to one that may not become one.
            member = may_be_race(error) and service_host in self.get(aggregate_id).hosts
            if not member:
                raise

    def remove_host(self, aggregate_id: int, service_host: str) -> None:
        try:
            self._change(
                aggregate_id,
                "nova.aggregate.remove_host",
                lambda: self._api.remove_host(aggregate_id, service_host),
                service_host,
            )
        except exceptions.NotFound:
            return

    def delete(self, aggregate_id: int) -> None:
        try:
            for host in self.get(aggregate_id).hosts:
                self.remove_host(aggregate_id, host)
            with calling("nova.aggregate.delete", self._nova.call_timeout):
                self._api.delete(aggregate_id)
        except exceptions.NotFound:
            return

    def _set_metadata(self, aggregate_id: int, metadata: Mapping[str, str | None]) -> Aggregate:
        return self._change(
            aggregate_id,
            "nova.aggregate.set_metadata",
            lambda: self._api.set_metadata(aggregate_id, dict(metadata)),
        )

    def _change(
        self, number: int, call: str, change: Callable[[], Any], host: str | None = None
    ) -> Aggregate:
        """The aggregate as Nova's scheduler is told of it. ``host``: whom the change is about."""
        turn = str(number)
        with self._aggregate_locks.of(turn):
            before = self._told.get(number, _NOTHING)
            told: Aggregate | None = None
            try:
                with (
                    contextlib.nullcontext() if host is None else self._host_locks.of(host),
                    calling(call, self._nova.call_timeout),
                ):
                    told = self._read(change())
                return told
            except exceptions.PromiseBlazarError as error:
                if not may_have_happened(error):
                    told = before
                raise
            finally:
                if number in self._shared and told is not _NOTHING:
                    self._told[number] = told
                    if not self._aggregate_locks.awaited(turn):
                        self._see_told(number)

    def _see_told(self, number: int) -> None:
        """Have the scheduler know a shared aggregate as it is. For who has the turn."""
        for _ in range(_MOST_TOLD):
            found, told = self.get(number), self._told[number]
            if told is not None and _same(found, told):
                del self._told[number]
                return
            LOG.info("Aggregate %s was changed at once by several; telling of it anew", found.name)
            with calling("nova.aggregate.set_metadata", self._nova.call_timeout):
                self._told[number] = self._read(self._api.set_metadata(number, {}))

    def _read(self, found: Any) -> Aggregate:
        aggregate = _aggregate(found)
        self._note(aggregate)
        return aggregate

    def _note(self, aggregate: Aggregate) -> None:
        if aggregate.name in self._shared_names:
            self._shared.add(aggregate.id)

    def _known(self, name: str, number: int | None) -> Aggregate | None:
        """By what is remembered, or else by what another process has told the caller."""
        with self._lock:
            number = self._numbers.get(name, number)
        if number is None:
            return None
        try:
            aggregate = self.get(number)
        except exceptions.NotFound:
            aggregate = None
        if aggregate is None or aggregate.name != name:
            with self._lock:
                self._numbers.pop(name, None)
            return None
        return aggregate

    def _remember(self, aggregate: Aggregate) -> None:
        self._note(aggregate)
        with self._lock:
            self._numbers[aggregate.name] = aggregate.id

    def _by_name(self, name: str) -> Aggregate | None:
        return next((found for found in self.list() if found.name == name), None)

    def _create(self, name: str, zone: str | None) -> Aggregate:
        try:
            with calling("nova.aggregate.create", self._nova.call_timeout):
                # Nova answers without metadata and hosts: a new one has none.
                created = self._api.create(name, zone)
        except exceptions.CloudError as error:
            # It was there, or somebody else made it at the same time.
            aggregate = self._by_name(name) if may_be_race(error) else None
            if aggregate is None:
                raise
            return aggregate
        return Aggregate(created.id, name, zone, {}, ())


def _aggregate(found: Any) -> Aggregate:
    metadata = {key: value for key, value in found.metadata.items() if key != _ZONE}
    return Aggregate(
        id=found.id,
        name=found.name,
        zone=found.availability_zone,
        metadata=metadata,
        hosts=tuple(found.hosts),
    )


#: For changes of which the scheduler was told nothing.
_NOTHING = Aggregate(0, "", None, {}, ())


def _same(one: Aggregate, other: Aggregate) -> bool:
    """Whether the scheduler could not tell them apart."""
    return set(one.hosts) == set(other.hosts) and one.metadata == other.metadata
