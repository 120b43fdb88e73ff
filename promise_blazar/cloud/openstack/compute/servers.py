# SPDX-License-Identifier: Apache-2.0
"""Servers of all projects: calls ``nova.server.show``, ``.list``, ``.delete``, ``.snapshot``,
``nova.migration.list``, and of Glance those of ``image`` beside this package.

Nova 2.47 and later shows a server's flavor as it was, with its extra specs but without its id;
earlier ones show the id alone. Both matter, so a look that finds something asks twice.
"""

from collections.abc import Collection, Mapping
from typing import Any

from promise_blazar import exceptions
from promise_blazar.cloud.contract.compute import Server
from promise_blazar.cloud.openstack.compute.nova import Nova, refuse_partial
from promise_blazar.cloud.openstack.errors import CONFLICT, calling, is_status
from promise_blazar.cloud.openstack.image import OCCASION, Images, occasion_of

_HOST = "OS-EXT-SRV-ATTR:host"
_TASK = "OS-EXT-STS:task_state"
#: In these Nova makes no image of a server, however long it is asked.
_WITHOUT_IMAGES = ("ERROR", "RESCUE", "SHELVED_OFFLOADED", "SOFT_DELETED", "VERIFY_RESIZE")


class Servers:
    """``contract.compute.Servers`` on a real Nova, with Glance for the snapshots."""

    def __init__(self, nova: Nova, images: Images) -> None:
        self._nova = nova
        self._images = images

    def find(self, server_id: str) -> Server | None:
        client, earlier = self._nova.client, self._nova.flavor_id_client
        try:
            with calling("nova.server.show", self._nova.call_timeout):
                found = client.servers.get(server_id).to_dict()
            with calling("nova.server.show", self._nova.call_timeout):
                flavor_id = earlier.servers.get(server_id).to_dict()["flavor"]["id"]
        except exceptions.NotFound:
            return None
        refuse_partial("nova.server.show", [found])
        return _server(found, flavor_id)

    def on_host(self, service_host: str) -> tuple[Server, ...]:
        found = self._list({"host": service_host})
        if not found:
            return ()
        flavor_ids = {
            server["id"]: server["flavor"]["id"]
            for server in self._pages(self._nova.flavor_id_client, {"host": service_host})
        }
        # One that is in the first list only has gone meanwhile.
        return tuple(
            _server(server, flavor_ids[server["id"]])
            for server in found
            if server["id"] in flavor_ids
        )

    def of_flavor(self, flavor_id: str) -> tuple[Server, ...]:
        """Those booted with the flavor that has this id now.

        Nova remembers a row, not an id: servers of a flavor that was deleted, or deleted and
        made again, are not found by it any more.
        """
        found = self._list({"flavor": flavor_id})
        return tuple(_server(server, flavor_id) for server in found)

    def building(self, project_id: str) -> tuple[Server, ...]:
        found = self._list({"project_id": project_id, "status": "BUILD"})
        return tuple(_server(server, None) for server in found if server[_HOST] is None)

    def moving(self, consumers: Collection[str]) -> tuple[Server, ...]:
        with calling("nova.migration.list", self._nova.list_timeout):
            # Finished, and neither confirmed nor reverted.
            moves = self._nova.client.migrations.list(status="finished")
        moved = sorted({move.instance_uuid for move in moves if move.uuid in consumers})
        return tuple(found for each in moved if (found := self.find(each)) is not None)

    def delete(self, server_id: str) -> None:
        # Forced: also where deletion is deferred, and in whatever state.
        try:
            with calling("nova.server.delete", self._nova.call_timeout):
                self._nova.client.servers.force_delete(server_id)
        except exceptions.NotFound:
            return

    def snapshot(self, server_id: str, image_name: str, occasion: str) -> None:
        with calling("nova.server.show", self._nova.call_timeout):
            project_id = self._nova.client.servers.get(server_id).tenant_id
        image_id = self._images.of_occasion(server_id, occasion)
        if image_id is None:
            image_id = self._create_image(
                server_id, image_name, {OCCASION: occasion_of(server_id, occasion)}
            )
        self._images.hand_over(image_id, project_id)

    def _create_image(self, server_id: str, name: str, properties: Mapping[str, str]) -> str:
        try:
            with calling("nova.server.snapshot", self._nova.call_timeout):
                made = self._nova.client.servers.create_image(server_id, name, properties)
        except exceptions.CloudError as error:
            if is_status(error, CONFLICT) and self._busy(server_id):
                # Such as with another snapshot; one that is in ERROR is so for good.
                raise exceptions.CloudUnavailable(**error.facts) from error
            raise
        return str(made)

    def _busy(self, server_id: str) -> bool:
        """Whether the server was in the middle of something that ends by itself."""
        with calling("nova.server.show", self._nova.call_timeout):
            found = self._nova.client.servers.get(server_id).to_dict()
        return found.get(_TASK) is not None or found["status"] not in _WITHOUT_IMAGES

    def _list(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        found = self._pages(self._nova.client, query)
        refuse_partial("nova.server.list", found)
        return found

    def _pages(self, client: Any, query: Mapping[str, str]) -> list[dict[str, Any]]:
        asked = {"all_tenants": "1", **query}
        return list(
            self._nova.pages("nova.server.list", client, "/servers/detail", "servers", asked)
        )


def _server(found: Mapping[str, Any], flavor_id: str | None) -> Server:
    return Server(
        id=found["id"],
        name=found["name"],
        project_id=found["tenant_id"],
        status=found["status"],
        host=found[_HOST],
        flavor_id=flavor_id,
        flavor_extra_specs=dict(found["flavor"].get("extra_specs", {})),
    )
