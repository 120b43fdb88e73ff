# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: the machine and its load in a line, figures, environments."""

import math
import os
import pathlib
import platform
import statistics
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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


def percentile(values: Sequence[float], per_cent: float) -> float:
    """The smallest value that so many per cent of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * per_cent / 100) - 1)]


@dataclass(frozen=True)
class Spread:
    """Median and interquartile range of repeated measurements."""

    median: float
    iqr: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        low, _, high = statistics.quantiles(values, n=4)
        return cls(statistics.median(values), high - low)


def environment(
    interpreter: str,
    directory: pathlib.Path,
    requirements: Iterable[str],
    constraints: pathlib.Path,
) -> pathlib.Path:
    """The interpreter of a virtual environment with these; made where it is not complete."""
    python = directory / "bin" / "python"
    wanted = "\n".join(requirements)
    complete = directory / "complete"
    if not complete.exists() or complete.read_text() != wanted:
        print(f"installing {wanted.replace(chr(10), ', ')}; this may take minutes", flush=True)
        subprocess.run([interpreter, "-m", "venv", "--clear", directory], check=True)
        subprocess.run(
            [*pip(python), "--constraint", constraints, *wanted.splitlines()], check=True
        )
        complete.write_text(wanted)
    return python


def pip(python: pathlib.Path) -> list[str]:
    """The beginning of a command that installs there."""
    return [
        *(str(python), "-m", "pip", "install"),
        *("--quiet", "--quiet", "--disable-pip-version-check"),
    ]
