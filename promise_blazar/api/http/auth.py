# SPDX-License-Identifier: Apache-2.0
"""Identity of callers: by Keystone's tokens, or by ``noauth`` ones that are believed.

Either way a request that needs an identity gets one before its handler runs: ``flask.g.context``
(what may cross the bus), ``flask.g.roles``, ``flask.g.token`` (for the one call to Nova that
needs the caller's rights: never logged, never sent over the bus) and ``flask.g.credentials``
(what policies look at). The paths in ``PUBLIC`` need no token.
"""

import re
from typing import Any, Protocol

import flask
import webob
import webob.exc
from keystoneauth1 import exceptions as keystone_exceptions
from keystonemiddleware import auth_token
from oslo_config import cfg
from oslo_context import context as oslo_context
from oslo_log import log as logging
from oslo_middleware import request_id
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from promise_blazar import context, exceptions
from promise_blazar.api.http import errors
from promise_blazar.api.http.dialect import Dialects

LOG = logging.getLogger(__name__)

PUBLIC = frozenset({"", "/", "/versions", "/healthcheck"})

NEEDS_AUTHENTICATION = "The request you have made requires authentication."

#: Roles that Keystone's own imply each other by, as its bootstrap makes them.
_IMPLIED = {"admin": ("manager", "member", "reader"), "manager": ("member", "reader"),
            "member": ("reader",)}  # fmt: skip
_NOAUTH_TOKEN = re.compile(
    r"(W{1,64}):(W{1,64})(?::(W{1,64}(?:,W{1,64})*))?".replace("W", r"[^:,\s\x00-\x1f\x7f-\x9f]")
)


class Strategy(Protocol):
    """One way of knowing callers."""

    def wrap(self, application: Any) -> Any:
        """Put middleware round the WSGI application, if the strategy needs any."""
        ...

    def identify(self, environ: dict[str, Any]) -> oslo_context.RequestContext | None:
        """The caller's credentials, or None for a caller who could not be authenticated."""
        ...


def strategy(conf: cfg.ConfigOpts, dialects: Dialects) -> Strategy:
    """The configured one; it refuses in the words of the path's dialect."""
    if conf.api.auth_strategy == "noauth":
        LOG.warning("auth_strategy is noauth: every caller is believed")
        return Noauth()
    return Keystone(conf, dialects)


def register(app: flask.Flask, chosen: Strategy) -> None:
    """Let no request but those to public paths reach a handler without an identity.

    The others are answered 401, or 403 where the token has no project.
    """

    def authenticate() -> None:
        # The log takes who asks from the thread, where the request before this one left it.
        oslo_context.RequestContext(**_request_ids(flask.request.environ))
        if flask.request.path in PUBLIC:
            return
        credentials = chosen.identify(flask.request.environ)
        if credentials is None:
            raise Unauthorized(NEEDS_AUTHENTICATION, www_authenticate=WWWAuthenticate("keystone"))
        if not credentials.user_id or not credentials.project_id:
            raise exceptions.Forbidden("A token that is scoped to a project is needed")
        flask.g.credentials = credentials
        flask.g.roles = tuple(credentials.roles)
        flask.g.token = credentials.auth_token
        flask.g.context = context.RequestContext(
            user_id=credentials.user_id,
            project_id=credentials.project_id,
            request_id=credentials.request_id,
            global_request_id=credentials.global_request_id,
        )

    app.before_request(authenticate)


class Noauth:
    """Tokens that are believed: ``user:project[:role,...]``.

    The roles are ``member`` and ``reader`` unless some are named.

    The user ``admin`` is always an admin; roles imply each other as Keystone's do.
    """

    def wrap(self, application: Any) -> Any:
        return application

    def identify(self, environ: dict[str, Any]) -> oslo_context.RequestContext | None:
        token = environ.get("HTTP_X_AUTH_TOKEN", "")
        match = _NOAUTH_TOKEN.fullmatch(token)
        if match is None:
            return None
        user_id, project_id, named = match.groups()
        roles = named.split(",") if named else ["member", "reader"]
        if user_id == "admin":
            roles.append("admin")
        for role in tuple(roles):
            roles.extend(_IMPLIED.get(role, ()))
        return oslo_context.RequestContext(
            auth_token=token,
            user_id=user_id,
            project_id=project_id,
            roles=list(dict.fromkeys(roles)),
            **_request_ids(environ),
        )


class Keystone:
    """Tokens that ``keystonemiddleware`` validates, service tokens with them.

    A Keystone that cannot be asked is 503, not 401.
    """

    def __init__(self, conf: cfg.ConfigOpts, dialects: Dialects) -> None:
        self._conf = conf
        self._dialects = dialects

    def wrap(self, application: Any) -> Any:
        guarded = _AuthToken(application, self._conf, self._dialects)

        # Public paths go round the middleware. Its own way of letting requests without a token
        # pass (delay_auth_decision) would answer 401 when Keystone is down; that is a 503.
        def guard(environ: dict[str, Any], start_response: Any) -> Any:
            public = environ.get("PATH_INFO", "") in PUBLIC
            return (application if public else guarded)(environ, start_response)

        return guard

    def identify(self, environ: dict[str, Any]) -> oslo_context.RequestContext | None:
        if environ.get("HTTP_X_IDENTITY_STATUS") != "Confirmed":
            return None
        return oslo_context.RequestContext.from_environ(environ)


class _AuthToken(auth_token.AuthProtocol):
    """The same, with refusals in the words of this API."""

    def __init__(self, application: Any, conf: cfg.ConfigOpts, dialects: Dialects) -> None:
        super().__init__(application, {"oslo_config_config": conf})
        self._dialects = dialects

    def process_request(self, request: webob.Request) -> webob.Response | None:
        try:
            return super().process_request(request)
        except webob.exc.HTTPUnauthorized as refusal:
            return self._refuse(
                request, 401, NEEDS_AUTHENTICATION, refusal.headers, "WWW-Authenticate"
            )
        except (webob.exc.HTTPServiceUnavailable, keystone_exceptions.ClientException) as error:
            LOG.error("Keystone could not validate a token: %s", error)
            headers = {"Retry-After": str(errors.RETRY_AFTER)}
            message = "The Keystone service is temporarily unavailable."
            return self._refuse(request, 503, message, headers, "Retry-After")

    def _refuse(
        self, request: webob.Request, status: int, message: str, headers: Any, keep: str
    ) -> webob.Response:
        response = errors.response(self._dialects, request.environ, status, message)
        if keep in headers:
            response.headers[keep] = headers[keep]
        return response


def _request_ids(environ: dict[str, Any]) -> dict[str, Any]:
    return {
        "request_id": environ.get(request_id.ENV_REQUEST_ID),
        "global_request_id": environ.get(request_id.GLOBAL_REQ_ID),
    }
