# SPDX-License-Identifier: Apache-2.0
"""The real cloud: Nova and Placement, reached as the configuration says.

``promise_blazar.conf.cloud.register_opts`` comes first. Each process connects once.
"""

from oslo_config import cfg

from promise_blazar.cloud.contract.cloud import Cloud
from promise_blazar.cloud.contract.server_groups import ServerGroups
from promise_blazar.cloud.openstack import cloud, session
from promise_blazar.cloud.openstack import groups as server_groups


def connect(conf: cfg.ConfigOpts) -> Cloud:
    """The configured region. Nothing is sent before the first call."""
    return cloud.OpenStackCloud(conf, session.load(conf))


def groups(conf: cfg.ConfigOpts) -> ServerGroups:
    """Server groups by the tenants' tokens, for the process that has the tokens: the API's."""
    return server_groups.OpenStackServerGroups(conf, session.load(conf))
