# SPDX-License-Identifier: Apache-2.0
"""What HTTP says when something goes wrong: the one table, and Blazar's error body.

Every error is a JSON object with ``error_code``, ``error_message`` and ``error_name``: existing
clients read ``error_message`` and the status, and nothing else.
"""

import http
import math
from typing import Any

import flask
from oslo_log import log as logging
from werkzeug import exceptions as http_exceptions

from promise_blazar import exceptions

LOG = logging.getLogger(__name__)

#: The nearest class of an error's ancestors decides.
STATUS: dict[type[exceptions.PromiseBlazarError], int] = {
    exceptions.BadInput: 400,
    exceptions.Forbidden: 403,
    exceptions.NotFound: 404,
    exceptions.Conflict: 409,
    exceptions.KeyReused: 422,
    exceptions.CloudError: 502,
    exceptions.CloudUnavailable: 503,
    exceptions.Busy: 503,
    exceptions.Unavailable: 503,
    exceptions.PromiseBlazarError: 500,
}

#: What a refusal tells beside its sentence.
REFUSAL_FACTS = ("reasons", "fits", "alternatives")

#: Where Werkzeug speaks to someone in front of a browser.
_MESSAGES = {
    404: "There is nothing at this path",
    405: "This path does not know the method",
    413: "The request body is too large",
}

#: Seconds, where the error itself does not know better.
RETRY_AFTER = 5


def body(status: int, message: str, name: int | str | None = None) -> dict[str, Any]:
    """Blazar's three keys. ``error_name`` is the number again, except for a 500."""
    return {
        "error_code": status,
        "error_message": message,
        "error_name": status if name is None else name,
    }


def status_of(error: exceptions.PromiseBlazarError) -> int:
    """The HTTP status of one of our errors."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def register(app: flask.Flask) -> None:
    """Let every error of ``app`` leave as JSON."""
    app.register_error_handler(exceptions.PromiseBlazarError, ours)
    app.register_error_handler(http_exceptions.HTTPException, of_http)
    app.register_error_handler(Exception, unexpected)


def ours(error: exceptions.PromiseBlazarError) -> flask.Response:
    """An error that somebody below had a name for."""
    status = status_of(error)
    if status == http.HTTPStatus.INTERNAL_SERVER_ERROR:
        return unexpected(error)
    document = body(status, error.message)
    if isinstance(error, exceptions.NotEnoughHosts):
        document |= {fact: error.facts.get(fact, _nothing(fact)) for fact in REFUSAL_FACTS}
    response = _response(status, document)
    if status == http.HTTPStatus.SERVICE_UNAVAILABLE:
        patience = error.facts.get("retry_after") or RETRY_AFTER
        response.headers["Retry-After"] = str(math.ceil(patience))
        LOG.warning("Answering 503: %s", error.message)
    elif status == http.HTTPStatus.BAD_GATEWAY:
        LOG.warning("Answering 502: %s", error.message)
    return response


def of_http(error: http_exceptions.HTTPException) -> flask.Response:
    """Flask's own: no such route, no such method, too large."""
    status = error.code or 500
    message = _MESSAGES.get(status) or error.description or error.name
    response = _response(status, body(status, message))
    for name, value in error.get_headers(flask.request.environ):
        if name.lower() != "content-type":
            response.headers[name] = value
    return response


def unexpected(error: Exception) -> flask.Response:
    """A fault of ours: in the log with its trace, to the client without internals."""
    LOG.error(
        "Unexpected error in %s %r", flask.request.method, flask.request.path, exc_info=error
    )
    return _response(500, body(500, "Internal Server Error", "INTERNAL_SERVER_ERROR"))


def _nothing(fact: str) -> Any:
    return {} if fact == "fits" else []


def _response(status: int, document: dict[str, Any]) -> flask.Response:
    response = flask.jsonify(document)
    response.status_code = status
    return response
