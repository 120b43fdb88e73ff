# SPDX-License-Identifier: Apache-2.0
"""The services that are measured, and how each runs on the cloud: ours, and Blazar 18.0.0.

Both as their documents say for production: the API under gunicorn, one manager, MariaDB,
RabbitMQ, tokens of Keystone cached in memcached. One after the other: each begins on a cloud as
after its first ``up``.
"""

import functools
import os
import pathlib
import sys
from dataclasses import dataclass

from benchmarks.common.environments import ROOT, pip

sys.path.insert(0, str(ROOT / "tools/cloud"))

import deployment
from controlplane import clients, console, database, processes, rest
from controlplane.cloud import HOST, PASSWORD, REGION, Cloud
from controlplane.processes import Service

#: The same for both sides.
GUNICORN = "gunicorn==23.0.0"
WORKERS, THREADS = 2, 8
PEER = ("blazar==18.0.0", "PyMySQL==1.2.4", "python-memcached==1.62", GUNICORN)
_PEER_PORT_OFFSET = 21
_PEER_USER = "promise"  # has the roles service and admin; the account is the cloud's, not ours


@dataclass(frozen=True)
class Side:
    """A service at work: where it is asked, and the database that its leases are in."""

    name: str
    cloud: Cloud
    endpoint: str
    database: str


class Ours(deployment.Deployment):
    """promise-blazar as tools/cloud deploys it, but for gunicorn and a single manager.

    ``gunicorn``: a directory that has it; the environment of the service is left as it is.
    """

    name = "promise-blazar"

    def __init__(self, home: pathlib.Path, gunicorn: pathlib.Path) -> None:
        super().__init__(home, pathlib.Path(sys.prefix))
        self._gunicorn = gunicorn

    def start(self) -> Side:
        """On a cloud that is up and new, with the settings that it has by default.

        Raises ``Failed``.
        """
        self._configure()
        _new_database(self.cloud, deployment.DATABASE)
        log = self.cloud.log_of("promise-blazar-manage")
        manage = self.bin / "promise-blazar-manage"
        console.run(log, manage, "--config-file", self.config, "db", "sync")
        self._enter_catalogue()
        _start(self.cloud, self.services())
        return Side(self.name, self.cloud, self.endpoint, deployment.DATABASE)

    def stop(self) -> None:
        processes.stop(self.cloud, [service.name for service in self.services()])

    def services(self) -> list[Service]:
        manager = self._service("promise-blazar-manager-1", "promise-blazar-manager")
        python = self.bin / "python"
        environment = {
            "OS_PROMISE_BLAZAR_CONFIG_DIR": str(self.config.parent),
            "PYTHONPATH": str(self._gunicorn),
        }
        application = "promise_blazar.wsgi.api:application"
        api = _gunicorn("promise-blazar-api", python, application, self.port, environment)
        api.files = [self.config]
        return [manager, api]

    def _configure(self) -> None:
        self._write_config()
        tokens = {"memcached_servers": self.cloud.memcached}
        with self.config.open("a") as file:
            file.write("\n" + console.ini({"keystone_authtoken": tokens}))


