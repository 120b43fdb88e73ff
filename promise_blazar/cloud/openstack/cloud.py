# SPDX-License-Identifier: Apache-2.0
"""One OpenStack region, as ``promise_blazar.cloud.contract.cloud.Cloud`` asks for it.

Nothing here decides anything: each method is one of the modules beside this one, which name
the calls they announce.
"""

from collections.abc import Collection, Mapping, Sequence

from keystoneauth1 import session as keystone_session
from oslo_config import cfg

from promise_blazar.cloud.contract.cloud import Aggregate, Flavor, Hypervisor, Server
from promise_blazar.cloud.openstack import placement
from promise_blazar.cloud.openstack import session as sessions
from promise_blazar.cloud.openstack.aggregates import Aggregates
from promise_blazar.cloud.openstack.flavors import Flavors
from promise_blazar.cloud.openstack.hypervisors import Hypervisors
from promise_blazar.cloud.openstack.images import Images
from promise_blazar.cloud.openstack.nova import Nova
from promise_blazar.cloud.openstack.servers import Servers
from promise_blazar.conf import cloud as options


class OpenStackCloud:
    """Safe to use from several threads; to be made after a process has forked."""

    def __init__(self, conf: cfg.ConfigOpts, session: keystone_session.Session) -> None:
        patience = conf[options.AUTH_GROUP]
        nova = Nova(conf, session)
        self._placement = placement.Placement(
            sessions.service(conf, session, "placement", placement.MICROVERSION),
            patience.call_timeout,
        )
        self._aggregates = Aggregates(nova)
        self._flavors = Flavors(nova)
        images = Images(sessions.service(conf, session, "glance"), patience.call_timeout)
        self._servers = Servers(nova, images)
        self._hypervisors = Hypervisors(nova, self._placement, patience.list_workers)

    # Hypervisors

    def hypervisor(self, name: str) -> Hypervisor:
        return self._hypervisors.show(name)

    def hypervisors(self, uuids: Collection[str] | None = None) -> Sequence[Hypervisor]:
        return self._hypervisors.list(uuids)

    # Aggregates

    def aggregates(self) -> Sequence[Aggregate]:
        return self._aggregates.list()

    def aggregate(self, aggregate_id: int) -> Aggregate:
        return self._aggregates.show(aggregate_id)

    def ensure_aggregate(
        self,
        name: str,
        zone: str | None,
        metadata: Mapping[str, str],
        number: int | None = None,
    ) -> Aggregate:
        return self._aggregates.ensure(name, zone, metadata, number)

    def set_aggregate_metadata(
        self, aggregate_id: int, metadata: Mapping[str, str | None]
    ) -> None:
        self._aggregates.set_metadata(aggregate_id, metadata)

    def add_to_aggregate(self, aggregate_id: int, service_host: str) -> None:
        self._aggregates.add_host(aggregate_id, service_host)

    def remove_from_aggregate(self, aggregate_id: int, service_host: str) -> None:
        self._aggregates.remove_host(aggregate_id, service_host)

    def delete_aggregate(self, aggregate_id: int) -> None:
        self._aggregates.delete(aggregate_id)

    # Flavors

    def ensure_flavor(self, flavor: Flavor) -> None:
        self._flavors.ensure(flavor)

    def delete_flavor(self, flavor_id: str) -> None:
        self._flavors.delete(flavor_id)

    def flavors_named(self, prefix: str) -> Sequence[str]:
        return self._flavors.named(prefix)

    def grant_flavor(self, flavor_id: str, project_id: str) -> None:
        self._flavors.grant(flavor_id, project_id)

    def revoke_flavor(self, flavor_id: str, project_id: str) -> None:
        self._flavors.revoke(flavor_id, project_id)

    # Servers

    def server(self, server_id: str) -> Server | None:
        return self._servers.show(server_id)

    def servers_on_host(self, service_host: str) -> Sequence[Server]:
        return self._servers.on_host(service_host)

    def servers_of_flavor(self, flavor_id: str) -> Sequence[Server]:
        return self._servers.of_flavor(flavor_id)

    def delete_server(self, server_id: str) -> None:
        self._servers.delete(server_id)

    def snapshot_server(self, server_id: str, image_name: str, occasion: str) -> None:
        self._servers.snapshot(server_id, image_name, occasion)

    def server_groups(self, prefix: str) -> Mapping[str, str]:
        return self._servers.groups(prefix)

    def delete_server_group(self, group_id: str) -> None:
        self._servers.delete_group(group_id)

    def server_groups_named(self, name: str) -> Sequence[str]:
        return self._servers.groups_named(name)

    # Placement

    def ensure_resource_class(self, name: str) -> None:
        self._placement.ensure_resource_class(name)

    def delete_resource_class(self, name: str) -> None:
        self._placement.delete_resource_class(name)

    def resource_classes(self, prefix: str) -> Sequence[str]:
        return self._placement.resource_classes(prefix)

    def consumers(self, hypervisor_uuid: str) -> Sequence[str]:
        return self._placement.consumers(hypervisor_uuid)

    def ensure_child_provider(self, parent_uuid: str, name: str) -> str:
        return self._placement.ensure_child_provider(parent_uuid, name)

    def child_inventory(self, name: str) -> Mapping[str, int]:
        return self._placement.child_inventory(name)

    def ensure_child_inventory(self, name: str, resource_class: str, total: int) -> None:
        self._placement.ensure_child_inventory(name, resource_class, total)
