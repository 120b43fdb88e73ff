# SPDX-License-Identifier: Apache-2.0
"""Virtual environments for the peers, which come by name from the package index."""

import pathlib
import subprocess
from collections.abc import Iterable

#: Of the checkout. From there alone "python -m benchmarks..." works, in any environment.
ROOT = pathlib.Path(__file__).resolve().parents[2]
#: The releases that ours is tested with.
CONSTRAINTS = ROOT / "constraints.txt"


def environment(
    interpreter: str,
    directory: pathlib.Path,
    requirements: Iterable[str],
    constraints: pathlib.Path = CONSTRAINTS,
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
