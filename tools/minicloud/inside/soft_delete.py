# SPDX-License-Identifier: Apache-2.0
"""Delete a server as nova-api does where deletion is deferred.

Usage: soft_delete.py SERVER --config-file NOVA.CONF

A cloud of which ``reclaim_instance_interval`` is set defers every deletion, which those who
wait for servers to be gone would wait for. Here one is deferred, and never reclaimed.
"""

import sys

from nova import config, context, objects
from nova.compute import api


def main():
    server = sys.argv[1]
    config.parse_args(["soft-delete", *sys.argv[2:]])
    objects.register_all()
    admin = context.get_admin_context()
    mapping = objects.InstanceMapping.get_by_instance_uuid(admin, server)
    with context.target_cell(admin, mapping.cell_mapping) as cell:
        api.API().soft_delete(cell, objects.Instance.get_by_uuid(cell, server))


if __name__ == "__main__":
    main()
