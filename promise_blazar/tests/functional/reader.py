# SPDX-License-Identifier: Apache-2.0
"""A reader of documents: what they tell to type, and a shell in which that is typed.

The ``openstack`` command takes a second and a half to load, which is most of what thirty of them
take. In the reader's shell it is a stand-in that hands its words, directory, environment and
files to a process that has it loaded, and forks for each.
"""

import itertools
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from promise_blazar.tests import tree

#: What stands at the end of each block's output.
END = "-- end of block --"
#: Ends of blocks are waited for so long, in seconds; a hang guard.
PATIENCE = 100.0

_STAND_IN = """#!{python} -IS
import os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    words = [os.getcwd(), *(f"{{name}}={{value}}" for name, value in os.environ.items()), ""]
    socket.send_fds(server, ["\\0".join(words + sys.argv[1:]).encode()], [0, 1, 2])
    server.shutdown(socket.SHUT_WR)
    sys.exit(int(server.recv(16)))
"""


def blocks(document: str | Path) -> Iterator[str]:
    """The literal blocks of a document of the project, without their indentation."""
    lines = (tree.ROOT / document).read_text().splitlines()
    for number, line in enumerate(lines):
        if line.endswith("::") and not line.startswith(".."):
            indented = itertools.takewhile(
                lambda each: not each or each.startswith("    "), lines[number + 1 :]
            )
            yield "\n".join(each[4:] for each in indented).strip("\n")


class Shell:
    """One bash, in a directory with a ``.venv``; a command that fails is told by name."""

    def __init__(self, directory: Path) -> None:
        programs = directory / ".venv" / "bin"
        programs.mkdir(parents=True)
        address = str(directory / "openstack.socket")
        self._openstack = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", __name__, address],
            stdout=subprocess.PIPE,
            text=True,
        )
        command = programs / "openstack"
        command.write_text(_STAND_IN.format(python=sys.executable, address=address))
        command.chmod(0o755)
        self._bash = subprocess.Popen(
            ["/bin/bash", "--noprofile", "--norc"],
            cwd=directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._guard = threading.Timer(PATIENCE, self._bash.kill)
        self._guard.start()
        self._send("set -E; trap 'echo \"FAILED: $BASH_COMMAND\"' ERR")
        self._openstack.stdout.readline()  # type: ignore[union-attr]  # it is loaded then

    def run(self, block: str) -> str:
        """What it prints."""
        self._send(block, f"echo '\n{END}'")
        output: Any = self._bash.stdout
        return "".join(itertools.takewhile(lambda line: line != f"{END}\n", output))

    def close(self) -> None:
        self._guard.cancel()
        for process in (self._bash, self._openstack):
            process.kill()
            process.communicate()

    def _send(self, *lines: str) -> None:
        stdin: Any = self._bash.stdin
        stdin.write("\n".join(lines) + "\n")
        stdin.flush()


def _serve(address: str) -> None:
    """Run commands, each in a process of its own, until killed."""
    from openstackclient import shell

    with socket.create_server(address, family=socket.AF_UNIX) as listener:
        print("loaded", flush=True)
        while True:
            client, _ = listener.accept()
            with client:
                said, files, *_ = socket.recv_fds(client, 1 << 20, 3)
                while part := client.recv(1 << 20):
                    said += part
                child = os.fork()
                if not child:
                    _run(shell.main, said.decode().split("\0"), files)
                status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                client.sendall(str(status).encode())
            for each in files:
                os.close(each)


def _run(command: Any, said: list[str], files: list[int]) -> None:
    """The command, in the place of whoever asked for it."""
    status = 1
    try:
        for number, each in enumerate(files):
            os.dup2(each, number)
        directory, *rest = said
        border = rest.index("")
        os.chdir(directory)
        os.environ.clear()
        os.environ.update(each.split("=", 1) for each in rest[:border])
        status = command(rest[border + 1 :]) or 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    _serve(sys.argv[1])
