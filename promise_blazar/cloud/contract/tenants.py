# SPDX-License-Identifier: Apache-2.0
"""What only a tenant's own token can do, in the process that has it: the API's.

Measured on a real Nova: a server group of the service's project is "not found" to the tenant's
boot; a group that the tenant's own token made works, and the service may delete it. So the API
process makes the group (the token never leaves it), and the manager records its id. Likewise
flavors: which of them somebody may use is for Nova to say to whoever asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls the API. ``token`` is used for this one call and kept nowhere."""

    token: str
    user_id: str
    project_id: str
    is_admin: bool = False


@dataclass(frozen=True, slots=True)
class FlavorContent:
    """A flavor that the caller may use. ``amounts``: of what a server of it takes, by resource
    class, none of them 0."""

    id: str
    name: str
    amounts: Mapping[str, int]


class TenantServerGroups(Protocol):
    """The server groups of whoever calls the API."""

    def ensure(self, caller: Caller, name: str, policy: str) -> str:
        """The caller's group of this name and policy, made if there is none; its id.

        ``policy``: Nova's, such as ``affinity``. Raises ``CloudError`` (a quota, a missing
        right), ``CloudUnavailable``.
        """
        ...

    def make(self, caller: Caller, name: str, policy: str) -> str:
        """A new group of the caller, whatever others there are of this name; its id. Raises the
        same."""
        ...

    def remove(self, caller: Caller, group_id: str) -> None:
        """Delete a group of the caller, which may be gone. Raises the same."""
        ...


class TenantFlavors(Protocol):
    """The flavors that whoever calls the API may use."""

    def find(self, caller: Caller, flavor: str) -> FlavorContent:
        """The one with this id, else with this name.

        Raises ``NotFound``, also for what the caller may not see; ``CloudError``,
        ``CloudUnavailable``.
        """
        ...


class TenantCloud(Protocol):
    """The cloud as whoever calls the API has it."""

    @property
    def server_groups(self) -> TenantServerGroups: ...

    @property
    def flavors(self) -> TenantFlavors: ...
