# SPDX-License-Identifier: Apache-2.0
"""Servers on hosts, aggregates by name, and who may enter: what several plugins look up."""

import contextlib
from collections.abc import Iterable
from typing import Any

from nova_filter.decision import admitting_keys
from promise_blazar import exceptions
from promise_blazar.cloud import parallel
from promise_blazar.cloud.contract.cloud import Cloud
from promise_blazar.cloud.contract.compute import Aggregate, Server
from promise_blazar.model.reason import Reason
from promise_blazar.plugins.contract import Failed, StepContext

#: What is amiss with a host that is ``surplus``.
NOT_ITS_OWN = "{} is in its aggregate and is not its own"


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


def close_aggregate(cloud: Cloud, aggregate: Aggregate, owner_key: str) -> bool:
    """No key is left by which the filter lets anybody in. Whether there was one."""
    keys = admitting_keys(aggregate.metadata, owner_key)
    if keys:
        cloud.aggregates.set_metadata(aggregate.id, dict.fromkeys(sorted(keys)))
    return bool(keys)


def surplus(context: StepContext[Any, Any], aggregate: Aggregate) -> list[str]:
    """Hosts in a reservation's aggregate that are not its own: the service hosts.

    It may have had them in a history that the database does not know any more.
    """
    held = {each.service_host for each in context.allocations}
    return [host for host in aggregate.hosts if host not in held]


def others(cloud: Cloud, ids: Iterable[str], there: Iterable[Server]) -> list[Server]:
    """The servers of these ids that are not ``there``; some ids may be of no server."""
    known = {server.id for server in there}
    new = [each for each in ids if each not in known]
    return [found for found in parallel.each(cloud.servers.find, new) if found is not None]


def occupants(cloud: Cloud, service_host: str, hypervisor_uuid: str) -> list[Server]:
    """The servers that are on a host, those that are on their way there, and SOFT_DELETED ones.

    Nova names a server's host when that compute begins to build it, which takes as long as the
    compute is busy with others. Its room is taken when it is let in, and until it is really gone.
    """
    there = list(cloud.servers.on_host(service_host))
    return there + others(cloud, cloud.resource_providers.consumers(hypervisor_uuid), there)


def deleting(servers: Iterable[Server]) -> Reason:
    """Why an end waits: servers that were told to go are still there."""
    names = ", ".join(server.id for server in servers)
    return Reason("servers to disappear", f"servers to disappear: {names}")


def shunned(context: StepContext[Any, Any], aggregate: Aggregate) -> Failed | None:
    """A start that wants other hosts than those out of service, where none of it is yet."""
    hosts = frozenset(
        held.hypervisor
        for held in context.allocations
        if held.hypervisor in context.shun and held.service_host not in aggregate.hosts
    )
    if not hosts:
        return None
    names = ", ".join(sorted(hosts))
    return Failed(Reason("hosts are out of service", f"out of service: {names}"), avoid=hosts)
