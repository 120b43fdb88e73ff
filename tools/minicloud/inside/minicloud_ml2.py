# SPDX-License-Identifier: Apache-2.0
"""A Neutron ML2 mechanism driver for hosts that run no network agent.

It binds every port, on whatever host, so that servers can be booted with a
network. There is no network behind it, as there is no machine behind the
servers of Nova's fake virt driver.
"""

from neutron_lib import constants
from neutron_lib.api.definitions import portbindings
from neutron_lib.plugins.ml2 import api


class BindAnywhere(api.MechanismDriver):
    def initialize(self):
        pass

    def bind_port(self, context):
        segment = context.segments_to_bind[0]
        context.set_binding(
            segment[api.ID], portbindings.VIF_TYPE_OTHER, {}, status=constants.PORT_STATUS_ACTIVE
        )
