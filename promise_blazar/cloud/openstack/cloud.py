# SPDX-License-Identifier: Apache-2.0
"""One OpenStack region: Nova and Placement, with Glance for snapshots.

It decides nothing and calls nothing: each service is in a package beside this one, whose modules
name the calls they announce.
"""

from keystoneauth1 import session as keystone_session
from oslo_config import cfg

from promise_blazar.cloud.openstack import session as sessions
from promise_blazar.cloud.openstack.compute.aggregates import Aggregates
from promise_blazar.cloud.openstack.compute.flavors import Flavors
from promise_blazar.cloud.openstack.compute.hypervisors import Hypervisors
from promise_blazar.cloud.openstack.compute.nova import Nova
from promise_blazar.cloud.openstack.compute.server_groups import ServerGroups
from promise_blazar.cloud.openstack.compute.servers import Servers
from promise_blazar.cloud.openstack.image import Images
from promise_blazar.cloud.openstack.placement.client import MICROVERSION, Placement
from promise_blazar.cloud.openstack.placement.resource_classes import ResourceClasses
from promise_blazar.cloud.openstack.placement.resource_providers import ResourceProviders
from promise_blazar.conf import cloud as options


class OpenStackCloud:
    """``contract.cloud.Cloud``, in one process; to be made after it has forked.

    ``session``: the service's. Safe to use from several threads.
    """

    def __init__(self, conf: cfg.ConfigOpts, session: keystone_session.Session) -> None:
        limits = conf[options.AUTH_GROUP]
        nova = Nova(conf, session)
        placement = Placement(
            sessions.service(conf, session, "placement", MICROVERSION), limits.call_timeout
        )
        images = Images(sessions.service(conf, session, "glance"), limits.call_timeout)
        self.resource_classes = ResourceClasses(placement)
        self.resource_providers = ResourceProviders(placement)
        self.hypervisors = Hypervisors(nova, self.resource_providers, limits.list_workers)
        self.aggregates = Aggregates(nova, {conf.nova.aggregate_freepool_name})
        self.flavors = Flavors(nova)
        self.servers = Servers(nova, images)
        self.server_groups = ServerGroups(nova)
