# SPDX-License-Identifier: Apache-2.0
"""The clients of Nova: novaclient at two microversions, and the reading of long lists."""

import os
from collections.abc import Iterator, Mapping
from typing import Any
from urllib import parse

from keystoneauth1 import session as keystone_session
from keystoneauth1.plugin import BaseAuthPlugin
from novaclient import client as novaclient
from novaclient.v2.client import Client
from oslo_config import cfg

from promise_blazar import exceptions
from promise_blazar.cloud.openstack import session as sessions
from promise_blazar.cloud.openstack.errors import calling
from promise_blazar.conf import cloud as options

#: Of all calls. From 2.88 on hypervisors have no sizes any more, and showing one asks its
#: compute for the uptime, by RPC: 60 s and a 500 if the compute has just crashed.
MICROVERSION = "2.87"
#: From 2.47 on a server shows what its flavor was, but not the flavor's id.
FLAVOR_ID_MICROVERSION = "2.46"

# novaclient writes every id it lists into a file of the user's home, for shells to complete.
# A service has no use for that, and two processes would write the same file.
os.environ.setdefault("NOVACLIENT_UUID_CACHE_DIR", os.devnull)


def connect(
    conf: cfg.ConfigOpts,
    session: keystone_session.Session,
    microversion: str = MICROVERSION,
    **auth: BaseAuthPlugin,
) -> Client:
    """A client of the configured Nova, as the session's user unless ``auth`` is given."""
    where = dict(sessions.where(conf, "nova"))
    # novaclient's name for it, from before keystoneauth.
    where["endpoint_type"] = where.pop("interface")
    return novaclient.Client(microversion, session=session, **where, **auth)


class Nova:
    """The clients, the time-outs, and reading page by page. Safe to use from several threads."""

    def __init__(self, conf: cfg.ConfigOpts, session: keystone_session.Session) -> None:
        self.client = connect(conf, session)
        self.flavor_id_client = connect(conf, session, FLAVOR_ID_MICROVERSION)
        self.call_timeout: float = conf[options.AUTH_GROUP].call_timeout
        self.list_timeout: float = conf[options.AUTH_GROUP].list_timeout

    def pages(
        self,
        call: str,
        client: Client,
        path: str,
        key: str,
        query: Mapping[str, str] | None = None,
    ) -> Iterator[dict[str, Any]]:
        """``pages``, within the time-out of lists."""
        return pages(call, self.list_timeout, client, path, key, query)


def pages(
    call: str,
    timeout: float,
    client: Client,
    path: str,
    key: str,
    query: Mapping[str, str] | None = None,
) -> Iterator[dict[str, Any]]:
    """The members of a list, however many pages it has; each page is one call.

    The next page is asked for by its marker only: the address in the answer's link may be one
    that a proxy hides.
    """
    asked = dict(query or {})
    while True:
        with calling(call, timeout):
            _, body = client.client.get(f"{path}?{parse.urlencode(asked)}")
        members = body[key]
        yield from members
        if not members or not body.get(f"{key}_links"):
            return
        asked["marker"] = str(members[-1]["id"])


def refuse_partial(call: str, members: list[dict[str, Any]]) -> None:
    """Raises ``CloudUnavailable`` if a cell of Nova is down: what it has is not shown."""
    if any(member.get("status") == "UNKNOWN" for member in members):
        raise exceptions.CloudUnavailable(call=call, status=None, detail="a cell is down")
