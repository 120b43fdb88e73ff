# SPDX-License-Identifier: Apache-2.0
"""How are the OpenStack services configured? Their files, as few options as will do."""

import uuid
from pathlib import Path
from typing import Any

from controlplane import broker, clients
from controlplane.cloud import HOST, PASSWORD, REGION, Cloud
from controlplane.console import Failed, ini, write

Sections = dict[str, dict[str, Any]]

# Nova's default filters, kept in nova.conf's own order.
_DEFAULT_FILTERS = (
    "ComputeFilter",
    "ComputeCapabilitiesFilter",
    "ImagePropertiesFilter",
    "ServerGroupAntiAffinityFilter",
    "ServerGroupAffinityFilter",
)


def write_all(cloud: Cloud) -> None:
    """All configuration files, each only if it differs. Raises ``Failed``."""
    for path in (cloud.log, cloud.run, *(cloud.data / name for name in _STATE)):
        path.mkdir(parents=True, exist_ok=True)
    nova = _nova(cloud)
    files: dict[str, Sections] = {
        "keystone/keystone.conf": _keystone(cloud),
        "placement/placement.conf": _placement(cloud),
        "glance/glance-api.conf": _glance(cloud),
        "neutron/neutron.conf": _neutron(cloud),
        "neutron/ml2.conf": _ML2,
        "nova/nova.conf": nova,
        # A compute has no access to the databases; with their addresses it would try.
        "nova/nova-compute.conf": {
            section: options
            for section, options in nova.items()
            if section not in ("database", "api_database")
        },
        # Only the scheduler reads this one, so that a change of filters restarts it alone.
        "nova/nova-scheduler.conf": {"filter_scheduler": _filters(cloud)},
    }
    extra = _extra(cloud, {Path(name).name for name in files})
    for name, sections in files.items():
        # oslo.config reads sections that appear twice as one, and the last value of an option
        # wins.
        text = "\n".join([ini(sections), *extra.get(Path(name).name, [])])
        write(cloud.etc / name, text)
    _write_computes(cloud)
    _write_neutron_driver(cloud)
    broker.write_config(cloud)
    clients.write_clouds_yaml(cloud)


_STATE = ("nova", "glance", "rabbitmq", "neutron")


def _credentials(cloud: Cloud, user: str) -> dict[str, Any]:
    return {
        "auth_type": "password",
        "auth_url": cloud.auth_url,
        "username": user,
        "password": PASSWORD,
        "project_name": "service",
        "user_domain_id": "default",
        "project_domain_id": "default",
        "region_name": REGION,
    }


def _authtoken(cloud: Cloud, user: str) -> dict[str, Any]:
    return {
        **_credentials(cloud, user),
        "www_authenticate_uri": cloud.auth_url,
        "memcached_servers": cloud.memcached,
        "service_token_roles": "service",
        "service_token_roles_required": "true",
    }


# Logs go to standard error, which the launcher sends to a file.
_LOGGING = {"debug": "false", "use_stderr": "true"}
_NO_NOTIFICATIONS = {"driver": "noop"}


def _common(cloud: Cloud, name: str) -> dict[str, Any]:
    return {**_LOGGING, "transport_url": cloud.transport_url, "state_path": cloud.data / name}


def _lock(cloud: Cloud) -> dict[str, Any]:
    return {"lock_path": cloud.run / "lock"}


_RABBIT = {"rabbit_retry_interval": 1, "rabbit_interval_max": 2}


def _keystone(cloud: Cloud) -> Sections:
    keys = cloud.data / "keystone"
    return {
        "DEFAULT": dict(_LOGGING),
        "database": {"connection": cloud.database_url("keystone")},
        "token": {"provider": "fernet"},
        "fernet_tokens": {"key_repository": keys / "fernet"},
        "fernet_receipts": {"key_repository": keys / "receipts"},
        "credential": {"key_repository": keys / "credential"},
        "cache": {
            "enabled": "true",
            "backend": "dogpile.cache.pymemcache",
            "memcache_servers": cloud.memcached,
        },
        # The cheapest hash bcrypt allows, to make logins fast. The length is what bcrypt takes;
        # Keystone warns, at every login, of a longer one.
        "identity": {"password_hash_rounds": 4, "max_password_length": 72},
        "oslo_messaging_notifications": _NO_NOTIFICATIONS,
    }


def _placement(cloud: Cloud) -> Sections:
    return {
        "DEFAULT": dict(_LOGGING),
        "placement_database": {"connection": cloud.database_url("placement")},
        "api": {"auth_strategy": "keystone"},
        "keystone_authtoken": _authtoken(cloud, "placement"),
    }


def _glance(cloud: Cloud) -> Sections:
    data = cloud.data / "glance"
    return {
        "DEFAULT": {
            **_LOGGING,
            "enabled_backends": "local:file",
            "worker_self_reference_url": cloud.url("glance"),
        },
        "database": {"connection": cloud.database_url("glance")},
        "keystone_authtoken": _authtoken(cloud, "glance"),
        "paste_deploy": {
            "flavor": "keystone",
            "config_file": cloud.venv / "etc/glance/glance-api-paste.ini",
        },
        "glance_store": {"default_backend": "local"},
        "local": {"filesystem_store_datadir": data / "images"},
        "os_glance_staging_store": {"filesystem_store_datadir": data / "staging"},
        "os_glance_tasks_store": {"filesystem_store_datadir": data / "tasks"},
        "oslo_messaging_notifications": _NO_NOTIFICATIONS,
        "oslo_concurrency": _lock(cloud),
    }


