# SPDX-License-Identifier: Apache-2.0
"""Which processes make up the cloud, and how is each called?"""

import functools
import os
import shutil
from pathlib import Path

from controlplane import packages, processes, rest
from controlplane.cloud import HOST, INSIDE, Cloud
from controlplane.processes import Service

#: Stopped last: the others would only complain about a lost database.
INFRASTRUCTURE = ("memcached", "rabbitmq", "epmd", "mariadb")
COMPUTES = "nova-computes"


def infrastructure(cloud: Cloud) -> list[Service]:
    """MariaDB, Erlang's name server, RabbitMQ and memcached, in this order."""
    return [_mariadb(cloud), _epmd(cloud), _rabbitmq(cloud), _memcached(cloud)]


def openstack(cloud: Cloud) -> list[Service]:
    """All but the computes; Keystone first."""
    etc = cloud.etc
    nova_conf = etc / "nova/nova.conf"
    scheduler_conf = etc / "nova/nova-scheduler.conf"
    path = os.pathsep.join(cloud.settings.scheduler_filter_path)
    nova_service = [cloud.bin / "python", INSIDE / "nova_service.py"]
    code = [INSIDE / "nova_service.py", cloud.installed]
    return [
        # One thread: Keystone is mostly deployed with one thread a process, and it refuses
        # valid requests when several of them are its first.
        _api(
            cloud,
            "keystone",
            "keystone.wsgi.api",
            {"OS_KEYSTONE_CONFIG_DIR": str(etc / "keystone")},
            [etc / "keystone/keystone.conf"],
            threads=1,
            path="/v3",
        ),
        _api(
            cloud,
            "placement",
            "placement.wsgi.api",
            {"OS_PLACEMENT_CONFIG_DIR": str(etc / "placement")},
            [etc / "placement/placement.conf"],
        ),
        _api(
            cloud,
            "neutron",
            "neutron.wsgi.api",
            {
                "OS_NEUTRON_CONFIG_DIR": str(etc / "neutron"),
                "OS_NEUTRON_CONFIG_FILES": "neutron.conf;ml2.conf",
                "PYTHONPATH": os.pathsep.join((str(etc / "neutron/plugins"), str(INSIDE))),
            },
            [etc / "neutron/neutron.conf", etc / "neutron/ml2.conf", INSIDE / "minicloud_ml2.py"],
        ),
        _api(
            cloud,
            "nova-api",
            "nova.wsgi.osapi_compute",
            {
                "OS_NOVA_CONFIG_DIR": str(etc / "nova"),
                "OS_NOVA_CONFIG_FILES": f"{cloud.venv / 'etc/nova/api-paste.ini'};nova.conf",
            },
            [nova_conf],
        ),
        Service(
            "nova-conductor",
            [*nova_service, "conductor", "--config-file", nova_conf],
            files=[*code, nova_conf],
        ),
        Service(
            "nova-scheduler",
            [
                *nova_service,
                "scheduler",
                "--config-file",
                nova_conf,
                "--config-file",
                scheduler_conf,
            ],
            env={"PYTHONPATH": path} if path else {},
            files=[*code, nova_conf, scheduler_conf],
        ),
        _api(
            cloud,
            "glance",
            "glance.wsgi.api",
            {"OS_GLANCE_CONFIG_DIR": str(etc / "glance")},
            [etc / "glance/glance-api.conf"],
            path="/healthcheck",
        ),
    ]


def computes(cloud: Cloud, hosts: list[str], name: str = COMPUTES) -> Service:
    """One parent process of these computes, which it forks."""
    settings = cloud.settings
    nova_conf = cloud.etc / "nova/nova-compute.conf"
    script = INSIDE / "nova_computes.py"
    options = {
        "--conf": nova_conf,
        "--hosts-dir": cloud.data / "nova",
        "--log-dir": cloud.log,
        "--pid-dir": cloud.run,
        "--transport-url": cloud.transport_url,
        "--vcpus": settings.vcpus,
        "--memory-mb": settings.memory_mb,
        "--disk-gb": settings.disk_gb,
    }
    words = [word for option in options.items() for word in option]
    return Service(
        name,
        [cloud.bin / "python", script, *words, *hosts],
        files=[nova_conf, script, cloud.installed],
    )


def separate_computes(cloud: Cloud) -> list[str]:
    """Names of the services that run one compute that was brought back."""
    return [path.stem for path in cloud.run.glob(f"{COMPUTES}-*.pid")]


