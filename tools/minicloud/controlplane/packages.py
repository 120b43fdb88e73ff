# SPDX-License-Identifier: Apache-2.0
"""What has to be installed? Debian's servers, a Python that fits, and OpenStack from PyPI."""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from controlplane.cloud import TOOL, Cloud
from controlplane.console import Failed, run, say, write

MARIADB = "/usr/sbin/mariadbd"
RABBITMQ = "/usr/lib/rabbitmq/bin/rabbitmq-server"
MEMCACHED = "/usr/bin/memcached"
_APT_PACKAGES = {MARIADB: "mariadb-server", RABBITMQ: "rabbitmq-server", MEMCACHED: "memcached"}
#: What constraints.txt is for, the best first.
_PYTHONS = ((3, 12), (3, 13))

_POLICY = Path("/usr/sbin/policy-rc.d")
_LOCK_WAIT = 120


def install_system(cloud: Cloud) -> None:
    """Debian's packages, unless they are there. Raises ``Failed``."""
    missing = [package for path, package in _APT_PACKAGES.items() if not os.path.exists(path)]
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise Failed(f"{', '.join(missing)} missing, and there is no apt-get to install with")
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    if as_root and shutil.which("sudo") is None:
        raise Failed(f"please install, as root: apt-get install {' '.join(missing)}")
    say("installing", *missing)
    # A machine that has just booted may be installing its own updates: wait for the lock.
    apt = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    apt += ["-o", f"DPkg::Lock::Timeout={_LOCK_WAIT}"]
    log = cloud.log_of("install")
    # A bare machine has no package lists yet, an old one has those of versions that are gone.
    run(log, *apt, "update")
    with _starting_nothing(log, as_root):
        run(log, *apt, "install", "-y", "--no-install-recommends", *missing)


@contextlib.contextmanager
def _starting_nothing(log: Path, as_root: list[str]) -> Iterator[None]:
    """Let packages start no services of the system's own in the meantime.

    minicloud does not use them; their ports and memory would be taken for nothing, Erlang would
    leave a name server behind, and without an init system a start that fails leaves the package
    half installed. Debian asks this script, and 101 is "do not".
    """
    if _POLICY.exists():
        # The machine's own answer, a container's usually; it also says no there.
        yield
        return
    text = r"#!/bin/sh\nexit 101\n"
    run(log, *as_root, "sh", "-c", f"printf '{text}' >{_POLICY} && chmod 755 {_POLICY}")
    try:
        yield
    finally:
        run(log, *as_root, "rm", "-f", _POLICY)


def install_venv(cloud: Cloud) -> None:
    """OpenStack in an environment of its own, and the packages asked for besides."""
    requirements, constraints = TOOL / "requirements.txt", TOOL / "constraints.txt"
    digest = hashlib.sha256()
    for path in (requirements, constraints):
        if path.exists():
            digest.update(path.read_bytes())
    log = cloud.log_of("install")
    pip: list[object] = [cloud.bin / "pip", "--disable-pip-version-check", "install", "-q"]
    if constraints.exists():
        pip += ["-c", constraints]
    stamp = cloud.installed
    if not stamp.exists() or stamp.read_text() != digest.hexdigest():
        if not (cloud.bin / "pip").exists():
            python = find_python(cloud.settings.python)
            say("creating a virtual environment with", python)
            run(log, python, "-m", "venv", cloud.venv)
        say("installing OpenStack (minutes, the first time)")
        run(log, *pip, "-r", requirements)
        write(stamp, digest.hexdigest())
    for package in cloud.settings.nova_packages:
        # Editable: a change to the code needs a restart, not an install.
        key = hashlib.sha256(package.encode()).hexdigest()[:16]
        stamp = cloud.venv / f"minicloud-package-{key}"
        if not stamp.exists():
            say("installing", package)
            run(log, *pip, "-e", package)
            write(stamp, package)


def find_python(wanted: str) -> str:
    """A Python that the pinned releases support: the one wanted, or the best there is.

    Raises ``Failed``, and says what was looked at.
    """
    found = {}
    seen = []
    for candidate in [wanted] if wanted else _candidates():
        probed = _probe(candidate)
        if probed is not None:
            version, path = probed
            found.setdefault(version, path)
            seen.append("{}.{} ({})".format(*version, path))
    for version in _PYTHONS:
        if version in found:
            return found[version]
    needed = " or ".join(f"{major}.{minor}" for major, minor in _PYTHONS)
    raise Failed(
        f"this OpenStack needs Python {needed}, with its venv and ensurepip modules; "
        f"found: {', '.join(seen) or 'none'}.\n"
        "Install one (python3.12 and python3.12-venv, or pyenv), or name one with --python."
    )


def _candidates() -> list[str]:
    names = [f"python{major}.{minor}" for major, minor in _PYTHONS]
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    for major, minor in _PYTHONS:
        of_pyenv = pyenv.glob(f"versions/{major}.{minor}.*/bin/python")
        names += sorted(map(str, of_pyenv), reverse=True)
    return [*names, sys.executable]


def _probe(candidate: str) -> tuple[tuple[int, int], str] | None:
    """Version and path of an interpreter that can make an environment."""
    question = "import sys, venv, ensurepip; print(*sys.version_info[:2], sys.executable)"
    try:
        answer = subprocess.run(
            [candidate, "-c", question], capture_output=True, text=True, check=True
        ).stdout.split(maxsplit=2)
        return (int(answer[0]), int(answer[1])), answer[2].strip()
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
