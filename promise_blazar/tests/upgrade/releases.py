# SPDX-License-Identifier: Apache-2.0
"""Processes of this release and of an earlier one, on one database, bus and simulated cloud.

The earlier one's code comes from the clone's history, and runs in this environment: what counts
is what it says to the other, not which libraries it was made with.
"""

import configparser
import contextlib
import io
import json
import os
import socket
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from promise_blazar.tests import tree

#: A hang guard, not an expectation.
PATIENCE = 60.0


class NotInThisClone(Exception):
    """The clone's history does not reach back to the release."""


@dataclass(frozen=True, slots=True)
class Release:
    """``code``: the directory that its package is in."""

    name: str
    code: Path

    def command(self, name: str, *arguments: str) -> list[str]:
        words = f"import sys; from promise_blazar.cmd.{name} import main; sys.exit(main())"
        return [sys.executable, "-c", words, *arguments]

    @property
    def environment(self) -> dict[str, str]:
        # Before what is installed, and so are the entry points beside it.
        return {**os.environ, "PYTHONPATH": str(self.code), "PYTHONDONTWRITEBYTECODE": "1"}


def this() -> Release:
    return Release("this release", tree.ROOT)


def earlier(commit: str, directory: Path) -> Release:
    """A release of the clone's history, unpacked. Raises ``NotInThisClone``."""
    packed = subprocess.run(
        ["git", "archive", commit],  # noqa: S607 - whichever is installed
        cwd=tree.ROOT,
        capture_output=True,
        check=False,
    )
    if packed.returncode:
        raise NotInThisClone(packed.stderr.decode(errors="replace").strip())
    code = directory / commit
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as files:
        files.extractall(code, filter="data")
    _declare(code, commit)
    return Release(commit, code)


def _declare(code: Path, commit: str) -> None:
    """What an installation would say of it: else the present release's plugins were looked for."""
    setup = configparser.ConfigParser(interpolation=None)
    setup.read(code / "setup.cfg")
    groups = (f"[{name}]\n{text.strip()}\n" for name, text in setup["entry_points"].items())
    said = code / "promise_blazar-0.0.dist-info"
    said.mkdir()
    name = setup["metadata"]["name"]
    (said / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.0\n")
    (said / "entry_points.txt").write_text("\n".join(groups))


class Api:
    """A REST API process, by its URL."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, verb: str, path: str, body: Any = None, token: str = "admin:admin") -> Any:
        """The status and the JSON of an answer. Raises ``OSError`` while nobody listens."""
        request = urllib.request.Request(
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Auth-Token": token, "Content-Type": "application/json"},
            method=verb,
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, json.loads(answer.read() or "null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or "null")


@dataclass
class Site:
    """Where the processes run; ``directory`` has their files and their logs."""

    directory: Path
    transport_url: str
    stack: contextlib.ExitStack
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def configured(
        self, name: str, database: bool, port: int = 0, cloud: str = "cloud.sqlite"
    ) -> str:
        connection = f"connection = sqlite:///{self.directory / 'db.sqlite'}" if database else ""
        path = self.directory / f"{name}.conf"
        path.write_text(
            f"[DEFAULT]\ntransport_url = {self.transport_url}\nrpc_response_timeout = 15\n"
            f"[database]\n{connection}\n"
            f"[api]\nauth_strategy = noauth\nbind_port = {port}\n"
            "[cloud]\ndriver = simulated\n"
            f"simulated_state = {self.directory / cloud}\n"
        )
        return f"--config-file={path}"

    def manage(self, release: Release, *arguments: str) -> tuple[int, str]:
        """The exit status of ``promise-blazar-manage``, and all that it said."""
        conf = self.configured("manage", database=True)
        done = subprocess.run(
            release.command("manage", conf, *arguments),
            env=release.environment,
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def manager(self, release: Release) -> str:
        """One more manager, by the name of its process."""
        return self._start(release, "manager", self.configured("manager", database=True))

    def api(self, release: Release, database: bool) -> Api:
        """One more API process, once it answers."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        # A cloud of its release's own: OpenStack, unlike the simulated one, is not upgraded with
        # us. An API asks it for what a tenant's token makes alone, which nothing here does.
        cloud = f"cloud-of-{release.name.replace(' ', '-')}.sqlite"
        conf = self.configured(f"api-{port}", database, port, cloud)
        name = self._start(release, "api", conf)
        api = Api(f"http://127.0.0.1:{port}")
        self.eventually(name, lambda: self._healthy(api))
        return api

    @staticmethod
    def _healthy(api: Api) -> bool:
        with contextlib.suppress(OSError):
            return bool(api.ask("GET", "/healthcheck")[0] == 200)
        return False

    def _start(self, release: Release, command: str, conf: str) -> str:
        name = f"{command} {len(self.running)} of {release.name}"
        log = self.stack.enter_context((self.directory / f"{name}.log").open("ab"))
        process = subprocess.Popen(
            release.command(command, conf),
            env=release.environment,
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        self.running[name] = process
        return name

    def stop(self, name: str) -> int:
        """The exit status of a process that is told to end."""
        self.running[name].terminate()
        return self.running[name].wait(PATIENCE)

    def eventually(self, name: str, question: Any) -> None:
        deadline = time.monotonic() + PATIENCE
        while not question():
            if self.running[name].poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{name} did not come to it")
            time.sleep(0.1)

    def logs(self) -> str:
        """The end of what each process said."""
        return "\n".join(
            f"--- {path.name}\n{path.read_text(errors='replace')[-2000:]}"
            for path in sorted(self.directory.glob("*.log"))
        )
