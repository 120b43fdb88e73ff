# SPDX-License-Identifier: Apache-2.0
"""The machine and its load, and the versions of what runs: the first lines of every benchmark."""

import os
import pathlib
import platform
from importlib import metadata


def machine() -> str:
    """Processor, cores, load and system, in one line."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    load = os.getloadavg()[0]
    return f"machine: {cpu}, {os.cpu_count()} cores, load {load:.1f}, {platform.platform()}"


def versions(*distributions: str) -> str:
    """Python and these distributions of the running environment, in one line."""
    named = [f"{name} {metadata.version(name)}" for name in distributions]
    return " ".join([f"versions: Python {platform.python_version()}", *named])
