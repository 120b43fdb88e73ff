# SPDX-License-Identifier: Apache-2.0
"""Compute nodes: calls ``nova.hypervisor.show``, ``.list``, ``nova.service.list``, and
``placement.inventory.show`` for each.

Nova searches for names by substring (``compute-1`` finds ``compute-10``); exact is our doing.
The zone is the service's, as Nova computes it from the aggregates and its own default.
"""

import contextvars
import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from promise_blazar import exceptions
from promise_blazar.cloud.contract.compute import Hypervisor
from promise_blazar.cloud.contract.placement import Inventory
from promise_blazar.cloud.openstack.compute.nova import Nova, refuse_partial
from promise_blazar.cloud.openstack.errors import BAD_REQUEST, calling, is_status
from promise_blazar.cloud.openstack.placement.resource_providers import ResourceProviders

_COMPUTE = "nova-compute"


class Hypervisors:
    """``contract.compute.Hypervisors`` on a real Nova and Placement.

    ``list_workers``: how many inventories are asked for at once.
    """

    def __init__(self, nova: Nova, providers: ResourceProviders, list_workers: int) -> None:
        self._nova = nova
        self._providers = providers
        self._list_workers = list_workers

    def get(self, name: str) -> Hypervisor:
        node = self._by_id(name) or self._by_name(name)
        if node is None:
            raise exceptions.NotFound(object={"hypervisor": name})
        zones = self._zones(node["service"]["host"])
        return _hypervisor(node, zones, self._providers.compute_inventory(node["id"]))

    def list(self, uuids: Collection[str] | None = None) -> tuple[Hypervisor, ...]:
        nodes = [node for node in self._pages({}) if uuids is None or node["id"] in uuids]
        zones = self._zones(None)
        with ThreadPoolExecutor(self._list_workers, "inventories") as pool:
            # Each runs in a copy of our context, so that the fence holds there too.
            look = self._providers.compute_inventory
            asked = [
                pool.submit(contextvars.copy_context().run, look, node["id"]) for node in nodes
            ]
            try:
                inventories = [each.result() for each in asked]
            except BaseException:
                # Where one is not answered the others would be waited for in vain, one by one.
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return tuple(
            _hypervisor(node, zones, found) for node, found in zip(nodes, inventories, strict=True)
        )

    def _by_id(self, name: str) -> Mapping[str, Any] | None:
        try:
            uuid.UUID(name)
        except ValueError:
            return None
        try:
            with calling("nova.hypervisor.show", self._nova.call_timeout):
                return dict(self._nova.client.hypervisors.get(name).to_dict())
        except exceptions.NotFound:
            return None

    def _by_name(self, name: str) -> Mapping[str, Any] | None:
        if not name:
            return None
        try:
            found = list(self._pages({"hypervisor_hostname_pattern": name}))
        except exceptions.NotFound:
            return None
        except exceptions.CloudError as error:
            # A name with a character that Nova allows in no pattern: it has none like that.
            if not is_status(error, BAD_REQUEST):
                raise
            return None
        return next((node for node in found if node["hypervisor_hostname"] == name), None)

    def _pages(self, query: Mapping[str, str]) -> Any:
        return self._nova.pages(
            "nova.hypervisor.list",
            self._nova.client,
            "/os-hypervisors/detail",
            "hypervisors",
            query,
        )

    def in_service(self) -> frozenset[str]:
        return frozenset(
            service.host
            for service in self._services(None)
            if service.state == "up" and service.status == "enabled"
        )

    def _zones(self, service_host: str | None) -> Mapping[str, str]:
        return {service.host: service.zone for service in self._services(service_host)}

    def _services(self, service_host: str | None) -> Sequence[Any]:
        with calling("nova.service.list", self._nova.list_timeout):
            services = self._nova.client.services.list(host=service_host, binary=_COMPUTE)
        refuse_partial("nova.service.list", [service.to_dict() for service in services])
        return list(services)


def _hypervisor(
    node: Mapping[str, Any], zones: Mapping[str, str], inventory: Mapping[str, Inventory]
) -> Hypervisor:
    host = node["service"]["host"]
    return Hypervisor(
        uuid=node["id"],
        name=node["hypervisor_hostname"],
        service_host=host,
        type=node["hypervisor_type"],
        version=node["hypervisor_version"],
        cpu_info=_cpu_info(node["cpu_info"]),
        vcpus=node["vcpus"],
        memory_mb=node["memory_mb"],
        disk_gb=node["local_gb"],
        # A service that was deleted between the two calls has no zone any more, and is not up.
        zone=zones.get(host, "nova"),
        up=host in zones and node["state"] == "up" and node["status"] == "enabled",
        inventory=inventory,
    )


def _cpu_info(found: Any) -> str:
    """One text, as Blazar shows it, of what is an object since Nova 2.28.

    The same for the same processor: Nova lists its features as they come out of a set, in
    another order whenever the compute was restarted.
    """
    if isinstance(found, dict):
        features = found.get("features")
        ordered = {"features": sorted(features, key=str)} if isinstance(features, list) else {}
        return json.dumps({**found, **ordered}, sort_keys=True)
    return found if isinstance(found, str) else json.dumps(found)
