# SPDX-License-Identifier: Apache-2.0
"""Request context: as much of a caller as crosses the bus; no token, no catalog."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequestContext:
    """The caller, as authenticated by the API.

    ``is_admin``: the policy rule ``admin`` holds; said where it decides anything.
    """

    user_id: str
    project_id: str
    request_id: str
    global_request_id: str | None = None
    is_admin: bool = False
