# SPDX-License-Identifier: Apache-2.0
"""Are Nova's services on duty? Those that should be are waited for, those too many removed."""

import time

from controlplane import database, processes, services
from controlplane.cloud import Cloud
from controlplane.console import Failed, say, tail
from controlplane.rest import Api

_SEEN = (
    "SELECT `binary`, host, UNIX_TIMESTAMP(last_seen_up) FROM nova_cell1.services"
    " WHERE deleted = 0 AND last_seen_up IS NOT NULL"
)
_COMPUTES = "SELECT host FROM nova_cell1.services WHERE `binary` = 'nova-compute' AND deleted = 0"


def wait_for(cloud: Cloud, hosts: list[str], timeout: float = 180) -> None:
    """Wait until conductor, scheduler and computes have reported for duty.

    A service reports after it has started to take messages. Only a report that is younger than
    the process counts: what the database says of the previous run looks alive for a minute.
    Raises ``Failed``.
    """
    wanted = {
        ("nova-conductor", "controller"): "nova-conductor",
        ("nova-scheduler", "controller"): "nova-scheduler",
        **{("nova-compute", host): f"nova-{host}" for host in hosts},
    }
    deadline = time.monotonic() + timeout
    while missing := _missing(cloud, wanted):
        for name in ("nova-conductor", "nova-scheduler", services.COMPUTES):
            if not processes.running(cloud, name):
                log = cloud.log_of(name)
                raise Failed(f"{name} died; the end of {log}:\n{tail(log)}")
        if time.monotonic() > deadline:
            raise Failed(f"no sign of life from {', '.join(missing)}; see {cloud.log}")
        time.sleep(0.2)
    database.discover_hosts(cloud)
    _remove_surplus(cloud)


def _missing(cloud: Cloud, wanted: dict[tuple[str, str], str]) -> list[str]:
    reports = {}
    for line in database.sql(cloud, _SEEN).splitlines():
        name, host, seen = line.split("\t")
        reports[name, host] = float(seen)
    missing = []
    for (name, host), pid_name in wanted.items():
        started = processes.pid_file(cloud, pid_name)
        # The database keeps whole seconds.
        alive = processes.running(cloud, pid_name) and reports.get((name, host), 0) >= int(
            started.stat().st_mtime
        )
        if not alive:
            missing.append(f"{name} on {host}")
    return missing


def _remove_surplus(cloud: Cloud) -> None:
    """Forget the computes there are no longer: fewer were asked for."""
    if set(database.sql(cloud, _COMPUTES).split()) <= set(cloud.hosts):
        return
    admin = Api(cloud)
    for service in admin.nova("GET", "/os-services?binary=nova-compute")["services"]:
        if service["host"] not in cloud.hosts:
            say("removing", service["host"])
            admin.nova("DELETE", f"/os-services/{service['id']}")
