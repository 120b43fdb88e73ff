# SPDX-License-Identifier: Apache-2.0
"""Errors as HTTP answers: the one table of statuses, and the handlers that render each error.

Whose words an error leaves in is decided by the path: those of the dialect that it belongs to,
else Blazar's three keys. Either way it is a JSON object.
"""

import http
import json
import math
from collections.abc import Mapping
from typing import Any

import flask
import webob
from oslo_log import log as logging
from oslo_middleware import request_id
from werkzeug import exceptions as http_exceptions

from promise_blazar import exceptions
from promise_blazar.api.http.dialect import Dialects, ErrorBody, Problem

LOG = logging.getLogger(__name__)

#: The nearest class of an error's ancestors decides.
STATUS: dict[type[exceptions.PromiseBlazarError], int] = {
    exceptions.BadInput: 400,
    exceptions.Forbidden: 403,
    exceptions.NotFound: 404,
    exceptions.Conflict: 409,
    exceptions.KeyReused: 422,
    exceptions.TooManyRequests: 429,
    exceptions.CloudError: 502,
    exceptions.CloudUnavailable: 503,
    exceptions.Busy: 503,
    exceptions.Unavailable: 503,
    exceptions.PromiseBlazarError: 500,
}

#: Where Werkzeug speaks to someone in front of a browser.
MESSAGES = {
    404: "There is nothing at this path",
    405: "This path does not know the method",
    413: "The request body is too large",
}

#: Of what is worth another try, later.
_LATER = (http.HTTPStatus.SERVICE_UNAVAILABLE, http.HTTPStatus.TOO_MANY_REQUESTS)

#: Seconds, where the error itself does not know better.
RETRY_AFTER = 5


def status_of(error: exceptions.PromiseBlazarError) -> int:
    """The HTTP status of one of our errors."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def body(status: int, message: str) -> dict[str, Any]:
    """Blazar's three keys: ``error_code``, ``error_message``, ``error_name``.

    Existing clients read the message and the status, and nothing else. The name is the number
    again, except for a 500.
    """
    return {
        "error_code": status,
        "error_message": message,
        "error_name": "INTERNAL_SERVER_ERROR" if status == 500 else status,
    }


def render(dialects: Dialects, path: str, problem: Problem) -> ErrorBody:
    """The problem in the words of the dialect that the path belongs to."""
    dialect = dialects.of(path)
    if dialect is None:
        return ErrorBody(body(problem.status, problem.message))
    return dialect.error_body(problem)


def response(
    dialects: Dialects, environ: Mapping[str, Any], status: int, message: str
) -> webob.Response:
    """A WSGI answer from outside of Flask, in the words of the path's dialect."""
    problem = Problem(status, message, request_id=environ.get(request_id.ENV_REQUEST_ID))
    rendered = render(dialects, environ.get("PATH_INFO", ""), problem)
    return webob.Response(
        body=json.dumps(rendered.document).encode(),
        status=rendered.status or status,
        content_type=rendered.mimetype,
        charset="UTF-8",
    )


def register(app: flask.Flask, dialects: Dialects | None = None) -> None:
    """Let every error of ``app`` leave as JSON, below each dialect's paths in its words."""
    handlers = _Handlers(dialects or Dialects())
    app.register_error_handler(exceptions.PromiseBlazarError, handlers.ours)
    app.register_error_handler(http_exceptions.HTTPException, handlers.of_http)
    app.register_error_handler(Exception, handlers.unexpected)


class _Handlers:
    def __init__(self, dialects: Dialects) -> None:
        self._dialects = dialects

    def ours(self, error: exceptions.PromiseBlazarError) -> flask.Response:
        """An error that somebody below had a name for."""
        status = status_of(error)
        if status == http.HTTPStatus.INTERNAL_SERVER_ERROR:
            return self.unexpected(error)
        response = self._response(status, error.public, error)
        if status in _LATER:
            patience = error.facts.get("retry_after") or RETRY_AFTER
            response.headers["Retry-After"] = str(math.ceil(patience))
        if status == http.HTTPStatus.SERVICE_UNAVAILABLE:
            LOG.warning("Answering 503: %s", error.message)
        elif status == http.HTTPStatus.BAD_GATEWAY:
            LOG.warning("Answering 502: %s", error.message)
        return response

    def of_http(self, error: http_exceptions.HTTPException) -> flask.Response:
        """Flask's own: no such route, no such method, too large."""
        status = error.code or 500
        message = MESSAGES.get(status) or error.description or error.name
        response = self._response(status, message)
        for name, value in error.get_headers(flask.request.environ):
            if name.lower() != "content-type":
                response.headers[name] = value
        return response

    def unexpected(self, error: Exception) -> flask.Response:
        """A fault of ours: in the log with its trace, to the client without internals."""
        LOG.error(
            "Unexpected error in %s %r", flask.request.method, flask.request.path, exc_info=error
        )
        return self._response(500, "Internal Server Error")

    def _response(
        self, status: int, message: str, error: exceptions.PromiseBlazarError | None = None
    ) -> flask.Response:
        request = flask.request
        problem = Problem(status, message, error, request.environ.get(request_id.ENV_REQUEST_ID))
        rendered = render(self._dialects, request.path, problem)
        response = flask.jsonify(rendered.document)
        response.status_code = rendered.status or status
        response.mimetype = rendered.mimetype
        return response
