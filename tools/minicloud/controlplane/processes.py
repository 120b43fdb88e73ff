# SPDX-License-Identifier: Apache-2.0
"""How does a service run? Started once, found again by later commands, stopped with all it has.

There is no init system: a service leads its own process group, and a pid file holds its start
time too, so that a later process with the same pid is not taken for it.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from controlplane.cloud import HOST, Cloud
from controlplane.console import Failed, clean_environment, say, tail, write


@dataclasses.dataclass
class Service:
    """A process of the cloud, the leader of its own process group."""

    name: str
    argv: list[Any]
    env: dict[str, str] = dataclasses.field(default_factory=dict)
    files: list[Path] = dataclasses.field(default_factory=list)
    port: int = 0
    ready: Callable[[], bool] | None = None  # tells when it serves; else its port does
    grace: float = 5  # seconds between SIGTERM and SIGKILL

    def fingerprint(self) -> str:
        """Changes when the service would have to be restarted."""
        called = ([str(word) for word in self.argv], sorted(self.env.items()))
        digest = hashlib.sha256(repr(called).encode())
        for path in self.files:
            digest.update(Path(path).read_bytes())
        return digest.hexdigest()

    def is_ready(self) -> bool:
        if self.ready is not None:
            return self.ready()
        return not self.port or listening(self.port)


def pid_file(cloud: Cloud, name: str) -> Path:
    return cloud.run / f"{name}.pid"


def running(cloud: Cloud, name: str) -> dict[str, Any] | None:
    """What the pid file says, if that very process still runs."""
    try:
        info: dict[str, Any] = json.loads(pid_file(cloud, name).read_text())
    except (FileNotFoundError, ValueError):
        return None
    return info if _start_time(info["pid"]) == info["start"] else None


def start(cloud: Cloud, service: Service) -> None:
    """Start a service, unless it runs with the same configuration."""
    fingerprint = service.fingerprint()
    info = running(cloud, service.name)
    if info:
        if info.get("fingerprint") == fingerprint:
            return
        say(f"restarting {service.name}: its configuration changed")
        stop(cloud, [service.name])
    if service.port and listening(service.port):
        raise Failed(
            f"port {service.port}, for {service.name}, is taken: another cloud? "
            "See `up --port-base`"
        )
    with cloud.log_of(service.name).open("ab") as log:
        process = subprocess.Popen(
            [str(word) for word in service.argv],
            env={**clean_environment(), **service.env},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=cloud.home,
            start_new_session=True,
        )
    info = {
        "pid": process.pid,
        "start": _start_time(process.pid),
        "fingerprint": fingerprint,
        "grace": service.grace,
    }
    write(pid_file(cloud, service.name), json.dumps(info))


def stop(cloud: Cloud, names: Iterable[str], hard: bool = False) -> None:
    """Stop services together, each with its whole process group."""
    waiting = {}
    for name in names:
        info = running(cloud, name)
        if info:
            waiting[name] = info
            _kill_group(info["pid"], signal.SIGKILL if hard else signal.SIGTERM)
        else:
            pid_file(cloud, name).unlink(missing_ok=True)
    began = time.monotonic()
    while waiting:
        for name, info in list(waiting.items()):
            with contextlib.suppress(ChildProcessError):
                os.waitpid(info["pid"], os.WNOHANG)
            if _start_time(info["pid"]) != info["start"]:
                # The leader is gone; take along what it left behind.
                _kill_group(info["pid"], signal.SIGKILL)
                pid_file(cloud, name).unlink(missing_ok=True)
                del waiting[name]
            elif time.monotonic() - began > info.get("grace", 5):
                _kill_group(info["pid"], signal.SIGKILL)
        time.sleep(0.05)


def wait_ready(cloud: Cloud, service: Service, timeout: float = 90) -> None:
    """Wait until the service serves. Raises ``Failed``, with the end of its log."""
    deadline = time.monotonic() + timeout
    log = cloud.log_of(service.name)
    while True:
        if not running(cloud, service.name):
            raise Failed(f"{service.name} died; the end of {log}:\n{tail(log)}")
        if service.is_ready():
            return
        if time.monotonic() > deadline:
            raise Failed(
                f"{service.name} is not ready after {timeout} s; the end of {log}:\n{tail(log)}"
            )
        time.sleep(0.1)


def listening(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=2):
        return True
    return False


def _start_time(pid: int) -> int | None:
    """The time a process started, or None when there is no such process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def _kill_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)
