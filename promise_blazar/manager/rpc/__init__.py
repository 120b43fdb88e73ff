# SPDX-License-Identifier: Apache-2.0
"""Manager over oslo.messaging. No token and no catalog ever crosses the bus.

Version history of the ``leases`` and ``hosts`` endpoints:

* 1.0: the calls of ``promise_blazar.manager.contract.interface``, but for:
* 1.1: ids of what is to be made come with the request, and how long to wait; server groups with
  the change that wants them, and their policy.

A message says for how many seconds it is good (``deadline``); managers of 1.0 do not look.

``manager.rpc.versions`` says how peers of several versions get along, and what came with each.
"""

from oslo_service.backend import BackendType, init_backend

# oslo.messaging imports oslo.service, whose default is still eventlet: choose before it does.
init_backend(BackendType.THREADING)

from promise_blazar.manager.rpc.client import client  # noqa: E402
from promise_blazar.manager.rpc.server import server  # noqa: E402

__all__ = ["client", "server"]
