# SPDX-License-Identifier: Apache-2.0
"""What can be done with a cloud? The commands, each leaving it in the state it is named for."""

import os
import shlex
import shutil
import signal
import time

from controlplane import (
    clients,
    configuration,
    content,
    database,
    duty,
    packages,
    processes,
    services,
)
from controlplane.cloud import PASSWORD, TOOL, Cloud
from controlplane.console import Failed, say, write
from controlplane.rest import Api

#: What Linux takes, without the zero at the end.
_LONGEST_SOCKET = 107


def up(cloud: Cloud) -> None:
    """Install what is missing and start what does not run."""
    if len(os.fsencode(cloud.mysql_socket)) > _LONGEST_SOCKET:
        raise Failed(f"{cloud.home} is too long for the address of a socket in it; use --home")
    cloud.save_settings()
    packages.install_system(cloud)
    packages.install_venv(cloud)
    configuration.write_all(cloud)
    _start_all(cloud)
    _print_summary(cloud)


def install(cloud: Cloud) -> None:
    """OpenStack's environment, and nothing else; needs none of Debian's packages."""
    packages.install_venv(cloud)
    say("OpenStack is installed")


def reset(cloud: Cloud) -> None:
    """Back to the state after the first `up`; nothing is installed again."""
    if not cloud.initialised.exists():
        raise Failed("the first `minicloud up` has not been completed")
    say("stopping the services")
    names = [name for name in services.names(cloud) if name != "mariadb"]
    processes.stop(cloud, names, hard=True)
    shutil.rmtree(cloud.data / "rabbitmq", ignore_errors=True)
    shutil.rmtree(cloud.data / "glance", ignore_errors=True)
    shutil.copytree(cloud.pristine / "glance", cloud.data / "glance")
    configuration.write_all(cloud)
    database.create_directory(cloud)
    mariadb = services.infrastructure(cloud)[0]
    processes.start(cloud, mariadb)
    processes.wait_ready(cloud, mariadb)
    database.restore(cloud)
    _start_all(cloud)
    _print_summary(cloud)


def down(cloud: Cloud) -> None:
    """Stop the cloud; its state is kept."""
    names = services.names(cloud)
    last = len(services.INFRASTRUCTURE)
    processes.stop(cloud, names[:-last])
    processes.stop(cloud, names[-last:])
    say("the cloud is down")


def destroy(cloud: Cloud) -> None:
    """Stop the cloud and remove its state; the installation stays."""
    down(cloud)
    for path in (cloud.data, cloud.etc, cloud.log, cloud.run, cloud.pristine):
        shutil.rmtree(path, ignore_errors=True)
    cloud.initialised.unlink(missing_ok=True)
    cloud.forget_settings()


def restart(cloud: Cloud, names: list[str]) -> None:
    known = {service.name: service for service in services.everything(cloud)}
    unknown = set(names) - set(known)
    if unknown:
        raise Failed(f"no service {', '.join(unknown)}; there are {', '.join(known)}")
    processes.stop(cloud, names)
    for name in names:
        processes.start(cloud, known[name])
    for name in names:
        processes.wait_ready(cloud, known[name])


def compute(cloud: Cloud, action: str, hosts: list[str]) -> None:
    """Crash a compute, or bring it back."""
    unknown = set(hosts) - set(cloud.hosts)
    if unknown:
        there = ", ".join(cloud.hosts)
        raise Failed(f"no compute {', '.join(sorted(unknown))}; there are {there}")
    if action == "start":
        services.bring_back(cloud, hosts)
        duty.wait_for(cloud, hosts)
        return
    for host in hosts:
        info = processes.running(cloud, f"nova-{host}")
        if info:
            os.kill(info["pid"], signal.SIGKILL)


def check(cloud: Cloud) -> None:
    """Boot a server and delete it: the cloud works."""
    demo = Api(cloud, "demo")
    images = demo.glance("GET", f"/images?name={content.IMAGE}")["images"]
    flavors = [
        flavor for flavor in demo.nova("GET", "/flavors")["flavors"] if flavor["name"] == "m1.tiny"
    ]
    if not images or not flavors:
        raise Failed(f"the image {content.IMAGE} or the flavor m1.tiny is missing")
    wanted = {
        "name": "minicloud-check",
        "imageRef": images[0]["id"],
        "flavorRef": flavors[0]["id"],
        "networks": "none",
    }
    began = time.monotonic()
    server = demo.nova("POST", "/servers", {"server": wanted})["server"]["id"]
    while True:
        found = demo.nova("GET", f"/servers/{server}")["server"]
        if found["status"] == "ACTIVE":
            break
        if found["status"] == "ERROR" or time.monotonic() - began > 60:
            raise Failed(f"the server is {found['status']}: {found.get('fault')}")
        time.sleep(0.2)
    say(f"server ACTIVE after {time.monotonic() - began:.1f} s")
    began = time.monotonic()
    demo.nova("DELETE", f"/servers/{server}")
    while any(x["id"] == server for x in demo.nova("GET", "/servers")["servers"]):
        if time.monotonic() - began > 60:
            raise Failed("the server does not go away")
        time.sleep(0.2)
    say(f"server deleted after {time.monotonic() - began:.1f} s")


def _start_all(cloud: Cloud) -> None:
    first = not cloud.initialised.exists()
    installed = cloud.installed.read_text()
    database.create_directory(cloud)
    say("starting the services")
    infrastructure = services.infrastructure(cloud)
    mariadb, epmd, rabbitmq, memcached = infrastructure
    for service in (mariadb, epmd, memcached):
        processes.start(cloud, service)
    # RabbitMQ needs the name server first.
    processes.wait_ready(cloud, epmd)
    processes.start(cloud, rabbitmq)
    processes.wait_ready(cloud, mariadb)
    if first or cloud.initialised.read_text() != installed:
        # New, or another release: these commands upgrade, too.
        say("creating the schemas")
        database.create_databases(cloud)
        database.create_schemas(cloud)
    openstack = services.openstack(cloud)
    if first:
        # The others end when Keystone does not know their users.
        processes.start(cloud, openstack[0])
        processes.wait_ready(cloud, openstack[0])
        content.create_identities(cloud)
    for service in openstack:
        processes.start(cloud, service)
    computes = services.start_computes(cloud)
    for service in (*infrastructure, *openstack, computes):
        processes.wait_ready(cloud, service)
    content.warm_up(cloud)
    say("waiting for the computes")
    duty.wait_for(cloud, cloud.hosts)
    if first:
        content.create_resources(cloud)
        database.dump(cloud)
    write(cloud.initialised, installed)
    say("the cloud is up")


def _print_summary(cloud: Cloud) -> None:
    tool = shlex.join([str(TOOL / "minicloud"), "--home", str(cloud.home)])
    print(f"Keystone: {cloud.auth_url}")
    print(f"Users: {', '.join(clients.USERS)} (password: {PASSWORD})")
    print(f'Use it:   eval "$({tool} env --user demo)"')
