# SPDX-License-Identifier: Apache-2.0
"""Placement as the service asks it: resource classes, and resource providers of hosts.

A host's own resource provider is the compute node's, with Nova's uuid. What the service offers of
the host is on a *child* of it, found by name. Amounts are whole units of a resource class, as
Placement counts them (``MEMORY_MB`` in MiB, ``DISK_GB`` in GiB). The rules for all calls, their
errors among them: ``promise_blazar.cloud.contract.cloud``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Inventory:
    """The inventory of one resource class on a host. Lendable: (total - reserved)."""

    total: int
    reserved: int
    allocation_ratio: float


class ResourceClasses(Protocol):
    """The units of accounting that Placement knows."""

    def ensure(self, name: str) -> None:
        """A custom class of this name. Raises ``CloudError`` (400: not a ``CUSTOM_*`` name)."""
        ...

    def delete(self, name: str) -> None:
        """No custom class of this name.

        Raises ``CloudError`` (409: an inventory uses it; 400: it is a standard class).
        """
        ...

    def with_prefix(self, prefix: str) -> Sequence[str]:
        """The names that begin so, of custom and standard classes."""
        ...


class ResourceProviders(Protocol):
    """The hosts' resource providers: their children, and who consumes what."""

    def ensure_child(self, parent_uuid: str, name: str) -> str:
        """The child of this name under this parent, moved there if it is another's; its uuid.

        Raises ``NotFound`` (the parent).
        """
        ...

    def inventory(self, name: str) -> Mapping[str, int]:
        """Totals by resource class of the provider of this name; empty if there is none."""
        ...

    def ensure_inventory(self, name: str, resource_class: str, total: int) -> None:
        """``total`` of a class (ratio 1.0, units of 1) on a provider; 0 takes it off.

        The total may shrink below what is allocated. Raises ``NotFound`` (the provider),
        ``CloudError`` (409: to be taken off, but allocated; 400: no such class).
        """
        ...

    def close_inventory(self, name: str, resource_class: str) -> bool:
        """No more of a class than is allocated now can be taken from the provider of this name.

        Its total stays as it is. False: nothing could be taken before, or there is no such
        inventory.
        """
        ...

    def holders(self, name: str, resource_class: str) -> Sequence[str]:
        """Ids of the servers with allocations of a class on the provider of this name.

        They have them whatever became of their flavors, SOFT_DELETED ones too. Some ids may be of
        no server (any more), or of a server's move (``compute.Servers.moving``).
        """
        ...

    def consumers(self, uuid: str) -> Sequence[str]:
        """Ids of the servers with allocations on a provider; none if there is no such provider.

        Servers have them also before Nova says that they are there. Some ids may be of no server
        (any more).
        """
        ...
