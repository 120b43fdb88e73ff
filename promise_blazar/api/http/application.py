# SPDX-License-Identifier: Apache-2.0
"""WSGI application of the API: Flask inside, the usual OpenStack middleware round it."""

from collections.abc import Sequence
from typing import Any

import flask
import msgspec
from flask.json.provider import DefaultJSONProvider
from oslo_config import cfg
from oslo_log import log as logging
from oslo_middleware import CORS, HTTPProxyToWSGI, RequestId, TracingMiddleware, sizelimit
from oslo_middleware import cors as cors_options
from oslo_middleware import tracing as tracing_options

from promise_blazar import policies
from promise_blazar.api import dialects as known
from promise_blazar.api.http import (
    auth,
    body_limit,
    dependencies,
    errors,
    health,
    versions,
)
from promise_blazar.api.http.dialect import SUFFIX, Dialect, Dialects
from promise_blazar.api.http.large_answers import LargeAnswers
from promise_blazar.api.http.question_rate import QuestionRate
from promise_blazar.clock import Clock
from promise_blazar.cloud.contract.tenants import TenantCloud
from promise_blazar.conf import api as options
from promise_blazar.manager.contract.interface import Manager
from promise_blazar.waiters import Waiters

LOG = logging.getLogger(__name__)


def create_app(
    conf: cfg.ConfigOpts,
    manager: Manager,
    cloud: TenantCloud,
    clock: Clock,
    extensions: Sequence[flask.Blueprint] = (),
    dialects: Sequence[Dialect] = known.DIALECTS,
) -> Any:
    """A WSGI callable that serves these dialects, safe to call from many threads.

    ``manager`` does what is asked, ``cloud`` what needs a caller's own token.

    ``extensions`` are blueprints that belong to no dialect; their handlers find the caller's
    identity in ``flask.g`` (``promise_blazar.api.http.auth``) and their errors leave in
    Blazar's body.
    """
    options.register_opts(conf)
    conf.register_opts(sizelimit.OPTS, group="oslo_middleware")
    spoken = Dialects(dialects)
    chosen = auth.strategy(conf, spoken)

    app = flask.Flask("promise_blazar", static_folder=None)
    app.json = _Json(app)
    # Two slashes are not one: a redirect would be a page, and nobody's client follows it.
    app.url_map.merge_slashes = False
    # Of bodies that announce no length; what announces too much comes no further than the frame.
    app.config["MAX_CONTENT_LENGTH"] = conf.oslo_middleware.max_request_body_size
    most = conf.api.threads // 2 if conf.api.waiters is None else conf.api.waiters
    waiters = Waiters(most)
    found = dependencies.Dependencies(
        conf,
        manager,
        cloud,
        policies.new_enforcer(conf),
        waiters,
        QuestionRate(conf.api.question_rate, conf.api.question_rate_storage, clock),
        LargeAnswers(waiters),
        clock,
    )
    dependencies.register(app, found)
    errors.register(app, spoken)
    _log_requests(app, clock)
    auth.register(app, chosen)
    versions.register(app)
    app.register_blueprint(health.blueprint)
    for blueprint in [*(each.blueprint() for each in spoken), *extensions]:
        app.register_blueprint(blueprint)
    return _with_middleware(_with_plain_paths(app, spoken), chosen, conf, spoken)


class _Json(DefaultJSONProvider):
    """Writes answers, which may list thousands of leases, ten times as fast as Flask's own."""

    def dumps(self, obj: Any, **_: Any) -> str:
        return msgspec.json.encode(obj).decode()


def _with_middleware(
    application: Any, chosen: auth.Strategy, conf: cfg.ConfigOpts, dialects: Dialects
) -> Any:
    """From the inside out; a request passes them in the opposite order.

    The proxy's headers are read first, since everything else may show an address. The request
    id comes before all that can fail, so that every answer has one. CORS stands before the
    tokens: a browser sends none with its preflight.
    """
    cors_options.set_defaults(
        allow_headers=[
            "X-Auth-Token",
            versions.HEADER,
            "Content-Type",
            "Idempotency-Key",
            "If-None-Match",
        ],
        expose_headers=["X-OpenStack-Request-ID", versions.HEADER, "ETag", "Retry-After"],
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
    )
    tracing_options.set_defaults(service_name="promise-blazar-api")
    application = chosen.wrap(application)
    limit = conf.oslo_middleware.max_request_body_size
    application = body_limit.limited(application, limit, dialects)
    # What nothing is configured for would only cost every request its time.
    cors = CORS(application, conf)
    if cors.allowed_origins:
        application = cors
    application = RequestId(application, conf)
    application = TracingMiddleware(application, conf)
    proxied = HTTPProxyToWSGI(application, conf)
    return proxied if conf.oslo_middleware.enable_proxy_headers_parsing else application


def _with_plain_paths(application: Any, dialects: Dialects) -> Any:
    """Paths without their dialect's suffix.

    Mounted below a prefix, the root may come without its slash; Flask would redirect it.
    """

    def plain(environ: dict[str, Any], start_response: Any) -> Any:
        path = environ.get("PATH_INFO", "") or "/"
        if dialect := dialects.of(path):
            written, path = path, path.removesuffix(dialect.suffix)
            environ[SUFFIX] = written[len(path) :]
        environ["PATH_INFO"] = path
        return application(environ, start_response)

    return plain


def _log_requests(app: flask.Flask, clock: Clock) -> None:
    """One line a request, once its answer is known."""

    def begin() -> None:
        flask.g.began = clock.monotonic()

    def end(response: flask.Response) -> flask.Response:
        request = flask.request
        # The path is the client's: quoted, it cannot forge a line of its own.
        LOG.info(
            "%s %r status %s in %.3f s",
            request.method,
            request.path,
            response.status_code,
            clock.monotonic() - flask.g.began,
        )
        return response

    app.before_request(begin)
    app.after_request(end)
