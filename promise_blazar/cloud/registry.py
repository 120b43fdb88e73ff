# SPDX-License-Identifier: Apache-2.0
"""Which cloud? The one that the configuration names."""

from oslo_config import cfg

from promise_blazar.clock import SystemClock
from promise_blazar.cloud import openstack
from promise_blazar.cloud.contract.cloud import Cloud
from promise_blazar.cloud.contract.server_groups import ServerGroups
from promise_blazar.cloud.simulated import SimulatedCloud


def cloud(conf: cfg.ConfigOpts) -> Cloud:
    """For managers."""
    return simulated(conf) if conf.cloud.driver == "simulated" else openstack.connect(conf)


def groups(conf: cfg.ConfigOpts) -> ServerGroups:
    """For the API: what only the tenants' tokens can make."""
    return simulated(conf) if conf.cloud.driver == "simulated" else openstack.groups(conf)


def simulated(conf: cfg.ConfigOpts) -> SimulatedCloud:
    return SimulatedCloud(conf.cloud.simulated_state, conf.cloud.simulated_hosts, SystemClock())
