# SPDX-License-Identifier: Apache-2.0
"""Servers on hosts and aggregates by name: what several plugins look up in the cloud."""

import contextlib
from collections.abc import Iterable

from promise_blazar import exceptions
from promise_blazar.cloud import parallel
from promise_blazar.cloud.contract.cloud import Cloud
from promise_blazar.cloud.contract.compute import Aggregate, Server
from promise_blazar.plugins.contract import Reason


def find_aggregate(cloud: Cloud, name: str, number: int | None = None) -> Aggregate | None:
    """The aggregate of exactly this name, without making it.

    ``number``: which it is, as far as is known. A listing grows with every lease that there is.
    """
    if number is not None:
        with contextlib.suppress(exceptions.NotFound):
            found = cloud.aggregates.get(number)
            if found.name == name:
                return found
    return next((found for found in cloud.aggregates.list() if found.name == name), None)


def arriving(cloud: Cloud, hypervisor_uuid: str, there: Iterable[Server]) -> list[Server]:
    """Servers that were let in, and are not on their host yet. ``there``: those that are.

    Nova names a server's host when that compute begins to build it, which takes as long as the
    compute is busy with others. Its room is taken when it is let in.
    """
    known = {server.id for server in there}
    consumers = cloud.resource_providers.consumers(hypervisor_uuid)
    found = parallel.each(cloud.servers.find, [each for each in consumers if each not in known])
    return [server for server in found if server is not None]


def occupants(cloud: Cloud, service_host: str, hypervisor_uuid: str) -> list[Server]:
    """The servers that are on a host, and those on their way there."""
    there = list(cloud.servers.on_host(service_host))
    return there + arriving(cloud, hypervisor_uuid, there)


def deleting(servers: Iterable[Server]) -> Reason:
    """Why an end waits: servers that were told to go are still there."""
    names = ", ".join(server.id for server in servers)
    return Reason("servers to disappear", f"servers to disappear: {names}")
