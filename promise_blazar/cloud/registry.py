# SPDX-License-Identifier: Apache-2.0
"""The cloud that the configuration names."""

from oslo_config import cfg

from promise_blazar.clock import SystemClock
from promise_blazar.cloud import openstack
from promise_blazar.cloud.contract.cloud import Cloud
from promise_blazar.cloud.contract.tenants import TenantCloud
from promise_blazar.cloud.simulated import SimulatedCloud


def cloud(conf: cfg.ConfigOpts) -> Cloud:
    """For managers."""
    return simulated(conf) if conf.cloud.driver == "simulated" else openstack.connect(conf)


def tenants(conf: cfg.ConfigOpts) -> TenantCloud:
    """For the API: what only the tenants' tokens can do."""
    return simulated(conf) if conf.cloud.driver == "simulated" else openstack.tenants(conf)


def simulated(conf: cfg.ConfigOpts) -> SimulatedCloud:
    """The one in the file that the configuration names."""
    return SimulatedCloud(conf.cloud.simulated_state, conf.cloud.simulated_hosts, SystemClock())
