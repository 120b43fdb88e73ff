# SPDX-License-Identifier: Apache-2.0
"""Lent hosts and the capabilities that operators give them, as they are on record."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from promise_blazar.model.states import HostState

#: A property of a host, as queries see it.
Property = str | int | bool


@dataclass(frozen=True, slots=True)
class Host:
    """A compute host that is lent.

    ``inventory``: Placement's (total, reserved, allocation ratio) by resource class, in its units.
    ``up``: it is in service, as Nova said last. ``tombstone``: 0, or the host's own id once it is
    gone. ``generation``: of its provider, when the host last changed.
    """

    id: int
    hypervisor_uuid: str
    hypervisor_hostname: str
    service_host: str
    hypervisor_type: str
    hypervisor_version: int
    cpu_info: str
    zone: str
    vcpus: int
    memory_mb: int
    local_gb: int
    state: HostState
    reservable: bool
    up: bool
    tombstone: int
    generation: int
    created_at: datetime
    updated_at: datetime | None
    inventory: Mapping[str, tuple[int, int, float]]
    capabilities: Mapping[str, str]

    @property
    def lendable(self) -> dict[str, int]:
        """What may be promised of it: (total - reserved) by resource class."""
        return {
            name: max(0, total - reserved) for name, (total, reserved, _) in self.inventory.items()
        }

    @property
    def properties(self) -> dict[str, Property]:
        """What it can be chosen by: its capabilities, and what every host has."""
        return {
            **self.capabilities,
            "id": self.id,
            "availability_zone": self.zone,
            "cpu_info": self.cpu_info,
            "hypervisor_hostname": self.hypervisor_hostname,
            "hypervisor_type": self.hypervisor_type,
            "hypervisor_version": self.hypervisor_version,
            "local_gb": self.local_gb,
            "memory_mb": self.memory_mb,
            "reservable": self.reservable,
            "service_name": self.service_host,
            "vcpus": self.vcpus,
        }


@dataclass(frozen=True, slots=True)
class ResourceProperty:
    """The name of a capability; a private one is hidden from tenants."""

    id: str
    resource_type: str
    name: str
    private: bool
    created_at: datetime
    updated_at: datetime | None
