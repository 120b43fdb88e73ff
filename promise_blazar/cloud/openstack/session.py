# SPDX-License-Identifier: Apache-2.0
"""The one keystoneauth session of a process, which says who we are, and its adapters.

A session holds a token and connections. It is made after a process has forked, shared by all
threads, and kept for the life of the process.
"""

from collections.abc import Mapping
from typing import Any

from keystoneauth1 import adapter, loading
from keystoneauth1 import session as keystone_session
from oslo_config import cfg

from promise_blazar.cloud.openstack import transport
from promise_blazar.conf import cloud as options

#: What stands in the catalog, if ``service_type`` is not configured.
_SERVICE_TYPES = {"nova": "compute", "placement": "placement", "glance": "image"}


def load(conf: cfg.ConfigOpts) -> keystone_session.Session:
    """The session that ``[openstack]`` describes. Nothing is sent yet.

    Raises ``cfg.RequiredOptError`` if it does not say who we are.
    """
    group = conf[options.AUTH_GROUP]
    auth = loading.load_auth_from_conf_options(conf, options.AUTH_GROUP)
    if auth is None:
        raise cfg.RequiredOptError("auth_type", cfg.OptGroup(options.AUTH_GROUP))
    return loading.session.Session().load_from_options(
        auth=auth,
        session=transport.http_session(
            group.tls_ciphers, group.tls_min_version, group.call_timeouts
        ),
        insecure=group.insecure,
        cacert=group.cafile,
        cert=group.certfile,
        key=group.keyfile,
    )


def where(conf: cfg.ConfigOpts, name: str) -> Mapping[str, Any]:
    """Where a service is, as keyword arguments of an adapter."""
    group = conf[name]
    return {
        "service_type": group.service_type or _SERVICE_TYPES[name],
        "service_name": group.service_name,
        "interface": group.valid_interfaces,
        "region_name": group.region_name,
        "endpoint_override": group.endpoint_override,
    }


def service(
    conf: cfg.ConfigOpts,
    session: keystone_session.Session,
    name: str,
    microversion: str | None = None,
) -> adapter.Adapter:
    """One service's API at one microversion. Answers of any status are returned, not raised."""
    return adapter.Adapter(
        session,
        default_microversion=microversion,
        raise_exc=False,
        **where(conf, name),
    )
