# SPDX-License-Identifier: Apache-2.0
"""What is promise-blazar on a minicloud? Its configuration, database, endpoint and processes.

The processes are kept as minicloud keeps its own: pid files and logs in the same directories,
under names that begin with ``promise-blazar``.
"""

import contextlib
import functools
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MINICLOUD = ROOT / "tools/minicloud/minicloud"
sys.path.insert(0, str(MINICLOUD.parent))

from controlplane import clients, console, database, processes, rest  # noqa: E402 - after the path
from controlplane.cloud import HOST, PASSWORD, REGION, Cloud  # noqa: E402
from controlplane.console import Failed, say  # noqa: E402
from controlplane.processes import Service  # noqa: E402

#: Of the cloud's ports, above those of minicloud.
_PORT_OFFSET = 20
_USER = "promise"
DATABASE = "promise"
_MANAGERS = 2
#: Nova asks the filter last, of the hosts that are left.
FILTER_OPTIONS = (
    "--nova-package",
    str(ROOT / "nova_filter"),
    "--available-filter",
    "nova_filter.filters.ReservationFilter",
    "--enabled-filters",
    "default,ReservationFilter",
)


class Deployment:
    """promise-blazar on the minicloud in ``home``, from the environment in ``venv``."""

    def __init__(self, home: str | Path, venv: str | Path) -> None:
        self.cloud = Cloud(home)
        self.bin = Path(venv).absolute() / "bin"
        self.config = self.cloud.etc / "promise-blazar.conf"

    @property
    def port(self) -> int:
        return self.cloud.settings.port_base + _PORT_OFFSET

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}/v1"

    def up(self, options: list[str]) -> None:
        """Everything, from nothing or from what there is. ``options`` are minicloud's for ``up``.

        Raises ``Failed``.
        """
        self._install()
        self.minicloud("up", *FILTER_OPTIONS, *options)
        self.cloud = Cloud(self.cloud.home)  # with the settings that are remembered now
        self._write_config()
        say("creating the database of promise-blazar")
        database.sql(self.cloud, f"CREATE DATABASE IF NOT EXISTS {DATABASE} CHARACTER SET utf8mb4")
        manage = self.bin / "promise-blazar-manage"
        console.run(
            self.cloud.log_of("promise-blazar-manage"),
            manage,
            "--config-file",
            self.config,
            "db",
            "sync",
        )
        self._enter_catalogue()
        say("starting promise-blazar")
        for service in self.services():
            processes.start(self.cloud, service)
        for service in self.services():
            processes.wait_ready(self.cloud, service)
        say(f"promise-blazar is up at {self.endpoint}")

    def down(self) -> None:
        """Stop promise-blazar and the cloud; the state of both is kept."""
        if self.cloud.exists:
            processes.stop(self.cloud, [service.name for service in self.services()])
            self.minicloud("down")

    def reset(self) -> None:
        """A cloud as after its first ``up``, and a service, stopped, that knows nothing."""
        processes.stop(self.cloud, [service.name for service in self.services()])
        self.minicloud("reset")
        database.sql(self.cloud, f"DROP DATABASE IF EXISTS {DATABASE}")

    def services(self) -> list[Service]:
        """The API last: it answers when a manager does."""
        found = [
            self._service(f"promise-blazar-manager-{number}", "promise-blazar-manager")
            for number in range(1, _MANAGERS + 1)
        ]
        api = self._service("promise-blazar-api", "promise-blazar-api")
        api.port = self.port
        healthcheck = f"http://{HOST}:{self.port}/healthcheck"
        api.ready = functools.partial(rest.serves, healthcheck)
        return [*found, api]

    def register_hosts(self) -> None:
        """Lend every compute. Those that are lent are left alone. Raises ``Failed``."""
        admin = rest.Api(self.cloud)
        hosts = admin.request("GET", f"{self.endpoint}/os-hosts")["hosts"]
        lent = {host["hypervisor_hostname"] for host in hosts}
        for name in self.cloud.hosts:
            if name not in lent:
                say("registering", name)
                admin.request("POST", f"{self.endpoint}/os-hosts", {"name": name})

    def minicloud(self, *words: str) -> None:
        command = [sys.executable, str(MINICLOUD), "--home", str(self.cloud.home), *words]
        # What it says of itself is for those who use it alone.
        done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        if done.returncode:
            raise Failed(f"minicloud {words[0]} failed")

    def _service(self, name: str, command: str) -> Service:
        words = [self.bin / command, "--config-file", self.config]
        return Service(name, words, files=[self.config], grace=15)

    def _install(self) -> None:
        if not (self.bin / "promise-blazar-api").exists():
            say("installing promise-blazar")
            make = ["make", "--no-print-directory", "install", f"VENV={self.bin.parent}"]
            if subprocess.run(make, cwd=ROOT, stdout=sys.stderr, check=False).returncode:
                raise Failed("promise-blazar could not be installed")

    def _write_config(self) -> None:
        cloud = self.cloud
        where = f"{HOST}:{cloud.port('mysql')}"
        login = {
            "auth_type": "password",
            "auth_url": cloud.auth_url,
            "username": _USER,
            "password": PASSWORD,
            "project_name": clients.USERS[_USER],
            "user_domain_id": "default",
            "project_domain_id": "default",
        }
        here = {"region_name": REGION}
        sections = {
            # Logs go to standard error, which the launcher sends to a file.
            "DEFAULT": {"transport_url": cloud.transport_url, "use_stderr": "true"},
            "database": {"connection": f"mysql+pymysql://minicloud:{PASSWORD}@{where}/{DATABASE}"},
            "api": {"auth_strategy": "keystone", "bind_host": HOST, "bind_port": self.port},
            "keystone_authtoken": {
                **login,
                **here,
                "www_authenticate_uri": cloud.auth_url,
                "service_token_roles": "service",
                "service_token_roles_required": "true",
            },
            "cloud": {"driver": "openstack"},
            "openstack": login,
            "nova": here,
            "placement": here,
            "glance": here,
        }
        console.write(self.config, console.ini(sections))

    def _enter_catalogue(self) -> None:
        keystone = rest.Api(self.cloud)
        service_id = keystone.ensure("services", name="promise-blazar", type="reservation")
        known = keystone.keystone("GET", f"/endpoints?service_id={service_id}")["endpoints"]
        for interface in ("public", "internal", "admin"):
            endpoint = {
                "service_id": service_id,
                "interface": interface,
                "region_id": REGION,
                "url": self.endpoint,
            }
            there = next((each for each in known if each["interface"] == interface), None)
            if there is None:
                keystone.keystone("POST", "/endpoints", {"endpoint": endpoint})
            elif there["url"] != self.endpoint:
                path = f"/endpoints/{there['id']}"
                keystone.keystone("PATCH", path, {"endpoint": {"url": self.endpoint}})


def from_environment() -> Deployment:
    """Where ``$MINICLOUD_HOME`` and ``$VENV`` say, or where they usually are."""
    home = os.environ.get("MINICLOUD_HOME", "~/.minicloud")
    return Deployment(home, os.environ.get("VENV", ROOT / ".venv"))


@contextlib.contextmanager
def saying_failures():
    """Tell the user what failed, without a traceback, and exit with status 1."""
    try:
        yield
    except Failed as exc:
        sys.exit(f"tools/cloud: {exc}")
