# SPDX-License-Identifier: Apache-2.0
"""Where do the tests' database servers come from? From instances of their own, thrown away after.

A server is started where its programs are installed, in a directory and on a port of its own,
with every promise of durability switched off. It never runs as root: PostgreSQL refuses to, and
MariaDB should.
"""

import abc
import contextlib
import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import sqlalchemy
from sqlalchemy import exc, pool

#: Where the tests look for the address of a server, by its name.
VARIABLES = {
    "postgresql": "PROMISE_BLAZAR_TEST_POSTGRESQL",
    "mariadb": "PROMISE_BLAZAR_TEST_MARIADB",
}
START_TIMEOUT = 60.0
STOP_TIMEOUT = 20.0
#: Below what Linux hands out to outgoing connections, so that none of those takes the port first.
PORTS = range(20000, 32000)


class ServerFailed(Exception):
    """A server is installed and does not start; the message ends with its log."""


class Server(abc.ABC):
    """One throw-away instance. ``start`` once, ``stop`` as often as wanted."""

    stop_signal = signal.SIGKILL
    #: Accounts to run as instead of root; the first that exists.
    accounts: tuple[str, ...] = ()

    def __init__(self, programs: Mapping[str, str]) -> None:
        self.programs = programs
        self.password = secrets.token_hex(16)
        self.directory: Path | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """The administrator's SQLAlchemy URL, once it answers. Raises ``ServerFailed``."""
        self.directory = Path(tempfile.mkdtemp(prefix="promise-blazar-test-"))
        self._identity = self._choose_identity()
        if self._identity:
            os.chown(self.directory, self._identity["user"], self._identity["group"])
        self.initialise(self.directory)
        # Between the look for a free port and the server's bind, someone else may take it.
        for _ in range(5):
            port = _free_port()
            with (self.directory / "log").open("ab") as log:
                self.process = subprocess.Popen(
                    self.command(self.directory, port),
                    cwd=self.directory,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C is for us; we stop it in our order
                    **self._identity,
                )
            url = self.url(port)
            if self._answers(url):
                return url
        raise ServerFailed(f"{self.programs} did not start:\n{self._log()}")

    def stop(self) -> None:
        """End it and remove what it wrote."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.directory is not None:
            shutil.rmtree(self.directory, ignore_errors=True)

    @abc.abstractmethod
    def initialise(self, directory: Path) -> None:
        """Make an empty instance."""

    @abc.abstractmethod
    def command(self, directory: Path, port: int) -> list[str]:
        """What serves it until it is stopped."""

    @abc.abstractmethod
    def url(self, port: int) -> str:
        """The administrator's SQLAlchemy URL."""

    def run(self, directory: Path, *command: str) -> None:
        """Run a program of the server's to its end. Raises ``ServerFailed``."""
        done = subprocess.run(
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            **self._identity,
        )
        if done.returncode:
            raise ServerFailed(f"{command[0]} ended with {done.returncode}:\n{done.stdout}")

    def secret(self, directory: Path, name: str, text: str) -> str:
        """A file that only the server may read."""
        path = directory / name
        path.touch(mode=0o600)
        path.write_text(text)
        if self._identity:
            os.chown(path, self._identity["user"], self._identity["group"])
        return str(path)

    def _choose_identity(self) -> dict:
        if os.geteuid() != 0:
            return {}
        for name in self.accounts:
            with contextlib.suppress(KeyError):
                account = pwd.getpwnam(name)
                return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        raise ServerFailed(f"run as root, and none of the accounts {self.accounts} exists")

    def _answers(self, url: str) -> bool:
        engine = sqlalchemy.create_engine(url, poolclass=pool.NullPool)
        deadline = time.monotonic() + START_TIMEOUT
        while self.process.poll() is None:
            try:
                engine.connect().close()
            except exc.DBAPIError:
                if time.monotonic() > deadline:
                    raise ServerFailed(f"{url} does not answer:\n{self._log()}") from None
                time.sleep(0.05)
            else:
                return True
        return False

    def _log(self) -> str:
        return "\n".join((self.directory / "log").read_text(errors="replace").splitlines()[-30:])


