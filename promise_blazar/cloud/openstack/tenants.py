# SPDX-License-Identifier: Apache-2.0
"""The real cloud as whoever calls the API has it: Nova, with the caller's token."""

from keystoneauth1 import session as keystone_session
from oslo_config import cfg

from promise_blazar.cloud.openstack.compute.as_caller import NovaAsCaller
from promise_blazar.cloud.openstack.compute.server_groups import TenantServerGroups
from promise_blazar.cloud.openstack.compute.tenant_flavors import TenantFlavors


class OpenStackTenants:
    """``contract.tenants.TenantCloud``."""

    def __init__(self, conf: cfg.ConfigOpts, session: keystone_session.Session) -> None:
        nova = NovaAsCaller(conf, session)
        self.server_groups = TenantServerGroups(nova)
        self.flavors = TenantFlavors(nova)