class Blazar:
    """Blazar 18.0.0 from the package index, in the environment of ``python``."""

    name = "Blazar 18.0.0"

    def __init__(self, home: pathlib.Path, python: pathlib.Path) -> None:
        self.cloud = Cloud(home)
        self._python = python
        self._port = self.cloud.settings.port_base + _PEER_PORT_OFFSET
        self._config = self.cloud.etc / "blazar" / "blazar.conf"

    def start(self) -> Side:
        """On a cloud that is up and new. Raises ``Failed``."""
        console.write(self._config, console.ini(self._sections()))
        _new_database(self.cloud, "blazar")
        log = self.cloud.log_of("blazar-db-manage")
        manage = self._python.with_name("blazar-db-manage")
        console.run(log, manage, "--config-file", self._config, "upgrade", "head")
        admin = rest.Api(self.cloud)
        known = admin.nova("GET", "/os-aggregates")["aggregates"]
        if "freepool" not in (aggregate["name"] for aggregate in known):
            # Its host plugin does not load without this.
            admin.nova("POST", "/os-aggregates", {"aggregate": {"name": "freepool"}})
        self._enter_catalogue(admin)
        _start(self.cloud, self.services())
        return Side(self.name, self.cloud, self._endpoint, "blazar")

    def stop(self) -> None:
        processes.stop(self.cloud, [service.name for service in self.services()])

    def services(self) -> list[Service]:
        words = [self._python.with_name("blazar-manager"), "--config-file", self._config]
        manager = Service("blazar-manager", words, files=[self._config], grace=5)
        environment = {"OS_BLAZAR_CONFIG_DIR": str(self._config.parent)}
        application = "blazar.wsgi.api:application"
        api = _gunicorn("blazar-api", self._python, application, self._port, environment)
        return [manager, api]

    @property
    def _endpoint(self) -> str:
        return f"http://{HOST}:{self._port}/v1"

    def _sections(self) -> dict[str, dict[str, object]]:
        cloud = self.cloud
        project = clients.USERS[_PEER_USER]
        return {
            "DEFAULT": {
                "transport_url": cloud.transport_url,
                "use_stderr": "true",
                "host": "blazar",
                "os_auth_host": HOST,
                "os_auth_port": cloud.port("keystone"),
                "os_auth_prefix": "",
                "os_admin_username": _PEER_USER,
                "os_admin_password": PASSWORD,
                "os_admin_project_name": project,
                "os_region_name": REGION,
            },
            "database": {"connection": cloud.database_url("blazar")},
            "manager": {"plugins": "physical.host.plugin,virtual.instance.plugin"},
            "nova": {"endpoint_type": "public"},
            "placement": {"endpoint_type": "public"},
            "keystone_authtoken": {
                "auth_type": "password",
                "auth_url": cloud.auth_url,
                "www_authenticate_uri": cloud.auth_url,
                "username": _PEER_USER,
                "password": PASSWORD,
                "project_name": project,
                "user_domain_id": "default",
                "project_domain_id": "default",
                "memcached_servers": cloud.memcached,
            },
            "oslo_messaging_notifications": {"driver": "noop"},
            "oslo_concurrency": {"lock_path": cloud.run / "lock"},
        }

    def _enter_catalogue(self, admin: rest.Api) -> None:
        service_id = admin.ensure("services", name="blazar", type="reservation")
        for interface in ("public", "internal"):
            endpoint = {
                "service_id": service_id,
                "interface": interface,
                "region_id": REGION,
                "url": self._endpoint,
            }
            admin.keystone("POST", "/endpoints", {"endpoint": endpoint})


def fresh_cloud(home: pathlib.Path, port_base: int, computes: int) -> None:
    """A cloud as after its first ``up``, installed if need be. Raises ``Failed``."""
    up = deployment.Deployment(home, pathlib.Path(sys.prefix))
    if up.cloud.initialised.exists():
        up.minicloud("reset")
        return
    size = ("--computes", str(computes), "--vcpus", "8")
    up.minicloud("up", *deployment.FILTER_OPTIONS, "--port-base", str(port_base), *size)


def nova_away(cloud: Cloud) -> None:
    """Stop Nova's API; ``nova_back`` starts it."""
    processes.stop(cloud, ["nova-api"])


def nova_back(home: pathlib.Path) -> None:
    """Start what is stopped of a cloud. Raises ``Failed``."""
    deployment.Deployment(home, pathlib.Path(sys.prefix)).minicloud("up")


def cloud_down(home: pathlib.Path) -> None:
    deployment.Deployment(home, pathlib.Path(sys.prefix)).minicloud("down")


def gunicorn_directory(workdir: pathlib.Path) -> pathlib.Path:
    """Where gunicorn is, installed beside the environment that runs this."""
    directory = workdir / "gunicorn"
    if not directory.exists():
        target = ["--no-deps", "--target", str(directory)]
        console.run(workdir / "install.log", *pip(pathlib.Path(sys.executable)), *target, GUNICORN)
    return directory


def _gunicorn(
    name: str, python: pathlib.Path, application: str, port: int, environment: dict[str, str]
) -> Service:
    words = [python, "-m", "gunicorn", application, "--bind", f"{HOST}:{port}"]
    words += ["--workers", str(WORKERS), "--threads", str(THREADS), "--keep-alive", "75"]
    # A busy machine is no reason to kill a worker.
    words += ["--timeout", "300", "--graceful-timeout", "3"]
    ready = functools.partial(rest.serves, f"http://{HOST}:{port}/")
    return Service(name, words, env=environment, port=port, ready=ready, grace=10)


def _new_database(cloud: Cloud, name: str) -> None:
    database.sql(cloud, f"DROP DATABASE IF EXISTS {name}")
    database.sql(cloud, f"CREATE DATABASE {name} CHARACTER SET utf8mb4")


def _start(cloud: Cloud, services: list[Service]) -> None:
    os.makedirs(cloud.log, exist_ok=True)
    for service in services:
        processes.start(cloud, service)
    for service in services:
        processes.wait_ready(cloud, service)
