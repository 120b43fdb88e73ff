# SPDX-License-Identifier: Apache-2.0
"""A RabbitMQ of its own, thrown away after: nothing else carries messages between processes."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

#: Debian's own "rabbitmq-server" is a wrapper that changes the account.
PLACES = ("/usr/lib/rabbitmq/bin", *os.environ.get("PATH", os.defpath).split(os.pathsep))
START_TIMEOUT = 90.0
#: No busy waiting of Erlang's schedulers, and the node's own port on loopback too.
ERLANG = (
    "+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1} "
    "inet_dist_listen_min %(port)d inet_dist_listen_max %(port)d"
)


class BrokerFailed(Exception):
    """It is installed and does not start; the message ends with its log."""


def installed() -> bool:
    return all(_programs())


def _programs() -> tuple[str | None, str | None]:
    path = os.pathsep.join(PLACES)
    return shutil.which("rabbitmq-server", path=path), shutil.which("epmd", path=path)


@contextlib.contextmanager
def running(directory: Path) -> Iterator[str]:
    """Its transport URL, for the length of the block. Raises ``BrokerFailed``."""
    program, epmd = _programs()
    port, names, own = _free_ports(3)
    (directory / "rabbitmq.conf").write_text(
        f"listeners.tcp.1 = 127.0.0.1:{port}\nlog.console = true\nlog.console.level = warning\n"
        "log.file = false\ndisk_free_limit.absolute = 64MB\n"
    )
    (directory / "enabled_plugins").write_text("[].\n")
    (directory / "env.conf").touch()
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(directory),
        "RABBITMQ_NODENAME": f"upgrade{port}@localhost",
        "RABBITMQ_CONF_ENV_FILE": str(directory / "env.conf"),
        "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
        "RABBITMQ_LOG_BASE": str(directory / "log"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(directory / "config"),
        "RABBITMQ_PID_FILE": str(directory / "pid"),
        "RABBITMQ_DIST_PORT": str(own),
        "ERL_EPMD_PORT": str(names),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG % {"port": own},
    }
    with contextlib.ExitStack() as stack:
        log = stack.enter_context((directory / "rabbitmq.log").open("ab"))

        def start(*command: str) -> subprocess.Popen[bytes]:
            process = subprocess.Popen(
                command,
                env=environment,
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            stack.callback(_end, process)
            return process

        # Erlang's name server; RabbitMQ would leave one of its own behind.
        start(str(epmd), "-port", str(names), "-address", "127.0.0.1")
        server = start(str(program))
        deadline = time.monotonic() + START_TIMEOUT
        while not _listens(port):
            if server.poll() is not None or time.monotonic() > deadline:
                said = (directory / "rabbitmq.log").read_text(errors="replace")
                raise BrokerFailed(f"RabbitMQ did not start:\n{said[-3000:]}")
            time.sleep(0.1)
        yield f"rabbit://guest:guest@127.0.0.1:{port}/"


def _end(process: subprocess.Popen[bytes]) -> None:
    """With the whole group: Erlang has helpers. Nothing of it is worth keeping."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in taken]
