# SPDX-License-Identifier: Apache-2.0
"""Resource classes, Placement's units of accounting, and what others call them.

Amounts are counted in the unit of the class: a VCPU, a mebibyte, a gibibyte.
"""

from collections.abc import Mapping
from typing import Final

VCPU: Final = "VCPU"
MEMORY_MB: Final = "MEMORY_MB"
DISK_GB: Final = "DISK_GB"
#: One for each slot: how many servers there may be.
INSTANCE: Final = "INSTANCE"

#: The words of Blazar's reservations for them.
BLAZAR: Final[Mapping[str, str]] = {"vcpus": VCPU, "memory_mb": MEMORY_MB, "disk_gb": DISK_GB}