class PostgreSQL(Server):
    """Needs ``initdb`` and ``postgres``; Debian keeps them off the PATH."""

    accounts = ("postgres", "nobody")
    stop_signal = signal.SIGQUIT  # at once: nothing is worth keeping

    @classmethod
    def find(cls) -> "PostgreSQL | None":
        versions = Path("/usr/lib/postgresql").glob("*/bin")
        newest_first = sorted(versions, key=lambda path: float(path.parent.name), reverse=True)
        search = os.pathsep.join([*map(str, newest_first), os.environ.get("PATH", os.defpath)])
        programs = {name: shutil.which(name, path=search) for name in ("initdb", "postgres")}
        return cls(programs) if all(programs.values()) else None

    def initialise(self, directory: Path) -> None:
        self.run(
            directory,
            self.programs["initdb"],
            f"--pgdata={directory / 'data'}",
            f"--pwfile={self.secret(directory, 'password', self.password)}",
            "--username=tests",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
        )

    def command(self, directory: Path, port: int) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": directory,
            "max_connections": 300,
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "autovacuum": "off",
        }
        options = [f"-c{name}={value}" for name, value in settings.items()]
        return [self.programs["postgres"], f"-D{directory / 'data'}", *options]

    def url(self, port: int) -> str:
        return f"postgresql+psycopg://tests:{self.password}@127.0.0.1:{port}/postgres"


class MariaDB(Server):
    """Needs ``mariadbd`` and ``mariadb-install-db``; Debian keeps the first in sbin."""

    accounts = ("mysql", "nobody")

    @classmethod
    def find(cls) -> "MariaDB | None":
        search = os.pathsep.join(
            [os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"]
        )
        programs = {
            name: shutil.which(name, path=search) for name in ("mariadbd", "mariadb-install-db")
        }
        return cls(programs) if all(programs.values()) else None

    def initialise(self, directory: Path) -> None:
        self.run(
            directory,
            self.programs["mariadb-install-db"],
            "--no-defaults",
            f"--datadir={directory / 'data'}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-name-resolve",  # a machine may not know its own name
            "--innodb-flush-method=nosync",
        )

    def command(self, directory: Path, port: int) -> list[str]:
        # An init file is run at every start, before anyone can connect.
        account = f"CREATE OR REPLACE USER tests@127.0.0.1 IDENTIFIED BY '{self.password}';\n"
        rights = "GRANT ALL ON *.* TO tests@127.0.0.1 WITH GRANT OPTION;\n"
        closed = "DROP USER IF EXISTS root@localhost;\n"
        return [
            self.programs["mariadbd"],
            "--no-defaults",
            f"--datadir={directory / 'data'}",
            f"--init-file={self.secret(directory, 'init.sql', account + rights + closed)}",
            f"--socket={directory / 'socket'}",
            f"--pid-file={directory / 'pid'}",
            f"--port={port}",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--skip-log-bin",
            "--max-connections=300",
            "--character-set-server=utf8mb4",
            "--innodb-flush-method=nosync",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-doublewrite=OFF",
            "--innodb-buffer-pool-size=128M",
        ]

    def url(self, port: int) -> str:
        return f"mysql+pymysql://tests:{self.password}@127.0.0.1:{port}/mysql"


def _free_port() -> int:
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextlib.contextmanager
def running() -> Iterator[dict[str, str]]:
    """Every server that is installed, for the length of the block: its variable and its URL.

    One whose variable is set already is taken as it is. Raises ``ServerFailed``.
    """
    addresses = {name: os.environ[name] for name in VARIABLES.values() if os.environ.get(name)}
    found = {"postgresql": PostgreSQL.find(), "mariadb": MariaDB.find()}
    servers = {
        VARIABLES[name]: server
        for name, server in found.items()
        if server and VARIABLES[name] not in addresses
    }
    with contextlib.ExitStack() as stack:
        for server in servers.values():
            stack.callback(server.stop)  # before the start: a signal may come in between
        with ThreadPoolExecutor() as side_by_side:
            starts = {name: side_by_side.submit(each.start) for name, each in servers.items()}
        addresses.update({name: start.result() for name, start in starts.items()})
        yield addresses
