# SPDX-License-Identifier: Apache-2.0
"""A client of the service for openstacksdk: leases, and the extensions that Blazar has not."""

import re
from urllib.parse import urlsplit

from openstack import exceptions
from openstack.connection import Connection

from promise_blazar.osc.sdk.proxy import Proxy

SERVICE_TYPE = "reservation"
_VERSION = re.compile(r"/v\d+(\.\d+)?/?$")


def client(connection: Connection) -> Proxy:
    """The client of the cloud's reservation service, as the connection's owner.

    A catalog may have the service with its version or without. Raises keystoneauth's
    ``EndpointNotFound``, or ``NotSupported``, where it has none.
    """
    made: Proxy = connection.config.get_session_client(SERVICE_TYPE, constructor=Proxy)
    made.attach(connection)
    # There is one version: it need not be looked for, and the catalog's word is taken.
    made.version = made.min_version = made.max_version = None
    address = made.get_endpoint()
    if address is None:
        raise exceptions.NotSupported("There is no reservation service in this cloud's catalog")
    versioned = _VERSION.search(urlsplit(address).path)
    made.endpoint_override = address if versioned else f"{address.rstrip('/')}/v1"
    return made
