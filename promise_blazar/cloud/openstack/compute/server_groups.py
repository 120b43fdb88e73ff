# SPDX-License-Identifier: Apache-2.0
"""Server groups: calls ``nova.server_group.list``, ``.create``, ``.delete``.

They are made with the caller's own token. Where Nova is comes from the service's own catalog, so
that the caller's token is used for two calls alone and never exchanged for another one. The
service, with its own token, finds and deletes those of all projects.
"""

from keystoneauth1 import session as keystone_session
from keystoneauth1 import token_endpoint
from novaclient.v2.client import Client
from oslo_config import cfg

from promise_blazar import exceptions
from promise_blazar.cloud.contract.server_groups import Caller
from promise_blazar.cloud.openstack.compute.nova import Nova, connect
from promise_blazar.cloud.openstack.errors import calling
from promise_blazar.conf import cloud as options


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
    """``contract.server_groups.TenantServerGroups`` on a real Nova."""

    def __init__(self, conf: cfg.ConfigOpts, session: keystone_session.Session) -> None:
        self._conf = conf
        self._session = session
        self._call_timeout: float = conf[options.AUTH_GROUP].call_timeout
        self._list_timeout: float = conf[options.AUTH_GROUP].list_timeout

    def ensure(self, caller: Caller, name: str, policy: str) -> str:
        nova = self._as(caller)
        with calling("nova.server_group.list", self._list_timeout):
            groups = nova.server_groups.list()
        for group in groups:
            if (group.name, group.policy, group.project_id) == (name, policy, caller.project_id):
                return str(group.id)
        with calling("nova.server_group.create", self._call_timeout):
            return str(nova.server_groups.create(name, policy).id)

    def make(self, caller: Caller, name: str, policy: str) -> str:
        nova = self._as(caller)
        with calling("nova.server_group.create", self._call_timeout):
            return str(nova.server_groups.create(name, policy).id)

    def remove(self, caller: Caller, group_id: str) -> None:
        nova = self._as(caller)
        try:
            with calling("nova.server_group.delete", self._call_timeout):
                nova.server_groups.delete(group_id)
        except exceptions.NotFound:
            return

    def _as(self, caller: Caller) -> Client:
        as_caller = token_endpoint.Token(self._endpoint(caller), caller.token)
        return connect(self._conf, self._session, auth=as_caller)

    def _endpoint(self, caller: Caller) -> str:
        with calling("nova.server_group.list", self._call_timeout):
            where = connect(self._conf, self._session).client.get_endpoint()
            ours = self._session.get_project_id()
        # Some catalogs put the asker's project into Nova's address.
        return str(where).replace(str(ours), caller.project_id)
