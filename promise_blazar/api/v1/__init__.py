# SPDX-License-Identifier: Apache-2.0
"""Blazar's API v1: the whole map of it."""

from collections.abc import Callable
from typing import Any

import flask

from promise_blazar.api.v1 import hosts, leases

#: Static words stand beside ``<host_id>``; Werkzeug prefers them.
ROUTES: dict[str, dict[str, Callable[..., Any]]] = {
    "/leases": {"GET": leases.index, "POST": leases.create},
    "/leases/<lease_id>": {"GET": leases.show, "PUT": leases.update, "DELETE": leases.delete},
    "/os-hosts": {"GET": hosts.index, "POST": hosts.create},
    "/os-hosts/allocations": {"GET": hosts.allocations},
    "/os-hosts/properties": {"GET": hosts.properties},
    "/os-hosts/properties/<name>": {"PATCH": hosts.set_property},
    "/os-hosts/<host_id>": {"GET": hosts.show, "PUT": hosts.update, "DELETE": hosts.delete},
    "/os-hosts/<host_id>/allocation": {"GET": hosts.allocation},
}


def blueprint() -> flask.Blueprint:
    found = flask.Blueprint("v1", __name__, url_prefix="/v1")
    for path, verbs in ROUTES.items():
        for verb, handler in verbs.items():
            found.add_url_rule(
                path,
                endpoint=f"{handler.__module__.rpartition('.')[2]}_{handler.__name__}",
                view_func=handler,
                methods=[verb],
            )
    return found
