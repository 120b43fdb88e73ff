# SPDX-License-Identifier: Apache-2.0
"""Disturbances of the cloud: one of its processes stands still, a compute is away, a server's
deletion is deferred."""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

from promise_blazar.tests import tree
from promise_blazar.tests.cloud import site

_TIMEOUT = 120


@contextlib.contextmanager
def standing_still(process: str) -> Iterator[None]:
    """A process of the cloud does nothing meanwhile; then it goes on as if nothing had been.

    Nova takes a compute for down after a minute.
    """
    pid = json.loads((site.home() / f"run/{process}.pid").read_text())["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def crashed(*computes: str) -> Iterator[None]:
    """Computes are killed, and come back."""
    _compute("stop", *computes)
    try:
        yield
    finally:
        _compute("start", *computes)


@contextlib.contextmanager
def taken_for_down(compute: str) -> Iterator[None]:
    """Nova is told by an operator, instead of finding out by itself after a while."""
    _tell_nova(compute, {"forced_down": True})
    try:
        yield
    finally:
        _tell_nova(compute, {"forced_down": False})


@contextlib.contextmanager
def disabled(compute: str) -> Iterator[None]:
    """An operator keeps new servers from it."""
    _tell_nova(compute, {"status": "disabled"})
    try:
        yield
    finally:
        _tell_nova(compute, {"status": "enabled"})


def soft_delete(server_id: str) -> None:
    """Deleted as where ``reclaim_instance_interval`` is set, which it is not here."""
    command = [
        str(site.home() / "venv/bin/python"),
        str(tree.ROOT / "tools/minicloud/inside/soft_delete.py"),
        server_id,
        "--config-file",
        str(site.home() / "etc/nova/nova.conf"),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_TIMEOUT)
    assert done.returncode == 0, done.stderr


def _tell_nova(compute: str, of_its_service: dict[str, Any]) -> None:
    admin = site.user("admin")
    (service,) = admin.nova("GET", f"/os-services?binary=nova-compute&host={compute}")["services"]
    admin.nova("PUT", f"/os-services/{service['id']}", of_its_service)


def _compute(action: str, *hosts: str) -> None:
    command = [tree.ROOT / "tools/minicloud/minicloud", "--home", site.home(), "compute", action]
    subprocess.run([*command, *hosts], check=True, capture_output=True, timeout=_TIMEOUT)
