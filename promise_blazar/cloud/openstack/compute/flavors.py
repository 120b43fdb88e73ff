# SPDX-License-Identifier: Apache-2.0
"""Private flavors: calls ``nova.flavor.list``, ``.show``, ``.create``, ``.set_extra_specs``,
``.unset_extra_spec``, ``.delete``, ``.access``, ``.grant``, ``.revoke``.

A flavor's size cannot be changed in Nova, so one of another size is deleted and made again,
which takes its grants away. Servers keep what they were booted with.
"""

from typing import Any

from promise_blazar import exceptions
from promise_blazar.cloud.contract.compute import Flavor
from promise_blazar.cloud.openstack.compute.nova import Nova
from promise_blazar.cloud.openstack.errors import CONFLICT, calling, is_status, may_be_race


class Flavors:
    """``contract.compute.Flavors`` on a real Nova."""

    def __init__(self, nova: Nova) -> None:
        self._nova = nova
        self._api = nova.client.flavors
        self._access = nova.client.flavor_access

    def ensure(self, flavor: Flavor) -> None:
        # Nearly every flavor is new: Nova says when it is not.
        try:
            found = self._post(flavor)
        except exceptions.CloudError as error:
            found = self._find(flavor.id) if may_be_race(error) else None
            if found is None:
                raise
            if not _has_shape(found, flavor):
                self.delete(flavor.id)
                found = self._create(flavor)
        self._ensure_extra_specs(found, flavor)

    def delete(self, flavor_id: str) -> None:
        try:
            with calling("nova.flavor.delete", self._nova.call_timeout):
                self._api.delete(flavor_id)
        except exceptions.NotFound:
            return

    def with_prefix(self, prefix: str) -> list[str]:
        listed = self._nova.pages(
            "nova.flavor.list", self._nova.client, "/flavors", "flavors", {"is_public": "None"}
        )
        return [found["id"] for found in listed if found["name"].startswith(prefix)]

    def grant(self, flavor_id: str, project_id: str) -> None:
        try:
            with calling("nova.flavor.grant", self._nova.call_timeout):
                self._access.add_tenant_access(flavor_id, project_id)
        except exceptions.CloudError as error:
            if not is_status(error, CONFLICT):
                raise

    def revoke(self, flavor_id: str, project_id: str) -> None:
        try:
            with calling("nova.flavor.revoke", self._nova.call_timeout):
                self._access.remove_tenant_access(flavor_id, project_id)
        except exceptions.NotFound:
            return

    def granted(self, flavor_id: str) -> list[str]:
        try:
            with calling("nova.flavor.access", self._nova.call_timeout):
                return [str(found.tenant_id) for found in self._access.list(flavor=flavor_id)]
        except exceptions.NotFound:
            return []

    def _find(self, flavor_id: str) -> Any | None:
        try:
            with calling("nova.flavor.show", self._nova.call_timeout):
                return self._api.get(flavor_id)
        except exceptions.NotFound:
            return None

    def _create(self, flavor: Flavor) -> Any:
        try:
            return self._post(flavor)
        except exceptions.CloudError as error:
            # Somebody else may have made it at the same time; or another flavor has the name.
            found = self._find(flavor.id) if may_be_race(error) else None
            if found is None or not _has_shape(found, flavor):
                raise
            return found

    def _post(self, flavor: Flavor) -> Any:
        with calling("nova.flavor.create", self._nova.call_timeout):
            return self._api.create(
                flavor.name,
                flavor.memory_mb,
                flavor.vcpus,
                flavor.disk_gb,
                flavorid=flavor.id,
                is_public=False,
            )

    def _ensure_extra_specs(self, found: Any, flavor: Flavor) -> None:
        missing = _missing(found, flavor)
        if missing:
            try:
                with calling("nova.flavor.set_extra_specs", self._nova.call_timeout):
                    found.set_keys(missing)
            except exceptions.CloudError as error:
                # Nova gives up when others set the same keys at once; theirs are as good.
                again = self._find(flavor.id) if may_be_race(error) else None
                if again is None or _missing(again, flavor):
                    raise
        for key in sorted(_extra_specs(found).keys() - flavor.extra_specs.keys()):
            try:
                with calling("nova.flavor.unset_extra_spec", self._nova.call_timeout):
                    found.unset_keys([key])
            except exceptions.NotFound:
                continue


def _extra_specs(found: Any) -> dict[str, str]:
    # What Nova answers to a create has none.
    return dict(found.to_dict().get("extra_specs", {}))


def _missing(found: Any, flavor: Flavor) -> dict[str, str]:
    there = _extra_specs(found)
    return {key: value for key, value in flavor.extra_specs.items() if there.get(key) != value}


def _has_shape(found: Any, flavor: Flavor) -> bool:
    there = (found.name, found.vcpus, found.ram, found.disk, found.ephemeral, found.is_public)
    # Nova writes no swap as an empty string, or as 0 from 2.75 on.
    no_swap = not found.swap
    wanted = (flavor.name, flavor.vcpus, flavor.memory_mb, flavor.disk_gb, 0, False)
    return no_swap and there == wanted
