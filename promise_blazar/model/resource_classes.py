# SPDX-License-Identifier: Apache-2.0
"""Resource classes, Placement's units of accounting, and what others call them.

Amounts are counted in the unit of the class: a VCPU, a mebibyte, a gibibyte.
"""

import re
from collections.abc import Mapping
from typing import Final

VCPU: Final = "VCPU"
MEMORY_MB: Final = "MEMORY_MB"
DISK_GB: Final = "DISK_GB"
#: One for each slot: how many servers there may be.
INSTANCE: Final = "INSTANCE"

#: The words of Blazar's reservations for them.
BLAZAR: Final[Mapping[str, str]] = {"vcpus": VCPU, "memory_mb": MEMORY_MB, "disk_gb": DISK_GB}

#: Placement's own.
_STANDARD: Final = frozenset(
    {
        "DISK_GB",
        "FPGA",
        "IPV4_ADDRESS",
        "MEMORY_MB",
        "MEM_ENCRYPTION_CONTEXT",
        "NET_BW_EGR_KILOBIT_PER_SEC",
        "NET_BW_IGR_KILOBIT_PER_SEC",
        "NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC",
        "NET_PACKET_RATE_IGR_KILOPACKET_PER_SEC",
        "NET_PACKET_RATE_KILOPACKET_PER_SEC",
        "NUMA_CORE",
        "NUMA_MEMORY_MB",
        "NUMA_SOCKET",
        "NUMA_THREAD",
        "PCI_DEVICE",
        "PCPU",
        "PGPU",
        "SRIOV_NET_VF",
        "VCPU",
        "VGPU",
        "VGPU_DISPLAY_HEAD",
    }
)
#: What is counted here besides, on no host of Placement's.
_OURS: Final = frozenset(
    {
        "FLOATING_IP",
        "INSTANCE",
        "NETWORK",
        "PORT",
        "ROUTER",
        "SNAPSHOT",
        "SUBNET",
        "VOLUME",
        "VOLUME_GB",
    }
)
_CUSTOM: Final = re.compile(r"CUSTOM_[A-Z0-9_]+", re.ASCII)
_LONGEST: Final = 255


def known(name: str) -> bool:
    """Whether this can be a resource class: one of Placement's, of ours, or an operator's."""
    if name in _STANDARD or name in _OURS:
        return True
    return len(name) <= _LONGEST and _CUSTOM.fullmatch(name) is not None
