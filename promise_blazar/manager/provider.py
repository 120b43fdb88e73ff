# SPDX-License-Identifier: Apache-2.0
"""Providers, as a manager works with them: the cloud, the ledger and the plugins of each."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cachetools import LRUCache

from promise_blazar import exceptions
from promise_blazar.cloud.contract.cloud import Cloud
from promise_blazar.manager.ledger.store import LedgerStore
from promise_blazar.model.openstack_names import Names
from promise_blazar.plugins.contract import Plugin

#: Reservations, and hosts, that are remembered; each takes some 200 bytes.
_MOST = 50_000


class Remembered:
    """Reservations and hosts that this process has seen on record, those seen last.

    A database that went back, by a failover or a restore, does not know those made after; what
    OpenStack has of them is ours all the same.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reservations: LRUCache[str, str] = LRUCache(_MOST)
        self._hosts: LRUCache[str, str] = LRUCache(_MOST)

    def reservation(self, uuid: str, resource_type: str) -> None:
        """It is, or was, on record."""
        with self._lock:
            self._reservations[uuid] = resource_type

    def host(self, service_host: str, hypervisor: str) -> None:
        """It is, or was, lent."""
        with self._lock:
            self._hosts[service_host] = hypervisor

    def type_of(self, uuid: str) -> str | None:
        """The resource type of a reservation that was seen."""
        with self._lock:
            return self._reservations.get(uuid)

    def hosts(self) -> dict[str, str]:
        """Hypervisors that were seen, by their service hosts."""
        with self._lock:
            return dict(self._hosts)


@dataclass(frozen=True, slots=True)
class ProviderRuntime:
    """One provider. ``plugins`` by resource type; ``creatable``: the types that may be created."""

    id: int
    name: str
    cloud: Cloud
    ledger: LedgerStore
    plugins: Mapping[str, Plugin]
    creatable: frozenset[str]
    names: Names
    remembered: Remembered = field(default_factory=Remembered, compare=False)

    def plugin_for(self, resource_type: str) -> Plugin:
        """The plugin for a new reservation. Raises ``UnsupportedResourceType``."""
        if resource_type not in self.creatable:
            raise exceptions.UnsupportedResourceType(
                f"The {resource_type} resource type is not supported; there are "
                f"{', '.join(sorted(self.creatable))}",
                resource_type=resource_type,
            )
        return self.plugins[resource_type]


class Providers(Mapping[int, ProviderRuntime]):
    """All of them by id; the first is what requests mean that name none."""

    def __init__(self, runtimes: Sequence[ProviderRuntime]) -> None:
        self.default = runtimes[0]
        self._runtimes = {runtime.id: runtime for runtime in runtimes}

    def __getitem__(self, provider_id: int) -> ProviderRuntime:
        return self._runtimes[provider_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._runtimes)

    def __len__(self) -> int:
        return len(self._runtimes)
