# SPDX-License-Identifier: Apache-2.0
"""Resource providers: calls ``placement.provider.find``, ``.show``, ``.create``, ``.move``,
``placement.inventory.show``, ``.set``, ``placement.allocation.list``.

A child provider is emptied, never deleted: measured on Nova 34, one deleted under a running
compute makes every build on that host fail for up to 300 s. So which one is a host's is
remembered, and looked up again when Placement does not know it any more.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from promise_blazar import exceptions
from promise_blazar.cloud.contract.placement import Inventory
from promise_blazar.cloud.openstack import errors
from promise_blazar.cloud.openstack.errors import CONFLICT, is_status
from promise_blazar.cloud.openstack.placement.client import Placement
from promise_blazar.cloud.openstack.serialize import KeyedLock
from promise_blazar.model.openstack_names import RESERVATION_CLASS

#: An inventory changes under a generation, which also moves with every server on the provider.
#: So many lost races in a row mean something else is wrong; the caller tries again later.
_ATTEMPTS = 5


#: A provider's inventories by resource class, as Placement writes them; and those it is to have.
_Inventories = dict[str, Any]
_Change = Callable[[_Inventories], _Inventories]


@dataclass(frozen=True, slots=True)
class _Child:
    uuid: str
    parent_uuid: str


class ResourceProviders:
    """``contract.placement.ResourceProviders`` on a real Placement."""

    def __init__(self, placement: Placement) -> None:
        self._placement = placement
        self._host_locks = KeyedLock()
        # By name; as many as there are hosts.
        self._children: dict[str, _Child] = {}

    def ensure_child(self, parent_uuid: str, name: str) -> str:
        known = self._children.get(name)
        if known is not None and known.parent_uuid == parent_uuid:
            return known.uuid
        found = self._provider(name)
        if found is None:
            found = self._create_provider(parent_uuid, name)
        if found["parent_provider_uuid"] != parent_uuid:
            # The host was set up anew and has another identity now.
            self._placement.send(
                "placement.provider.move",
                "PUT",
                f"/resource_providers/{found['uuid']}",
                {"name": name, "parent_provider_uuid": parent_uuid},
            )
        self._children[name] = _Child(found["uuid"], parent_uuid)
        return str(found["uuid"])

    def inventory(self, name: str) -> Mapping[str, int]:
        found = self._provider(name)
        if found is None:
            return {}
        inventories = self._inventories(found["uuid"])["inventories"]
        return {kind: inventory["total"] for kind, inventory in inventories.items()}

    def ensure_inventory(self, name: str, resource_class: str, total: int) -> None:
        known = self._children.get(name)
        if known is not None:
            try:
                self._ensure_on(known.uuid, resource_class, total)
            except exceptions.NotFound:
                self._children.pop(name, None)
            else:
                return
        found = self._provider(name)
        if found is None:
            raise exceptions.NotFound(f"There is no resource provider {name}")
        self._ensure_on(found["uuid"], resource_class, total)

    def consumers(self, uuid: str) -> list[str]:
        return list(self._allocations(uuid))

    def close_inventory(self, name: str, resource_class: str) -> bool:
        found = self._provider(name)
        if found is None:
            return False
        return self._retried(found["uuid"], lambda there: _closed(there, resource_class))

    def holders(self, name: str, resource_class: str) -> list[str]:
        found = self._provider(name)
        if found is None:
            return []
        held = self._allocations(found["uuid"])
        return [each for each, taken in held.items() if resource_class in taken["resources"]]

    def compute_inventory(self, uuid: str) -> Mapping[str, Inventory]:
        """A compute node's, without our classes; empty if Placement does not know it (yet)."""
        try:
            inventories = self._inventories(uuid)["inventories"]
        except exceptions.NotFound:
            return {}
        return {
            name: Inventory(found["total"], found["reserved"], found["allocation_ratio"])
            for name, found in inventories.items()
            if not name.startswith(RESERVATION_CLASS)
        }

    def _ensure_on(self, uuid: str, resource_class: str, total: int) -> None:
        self._retried(uuid, lambda there: _with_total(there, resource_class, total))

    def _retried(self, uuid: str, change: _Change) -> bool:
        """Whether the change of a provider's inventories was one."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self._host_locks.of(uuid):
                    return self._change_inventories(uuid, change)
            except exceptions.CloudUnavailable as error:
                if attempt == _ATTEMPTS or not errors.may_be_race(error):
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _allocations(self, uuid: str) -> dict[str, Any]:
        """By consumer; empty if there is no such provider."""
        path = f"/resource_providers/{uuid}/allocations"
        try:
            answer = self._placement.send("placement.allocation.list", "GET", path)
        except exceptions.NotFound:
            return {}
        return dict(answer.json()["allocations"])

    def _provider(self, name: str) -> dict[str, Any] | None:
        answer = self._placement.send(
            "placement.provider.find", "GET", "/resource_providers", params={"name": name}
        )
        return next(iter(answer.json()["resource_providers"]), None)

    def _create_provider(self, parent_uuid: str, name: str) -> dict[str, Any]:
        wanted = {"name": name, "parent_provider_uuid": parent_uuid}
        try:
            answer = self._placement.send(
                "placement.provider.create", "POST", "/resource_providers", wanted
            )
        except exceptions.CloudError as error:
            if is_status(error, errors.BAD_REQUEST):
                # Placement's answer to a parent that is not there; say so in our words.
                self._placement.send(
                    "placement.provider.show", "GET", f"/resource_providers/{parent_uuid}"
                )
            # Somebody else may have made it since we looked.
            found = self._provider(name) if is_status(error, CONFLICT) else None
            if found is None:
                raise
            return found
        return dict(answer.json())

    def _inventories(self, uuid: str) -> dict[str, Any]:
        path = f"/resource_providers/{uuid}/inventories"
        return dict(self._placement.send("placement.inventory.show", "GET", path).json())

    def _change_inventories(self, uuid: str, change: _Change) -> bool:
        there = self._inventories(uuid)
        before = dict(there["inventories"])
        inventories = change(before)
        if inventories == before:
            return False
        # All of the provider's at once: the one call that can make, change and take away, and
        # that checks the generation while it does.
        self._placement.send(
            "placement.inventory.set",
            "PUT",
            f"/resource_providers/{uuid}/inventories",
            {
                "resource_provider_generation": there["resource_provider_generation"],
                "inventories": inventories,
            },
        )
        return True


def _with_total(there: _Inventories, resource_class: str, total: int) -> _Inventories:
    others = {name: each for name, each in there.items() if name != resource_class}
    if not total:
        return others
    wanted = {"total": total, "reserved": 0, "allocation_ratio": 1.0}
    wanted |= {"min_unit": 1, "max_unit": total, "step_size": 1}
    return {**others, resource_class: wanted}


def _closed(there: _Inventories, resource_class: str) -> _Inventories:
    if resource_class not in there:
        return there
    mine = there[resource_class]
    return {**there, resource_class: {**mine, "reserved": mine["total"]}}
