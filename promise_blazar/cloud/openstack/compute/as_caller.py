# SPDX-License-Identifier: Apache-2.0
"""Nova with the token of whoever calls the API.

Where it is comes from the service's own catalog, so that the caller's token is used for the calls
themselves alone and never exchanged for another one.
"""

from keystoneauth1 import session as keystone_session
from keystoneauth1 import token_endpoint
from novaclient.v2.client import Client
from oslo_config import cfg

from promise_blazar.cloud.contract.tenants import Caller
from promise_blazar.cloud.openstack.compute.nova import connect
from promise_blazar.cloud.openstack.errors import calling
from promise_blazar.conf import cloud as options


class NovaAsCaller:
    """Clients with callers' tokens, and the time-outs of their calls, in seconds."""

    def __init__(self, conf: cfg.ConfigOpts, session: keystone_session.Session) -> None:
        self._conf = conf
        self._session = session
        self.call_timeout: float = conf[options.AUTH_GROUP].call_timeout
        self.list_timeout: float = conf[options.AUTH_GROUP].list_timeout

    def client(self, call: str, caller: Caller) -> Client:
        """For a call of this name, which what fails meanwhile is told as."""
        as_caller = token_endpoint.Token(self._endpoint(call, caller), caller.token)
        return connect(self._conf, self._session, auth=as_caller)

    def _endpoint(self, call: str, caller: Caller) -> str:
        with calling(call, self.call_timeout):
            where = connect(self._conf, self._session).client.get_endpoint()
            ours = self._session.get_project_id()
        # Some catalogs put the asker's project into Nova's address.
        return str(where).replace(str(ours), caller.project_id)
