# SPDX-License-Identifier: Apache-2.0
"""Providers, as a manager works with them: the cloud, the ledger and the plugins of each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from promise_blazar import exceptions
from promise_blazar.cloud.contract.cloud import Cloud
from promise_blazar.manager.ledger.store import LedgerStore
from promise_blazar.model.openstack_names import Names
from promise_blazar.plugins.contract import Plugin


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
