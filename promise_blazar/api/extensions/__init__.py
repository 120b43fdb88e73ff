# SPDX-License-Identifier: Apache-2.0
"""Our own extensions of ``/v1``: their routes, and the dialect that they belong to.

Errors are problem details (RFC 9457), what nobody knows is refused, lists come in pages, and
times are written with an offset or ``Z``.
"""

from collections.abc import Mapping

from promise_blazar.api.extensions import adjustments, availability, capacity, problems, writer
from promise_blazar.api.http import bodies
from promise_blazar.api.http.dialect import Dialect, Handler
from promise_blazar.api.http.schema import UnknownMembers

ROUTES: Mapping[str, Mapping[str, Handler]] = {
    "/capacity": {"GET": capacity.show},
    "/capacity/adjustments": {"GET": adjustments.index, "POST": adjustments.create},
    "/capacity/adjustments/<adjustment_id>": {
        "GET": adjustments.show,
        "DELETE": adjustments.delete,
    },
    "/availability": {"POST": availability.find},
}

DIALECT = Dialect(
    name="extensions",
    prefix="/v1",
    routes=ROUTES,
    reader=bodies.read_object,
    writer=writer.write,
    error_body=problems.error_body,
    unknown_members=UnknownMembers.REFUSED,
)
