# SPDX-License-Identifier: Apache-2.0
"""Who asks? The part of a request's identity that crosses the bus: no token, no catalog."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequestContext:
    """The caller, as authenticated by the API."""

    user_id: str
    project_id: str
    request_id: str
    global_request_id: str | None = None
