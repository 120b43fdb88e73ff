# SPDX-License-Identifier: Apache-2.0
"""Blazar's API v1: its routes, and the dialect that they belong to."""

from collections.abc import Mapping

from promise_blazar.api.http import bodies
from promise_blazar.api.http.dialect import Dialect, Handler
from promise_blazar.api.http.schema import UnknownMembers
from promise_blazar.api.v1 import hosts, leases, writer

#: Static words stand beside ``<host_id>``; Werkzeug prefers them.
ROUTES: Mapping[str, Mapping[str, Handler]] = {
    "/leases": {"GET": leases.index, "POST": leases.create},
    "/leases/<lease_id>": {"GET": leases.show, "PUT": leases.update, "DELETE": leases.delete},
    "/os-hosts": {"GET": hosts.index, "POST": hosts.create},
    "/os-hosts/allocations": {"GET": hosts.allocations},
    "/os-hosts/properties": {"GET": hosts.properties},
    "/os-hosts/properties/<path:name>": {"PATCH": hosts.set_property},
    "/os-hosts/<host_id>": {"GET": hosts.show, "PUT": hosts.update, "DELETE": hosts.delete},
    "/os-hosts/<host_id>/allocation": {"GET": hosts.allocation},
}

DIALECT = Dialect(
    name="v1",
    prefix="/v1",
    routes=ROUTES,
    reader=bodies.read_object,
    writer=bodies.write,
    error_body=writer.error_body,
    unknown_members=UnknownMembers.IGNORED,
    suffix=".json",
)
