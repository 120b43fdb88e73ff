# SPDX-License-Identifier: Apache-2.0
"""The manager over oslo.messaging. No token and no catalog ever crosses the bus.

Version history of the ``leases`` and ``hosts`` endpoints:

* 1.0: the calls of ``promise_blazar.manager.interface``.
"""

from promise_blazar.manager.rpc.client import client
from promise_blazar.manager.rpc.server import server

__all__ = ["client", "server"]
