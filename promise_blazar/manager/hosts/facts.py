# SPDX-License-Identifier: Apache-2.0
"""Facts of hypervisors, as they are recorded of lent hosts."""

from typing import Any

from promise_blazar.cloud.contract.compute import Hypervisor


def facts_of(hypervisor: Hypervisor) -> dict[str, Any]:
    """What is recorded of a hypervisor that may become another, by column."""
    return {
        "hypervisor_type": hypervisor.type,
        "hypervisor_version": hypervisor.version,
        "cpu_info": hypervisor.cpu_info,
        "zone": hypervisor.zone,
        "vcpus": hypervisor.vcpus,
        "memory_mb": hypervisor.memory_mb,
        "local_gb": hypervisor.disk_gb,
    }


def inventory_of(hypervisor: Hypervisor) -> dict[str, tuple[int, int, float]]:
    """(total, reserved, allocation ratio) by resource class."""
    return {
        name: (item.total, item.reserved, item.allocation_ratio)
        for name, item in hypervisor.inventory.items()
    }
