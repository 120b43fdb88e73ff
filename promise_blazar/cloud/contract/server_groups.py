# SPDX-License-Identifier: Apache-2.0
"""Server groups that only the tenant's own token can make usable for the tenant.

Measured on a real Nova: a group of the service's project is "not found" to the tenant's boot; a
group that the tenant's own token made works, and the service may delete it. So the API process
makes the group (the token never leaves it), and the manager records its id.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose group it will be. ``token`` is used for this one call and kept nowhere."""

    token: str
    user_id: str
    project_id: str


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
