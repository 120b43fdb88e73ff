# SPDX-License-Identifier: Apache-2.0
"""How do we speak to the user, to files and to other programs?"""

import contextlib
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_STARTED = time.monotonic()


class Failed(Exception):
    """Something the user should read, without a traceback."""


def say(*words: object) -> None:
    """One line about what is being done now, with the seconds since the command began."""
    print(f"[{time.monotonic() - _STARTED:6.1f}s]", *words, file=sys.stderr, flush=True)


def write(path: Path, text: str) -> None:
    """Write a file if its content differs, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.read_text() == text:
        return
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.rename(path)


def tail(path: Path, lines: int = 25) -> str:
    """The end of a log."""
    with contextlib.suppress(FileNotFoundError):
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    return "(no log)"


def run(log: Path, *argv: object) -> None:
    """Run a command to its end; its output goes to a log file. Raises ``Failed``."""
    log.parent.mkdir(parents=True, exist_ok=True)
    words = [str(word) for word in argv]
    with log.open("ab") as out:
        out.write(f"$ {shlex.join(words)}\n".encode())
        out.flush()
        try:
            done = subprocess.run(
                words, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, check=False
            )
        except FileNotFoundError:
            raise Failed(f"there is no command {words[0]}") from None
    if done.returncode:
        raise Failed(
            f"{shlex.join(words[:4])} failed ({done.returncode}); the end of {log}:\n{tail(log)}"
        )


def clean_environment() -> dict[str, str]:
    """The environment without what would change how services behave."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OS_", "PYTHON", "RABBITMQ_", "MYSQL_"))
        and not name.lower().endswith("_proxy")
        and name != "VIRTUAL_ENV"
    }


def ini(sections: dict[str, dict[str, Any]]) -> str:
    """Text of an oslo.config file; a list value is repeated, line by line."""
    out = []
    for section, options in sections.items():
        out.append(f"[{section}]")
        for key, value in options.items():
            out += [f"{key} = {item}" for item in (value if isinstance(value, list) else [value])]
        out.append("")
    return "\n".join(out)
