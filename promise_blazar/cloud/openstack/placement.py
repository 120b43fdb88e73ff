# SPDX-License-Identifier: Apache-2.0
"""Placement: calls ``placement.resource_class.list``, ``.show``, ``.ensure``, ``.delete``,
``placement.provider.find``, ``.show``, ``.create``, ``.move``, ``placement.inventory.show``,
``.set``, ``placement.allocation.list``.

Spoken to by a plain adapter: osc-placement, which the project depends on, is the operators'
command line (``openstack resource provider ...``) and has no functions to call.

A child provider is emptied, never deleted: measured on Nova 34, one deleted under a running
compute makes every build on that host fail for up to 300 s. So which one is a host's is
remembered, and looked up again when Placement does not know it any more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from keystoneauth1 import adapter

from promise_blazar import exceptions
from promise_blazar.cloud.contract.cloud import Inventory
from promise_blazar.cloud.openstack import errors
from promise_blazar.cloud.openstack.errors import CONFLICT, CREATED, calling, is_status
from promise_blazar.cloud.openstack.serialize import KeyedLock
from promise_blazar.model.openstack_names import RESERVATION_CLASS

#: 1.20 answers with what was made, 1.23 with error codes, 1.37 lets a provider change parents.
MICROVERSION = "1.37"
#: An inventory changes under a generation, which also moves with every server on the provider.
#: So many lost races in a row mean something else is wrong; the caller tries again later.
_ATTEMPTS = 5

_CONCURRENT_UPDATE = "placement.concurrent_update"


@dataclass(frozen=True, slots=True)
class _Child:
    uuid: str
    parent_uuid: str


class Placement:
    """Safe to use from several threads."""

    def __init__(self, api: adapter.Adapter, call_timeout: float) -> None:
        self._api = api
        self._call_timeout = call_timeout
        self._host_locks = KeyedLock()
        # By name; as many as there are hosts.
        self._children: dict[str, _Child] = {}

    def ensure_resource_class(self, name: str) -> None:
        call, path = "placement.resource_class.ensure", f"/resource_classes/{name}"
        for _ in range(_ATTEMPTS):
            if self._send(call, "PUT", path).status_code == CREATED or self._has_class(path):
                return
        detail = f"{name} is there, Placement says, and is not"
        raise exceptions.CloudUnavailable(call=call, status=None, detail=detail)

    def _has_class(self, path: str) -> bool:
        """Whether a class is there of which Placement has just said so.

        Placement on MariaDB says so too to one of two classes that are made at the same time:
        it takes the number that both chose for the name, and makes the first alone. (Measured: of
        16 classes made at once 3 to 9 were missing, and leases could not start.)
        """
        try:
            self._send("placement.resource_class.show", "GET", path)
        except exceptions.NotFound:
            return False
        return True

    def delete_resource_class(self, name: str) -> None:
        try:
            self._send("placement.resource_class.delete", "DELETE", f"/resource_classes/{name}")
        except exceptions.NotFound:
            return

    def resource_classes(self, prefix: str) -> list[str]:
        answer = self._send("placement.resource_class.list", "GET", "/resource_classes")
        names = (found["name"] for found in answer.json()["resource_classes"])
        return [name for name in names if name.startswith(prefix)]

    def consumers(self, hypervisor_uuid: str) -> list[str]:
        path = f"/resource_providers/{hypervisor_uuid}/allocations"
        try:
            answer = self._send("placement.allocation.list", "GET", path)
        except exceptions.NotFound:
            return []
        return list(answer.json()["allocations"])

    def ensure_child_provider(self, parent_uuid: str, name: str) -> str:
        known = self._children.get(name)
        if known is not None and known.parent_uuid == parent_uuid:
            return known.uuid
        found = self._provider(name)
        if found is None:
            found = self._create_provider(parent_uuid, name)
        if found["parent_provider_uuid"] != parent_uuid:
            # The host was set up anew and has another identity now.
            self._send(
                "placement.provider.move",
                "PUT",
                f"/resource_providers/{found['uuid']}",
                {"name": name, "parent_provider_uuid": parent_uuid},
            )
        self._children[name] = _Child(found["uuid"], parent_uuid)
        return str(found["uuid"])

    def child_inventory(self, name: str) -> Mapping[str, int]:
        found = self._provider(name)
        if found is None:
            return {}
        inventories = self._inventories(found["uuid"])["inventories"]
        return {name: inventory["total"] for name, inventory in inventories.items()}

    def ensure_child_inventory(self, name: str, resource_class: str, total: int) -> None:
        known = self._children.get(name)
        if known is not None:
            try:
                self._ensure_inventory(known.uuid, resource_class, total)
            except exceptions.NotFound:
                self._children.pop(name, None)
            else:
                return
        found = self._provider(name)
        if found is None:
            raise exceptions.NotFound(f"There is no resource provider {name}")
        self._ensure_inventory(found["uuid"], resource_class, total)

    def _ensure_inventory(self, uuid: str, resource_class: str, total: int) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self._host_locks.of(uuid):
                    self._change_inventory(uuid, resource_class, total)
            except exceptions.CloudUnavailable as error:
                if attempt == _ATTEMPTS or not errors.may_be_race(error):
                    raise
            else:
                return

    def inventory(self, uuid: str) -> Mapping[str, Inventory]:
        """Of a compute node: without our classes; empty if Placement does not know it (yet)."""
        try:
            inventories = self._inventories(uuid)["inventories"]
        except exceptions.NotFound:
            return {}
        return {
            name: Inventory(found["total"], found["reserved"], found["allocation_ratio"])
            for name, found in inventories.items()
            if not name.startswith(RESERVATION_CLASS)
        }

    def _provider(self, name: str) -> dict[str, Any] | None:
        answer = self._send(
            "placement.provider.find", "GET", "/resource_providers", params={"name": name}
        )
        return next(iter(answer.json()["resource_providers"]), None)

    def _create_provider(self, parent_uuid: str, name: str) -> dict[str, Any]:
        wanted = {"name": name, "parent_provider_uuid": parent_uuid}
        try:
            answer = self._send("placement.provider.create", "POST", "/resource_providers", wanted)
        except exceptions.CloudError as error:
            if is_status(error, errors.BAD_REQUEST):
                # Placement's answer to a parent that is not there; say so in our words.
                self._send("placement.provider.show", "GET", f"/resource_providers/{parent_uuid}")
            # Somebody else may have made it since we looked.
            found = self._provider(name) if is_status(error, CONFLICT) else None
            if found is None:
                raise
            return found
        return dict(answer.json())

    def _inventories(self, uuid: str) -> dict[str, Any]:
        path = f"/resource_providers/{uuid}/inventories"
        return dict(self._send("placement.inventory.show", "GET", path).json())

    def _change_inventory(self, uuid: str, resource_class: str, total: int) -> None:
        there = self._inventories(uuid)
        inventories = dict(there["inventories"])
        if total:
            wanted = {"total": total, "reserved": 0, "allocation_ratio": 1.0}
            wanted |= {"min_unit": 1, "max_unit": total, "step_size": 1}
        else:
            wanted = None
        if inventories.get(resource_class) == wanted:
            return
        if wanted is None:
            del inventories[resource_class]
        else:
            inventories[resource_class] = wanted
        # All of the provider's at once: the one call that can make, change and take away, and
        # that checks the generation while it does.
        self._send(
            "placement.inventory.set",
            "PUT",
            f"/resource_providers/{uuid}/inventories",
            {
                "resource_provider_generation": there["resource_provider_generation"],
                "inventories": inventories,
            },
        )

    def _send(
        self,
        call: str,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> requests.Response:
        with calling(call, self._call_timeout):
            answer = self._api.request(
                path, method, json=body, params=params, headers={"Accept": "application/json"}
            )
        if answer.ok:
            return answer
        if answer.status_code == CONFLICT and _CONCURRENT_UPDATE in answer.text:
            detail = "the provider changed meanwhile"
            raise exceptions.CloudUnavailable(call=call, status=CONFLICT, detail=detail)
        raise errors.of_response(call, answer)
