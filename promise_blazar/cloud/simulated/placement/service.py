# SPDX-License-Identifier: Apache-2.0
"""Placement as the service calls it: each method is one call, by its name.

What a call does is in ``rules``; which method makes which call is in one table
(``promise_blazar.cloud.simulated.cloud``).
"""

from collections.abc import Mapping, Sequence

from promise_blazar.cloud.simulated.calls import Calls
from promise_blazar.cloud.simulated.placement import rules


class ResourceClasses:
    """``contract.placement.ResourceClasses``."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def ensure(self, name: str) -> None:
        self._calls.write(
            "placement.resource_class.ensure", lambda db: rules.ensure_class(db, name)
        )

    def delete(self, name: str) -> None:
        self._calls.write(
            "placement.resource_class.delete", lambda db: rules.delete_class(db, name)
        )

    def with_prefix(self, prefix: str) -> Sequence[str]:
        return self._calls.read(
            "placement.resource_class.list", lambda db: rules.classes(db, prefix)
        )


class ResourceProviders:
    """``contract.placement.ResourceProviders``."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def ensure_child(self, parent_uuid: str, name: str) -> str:
        return self._calls.write(
            "placement.provider.create", lambda db: rules.ensure_child(db, parent_uuid, name)
        )

    def inventory(self, name: str) -> Mapping[str, int]:
        return self._calls.read("placement.inventory.show", lambda db: rules.totals(db, name))

    def ensure_inventory(self, name: str, resource_class: str, total: int) -> None:
        self._calls.write(
            "placement.inventory.set",
            lambda db: rules.ensure_inventory(db, name, resource_class, total),
        )

    def consumers(self, uuid: str) -> Sequence[str]:
        return self._calls.read("placement.allocation.list", lambda db: rules.consumers(db, uuid))

    def close_inventory(self, name: str, resource_class: str) -> bool:
        return self._calls.write(
            "placement.inventory.set", lambda db: rules.close_inventory(db, name, resource_class)
        )

    def holders(self, name: str, resource_class: str) -> Sequence[str]:
        return self._calls.read(
            "placement.allocation.list", lambda db: rules.holders(db, name, resource_class)
        )
