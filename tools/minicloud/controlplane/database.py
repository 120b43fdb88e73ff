# SPDX-License-Identifier: Apache-2.0
"""How does the database come to be? Its directory, its schemas, and its pristine copy."""

import contextlib
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from controlplane.cloud import HOST, PASSWORD, REGION, Cloud
from controlplane.console import Failed, run, say
from controlplane.services import as_root

_DATABASES = (
    "keystone",
    "placement",
    "glance",
    "neutron",
    "nova_api",
    "nova_cell0",
    "nova_cell1",
)


def create_directory(cloud: Cloud) -> None:
    datadir = cloud.data / "mysql"
    if (datadir / "mysql").is_dir():
        return
    say("creating the database")
    shutil.rmtree(datadir, ignore_errors=True)
    run(
        cloud.log_of("mariadb-install"),
        "mariadb-install-db",
        "--no-defaults",
        f"--datadir={datadir}",
        # A machine may not know its own name.
        "--skip-name-resolve",
        "--skip-test-db",
        "--auth-root-authentication-method=normal",
        *as_root("--user=root"),
    )


def sql(cloud: Cloud, text: str | None = None, path: Path | None = None) -> str:
    """Run statements, given or in a file; what they answer. Raises ``Failed``."""
    argv = ["mariadb", "--no-defaults", "-u", "root", "-N", "-B"]
    argv.append(f"--socket={cloud.mysql_socket}")
    if text is not None:
        argv += ["-e", text]
    with path.open("rb") if path else contextlib.nullcontext() as stdin:
        done = subprocess.run(argv, stdin=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"mariadb: {done.stderr.strip()}")
    return done.stdout


def create_databases(cloud: Cloud) -> None:
    account = f"minicloud@'{HOST}'"
    statements = [
        f"CREATE USER IF NOT EXISTS {account} IDENTIFIED BY '{PASSWORD}'",
        f"GRANT ALL ON *.* TO {account} WITH GRANT OPTION",
        *(f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb3" for name in _DATABASES),
    ]
    sql(cloud, ";".join(statements))


def create_schemas(cloud: Cloud) -> None:
    """Fill the empty databases, or upgrade them: what an operator does with *-manage."""
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(make, cloud) for make in (_keystone, _nova, _others)]:
            done.result()


def dump(cloud: Cloud) -> None:
    """Keep the databases of the fresh cloud for ``reset``."""
    shutil.rmtree(cloud.pristine, ignore_errors=True)
    cloud.pristine.mkdir()
    argv = ["mariadb-dump", "--no-defaults", "-u", "root", f"--socket={cloud.mysql_socket}"]
    argv += ["--single-transaction", "--add-drop-database", "--databases", *_DATABASES]
    with (cloud.pristine / "databases.sql").open("wb") as out:
        subprocess.run(argv, stdout=out, check=True)
    shutil.copytree(cloud.data / "glance", cloud.pristine / "glance")


def restore(cloud: Cloud) -> None:
    say("restoring the databases")
    sql(cloud, path=cloud.pristine / "databases.sql")


def discover_hosts(cloud: Cloud) -> None:
    """Tell Nova's API of the computes it has not met yet."""
    mapped = sql(cloud, "SELECT host FROM nova_api.host_mappings").split()
    if not set(cloud.hosts) <= set(mapped):
        _nova_manage(cloud, "cell_v2", "discover_hosts")


def _manage(cloud: Cloud, log: str, command: str, config: str, *words: str) -> None:
    config_file = cloud.etc / config
    run(cloud.log_of(log), cloud.bin / command, "--config-file", config_file, *words)


def _keystone(cloud: Cloud) -> None:
    def manage(*words: str) -> None:
        _manage(cloud, "keystone-manage", "keystone-manage", "keystone/keystone.conf", *words)

    for keys in ("fernet", "receipts", "credential"):
        (cloud.data / "keystone" / keys).mkdir(parents=True, exist_ok=True, mode=0o700)
    owner = ["--keystone-user", str(os.geteuid()), "--keystone-group", str(os.getegid())]
    manage("fernet_setup", *owner)
    manage("credential_setup", *owner)
    manage("db_sync")
    urls = [
        word
        for kind in ("public", "internal", "admin")
        for word in (f"--bootstrap-{kind}-url", cloud.auth_url)
    ]
    manage("bootstrap", "--bootstrap-password", PASSWORD, "--bootstrap-region-id", REGION, *urls)


def _nova_manage(cloud: Cloud, *words: str) -> None:
    _manage(cloud, "nova-manage", "nova-manage", "nova/nova.conf", *words)


def _nova(cloud: Cloud) -> None:
    _nova_manage(cloud, "api_db", "sync")
    cell0 = cloud.database_url("nova_cell0")
    _nova_manage(cloud, "cell_v2", "map_cell0", "--database_connection", cell0)
    _nova_manage(cloud, "db", "sync")
    if sql(cloud, "SELECT 1 FROM nova_api.cell_mappings WHERE name = 'cell1'").strip():
        return
    cell1 = ["--database_connection", cloud.database_url("nova_cell1")]
    cell1 += ["--transport-url", cloud.transport_url]
    _nova_manage(cloud, "cell_v2", "create_cell", "--name", "cell1", *cell1)


def _others(cloud: Cloud) -> None:
    placement = "placement-manage"
    _manage(cloud, placement, placement, "placement/placement.conf", "db", "sync")
    _manage(cloud, "glance-manage", "glance-manage", "glance/glance-api.conf", "db_sync")
    ml2 = ["--config-file", str(cloud.etc / "neutron/ml2.conf")]
    command = "neutron-db-manage"
    _manage(cloud, "neutron-manage", command, "neutron/neutron.conf", *ml2, "upgrade", "heads")