def _neutron(cloud: Cloud) -> Sections:
    return {
        "DEFAULT": {
            **_common(cloud, "neutron"),
            "core_plugin": "ml2",
            "service_plugins": "router",
            "auth_strategy": "keystone",
            "host": "controller",
            # No agents here, so nobody to tell about DHCP.
            "dhcp_agent_notification": "false",
            "api_paste_config": cloud.venv / "etc/neutron/api-paste.ini",
        },
        "database": {"connection": cloud.database_url("neutron")},
        "keystone_authtoken": _authtoken(cloud, "neutron"),
        "nova": _credentials(cloud, "nova"),
        "oslo_messaging_notifications": _NO_NOTIFICATIONS,
        "oslo_concurrency": _lock(cloud),
        "oslo_messaging_rabbit": _RABBIT,
    }


_ML2: Sections = {
    "ml2": {
        "type_drivers": "local,flat,vlan",
        "tenant_network_types": "local",
        "mechanism_drivers": "minicloud",
    },
    "ml2_type_flat": {"flat_networks": "*"},
}


def _nova(cloud: Cloud) -> Sections:
    user = _credentials(cloud, "nova")
    return {
        "DEFAULT": {
            **_common(cloud, "nova"),
            "host": "controller",
            "my_ip": HOST,
            "compute_driver": "fake.FakeDriverWithoutFakeNodes",
            # Stop at once: nothing here is worth a graceful wait.
            "graceful_shutdown_timeout": 2,
            "manager_shutdown_timeout": 0,
            "rootwrap_config": cloud.venv / "etc/nova/rootwrap.conf",
        },
        "api": {"auth_strategy": "keystone"},
        "api_database": {"connection": cloud.database_url("nova_api")},
        "database": {"connection": cloud.database_url("nova_cell1")},
        "keystone_authtoken": _authtoken(cloud, "nova"),
        "service_user": {**user, "send_service_user_token": "true"},
        "keystone": user,
        "placement": _credentials(cloud, "placement"),
        "glance": {
            "region_name": REGION,
            "service_type": "image",
            "valid_interfaces": "public",
        },
        "neutron": {
            **_credentials(cloud, "neutron"),
            "service_metadata_proxy": "false",
            "valid_interfaces": "public",
        },
        "vnc": {"enabled": "false"},
        "conductor": {"workers": 1},
        "scheduler": {"workers": 1},
        "notifications": {
            "notification_format": "both",
            "notify_on_state_change": "vm_and_task_state",
        },
        "oslo_messaging_notifications": {"driver": "messagingv2"},
        "oslo_concurrency": _lock(cloud),
        "oslo_messaging_rabbit": _RABBIT,
    }


def _filters(cloud: Cloud) -> dict[str, Any]:
    settings = cloud.settings
    filters: dict[str, Any] = {}
    if settings.available_filters:
        filters["available_filters"] = [
            "nova.scheduler.filters.all_filters",
            *settings.available_filters,
        ]
    if settings.enabled_filters:
        enabled: list[str] = []
        for name in settings.enabled_filters:
            enabled += _DEFAULT_FILTERS if name == "default" else [name]
        filters["enabled_filters"] = ",".join(enabled)
    return filters


def _extra(cloud: Cloud, known: set[str]) -> dict[str, list[str]]:
    """The texts of ``--extra-config``, by file."""
    extra: dict[str, list[str]] = {}
    for item in cloud.settings.extra_config:
        name, _, path = item.partition(":")
        extra.setdefault(name, []).append(Path(path).read_text())
    if not extra.keys() <= known:
        unknown = ", ".join(sorted(extra.keys() - known))
        raise Failed(f"--extra-config knows {', '.join(sorted(known))}, not {unknown}")
    return extra


def _write_computes(cloud: Cloud) -> None:
    for host in cloud.hosts:
        state = cloud.data / "nova" / host
        write(state / "host.conf", ini({"DEFAULT": {"host": host, "state_path": state}}))
        # A compute keeps the identity of its node in this file. A fixed one makes hypervisors
        # and resource providers keep their UUIDs when the cloud is reset.
        write(state / "compute_id", f"{uuid.uuid5(uuid.NAMESPACE_DNS, host)}\n")


def _write_neutron_driver(cloud: Cloud) -> None:
    # Neutron finds mechanism drivers by the entry points of installed packages; this makes
    # minicloud_ml2.py look like one.
    package = cloud.etc / "neutron/plugins/minicloud_ml2-1.dist-info"
    write(package / "METADATA", "Metadata-Version: 2.1\nName: minicloud-ml2\nVersion: 1\n")
    entry_points = {"neutron.ml2.mechanism_drivers": {"minicloud": "minicloud_ml2:BindAnywhere"}}
    write(package / "entry_points.txt", ini(entry_points))
