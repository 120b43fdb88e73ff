# SPDX-License-Identifier: Apache-2.0
"""Limit of request bodies, before the token is looked at and a byte of the body is read."""

from typing import Any

from oslo_log import log as logging

from promise_blazar.api.http import errors
from promise_blazar.api.http.dialect import Dialects

LOG = logging.getLogger(__name__)


def limited(application: Any, limit: int, dialects: Dialects) -> Any:
    """The WSGI application, but 413 to what announces more than ``limit`` bytes.

    What announces no length is cut at the limit by who reads it.
    """

    def check(environ: dict[str, Any], start_response: Any) -> Any:
        length = environ.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length[:20]) > limit:
            LOG.info("A body of %s bytes is refused, the limit is %d", length[:20], limit)
            refusal = errors.response(dialects, environ, 413, errors.MESSAGES[413])
            return refusal(environ, start_response)
        return application(environ, start_response)

    return check