def start_computes(cloud: Cloud) -> Service:
    service = computes(cloud, cloud.hosts)
    info = processes.running(cloud, service.name)
    if not info or info["fingerprint"] != service.fingerprint():
        processes.stop(cloud, separate_computes(cloud))
        processes.start(cloud, service)
    else:
        bring_back(cloud, cloud.hosts)
    return service


def bring_back(cloud: Cloud, hosts: list[str]) -> None:
    """Start the computes that were stopped, or died, one by one."""
    for host in hosts:
        if not processes.running(cloud, f"nova-{host}"):
            # A parent of its own: the common one starts its computes once.
            name = f"{COMPUTES}-{host}"
            processes.stop(cloud, [name])
            processes.start(cloud, computes(cloud, [host], name))


def everything(cloud: Cloud) -> list[Service]:
    return [*infrastructure(cloud), *openstack(cloud), computes(cloud, cloud.hosts)]


def names(cloud: Cloud) -> list[str]:
    """Every service that has, or may have, a pid file; the infrastructure last."""
    found = [service.name for service in everything(cloud)] + separate_computes(cloud)
    return [name for name in found if name not in INFRASTRUCTURE] + list(INFRASTRUCTURE)


def as_root(option: str) -> list[str]:
    """What a server wants to be told before it runs as root."""
    return [option] if os.geteuid() == 0 else []


def _api(
    cloud: Cloud,
    name: str,
    module: str,
    env: dict[str, str],
    files: list[Path],
    threads: int = 8,
    path: str = "/",
) -> Service:
    server = INSIDE / "wsgi_server.py"
    place = name.removesuffix("-api")
    return Service(
        name,
        [cloud.bin / "python", server, module, cloud.port(place), threads],
        env=env,
        files=[*files, server, cloud.installed],
        port=cloud.port(place),
        ready=functools.partial(rest.serves, cloud.url(place, path)),
    )


def _mariadb(cloud: Cloud) -> Service:
    data = cloud.data / "mysql"
    # Durability is traded for speed: the data are test data.
    return Service(
        "mariadb",
        [
            packages.MARIADB,
            "--no-defaults",
            *as_root("--user=root"),
            f"--datadir={data}",
            f"--socket={cloud.mysql_socket}",
            f"--bind-address={HOST}",
            f"--port={cloud.port('mysql')}",
            f"--pid-file={data / 'mariadbd.pid'}",
            f"--tmpdir={cloud.run}",
            "--skip-name-resolve",
            "--skip-log-bin",
            "--default-time-zone=+00:00",
            "--max-connections=2000",
            "--performance-schema=OFF",
            "--character-set-server=utf8mb3",
            "--innodb-buffer-pool-size=128M",
            "--innodb-log-file-size=32M",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-doublewrite=0",
            "--innodb-flush-method=nosync",
        ],
        port=cloud.port("mysql"),
        grace=30,
    )


def _epmd(cloud: Cloud) -> Service:
    # The Erlang name server; started here so that RabbitMQ does not leave one of its own behind.
    command = shutil.which("epmd") or "epmd"
    port = cloud.port("epmd")
    return Service("epmd", [command, "-port", port, "-address", HOST], port=port)


def _rabbitmq(cloud: Cloud) -> Service:
    etc, data = cloud.etc / "rabbitmq", cloud.data / "rabbitmq"
    env = {
        "HOME": str(data),
        "RABBITMQ_NODENAME": "minicloud@localhost",
        "RABBITMQ_CONF_ENV_FILE": str(etc / "env.conf"),
        "RABBITMQ_CONFIG_FILE": str(etc / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(etc / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(data / "mnesia"),
        "RABBITMQ_LOG_BASE": str(data / "log"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(data / "config"),
        "RABBITMQ_PID_FILE": str(data / "pid"),
        "RABBITMQ_DIST_PORT": str(cloud.port("rabbit-dist")),
        "ERL_EPMD_PORT": str(cloud.port("epmd")),
        "ERL_EPMD_ADDRESS": HOST,
        # No busy waiting of Erlang's schedulers, and the node's own port on loopback too.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none "
        "-kernel inet_dist_use_interface {127,0,0,1}",
    }
    return Service(
        "rabbitmq",
        [packages.RABBITMQ],
        env=env,
        files=[etc / "rabbitmq.conf", etc / "definitions.json"],
        port=cloud.port("rabbit"),
        grace=20,
    )


def _memcached(cloud: Cloud) -> Service:
    port = cloud.port("memcached")
    user = ["-u", "root"] if os.geteuid() == 0 else []
    words = [packages.MEMCACHED, "-l", HOST, "-p", port, "-U", "0", "-m", "64", *user]
    return Service("memcached", words, port=port)
