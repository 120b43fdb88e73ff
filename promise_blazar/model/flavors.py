# SPDX-License-Identifier: Apache-2.0
"""Amounts of a flavor: what Nova asks of Placement for a server of it, by resource class.

The figures of the flavor count first; extra specs ``resources:<class>`` (and those of numbered
groups, ``resources1:<class>``) say otherwise of a class. Traits say where a server can be, and
not how much it takes.
"""

import re
from collections.abc import Mapping

from promise_blazar.model.resource_classes import DISK_GB, MEMORY_MB, VCPU

PCPU = "PCPU"

_RESOURCES = re.compile(r"resources([0-9A-Za-z_-]*):([A-Z0-9_]+)")
_MEBIBYTES = 1024


def amounts(
    vcpus: int, memory_mb: int, disk_gb: int, swap_mb: int, extra_specs: Mapping[str, str]
) -> dict[str, int]:
    """By resource class, none of them 0. ``disk_gb``: root and ephemeral disk together."""
    found = {
        **_processors(vcpus, extra_specs),
        MEMORY_MB: memory_mb,
        DISK_GB: disk_gb + -(-swap_mb // _MEBIBYTES),
    }
    grouped: dict[str, int] = {}
    for key, value in extra_specs.items():
        match = _RESOURCES.fullmatch(key)
        # Nova leaves out what is no number, and says so in its log.
        if match is None or not re.fullmatch(r"[0-9]{1,18}", value.strip(), re.ASCII):
            continue
        group, resource_class = match.groups()
        if group:
            grouped[resource_class] = grouped.get(resource_class, 0) + int(value)
        else:
            found[resource_class] = int(value)
    for resource_class, amount in grouped.items():
        found[resource_class] = found.get(resource_class, 0) + amount
    return {resource_class: amount for resource_class, amount in found.items() if amount}


def _processors(vcpus: int, extra_specs: Mapping[str, str]) -> dict[str, int]:
    """How many of them are shared, and how many the server has for itself."""
    policy = extra_specs.get("hw:cpu_policy", "shared")
    own = 0
    if policy == "dedicated":
        own = vcpus
    elif policy == "mixed":
        own = min(vcpus, _named(extra_specs.get("hw:cpu_dedicated_mask", ""), vcpus))
    shared = vcpus - own
    if own and extra_specs.get("hw:emulator_threads_policy") == "isolate":
        own += 1
    return {VCPU: shared, PCPU: own}


def _named(mask: str, vcpus: int) -> int:
    """How many processors a mask such as ``0-3,^1`` names."""
    chosen: set[int] = set()
    left_out: set[int] = set()
    for part in mask.replace(" ", "").split(","):
        match = re.fullmatch(r"(\^?)([0-9]{1,5})(?:-([0-9]{1,5}))?", part, re.ASCII)
        if match is None:
            continue
        first = int(match[2])
        last = min(int(match[3] or first), vcpus)
        (left_out if match[1] else chosen).update(range(first, last + 1))
    if left_out and not chosen:
        chosen = set(range(vcpus))
    return len({number for number in chosen - left_out if number < vcpus})
