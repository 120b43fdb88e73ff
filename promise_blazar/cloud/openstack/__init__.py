# SPDX-License-Identifier: Apache-2.0
"""The real cloud: Nova, Placement and Glance, reached as the configuration says.

``promise_blazar.conf.cloud.register_opts`` comes first. Each process connects once.
"""

from oslo_config import cfg

from promise_blazar.cloud.contract.cloud import Cloud
from promise_blazar.cloud.contract.tenants import TenantCloud
from promise_blazar.cloud.openstack import cloud, session
from promise_blazar.cloud.openstack.tenants import OpenStackTenants


def connect(conf: cfg.ConfigOpts) -> Cloud:
    """The configured region. Nothing is sent before the first call."""
    return cloud.OpenStackCloud(conf, session.load(conf))


def tenants(conf: cfg.ConfigOpts) -> TenantCloud:
    """What the tenants' tokens do, for the process that has the tokens: the API's."""
    return OpenStackTenants(conf, session.load(conf))
