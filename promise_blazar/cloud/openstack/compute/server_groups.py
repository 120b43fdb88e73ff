# SPDX-License-Identifier: Apache-2.0
"""Server groups: calls ``nova.server_group.list``, ``.create``, ``.delete``.

They are made with the caller's own token. The service, with its own, finds and deletes those of
all projects.
"""

from promise_blazar import exceptions
from promise_blazar.cloud.contract.tenants import Caller
from promise_blazar.cloud.openstack.compute.as_caller import NovaAsCaller
from promise_blazar.cloud.openstack.compute.nova import Nova
from promise_blazar.cloud.openstack.errors import calling


class ServerGroups:
    """``contract.compute.ServerGroups`` on a real Nova."""

    def __init__(self, nova: Nova) -> None:
        self._nova = nova

    def delete(self, group_id: str) -> None:
        try:
            with calling("nova.server_group.delete", self._nova.call_timeout):
                self._nova.client.server_groups.delete(group_id)
        except exceptions.NotFound:
            return

    def named(self, name: str) -> list[str]:
        return [group for group, found in self.with_prefix(name).items() if found == name]

    def with_prefix(self, prefix: str) -> dict[str, str]:
        # Nova pages them by offset, and does not say whether there are more.
        found: dict[str, str] = {}
        seen = 0
        while True:
            with calling("nova.server_group.list", self._nova.list_timeout):
                page = self._nova.client.server_groups.list(all_projects=True, offset=seen)
            if not page:
                return found
            found |= {str(g.id): str(g.name) for g in page if str(g.name).startswith(prefix)}
            seen += len(page)


class TenantServerGroups:
    """``contract.tenants.TenantServerGroups`` on a real Nova."""

    def __init__(self, nova: NovaAsCaller) -> None:
        self._nova = nova

    def ensure(self, caller: Caller, name: str, policy: str) -> str:
        nova = self._nova.client("nova.server_group.list", caller)
        with calling("nova.server_group.list", self._nova.list_timeout):
            groups = nova.server_groups.list()
        for group in groups:
            if (group.name, group.policy, group.project_id) == (name, policy, caller.project_id):
                return str(group.id)
        with calling("nova.server_group.create", self._nova.call_timeout):
            return str(nova.server_groups.create(name, policy).id)

    def make(self, caller: Caller, name: str, policy: str) -> str:
        nova = self._nova.client("nova.server_group.create", caller)
        with calling("nova.server_group.create", self._nova.call_timeout):
            return str(nova.server_groups.create(name, policy).id)

    def remove(self, caller: Caller, group_id: str) -> None:
        nova = self._nova.client("nova.server_group.delete", caller)
        try:
            with calling("nova.server_group.delete", self._nova.call_timeout):
                nova.server_groups.delete(group_id)
        except exceptions.NotFound:
            return
